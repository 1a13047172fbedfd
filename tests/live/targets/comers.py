# SPDX-License-Identifier: MIT
"""A target whose threads come and go: prints {"ready": 1}, then {"started": …} when stdin has ended."""
import json
import sys
import threading
import time

running = [1]


def watch():
    sys.stdin.read()
    del running[:]


def short():
    end = time.time() + 0.004
    while time.time() < end:
        pass


threading.Thread(target=watch, daemon=True).start()
print(json.dumps({"ready": 1}), flush=True)
started = 0
while running:
    threads = [threading.Thread(target=short, name="short %d" % (started + i)) for i in range(4)]
    for t in threads:
        t.start()
        started += 1
    for t in threads:
        t.join()
print(json.dumps({"started": started}), flush=True)
