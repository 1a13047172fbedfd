# SPDX-License-Identifier: MIT
"""Ordinary work 20 frames deep that counts itself: calls, strings, dicts, objects. At SIGUSR1 and at
the end it prints how many rounds it has done, and the time. Usage: throughput.py SECONDS"""
import os
import signal
import sys
import time

rounds = 0


class Point(object):
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def moved(self, by):
        return Point(self.x + by, self.y - by)


def report(signum, frame):
    os.write(1, b"%d %.6f\n" % (rounds, time.time()))


def points(n):
    p = Point(0, 0)
    for i in range(n):
        p = p.moved(i)
    return p.x


def words(n):
    counts = {}
    for i in range(n):
        word = "w%d" % (i % 17)
        counts[word] = counts.get(word, 0) + 1
    return len(counts)


def spin(end):
    global rounds
    os.write(1, b"ready\n")
    while time.time() < end:
        points(100)
        words(100)
        sorted(range(100, 0, -1))
        rounds += 1


def rec(n, end):
    if n:
        rec(n - 1, end)
    else:
        spin(end)


signal.signal(signal.SIGUSR1, report)
rec(16, time.time() + float(sys.argv[1]))
report(0, None)
