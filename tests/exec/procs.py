# SPDX-License-Identifier: MIT
"""What runs, as /proc tells it."""
import os
import time

PATIENCE_S = 60


def until(look):
    """Polls until look() is true; its value, or the last false one."""
    end = time.monotonic() + PATIENCE_S
    while True:
        value = look()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.02)


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return b""


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def ours(program):
    """[(pid, "guardian" or "pusher")] of a program."""
    found = []
    for pid in pids():
        words = read("/proc/%d/cmdline" % pid).rstrip(b"\0").split(b"\0")
        if words[1:] == [b"guardian of %d" % program]:
            found.append((pid, "guardian"))
        elif words[1:4] == [b"push", b"--tree", b"%d" % program]:
            found.append((pid, "pusher"))
    return found


def children(parent):
    """[(pid, state, ppid)] of a process; None: of all."""
    found = []
    for pid in pids():
        fields = read("/proc/%d/stat" % pid).rpartition(b")")[2].split()
        if fields and (parent is None or int(fields[1]) == parent):
            found.append((pid, fields[0].decode(), int(fields[1])))
    return found


def status(pid, name):
    for line in read("/proc/%s/status" % pid).decode().splitlines():
        if line.startswith(name + ":"):
            return line.split(None, 1)[1].strip()
    return None
