# SPDX-License-Identifier: MIT
"""Work that goes from Python to C and back, 10 frames of Python deep, or 159 threads of C; it counts its rounds in a file,
as an eight-byte number that another program may look at at any time. Usage: nativework.py SECONDS FILE [OPENMP LIBRARY]"""
import functools
import json
import mmap
import re
import struct
import sys
import time

with open(sys.argv[2], "r+b") as shared:
    counter = mmap.mmap(shared.fileno(), 8)
PATTERN = re.compile("[a-z]+")
TEXT = "some words and some more words " * 3


class Thing(object):
    pass


class Item(object):
    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        return self.n < other.n


def key(n):
    return -n


def default(thing):
    return [1, 2, 3]


def match(m):
    return m.group().upper()


def add(a, b):
    return a + b


def round_of_python():
    json.dumps([Thing(), {"a": Thing()}], default=default)
    sorted(range(50), key=key)
    items = [Item(i * 7 % 31) for i in range(31)]
    items.sort()
    PATTERN.sub(match, TEXT)
    functools.reduce(add, range(50))


def openmp(path):
    import ctypes
    library = ctypes.CDLL(path)
    return lambda: library.openmp_round(159)


def spin(work, end):
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    rounds = 0
    while time.time() < end:
        work()
        rounds += 1
        counter[:] = struct.pack("<q", rounds)


def rec(n, work, end):
    if n:
        rec(n - 1, work, end)
    else:
        spin(work, end)


rec(8, openmp(sys.argv[3]) if len(sys.argv) > 3 else round_of_python, time.time() + float(sys.argv[1]))
