# SPDX-License-Identifier: MIT
"""What the sections share: the interpreters, the tools, and one run of a tool on a target."""
import math
import os
import statistics
import subprocess
import sys
import time

from . import process, tools

TARGET_SECONDS = 7200  # targets end by themselves after so long
COUNTED_RATE_MAX = 2000  # above, what counts intervals is ended by SIGINT after its time
STALL_SECONDS = 2      # a run that takes so much longer than asked is spoken of


class Bench:
    def __init__(self, top, program, settings, work):
        self.top, self.program, self.s, self.work = top, program, settings, work
        self.targets = os.path.join(top, "tests/bench/targets")
        self.interpreters = self.find_interpreters()
        self.rivals, self.skipped = [], []
        self.server = None        # the address of a Pyroscope, where one is given
        self.began, self.overruns = time.monotonic(), []
        self.ours = tools.Pystoker("pystoker", [program], "")
        self.blocking = self.variant("pystoker --blocking", "--blocking")

    def variant(self, label, *options):
        return tools.Pystoker(label, [self.program], "", *options)

    def placed(self, where):
        return self.variant("pystoker, " + where, "--placement", where)

    def say(self, text):
        sys.stderr.write("bench: %4.0f s: %s\n" % (time.monotonic() - self.began, text))

    def others(self):
        """The rivals for sections that need not show each of them in a smoke run."""
        return self.rivals[:1] if self.s.quick else self.rivals

    # --- interpreters ------------------------------------------------------------------------

    def find_interpreters(self):
        """{"3.13": (row name, version, command)}: per version the plainest release build."""
        done = subprocess.run([os.path.join(self.top, "tests/interpreters/list")], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
        best = {}
        for line in done.stdout.splitlines():
            name, version, flavour, _ = line.split("\t", 3)
            short = ".".join(version.split(".")[:2])
            if flavour.split(",")[0] == "release" and not name.endswith("-nopie") and short not in best:
                best[short] = (name, version)
        return best

    def has(self, version):
        return version in self.interpreters

    def named(self, version):
        return self.interpreters[version][1]

    def target(self, version, script, *arguments):
        runner = os.path.join(self.top, "tests/interpreters/run")
        argv = [runner, self.interpreters[version][0], os.path.join(self.targets, script), str(TARGET_SECONDS)]
        target = process.Target(argv + [str(a) for a in arguments])
        time.sleep(self.s.settle_s)
        return target

    # --- runs ----------------------------------------------------------------------------------

    def record(self, tool, target, rate, seconds, memory_every=None):
        """Runs the tool for so long; returns (profile, what the run cost)."""
        out = os.path.join(self.work, "profile")
        for path in (out, out + ".txt"):
            if os.path.exists(path):
                os.unlink(path)
        endless = tool.counts_intervals and rate > COUNTED_RATE_MAX
        argv = tool.command(target.pid, rate, None if endless else seconds, out)
        running = process.Running(argv, self.work, memory_every, seconds)
        finished = running.finish(seconds if endless else seconds + max(5, 0.2 * seconds))
        self.note_overrun(tool, seconds, finished)
        profile = tool.read(out, finished)
        if not profile.samples:
            self.say("no samples: %s: %s" % (" ".join(argv), (finished.err or finished.out).strip()[-300:]))
        return profile, finished

    def note_overrun(self, tool, seconds, finished):
        """A profiler that cannot keep up, or a machine that stood still: the reader should know."""
        if finished.timed_out or finished.wall > seconds + STALL_SECONDS:
            end = ", and was killed" if finished.timed_out else ""
            self.overruns.append("a run of %s took %.1f s instead of %g s%s" % (tool.label, finished.wall, seconds, end))

    def begin(self, tool, target, rate):
        """Starts an endless recording; the caller calls finish(0) on it."""
        argv = tool.command(target.pid, rate, None, os.path.join(self.work, "endless"))
        running = process.Running(argv, self.work)
        time.sleep(self.s.settle_s)
        return running

    def speed_beside(self, tool, target, rate, seconds):
        """The target's speed while the tool records; without a tool, alone."""
        if tool is None:
            time.sleep(self.s.settle_s)
            return target.speed(seconds)
        running = self.begin(tool, target, rate)
        try:
            speed = target.speed(seconds)
        finally:
            running.finish(0)
        time.sleep(self.s.settle_s)
        return speed

    def slowdowns(self, tool, target, rate, seconds, pairs):
        """Per pair, % of its speed that the target lost; the order alternates."""
        lost = []
        for i in range(pairs):
            order = (None, tool) if i % 2 == 0 else (tool, None)
            speeds = [self.speed_beside(t, target, rate, seconds) for t in order]
            alone, beside = speeds if i % 2 == 0 else reversed(speeds)
            lost.append(100 * (1 - beside / alone))
        return lost


def interval(values):
    """The order statistics around the median that hold it with at least 95 %; the whole range for
    fewer than six values."""
    values, n = sorted(values), len(values)
    outside = 0.0  # chance that the median lies beyond the `skip` lowest values
    skip = 0
    while outside + math.comb(n, skip) / 2 ** n <= 0.025:
        outside += math.comb(n, skip) / 2 ** n
        skip += 1
    skip = max(0, skip - 1)
    return values[skip], values[n - 1 - skip]


def median(values):
    return statistics.median(values) if values else float("nan")
