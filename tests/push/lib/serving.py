# SPDX-License-Identifier: MIT
"""The test server as the cases see it."""
import json
import os
import subprocess
import sys
import time
import urllib.request

PATIENCE_S = 60  # for anything that is bound to happen: generous, since the machine may be busy
PAUSE_S = 0.05
PROGRAM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "server")
CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
WALL = "wall:wall:nanoseconds:wall:nanoseconds"


def wait_for(condition, seconds=PATIENCE_S):
    """Asks until the answer is true; the last answer."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(PAUSE_S)


class State:
    """What the server holds at one moment."""

    def __init__(self, answer):
        self.series, self.requests = answer["series"], answer["requests"]
        self.plan_left, self.connections = answer["plan_left"], answer["connections"]

    def pushes(self):
        return [r for r in self.requests if r["path"].endswith(("/Push", "/ingest"))]

    def profiles(self, type_id=WALL, **labels):
        """In the order of their times, each with its "labels"."""
        found = [dict(p, labels=s["labels"], tenant=s["tenant"]) for s in self.series for p in s["profiles"]
                 if type_id in p["types"] and all(s["labels"].get(k) == v for k, v in labels.items())]
        return sorted(found, key=lambda p: p["time_nanos"])

    def total(self, type_id=CPU, **labels):
        return sum(p["totals"][p["types"].index(type_id)] for p in self.profiles(type_id, **labels))

    def holes(self, type_id=WALL, **labels):
        """Nanoseconds between the end of each interval and the start of the next."""
        found = self.profiles(type_id, **labels)
        return [b["time_nanos"] - a["time_nanos"] - a["duration_nanos"] for a, b in zip(found, found[1:])]

    def often(self):
        """How often each profile was received."""
        return [p["received"] for s in self.series for p in s["profiles"]]

    def lost(self):
        """Profiles that had the identity of another one: the servers keep one of them."""
        return [p for s in self.series for p in s["profiles"] if len(p["digests"]) > 1]


class Server:
    """A running test server, for the length of a with block."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([sys.executable, PROGRAM] + [str(a) for a in arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().decode().strip()
        self.control_url = self.process.stdout.readline().decode().strip() + "/control"

    def control(self, **asked):
        data = json.dumps(asked).encode()
        with urllib.request.urlopen(self.control_url, data, PATIENCE_S) as answer:
            answer.read()

    def plan(self, *steps):
        self.control(plan=list(steps))

    def state(self, full=False):
        with urllib.request.urlopen(self.control_url + "/state" + "?full" * full, timeout=PATIENCE_S) as answer:
            return State(json.loads(answer.read().decode()))

    def wait(self, condition, seconds=PATIENCE_S):
        """Polls until condition(state) holds; the last state either way."""
        last = []

        def look():
            last[:] = [self.state()]
            return condition(last[0])

        wait_for(look, seconds)
        return last[0]

    def wait_profiles(self, count, type_id=WALL, seconds=PATIENCE_S, **labels):
        return self.wait(lambda s: len(s.profiles(type_id, **labels)) >= count, seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
