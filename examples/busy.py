#!/usr/bin/env python3
"""A small program that is busy in a few recognisable ways: something to look at in a flame graph.

usage: busy.py [--seconds N]      runs N seconds (default: until it is stopped)
"""
import argparse
import json
import re
import threading
import time


def primes(limit):
    sieve = bytearray([1]) * limit
    for n in range(2, int(limit ** 0.5) + 1):
        if sieve[n]:
            sieve[n * n::n] = bytes(len(range(n * n, limit, n)))
    return sum(sieve[2:])


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def words(text):
    return sorted(set(re.findall(r"\w+", text)))


def shapes(count):
    return json.loads(json.dumps([{"side": i, "area": i * i} for i in range(count)]))


class Shop:
    """Methods, so that qualified names show."""

    def __init__(self):
        self.orders = []

    def order(self, item):
        self.orders.append((item, self.price(item)))

    def price(self, item):
        return sum(ord(letter) for letter in item) % 100

    def day(self):
        for number in range(300):
            self.order("item %d" % number)
        self.orders.clear()


def work(until):
    shop = Shop()
    while time.monotonic() < until:
        primes(20000)
        fibonacci(15)
        words(__doc__ * 20)
        shapes(500)
        shop.day()


def wait(until):
    """A thread that sleeps: shows with --idle only."""
    while time.monotonic() < until:
        time.sleep(0.1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=1e9)
    until = time.monotonic() + parser.parse_args().seconds
    threading.Thread(target=wait, args=(until,), name="waiter", daemon=True).start()
    threading.Thread(target=work, args=(until,), name="worker", daemon=True).start()
    work(until)


if __name__ == "__main__":
    main()
