# SPDX-License-Identifier: MIT
"""A target for tests/live/threadnames: threads with hard names, kept in every kind of dict.

Prints "ID<tab>NAME as hex of UTF-8" for each, with what UTF-8 cannot hold replaced as pystoker
does, then "ready"; ends when stdin does. "modules": sys.modules is made huge first. "churn": after
"ready" threads start and end all the time, named "churn …", and dicts grow, shrink and are replaced.
"""
import os
import sys
import threading
import _thread

release = threading.Event()
names = ["plain", "", "кириллица", "emoji 💩🧵", "café", "a\udc80b\ud83d", "nul\0inside",
         "x" * 300, "ж" * 300, "💩" * 100, "y" * 256, "z" * 257, "name\nwith\ttab"]


class Subclass(threading.Thread):
    """More attributes than keys can be shared (SHARED_KEYS_MAX_SIZE is 30)."""
    def __init__(self, **keywords):
        for i in range(60):
            setattr(self, "attribute%d" % i, i)
        threading.Thread.__init__(self, **keywords)


class Slots(threading.Thread):
    __slots__ = ("one", "two")


class Mixed(dict, threading.Thread):
    """Attributes behind a basic size that is not that of a plain object."""
    __hash__ = object.__hash__

    def __init__(self, **keywords):
        dict.__init__(self)
        threading.Thread.__init__(self, **keywords)


def start(thread):
    thread.daemon = True
    thread.start()
    return thread


def start_all():
    for name in names:
        start(threading.Thread(target=release.wait, name=name))
    for cls in Subclass, Slots, Mixed:
        start(cls(target=release.wait, name=cls.__name__ + " thread"))
    start(threading.Thread(target=release.wait, name="before")).name = "renamed ✓"
    start(threading.Thread(target=release.wait, name="dict seen")).__dict__
    odd = start(threading.Thread(target=release.wait, name="keys that are no str"))
    odd.__dict__[1] = 2
    fewer = start(threading.Thread(target=release.wait, name="attribute deleted"))
    fewer.extra = 1
    del fewer.extra
    vars(fewer).update(("k%d" % i, i) for i in range(300))
    del fewer.k7
    timer = threading.Timer(1000000, print)
    timer.name = "timer"
    start(timer)
    _thread.start_new_thread(lambda: threading.current_thread() and release.wait(), ())


def modules_grow():
    """threading comes after 70 000 others: indices of 4 bytes, and deleted entries."""
    for i in range(70000):
        sys.modules["no.such.module%d" % i] = None
    for i in range(0, 70000, 3):
        del sys.modules["no.such.module%d" % i]
    sys.modules["threading"] = sys.modules.pop("threading")


def churn():
    """Bands of 20 threads, each waiting for its band to be whole."""
    def body(number, whole):
        me = threading.current_thread()
        for i in range(number % 40):
            setattr(me, "attribute%d" % i, i)
        me.name = "churn \u2713 %d" % number
        sys.modules["churn%d" % number] = me
        whole.wait()

    for band in range(1 << 60):
        whole = threading.Event()
        numbers = range(band * 20, band * 20 + 20)
        threads = [threading.Thread(target=body, args=(n, whole), name="churn %d" % n)
                   for n in numbers]
        for thread in threads:
            start(thread)
        whole.set()
        for n, thread in zip(numbers, threads):
            thread.join()
            sys.modules.pop("churn%d" % n, None)


def utf8(name):
    name = "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in name)
    return name.encode("utf-8")


def main():
    if "modules" in sys.argv:
        modules_grow()
    start_all()
    while threading.active_count() < len(names) + 10:
        pass  # the one started by _thread has no other sign of life
    for thread in threading.enumerate():
        sys.stdout.write("%d\t%s\n" % (thread.ident, utf8(thread.name).hex()))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if "churn" in sys.argv:
        start(threading.Thread(target=churn, name="churn"))
    sys.stdin.read()
    os._exit(0)  # threads are still about: leave them


main()
