# SPDX-License-Identifier: MIT
"""A target with one thread in each state: prints {"threads": {state: thread_id}}, ends when stdin does."""
import json
import sys
import threading
import time
import zlib

held = threading.Lock()
held.acquire()
data = bytes(32 << 20)
begun = {}


def spin():
    while True:
        pass


def sleep():
    time.sleep(1000000)


def lock():
    held.acquire()


def native():
    while True:
        zlib.crc32(data)


def start(name, function):
    thread = threading.Thread(target=function, name=name, daemon=True)
    thread.start()
    begun[name] = thread.ident


sys.setswitchinterval(0.005)
for name, function in (("sleeper", sleep), ("locked", lock), ("native", native), ("spinner", spin),
                       ("rival", spin)):
    if name in sys.argv[1:]:
        start(name, function)
begun["main"] = threading.get_ident()
sys.stdout.write(json.dumps({"threads": begun}) + "\n")
sys.stdout.flush()
sys.stdin.read()
