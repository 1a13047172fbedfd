# SPDX-License-Identifier: MIT
"""Section `push`: what a service pays that is profiled for as long as it lives, and how much of its life is seen."""
import gzip
import os
import subprocess
import time

from . import process, service
from .report import Table, number, percent, spread
from .settings import MAIN
from .tools import PySpy

# The script that pystoker replaces: sleep 10; for ever: py-spy record --duration 30, curl, sleep 5.
SCRIPT_RECORD, SCRIPT_FIRST, SCRIPT_AFTER = 30, 10, 5


class Speedscope(PySpy):
    """py-spy as that script has it."""

    def arguments(self, pid, rate, seconds, out):
        return ["speedscope" if word == "raw" else word for word in super().arguments(pid, rate, seconds, out)]


def rivals(bench):
    """py-spy alone, as the script runs it, and with the waiting threads that our wall-clock profile has."""
    found = [t for t in bench.rivals if isinstance(t, PySpy)][:1]
    variants = (("", ()), (", nonblocking", ("--nonblocking",)), (", idle", ("--idle",)))
    return [Speedscope(t.label + label, t.words, t.version, *options) for t in found
            for label, options in (variants[:1] if bench.s.quick else variants)]


class Recording:
    """One interval by a rival."""

    def __init__(self, bench, tool, target, seconds):
        out = os.path.join(bench.work, "speedscope")
        self.tool, self.seconds = tool, max(seconds, tool.shortest)
        running = process.Running(tool.command(target.pid, bench.s.cost_rate, self.seconds, out), bench.work)
        self.finished = running.finish(self.seconds + 30)
        with open(out, "rb") as f:
            data = f.read()
        self.bytes, self.gzipped = len(data), len(gzip.compress(data, 6))
        self.startup = max(0, self.finished.wall - self.seconds)
        self.errors = tool.read(os.devnull, self.finished).dropped
        os.unlink(out)


def record_all(bench, target, seconds):
    rows = []
    for tool in rivals(bench):
        bench.say("push: %s" % tool.label)
        rows.append(Recording(bench, tool, target, seconds))
    return rows


# --- tables ----------------------------------------------------------------------------------------

def floor_of(bench, target, seconds):
    program = os.path.join(os.path.dirname(bench.program), "tests/bench/wake")
    if not os.access(program, os.X_OK):
        return None
    return float(subprocess.check_output([program, str(target.pid), str(bench.s.cost_rate), str(seconds)]))


def cost_table(bench, life, floor, recordings):
    s = bench.s
    table = Table("CPU time while pushing at %d Hz, in %% of one core" % s.cost_rate, "tool", "seconds", "CPU %",
                  "sampling thread %", "other threads %", "samples", "dropped %", "late %")
    if floor is not None:
        table.add("an empty wake-up (the floor)", number(s.push_floor_s), number(floor, 3), "", "", "", "", "",
                  command="tests/bench/wake PID %d %g" % (s.cost_rate, s.push_floor_s))
    due = s.cost_rate * life.covered_seconds
    steady, cpu = life.steady, 100 * life.finished.cpu / life.finished.wall
    samples, dropped, late = (life.stat(n) for n in ("samples_total", "samples_dropped_total", "samples_late_total"))
    told = (number(samples, 0), percent(dropped, (samples or 0) + (dropped or 0)), percent(late, due))
    table.add("pystoker push, steady", number(steady.seconds, 0), number(steady.total, 3), number(steady.sampling, 3),
              number(steady.others, 3), "", "", "", command=life.shown)
    table.add("pystoker push, from start to end", number(life.finished.wall, 0), number(cpu, 3), "", "", *told,
              command=life.shown)
    for r in recordings:
        table.add(r.tool.label, number(r.finished.wall, 1), number(100 * r.finished.cpu / r.finished.wall, 3), "", "", "",
                  number(r.errors, 0) if not r.errors else "%d errors" % r.errors, "",
                  command=r.tool.shown(s.cost_rate, r.seconds))
    table.note("Steady: from %g s after the start to the end of the target; /proc/PID/stat, its threads by schedstat. From "
               "start to end: as wait4() reports it." % life.settled)
    return table


def memory_table(bench, life):
    table = Table("Memory of `pystoker push`, looked at every %g s" % bench.s.push_look_s, "of it", "after %g s, MB" % life.settled,
                  "most, MB", "last, MB", "grown by, kB")
    seen = [kb for when, kb in life.memory if when >= life.settled] or [kb for _, kb in life.memory]
    mb = lambda kb: number(kb / 1024)
    for name, words in (("VmRSS", "resident (VmRSS)"), ("RssAnon", "its own (RssAnon)"),
                        ("RssFile", "pages of files, shared (RssFile)"), ("VmHWM", "peak since the start (VmHWM)")):
        row = [kb[name] for kb in seen if name in kb]
        if row:
            table.add(words, mb(row[0]), mb(max(row)), mb(row[-1]), number(row[-1] - row[0]))
    table.note("MB: 1024 · 1024 bytes. Pages of files are the program's and its libraries', in memory once however many run.")
    return table


def bytes_table(life, recordings, interval):
    table = Table("Bytes of one interval of %g s" % interval, "what is sent", "intervals", "before gzip",
                  "gzip'd", "as it is sent, times ours of the same threads", "times both of ours")
    cpu, wall = life.bytes_of("cpu"), life.bytes_of("wall")
    both = [a + b for a, b in zip(cpu, wall)]
    for words, row, raw in (("pystoker, `cpu`", cpu, life.bytes_of("cpu", "raw_size")),
                            ("pystoker, `wall`: waiting threads too", wall, life.bytes_of("wall", "raw_size")),
                            ("pystoker, both", both, [])):
        table.add(words, number(len(row)), spread(raw, 0) if raw else "", spread(row, 0), "", "")
    for r in recordings:
        same = wall if "--idle" in r.tool.options else cpu
        table.add("%s, its speedscope file" % r.tool.label, "1", number(r.bytes), number(r.gzipped),
                  number(r.bytes / service.middle(same), 1) if same else "–",
                  number(r.bytes / service.middle(both), 1) if both else "–")
    table.note("Ours: whole bodies of the requests, sent gzip'd; the script's curl sends its file as it is. Recordings by others were made "
               "of the same process just before, one after the other: two profilers at once would disturb each other.")
    return table


def script_share(life_s, startup, record=SCRIPT_RECORD, first=SCRIPT_FIRST, after=SCRIPT_AFTER):
    """Seconds that the script sees of a life, curl taken as free."""
    rounds, left = divmod(max(0, life_s - first), startup + record + after)
    return 100 * (rounds * record + min(record, max(0, left - startup))) / life_s


def script_measured(bench, target, tool, rounds):
    """The same loop with all its times shortened alike."""
    scale = bench.s.push_record_s / SCRIPT_RECORD
    begin, seconds = time.monotonic(), 0
    time.sleep(SCRIPT_FIRST * scale)
    for _ in range(rounds):
        seconds += Recording(bench, tool, target, bench.s.push_record_s).seconds
        time.sleep(SCRIPT_AFTER * scale)
    return time.monotonic() - begin, seconds


def seen_row(table, life):
    """Of a real server only the sum is known."""
    ms = lambda ns: number(ns / 1e6, 3)
    row, seams = life.profiles["wall"], life.seams_ns()
    gaps = [s for s in seams if s > 0]
    cells = [number(life.stat("intervals_total"), 0), "", "", "", "", ""]
    if row:
        end = row[-1]["time_nanos"] + row[-1]["duration_nanos"]
        cells = [number(len(row)), ms(sum(gaps)), ms(max(gaps, default=0)), ms(-sum(s for s in seams if s < 0)),
                 ms(row[0]["time_nanos"] - life.begin_ns), ms(life.end_ns - end)]
    table.add("pystoker push", "%.3f" % (life.alive_ns() / 1e9), "%.3f" % life.covered_seconds,
              "%.4f" % (100 * life.covered_ns() / life.alive_ns()), *cells)
    twins = sum(p["received"] - 1 for kind in life.profiles.values() for p in kind)
    table.note("Life: from the start of pystoker (not from its attachment) to the signal that ends the target. %s" %
               ("The begin and end of each of %d wall profiles as the server stored them, with as many cpu profiles (%d); %d "
                "came twice." % (len(row), len(life.profiles["cpu"]), twins) if row else "Seen: by its `--stats-file`."))


def coverage_table(bench, life, script):
    table = Table("Share of a service's life that is seen", "tool", "life, s", "seen, s", "seen %", "intervals",
                  "gaps, ms: sum", "largest", "overlaps, ms", "start to first interval, ms", "last interval to end, ms")
    seen_row(table, life)
    for words, lived, seen in script:
        table.add(words, "%.3f" % lived, "%.3f" % seen, "%.1f" % (100 * seen / lived), "", "", "", "", "", "")
    table.note("The script: sleep %d s; for ever: py-spy record of %d s, curl, sleep %d s. %s" %
               (SCRIPT_FIRST, SCRIPT_RECORD, SCRIPT_AFTER,
                "Measured over a few rounds of it, all its times shortened alike." if bench.s.quick else
                "Computed from these, from the start-up measured in the table of CPU time (what a recording took beyond "
                "its %d s) and with curl taking no time." % SCRIPT_RECORD))
    return table


def latency_table(life):
    table = Table("Latency of a push, in ms", "median", "99th percentile", "largest", "pushes or pairs of them told of",
                  "attempts that failed")
    told = life.latencies_ms()
    table.add(number(service.middle(told), 0), number(service.quantile(told, 0.99), 0), number(max(told, default=None), 0),
              number(len(told)), number(life.stat("push_failures_total"), 0))
    table.note("By the log of push: from the begin of a request to the whole of its answer, over the loopback to %s. Of the "
               "two requests of an interval the log has the slower." % life.server.name)
    return table


# --- the section -------------------------------------------------------------------------------------

def script_rows(bench, target, recordings, seconds):
    if not recordings:
        return []
    tool = recordings[min(1, len(recordings) - 1)].tool
    words = "the script with %s" % tool.label
    if bench.s.quick:
        return [(words,) + script_measured(bench, target, tool, 2)]
    startup = recordings[min(1, len(recordings) - 1)].startup
    return [(words, seconds, seconds * script_share(seconds, startup) / 100)]


def push(bench):
    s = bench.s
    server = service.Given(bench.server) if bench.server else service.StandIn(bench.top)
    target = bench.target(MAIN, "service.py")
    floor = floor_of(bench, target, s.push_floor_s)
    recordings = record_all(bench, target, s.push_record_s)
    script = script_rows(bench, target, recordings, s.push_s)
    bench.say("push: pystoker for %g s" % s.push_s)
    life = service.Life(bench, target, server, s.push_s, s.push_interval_s)
    good = life.live(s.push_look_s)
    server.stop()
    if not good:
        raise RuntimeError("push ended before its target: " + life.log[-500:])
    life.covered_seconds = life.covered_ns() / 1e9
    return [cost_table(bench, life, floor, recordings), memory_table(bench, life),
            bytes_table(life, recordings, s.push_interval_s), coverage_table(bench, life, script), latency_table(life)]
