# SPDX-License-Identifier: MIT
"""A target that would notice being stopped, signalled or interrupted.

It sends itself queued signals, one by one, and counts those that come; makes system calls that return EINTR for the
least thing, in a thread that gets no signals; starts children and waits for them. Prints {"ready": 1}; when stdin ends,
what it counted.
"""
import ctypes
import errno
import json
import os
import select
import signal
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)
counts = {"calls": 0, "eintr": 0, "epoll_calls": 0, "epoll_eintr": 0, "sent": 0, "received": 0, "children": 0, "alarms": 0}
running = [1]


def say(thing):
    os.write(1, (json.dumps(thing) + "\n").encode())


def without_signals(function):
    def run():
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
        function()
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def wait_in_epoll():
    """epoll_wait(2) is never restarted, not even after a mere stop (signal(7))."""
    epoll = select.epoll()
    room = ctypes.create_string_buffer(64)
    while running:
        r = libc.epoll_wait(epoll.fileno(), room, 1, 1)
        counts["epoll_calls"] += 1
        counts["epoll_eintr"] += r < 0 and ctypes.get_errno() == errno.EINTR


def wait_in_poll():
    """poll(2) is restarted after a stop, and interrupted by signals only."""
    while running:
        r = libc.poll(None, 0, 1)
        counts["calls"] += 1
        counts["eintr"] += r < 0 and ctypes.get_errno() == errno.EINTR


def watch():
    sys.stdin.read()
    del running[:]


def drain(fd):
    try:
        for byte in os.read(fd, 65536):
            counts["received"] += byte == signal.SIGRTMIN
            counts["alarms"] += byte == signal.SIGALRM
    except BlockingIOError:
        pass


def child():
    pid = os.fork()
    if pid == 0:
        os._exit(17)
    got, status = os.waitpid(pid, 0)
    counts["children"] += got == pid and os.WEXITSTATUS(status) == 17


def main():
    fd, wakeup = os.pipe()
    os.set_blocking(fd, False)
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wakeup)
    for number in (signal.SIGRTMIN, signal.SIGALRM):
        signal.signal(number, lambda *_: None)
    threads = [without_signals(wait_in_epoll), without_signals(wait_in_poll), without_signals(watch)]
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    say({"ready": 1})
    while running:
        for _ in range(50):
            os.kill(os.getpid(), signal.SIGRTMIN)
            counts["sent"] += 1
            drain(fd)
        if counts["children"] < 100:
            child()
            counts["forked"] = counts.get("forked", 0) + 1
    signal.setitimer(signal.ITIMER_REAL, 0, 0)
    for thread in threads[:2]:
        thread.join()
    for _ in range(1000):
        drain(fd)
    say(counts)


main()
