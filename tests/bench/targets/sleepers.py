# SPDX-License-Identifier: MIT
"""Threads that sleep, and one that is busy 20 frames deep. Usage: sleepers.py SECONDS THREADS"""
import os
import signal
import sys
import threading
import time

rounds = 0


def report(signum, frame):
    os.write(1, b"%d %.6f\n" % (rounds, time.time()))


def doze(seconds, started):
    started.release()
    time.sleep(seconds)


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


def main(seconds, count):
    started = threading.Semaphore(0)
    threading.stack_size(256 * 1024)
    for i in range(count):
        threading.Thread(target=doze, args=(seconds, started), daemon=True).start()
    for i in range(count):
        started.acquire()
    rec(16, time.time() + seconds)


signal.signal(signal.SIGUSR1, report)
main(float(sys.argv[1]), int(sys.argv[2]))
