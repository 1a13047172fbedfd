# SPDX-License-Identifier: MIT
"""A leaf that spins, DEPTH frames deep. Usage: deep.py SECONDS DEPTH"""
import os
import signal
import sys
import time

rounds = 0


def report(signum, frame):
    os.write(1, b"%d %.6f\n" % (rounds, time.time()))


def spin(end):
    global rounds
    x = 0
    os.write(1, b"ready\n")
    while time.time() < end:
        for i in range(1000):
            x += i
        rounds += 1


def rec(n, end):
    if n:
        rec(n - 1, end)
    else:
        spin(end)


signal.signal(signal.SIGUSR1, report)
# <module>, DEPTH - 2 of rec, spin
rec(int(sys.argv[2]) - 3, time.time() + float(sys.argv[1]))
