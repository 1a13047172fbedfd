# SPDX-License-Identifier: MIT
"""Calls of tiny functions with a call graph that is known (lib/graph.py): two branches that look
alike, and a recursion. Usage: calls.py SECONDS"""
import os
import signal
import sys
import time

rounds = 0


def leaf_a():
    return 1


def leaf_b():
    return 2


def mid_a():
    return leaf_a() + leaf_a()


def mid_b():
    return leaf_b() + leaf_b()


def hot_a():
    return mid_a() + leaf_a()


def hot_b():
    return mid_b() + leaf_b()


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def report(signum, frame):
    os.write(1, b"%d %.6f\n" % (rounds, time.time()))


def main(seconds):
    global rounds
    end = time.time() + seconds
    os.write(1, b"ready\n")
    while time.time() < end:
        for i in range(50):
            hot_a()
            hot_b()
            fib(6)
        rounds += 1


signal.signal(signal.SIGUSR1, report)
main(float(sys.argv[1]))
