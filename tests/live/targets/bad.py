# SPDX-License-Identifier: MIT
"""A target that does one of the things that are hard on a profiler of native stacks, until stdin ends.

usage: bad.py LIBRARY deep|alarms|threads|forks|deleted|replaced [OTHER LIBRARY]

LIBRARY is the target's own to delete. Prints {"chain": [functions of Python, outermost first]}, at the end
{"rounds": …, "right": …}.
"""
import ctypes
import json
import os
import sys
import threading

library = ctypes.CDLL(sys.argv[1])
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
running = [1]


def py_work(n):
    x = n
    for i in range(60):
        x = (x * 7 + i) % 1000003
    return 0


def py_callback(n):
    for _ in range(10):
        py_work(n)
    return n


callback = CALLBACK(py_callback)


def say(thing):
    sys.stdout.write(json.dumps(thing) + "\n")
    sys.stdout.flush()


def py_deep():
    return library.bad_deep(callback, 500) == 7 + 501


def py_call():
    return library.bad_call(callback, 3) == 6


def py_threads():
    return library.bad_threads(10) == 30


def py_forks():
    pid = os.fork()
    if pid == 0:
        py_call()
        os._exit(17)
    got, status = os.waitpid(pid, 0)
    return got == pid and os.WEXITSTATUS(status) == 17


def prepare(kind, other):
    if kind == "alarms" and library.bad_alarms(ctypes.c_long(3000)):
        sys.exit("no alarms")
    if kind == "deleted":
        os.unlink(sys.argv[1])
    if kind == "replaced":
        os.rename(other, sys.argv[1])


def watch():
    sys.stdin.read()
    del running[:]


def main():
    kind = sys.argv[2]
    py_round = {"deep": py_deep, "threads": py_threads, "forks": py_forks}.get(kind, py_call)
    prepare(kind, sys.argv[3] if len(sys.argv) > 3 else None)
    threading.Thread(target=watch, daemon=True).start()
    say({"chain": [py_round.__name__, "py_callback", "py_work"]})
    rounds, right = 0, True
    while running:
        right = py_round() and right
        rounds += 1
    if kind == "alarms":
        right = right and library.bad_handled() > 0
    say({"rounds": rounds, "right": bool(right)})


main()
