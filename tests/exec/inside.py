# SPDX-License-Identifier: MIT
"""Runs as the program behind `pystoker exec`, as PID 1 or a subreaper: no child is to be seen, whatever
happens to the pusher. Prints one line per observation."""
import os
import signal
import sys

from procs import children, ours, until


def no_child(when):
    try:
        print("os.wait() %s: %s" % (when, os.waitpid(-1, os.WNOHANG)))
    except ChildProcessError:
        print("os.wait() %s: ECHILD" % when)


def pusher():
    found = [pid for pid, what in ours(os.getpid()) if what == "pusher"]
    return found[0] if found else None


no_child("at the start")
first = until(pusher)
print("pusher:", bool(first))
no_child("beside the pusher")
os.kill(first, signal.SIGKILL)
print("another pusher:", bool(until(lambda: pusher() not in (None, first))))
no_child("after its death")
print("zombies:", [pid for pid, state, _ in children(None) if state == "Z"])
sys.exit(5)
