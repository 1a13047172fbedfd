# SPDX-License-Identifier: MIT
"""One long `pystoker push`: the server it sends to, and what the kernel, the server and its log tell of it."""
import json
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request

from . import process

CPU, WALL = "process_cpu:", "wall:"
TICK_NS = 10 ** 9 // os.sysconf("SC_CLK_TCK")
STEADY_SECONDS = 60   # by then symbols are read and buffers have grown
END_SECONDS = 30      # for the last part-interval to be sent


class StandIn:
    """The server of tests/push, which says what it stored."""
    name = "`tests/push/server`, a stand-in for Pyroscope"

    def __init__(self, top):
        argv = [sys.executable, os.path.join(top, "tests/push/server")]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        preexec_fn=process.die_with_us)
        process.alive.add(self.process)
        self.url, self.control_url = (self.process.stdout.readline().decode().strip() for _ in range(2))

    def profiles(self):
        """{"cpu": […], "wall": […]} in the order of their times."""
        with urllib.request.urlopen(self.control_url + "/control/state", timeout=60) as answer:
            series = json.loads(answer.read().decode())["series"]
        found = sorted((p for s in series for p in s["profiles"]), key=lambda p: p["time_nanos"])
        return {name: [p for p in found if p["types"][0].startswith(prefix)]
                for name, prefix in (("cpu", CPU), ("wall", WALL))}

    def stop(self):
        self.process.stdin.close()
        process.kill(self.process)
        self.process.stdout.close()


class Given:
    """A real one; what it stored is not asked for."""

    def __init__(self, url):
        self.url, self.name = url, "the server of `--server`"

    def profiles(self):
        return {"cpu": [], "wall": []}

    def stop(self):
        pass


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def cpu_ns(pid):
    """(CPU time of the process, {thread: of each that lives}); the first in ticks, which is all the kernel tells."""
    fields = read("/proc/%d/stat" % pid).rpartition(")")[2].split()
    threads = {}
    for tid in os.listdir("/proc/%d/task" % pid):
        told = read("/proc/%d/task/%s/schedstat" % (pid, tid)).split()
        if told:
            threads[tid] = int(told[0])
    return (int(fields[11]) + int(fields[12])) * TICK_NS, threads


class Account:
    """CPU time between two moments, in % of a core."""

    def __init__(self, pid):
        self.pid, self.begin, self.first = pid, time.monotonic(), cpu_ns(pid)

    def finish(self):
        """Also which thread samples: neither the first one nor the one named for its requests."""
        self.seconds, (total, threads) = time.monotonic() - self.begin, cpu_ns(self.pid)
        names = {t: read("/proc/%d/task/%s/comm" % (self.pid, t)).strip() for t in threads}
        spent = {t: ns - self.first[1].get(t, 0) for t, ns in threads.items()}
        sampling = sum(ns for t, ns in spent.items() if int(t) != self.pid and names[t] != "push")
        self.total = self.share(total - self.first[0])
        self.sampling, self.others = self.share(sampling), self.share(sum(spent.values()) - sampling)

    def share(self, ns):
        return 100 * ns / 1e9 / self.seconds


class Life:
    """A push from its start to the end of its target, and what is known of it then."""

    def __init__(self, bench, target, server, seconds, interval):
        self.bench, self.target, self.server, self.seconds = bench, target, server, seconds
        self.memory = []
        self.files = {name: os.path.join(bench.work, "push." + name) for name in ("spool", "log", "stats")}
        argv = [bench.program] + self.arguments(str(target.pid), interval, server.url, self.files)
        self.shown = " ".join(["pystoker"] + self.arguments("PID", interval, "URL", {"spool": "DIR", "log": "FILE",
                                                                                    "stats": "FILE"}))
        self.begin_ns = time.time_ns()
        self.running = process.Running(argv, bench.work)
        self.whole = None

    @staticmethod
    def arguments(pid, interval, url, files):
        return ["push", "-p", pid, "--app", "bench", "--interval", "%g" % interval, "--url", url, "--spool",
                files["spool"], "--log", files["log"], "--stats-file", files["stats"]]

    def look(self):
        kb = process.status_kb(self.running.pid(), "VmRSS", "VmHWM", "RssAnon", "RssFile")
        if "VmRSS" in kb:
            self.memory.append((time.monotonic() - self.running.begin, kb))

    def sleep_until(self, seconds, every):
        """Since the start; False when it ended before."""
        while True:
            left = seconds - (time.monotonic() - self.running.begin)
            if left <= 0:
                return True
            if self.running.ended_within(min(left, every)):
                return False
            self.look()

    def live(self, every):
        """Watches it, then ends the target; whether it lived so long."""
        pid, settled = self.running.pid(), min(STEADY_SECONDS, self.seconds / 4)
        good = self.sleep_until(settled, every)
        if good:
            self.steady = Account(pid)
            good = self.sleep_until(self.seconds, every)
        if good:
            self.steady.finish()
        self.settled = settled
        self.end_ns = time.time_ns()
        self.target.stop()
        self.finished = self.running.finish(END_SECONDS)
        self.read_traces()
        return good

    def read_traces(self):
        self.profiles = self.server.profiles()
        self.log, self.stats = read(self.files["log"]), {}
        for line in read(self.files["stats"]).splitlines():
            found = re.match(r"(pystoker_\w+)(?:\{.*\})? ([-+.\deE]+)$", line)
            if found:
                self.stats[found.group(1)] = float(found.group(2))

    def stat(self, name):
        return self.stats.get("pystoker_" + name)

    def latencies_ms(self):
        told = re.findall(r"pushed successfully: .*? bytes in (?:\d+ requests?, )?([\d.]+) s", self.log)
        return [1000 * float(s) for s in told]

    def bytes_of(self, kind, what="body_size"):
        """Of whole intervals: the last one is cut short by the target's end."""
        return [p[what] for p in self.profiles[kind][:-1]]

    def seams_ns(self):
        """From the end of each interval to the begin of the next; below 0 they overlap."""
        row = self.profiles["wall"]
        return [b["time_nanos"] - a["time_nanos"] - a["duration_nanos"] for a, b in zip(row, row[1:])]

    def covered_ns(self):
        """What the wall profiles have of the life, nothing twice; of a real server, what push says itself."""
        row = self.profiles["wall"]
        if not row:
            return 1e9 * (self.stat("profiled_seconds_total") or 0)
        beyond = row[-1]["time_nanos"] + row[-1]["duration_nanos"] - self.end_ns
        return sum(p["duration_nanos"] for p in row) + sum(min(0, s) for s in self.seams_ns()) - max(0, beyond)

    def alive_ns(self):
        return self.end_ns - self.begin_ns


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))] if values else None


def middle(values):
    return statistics.median(values) if values else None
