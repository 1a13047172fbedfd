# SPDX-License-Identifier: MIT
"""Generators and coroutines with a known call graph: iterated from C and from Python, delegated to
(yield from), as an expression, awaited. Usage: generators.py SECONDS"""
import os
import sys
import time


def leaf_a():
    return 1


def leaf_b():
    return 2


def leaf_c():
    return 3


def leaf_d():
    return 4


def leaf_e():
    return 5


def gen_a():
    for i in range(3):
        yield leaf_a()


def gen_b():
    for i in range(3):
        yield leaf_b()


def walk(n):
    if n:
        yield from walk(n - 1)
    yield leaf_d()


async def co_inner():
    return leaf_e()


async def co_outer():
    return await co_inner() + await co_inner()


def use_a():
    return sum(gen_a())


def use_b():
    for x in gen_b():
        pass


def use_c():
    return sum(leaf_c() for i in range(3))


def use_walk():
    for x in walk(3):
        pass


def run_co():
    try:
        co_outer().send(None)
    except StopIteration:
        pass


def main(seconds):
    end = time.time() + seconds
    os.write(1, b"ready\n")
    while time.time() < end:
        for i in range(50):
            use_a()
            use_b()
            use_c()
            use_walk()
            run_co()


main(float(sys.argv[1]))
