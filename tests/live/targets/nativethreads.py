# SPDX-License-Identifier: MIT
"""A target with threads that have nothing to do with Python. Prints {"names": [their names], "functions": {first part of
the name: the function of targets/native/threads.c that they are in most of the time}}; when stdin ends {"waits",
"interrupted", "rounds"}.

usage: nativethreads.py LIBRARY COUNT
"""
import ctypes
import json
import sys

KINDS = ("epoll", "sem", "futex", "sigwait", "spin")


def say(thing):
    sys.stdout.write(json.dumps(thing) + "\n")
    sys.stdout.flush()


library, count = ctypes.CDLL(sys.argv[1]), int(sys.argv[2])
started = library.native_start(count)
say({"started": started, "names": ["%s-%d" % (KINDS[i % len(KINDS)], i) for i in range(count)],
     "functions": {kind: "native_" + kind if kind != "spin" else "native_round" for kind in KINDS}})
sys.stdin.read()
counts = (ctypes.c_long * 3)()
library.native_stop(counts)
say(dict(zip(("waits", "interrupted", "rounds"), counts)))
