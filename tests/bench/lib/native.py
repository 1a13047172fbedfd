# SPDX-License-Identifier: MIT
"""Section `native`: stacks of Python and C in one. The targets and judges are those of tests/live."""
import os
import signal
import statistics
import struct
import sys
import tempfile
import time

from . import bench as shared
from . import process, tools
from .report import Table, number, percent, spread
from .settings import MAIN

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../live"))
from cases import gdb as gdb_case, unwinding  # noqa: E402
from driver import build, gdb, native, pystoker, rows, target, wheels  # noqa: E402

VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
FRAMES = 30  # of the figure for unwinding
MANY = 8     # times longer and fewer are the pairs with many threads


def row_of(bench, version):
    found, _, _ = rows.find([bench.interpreters[version][0]])
    return found[0]


def ours(bench, *options):
    words = " ".join(("pystoker --native",) + options)
    return bench.variant(words, "--native=all", *options)


class NativePySpy(tools.PySpy):
    """py-spy hides all of the interpreter's library, and stops all threads."""
    hidden = True

    def __init__(self, label, words, version):
        super().__init__(label, words, version, "--native")


class Austinp(tools.Austin):
    hidden = True
    versions = ("3.9", "3.10", "3.11", "3.12", "3.13")


def rivals(bench):
    """Those of rivals_of() that can native stacks, in that mode."""
    found = []
    for tool in bench.rivals:
        if isinstance(tool, tools.PySpy) and not tool.options:
            found.append(NativePySpy(tool.label + " --native", tool.words, tool.version))
        if isinstance(tool, tools.Austin) and not any(isinstance(f, Austinp) for f in found):
            words = tool.words[:-1] + [tool.words[-1] + "p"]
            if os.access(words[-1], os.X_OK):
                found.append(Austinp("austinp " + tool.version, words, tool.version, tool.convert))
    return found[:1] if bench.s.quick else found


# --- truth --------------------------------------------------------------------------------------------

def raw_stacks(tool, out):
    """As the live tests have them: texts of frames, with file."""
    path = tool.text_of(out) if isinstance(tool, tools.Austin) else out
    stacks = pystoker.Stacks(b"")
    for line in tools.lines_of(path):
        text, _, count = line.rstrip("\n").rpartition(" ")
        if not text or not count.isdigit() or line.startswith("#"):
            continue
        parts = text.split(";")
        if isinstance(tool, tools.Austin):
            parts, count = [austin_frame(p) for p in parts[2:]], 1
        if parts:
            stacks.counts[tuple(parts)] = stacks.counts.get(tuple(parts), 0) + int(count)
    stacks.samples = sum(stacks.counts.values())
    return stacks


def austin_frame(text):
    """`file:name:line` as `name (file:line)`."""
    file, _, rest = text.partition(":")
    name, _, line = rest.rpartition(":")
    return "%s (%s:%s)" % (name or rest, os.path.basename(file), line if line.isdigit() else 0)


def truth_row(bench, table, tool, version, seconds):
    row, rate = row_of(bench, version), bench.s.truth_rate
    bench.say("native: mixed.py, %s, %s" % (row.text, tool.label))
    library = row.script(build.library("mixed.c", "-g"))
    with target.start(row, "mixed.py", library) as t:
        graph = native.Graph(t.next(), row.has("symbols"), getattr(tool, "hidden", False))
        profile, finished = bench.record(tool, t, rate, seconds)
        t.close_stdin()
        held = t.next()["right"]
    verdict = native.Verdict(graph, raw_stacks(tool, os.path.join(bench.work, "profile")), row.executable)
    dropped = profile.dropped or 0
    table.add("%s, %s" % (tool.label, row.text), number(verdict.samples),
              number(verdict.samples / max(finished.wall, 0.001)),
              percent(verdict.right, verdict.samples, 4), percent(verdict.right, verdict.samples + dropped, 4),
              percent(verdict.wrong, verdict.samples, 4), percent(verdict.marked, verdict.samples, 4),
              percent(verdict.complete, verdict.samples, 4) if not getattr(tool, "hidden", False) else "–",
              "–" if graph.hidden else "%d of %d" % (len(verdict.seen), len(graph.all_ways())),
              number(1e6 * finished.cpu / max(verdict.samples, 1), 1),
              command=tool.shown(rate, seconds))
    for text in verdict.worst(1):
        table.note("%s, %s: the most frequent of its wrong stacks: `%s`" %
                   (tool.label, row.text, text[-300:].replace("\n", " ")))
    if not held:
        table.note("%s, %s: **the target's own results were wrong**" % (tool.label, row.text))


def truth_table(bench):
    table = Table("From Python to C and back (`tests/live/targets/mixed.py`)", "tool, Python", "samples", "per s",
                  "merged right %", "of all looks, dropped ones too", "wrong %", "marked %", "complete %",
                  "ways through C seen", "µs of CPU per sample")
    for version in VERSIONS:
        if not bench.has(version):
            table.note("SKIP %s: no such interpreter here; `tests/interpreters/fetch` adds some" % version)
            continue
        truth_row(bench, table, ours(bench), version, bench.s.native_truth_s)
        if version == MAIN:
            truth_row(bench, table, ours(bench, "--unwind=ptrace"), version, bench.s.native_truth_s)
            truth_row(bench, table, ours(bench, "--unwinder=libunwind"), version, bench.s.native_truth_s)
        for tool in rivals(bench):
            if tool.fits(version) and (version == MAIN or not bench.s.quick):
                truth_row(bench, table, tool, version, max(tool.shortest, bench.s.native_rival_s))
    table.note("The rivals hide the functions of the interpreter, so of them only the order of Python's functions and the "
               "functions of the tests' own library between them are asked.")
    return table


# --- gdb ----------------------------------------------------------------------------------------------

def gdb_table(bench):
    table = Table("The same target, stopped, against gdb's backtrace of each of its threads", "Python", "stacks", "frames",
                  "equal %")
    if not gdb.there():
        table.note("SKIP: no gdb")
        return table
    for version in VERSIONS if not bench.s.quick else (MAIN,):
        if not bench.has(version):
            continue
        row = row_of(bench, version)
        bench.say("native: gdb, %s" % row.text)
        found = {"stacks": 0, "frames": 0, "bad": [], "states": set()}
        with target.start(row, "mixed.py", row.script(build.library("mixed.c", "-g")), gdb_case.THREADS) as t:
            t.next()
            for _ in range(bench.s.native_stops):
                time.sleep(gdb_case.BETWEEN_S)
                gdb_case.compare(row, t, found)
        table.add(row.text, found["stacks"], number(found["frames"]),
                  percent(found["stacks"] - len(found["bad"]), found["stacks"]),
                  command="pystoker dump --native=all --json -p PID; gdb -batch -p PID -x SCRIPT")
        for text in found["bad"][:1]:
            table.note("%s: `%s`" % (row.text, text.partition("\n")[0][:300]))
    return table


# --- unwind information ---------------------------------------------------------------------------------

def matrix_row(bench, table, row, what, prepare, kind="ctypes", interpreter=(), environment=()):
    bench.say("native: %s, %s" % (what, row.text))
    try:
        arguments = prepare()
    except (build.Missing, wheels.Missing) as e:
        table.note("SKIP %s: %s" % (what, e))
        return
    argv = row.command + list(interpreter) + [row.script(os.path.join(target.TARGETS, "foreign.py")), kind] + arguments
    with target.Target(argv, env=dict(target.environment(), **dict(environment))) as t:
        said = t.next()
        run, stacks = pystoker.record(["-p", t.pid, "-d", bench.s.native_matrix_s, "-r", 1000, "--native=all"])
        t.close_stdin()
        held = t.next()["right"]
    if run.status or not stacks:
        table.note("%s, %s: %s" % (what, row.text, run))
        return
    v = unwinding.Verdict(said, stacks, row.executable)
    table.add(what, row.text, number(v.samples), percent(v.complete, v.samples), percent(v.right, v.samples),
              percent(v.through, v.reached), command="pystoker record -p PID -f raw -r 1000 -d %g --native=all"
              % bench.s.native_matrix_s)
    for text in v.worst()[:1]:
        table.note("%s, %s: `%s`" % (what, row.text, text[:300]))
    if not held:
        table.note("%s, %s: **the target's own results were wrong**" % (what, row.text))


def matrix_table(bench):
    table = Table("Through code with every kind of unwind information", "code", "Python", "samples", "complete %",
                  "Python's frames in order %", "the code between is shown %")
    row = row_of(bench, MAIN)
    for what, make in list(unwinding.libraries().items())[:2 if bench.s.quick else None]:
        matrix_row(bench, table, row, what, lambda: [row.script(make())])
    matrix_row(bench, table, row, "-X perf", lambda: [build.library("mixed.c")], interpreter=["-X", "perf"])
    for version in ("3.14", "3.15"):
        if bench.has(version) and unwinding.has_jit(row_of(bench, version)):
            matrix_row(bench, table, row_of(bench, version), "PYTHON_JIT=1", lambda: [], "jit",
                       environment={"PYTHON_JIT": "1"}.items())
    if bench.s.quick:
        return table
    matrix_row(bench, table, row, "C++", lambda: [build.extension(row, "templates.cc", "templates", "g++"), "templates"],
               "extension")
    matrix_row(bench, table, row, "Cython", lambda: [
        build.cython_extension(row, wheels.folder(row, "Cython"), "cythonic.pyx", "cythonic"), "cythonic"], "extension")
    for kind, package in unwinding.WHEELS.items():
        matrix_row(bench, table, row, package, lambda: [wheels.folder(row, package)], kind)
    return table


# --- what the target loses ------------------------------------------------------------------------------

class Counted:
    """targets/nativework.py, whose rounds can be read at any time without its knowing."""

    def __init__(self, bench, version, *arguments):
        handle, self.path = tempfile.mkstemp(dir=bench.work)
        os.write(handle, bytes(8))
        self.fd = handle
        row = row_of(bench, version)
        script = os.path.join(bench.targets, "nativework.py")
        self.process = process.Target(row.command + [script, str(shared.TARGET_SECONDS), self.path] +
                                      [str(a) for a in arguments])
        self.pid = self.process.pid
        time.sleep(bench.s.settle_s)

    def now(self):
        return struct.unpack("<q", os.pread(self.fd, 8, 0))[0], time.monotonic()

    def speed(self, seconds):
        (a, begin), _ = self.now(), time.sleep(seconds)
        b, end = self.now()
        return (b - a) / (end - begin)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()
        os.close(self.fd)


def toggled(bench, tool, counted, rate, seconds, pairs):
    """Per pair, % of its speed that the target loses while the profiler is awake; it sleeps (SIGSTOP) in between."""
    running = bench.begin(tool, counted, rate) if tool else None
    pid, lost = running.pid() if running else None, []
    signal_it = (lambda number: os.kill(pid, number)) if pid else (lambda number: None)
    try:
        for i in range(pairs):
            speeds = {}
            for on in (i % 2 == 0, i % 2 == 1):
                signal_it(signal.SIGCONT if on else signal.SIGSTOP)
                speeds[on] = counted.speed(seconds)
            if speeds[False]:
                lost.append(100 * (1 - speeds[True] / speeds[False]))
    finally:
        signal_it(signal.SIGCONT)
        if running:
            running.finish(0)
    return lost


def loss_row(bench, table, tool, rate, what, *arguments):
    label = tool.label if tool else "nothing (noise of the method)"
    bench.say("native: what %s loses, %s at %s Hz" % (what, label, rate))
    # A round of many threads takes long.
    longer = MANY if arguments else 1
    with Counted(bench, MAIN, *arguments) as counted:
        lost = toggled(bench, tool, counted, rate, longer * bench.s.native_toggle_s, bench.s.native_pairs // longer or 1)
        whole = [] if tool is None else bench.slowdowns(tool, counted, rate, bench.s.slow_s, bench.s.native_slow_pairs)
    low, high = shared.interval(lost) if lost else (None, None)
    table.add(label, what, number(rate, 0) if tool else "–", number(shared.median(lost)),
              "%s … %s" % (number(low), number(high)), len(lost), spread(whole),
              command=tool.shown(rate, None) if tool else None)


def loss_table(bench):
    table = Table("What the target loses, Python %s" % bench.named(MAIN), "tool", "target", "Hz", "slower by %, median",
                  "95 % interval of the median", "pairs", "whole recordings, slower by %")
    one = "`nativework.py`, 1 thread"
    loss_row(bench, table, None, 0, one)
    for rate in bench.s.slow_rates:
        loss_row(bench, table, ours(bench), rate, one)
    if not bench.s.quick:
        loss_row(bench, table, ours(bench, "--unwind=ptrace"), 100, one)
    for tool in rivals(bench):
        loss_row(bench, table, tool, 100, one)
    try:
        library = build.library("openmp.c", "-fopenmp")
    except (build.Missing, build.BuildError) as e:
        table.note("SKIP 159 threads of OpenMP: %s" % str(e)[-200:])
    else:
        for tool in [None, ours(bench)] + rivals(bench):
            loss_row(bench, table, tool, 100, "159 threads of OpenMP", library)
    table.note("Pairs: the profiler is awake and stopped (SIGSTOP) in turns of %g ms (with many threads 8 times that). "
               "What the kernel does for us at each switch of a thread goes on meanwhile: the last column has whole "
               "recordings of %g s, begun and ended, in pairs too, and shows all, with more noise." %
               (1000 * bench.s.native_toggle_s, bench.s.slow_s))
    return table


# --- what the profiler costs --------------------------------------------------------------------------------

def native_frames(stacks):
    """Of a sample, on average. Inlined functions count too, so that what a frame took is not overstated by them."""
    total = sum(count * sum(not native.is_python(pystoker.split_frame(f)[1]) for f in stack)
                for stack, count in stacks.counts.items())
    return total / stacks.samples if stacks.samples else 0


def cost_row(bench, table, tool, rate):
    bench.say("native: cost of %s at %d Hz" % (tool.label, rate))
    seconds = max(bench.s.native_cost_s, tool.shortest + 1)
    with Counted(bench, MAIN) as counted:
        _, short = bench.record(tool, counted, rate, tool.shortest)
        short_samples = raw_stacks(tool, os.path.join(bench.work, "profile")).samples
        profile, long = bench.record(tool, counted, rate, seconds, bench.s.memory_every_s)
    samples = profile.samples - short_samples
    each = 1e6 * (long.cpu - short.cpu) / samples if samples > 0 else None
    walk = tools.number_after(r"([\d.]+) us a walk", long.err)
    frames = native_frames(raw_stacks(tool, os.path.join(bench.work, "profile")))
    peak = max([m.get("VmHWM", 0) for _, m in long.memory] or [0])
    table.add(tool.label, number(rate, 0), number(profile.samples), number(each, 1),
              number(FRAMES * walk / frames) if walk and frames else "–", number(peak / 1024), number(long.wall, 1),
              command=tool.shown(rate, seconds))


def cost_table(bench):
    table = Table("What the profiler itself takes on `nativework.py`, Python %s" % bench.named(MAIN),
                  "tool", "Hz", "samples", "µs of CPU per sample, start and end aside", "µs to unwind %d frames" % FRAMES,
                  "peak memory, MB", "run, s")
    for rate in bench.s.slow_rates:
        cost_row(bench, table, ours(bench), rate)
    for tool in rivals(bench):
        cost_row(bench, table, tool, 100)
    return table


def section(bench):
    pystoker.PROGRAM = bench.program
    return [truth_table(bench), gdb_table(bench), matrix_table(bench), loss_table(bench), cost_table(bench)]
