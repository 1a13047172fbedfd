# SPDX-License-Identifier: MIT
"""Sections `cost`, `slowdown`, `memory` and `start`: what a profiler takes from the machine."""
import os
import subprocess
import time

from . import bench as shared
from .report import Table, number, spread
from .settings import MAIN, VERSIONS
from .truth import dropped_text

# What is profiled, for the cost of it: words, script, arguments.
LOADS = (
    ("1 thread, depth 20", "deep.py", (20,)),
    ("1 thread, depth 200", "deep.py", (200,)),
    ("200 sleeping threads and 1 busy", "sleepers.py", (200,)),
    ("2 threads that mostly wait", "echo.py", ()),
)


def version_for(bench, tool):
    """3.13 where the tool knows it, else the newest it knows; None: not here."""
    if tool.fits(MAIN) and bench.has(MAIN):
        return MAIN
    known = [v for v in VERSIONS if tool.fits(v) and bench.has(v)]
    return known[-1] if known else None


def cost_runs(bench, tool, target, seconds, reps):
    """[(whole %, steady %, µs per sample, wall seconds, profile)]; steady leaves out what a run of the least
    duration costs: start, symbols and the file."""
    rows = []
    for _ in range(reps):
        _, short = bench.record(tool, target, bench.s.cost_rate, tool.shortest)
        profile, long = bench.record(tool, target, bench.s.cost_rate, max(seconds, tool.shortest + 1))
        steady = (long.cpu - short.cpu) / max(long.wall - short.wall, 0.001)
        each = 1e6 * long.cpu / profile.samples if profile.samples else None
        rows.append((100 * long.cpu / long.wall, 100 * steady, each, long.wall, profile))
    return rows


def cost_row(bench, table, tool, load, seconds, reps):
    words, script, arguments = load
    version = version_for(bench, tool)
    if version is None:
        return
    bench.say("cost: %s, %s" % (tool.label, words))
    with bench.target(version, script, *arguments) as target:
        rows = cost_runs(bench, tool, target, seconds, reps)
    whole, steady, each, walls, profiles = zip(*rows)
    table.add("%s, %s" % (tool.label, bench.named(version)), words, spread(steady, 3), spread(whole, 3), spread(each, 1),
              number(profiles[-1].samples), spread(walls, 1), dropped_text(profiles[-1]),
              command=tool.shown(bench.s.cost_rate, max(seconds, tool.shortest + 1)))


def floor_row(bench, table, seconds, reps):
    """What waking alone costs on this machine."""
    words, script, arguments = LOADS[0]
    program = os.path.join(os.path.dirname(bench.program), "tests/bench/wake")
    if not os.access(program, os.X_OK):
        table.note("No row for an empty wake-up: %s is not built." % program)
        return
    with bench.target(MAIN, script, *arguments) as target:
        shares = [float(subprocess.check_output([program, str(target.pid), str(bench.s.cost_rate), str(seconds)]))
                  for _ in range(reps)]
    each = [1e6 * share / 100 / bench.s.cost_rate for share in shares]
    table.add("an empty wake-up (the floor)", words, spread(shares, 3), "", spread(each, 1), "", "", "",
              command="tests/bench/wake PID %g %g" % (bench.s.cost_rate, seconds))


def cost(bench):
    table = Table("CPU of the profiler at %d Hz, in %% of one core" % bench.s.cost_rate, "tool, Python", "target",
                  "steady %", "whole run %", "µs of CPU per sample, whole run", "samples", "run, s", "dropped %")
    floor_row(bench, table, bench.s.rival_cost_s, bench.s.cost_reps)
    idle = bench.variant("pystoker --idle", "--idle")
    for load in LOADS[:1] if bench.s.quick else LOADS:
        cost_row(bench, table, bench.ours, load, bench.s.cost_s, bench.s.cost_reps)
        if load[1] == "sleepers.py":
            cost_row(bench, table, idle, load, bench.s.cost_s, bench.s.cost_reps)
        if load[1] == "deep.py":
            cost_row(bench, table, bench.blocking, load, bench.s.cost_s, bench.s.cost_reps)
        for tool in bench.others():
            cost_row(bench, table, tool, load, bench.s.rival_cost_s, bench.s.rival_cost_reps)
    table.note("CPU time is that of the process as wait4() reports it (user and system, all its threads). *Steady* is the "
               "run less one of %g s (rivals: 1 s), over the time that it was longer by." % bench.ours.shortest)
    return [table]


# --- slowdown --------------------------------------------------------------------------------------

def slow_row(bench, table, tool, rate, pairs, script="throughput.py", arguments=()):
    """Without a tool: pairs of runs alone, the noise of the method."""
    version = version_for(bench, tool) if tool else MAIN
    if version is None or not bench.has(version):
        return
    label = tool.label if tool else "nothing (noise of the method)"
    bench.say("slowdown: %s at %s Hz, %s" % (label, rate, script))
    with bench.target(version, script, *arguments) as target:
        lost = bench.slowdowns(tool, target, rate, bench.s.slow_s, pairs)
    low, high = shared.interval(lost)
    table.add("%s, %s" % (label, bench.named(version)), "`%s`" % script, number(rate, 0) if tool else "–",
              number(shared.median(lost)), "%s … %s" % (number(low), number(high)),
              "%s … %s" % (number(min(lost)), number(max(lost))), len(lost),
              command=tool.shown(rate, None) if tool else None)


def slowdown(bench):
    s = bench.s
    table = Table("What the target loses: paired runs of %g s with and without the profiler, in turns" % s.slow_s,
                  "tool, Python", "target", "Hz", "slower by %, median", "95 % interval of the median", "min … max",
                  "pairs")
    slow_row(bench, table, None, 0, s.slow_pairs)
    for rate in s.slow_rates:
        slow_row(bench, table, bench.ours, rate, s.slow_pairs)
    slow_row(bench, table, bench.ours, s.slow_rates[0], s.rival_slow_pairs, "sleepers.py", (200,))
    for tool in [bench.blocking] + bench.others():
        slow_row(bench, table, tool, s.slow_rates[0], s.rival_slow_pairs)
        if not s.quick:
            slow_row(bench, table, tool, s.slow_rates[0], s.rival_slow_pairs, "sleepers.py", (200,))
    table.note("The target counts its own rounds by its own clock and says them at SIGUSR1; the recording begins before "
               "and ends after the time that is counted. Below 0: faster with the profiler, that is noise.")
    return [table]


# --- memory ----------------------------------------------------------------------------------------

class Formatted:
    """Our recording in another output format; its stacks are not read back."""

    def __init__(self, tool, form):
        self.tool, self.form, self.label = tool, form, "%s -f %s" % (tool.label, form)
        self.shortest, self.counts_intervals = tool.shortest, tool.counts_intervals

    def fits(self, version):
        return self.tool.fits(version)

    def command(self, *arguments):
        return [self.form if word == "raw" else word for word in self.tool.command(*arguments)]

    def shown(self, *arguments):
        return self.tool.shown(*arguments).replace("-f raw", "-f " + self.form)

    def read(self, out, finished):
        profile = self.tool.read(os.devnull, finished)
        profile.stacks[("not read back",)] = 1
        return profile


def memory_row(bench, table, tool, rate, seconds):
    version = version_for(bench, tool)
    if version is None:
        return
    bench.say("memory: %s at %d Hz for %g s" % (tool.label, rate, seconds))
    with bench.target(version, "calls.py") as target:
        _, finished = bench.record(tool, target, rate, max(seconds, tool.shortest), bench.s.memory_every_s)
    seen = [(when, m["VmRSS"], m.get("VmHWM", 0), m.get("RssAnon", 0)) for when, m in finished.memory if "VmRSS" in m]
    if not seen:
        return
    settled = [row for row in seen if row[0] >= min(10, seconds / 4)] or seen
    mb = lambda kb: number(kb / 1024)
    table.add("%s, %s" % (tool.label, bench.named(version)), number(rate), number(finished.wall, 0), mb(settled[0][1]),
              mb(settled[-1][1]), number(settled[-1][1] - settled[0][1]), mb(max(r[2] for r in seen)), mb(settled[-1][3]),
              command=tool.shown(rate, max(seconds, tool.shortest)))


def memory(bench):
    s = bench.s
    table = Table("Resident memory on `targets/calls.py`, looked at every %g s" % s.memory_every_s, "tool, Python", "Hz",
                  "run, s", "after 10 s, MB", "last, MB", "grown by, kB", "peak (VmHWM), MB", "anonymous, MB")
    memory_row(bench, table, bench.ours, 100, s.memory_s)
    memory_row(bench, table, bench.ours, 1000, s.memory_s)
    for form in ("flamegraph", "speedscope"):
        memory_row(bench, table, Formatted(bench.ours, form), 1000, s.formats_s)
    for tool in bench.others():
        memory_row(bench, table, tool, 100, s.rival_memory_s)
    table.note("The peak is the last that was seen; near the end it is looked at every 5 ms, to see the writing of the "
               "file too. MB: 1024 · 1024 bytes.")
    return [table]


# --- start -----------------------------------------------------------------------------------------

def timed(argv):
    begin = time.monotonic()
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60,
                          check=False)
    return 1000 * (time.monotonic() - begin), done


def start_row(bench, table, label, version, argv, shown, out=None):
    """Milliseconds of whole runs; those that fail, and recordings without a sample, do not count."""
    times = []
    for _ in range(bench.s.start_runs):
        took, done = timed(argv)
        if done.returncode == 0 and (not out or os.path.getsize(out)):
            times.append(took)
    table.add(label, version, spread(times), "%d of %d" % (len(times), bench.s.start_runs), command=shown)


def start(bench):
    table = Table("From exec to the end of a recording of 5 ms with its first sample in it, and of a dump", "command of",
                  "Python", "ms", "runs that count")
    out = os.path.join(bench.work, "first")
    start_row(bench, table, "true(1), for scale", "–", ["true"], "true")
    for version in [v for v in VERSIONS if bench.has(v)]:
        bench.say("start: %s" % version)
        with bench.target(version, "deep.py", 20) as target:
            pid = str(target.pid)
            start_row(bench, table, "pystoker record", bench.named(version),
                      [bench.program, "record", "-p", pid, "-d", "0.005", "-f", "raw", "-o", out],
                      "pystoker record -p PID -d 0.005 -f raw -o FILE", out)
            start_row(bench, table, "pystoker dump", bench.named(version), [bench.program, "dump", "-p", pid],
                      "pystoker dump -p PID")
            rival_dumps(bench, table, version, pid)
    table.note("A run counts when its file has a sample. The whole run, the rest of its 5 ms and the writing of the file included, is "
               "longer than the time to the first sample, which is thus at most this.")
    return [table]


def rival_dumps(bench, table, version, pid):
    """py-spy and austin take whole seconds for a recording; a dump is what compares."""
    for tool in bench.others():
        name = tool.label.split()[0]
        if not tool.fits(version) or "blocking" in tool.label:
            continue
        arguments = {"py-spy": ["dump", "-p", pid], "austin": ["-w", pid],
                     "profiling.sampling": ["dump", pid]}[name]
        words = "python3.15 -m profiling.sampling" if name == "profiling.sampling" else name
        start_row(bench, table, tool.label, bench.named(version), tool.words + arguments,
                  " ".join([words] + arguments).replace(pid, "PID"))
