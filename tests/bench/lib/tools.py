# SPDX-License-Identifier: MIT
"""Profilers: the command line of each, and what its output and its last words say. To add one:
a class with the three methods, and a row in `all_tools`."""
import collections
import os
import re
import subprocess


class Profile:
    """What a tool delivered. `stacks`: tuples of names, outermost first, with counts; `dropped` are
    looks that the tool itself says it lost, None when it says nothing."""

    def __init__(self):
        self.stacks = collections.Counter()
        self.dropped = None
        self.seconds = None       # the tool's own account of its duration
        self.reasons = ""
        self.repaired = self.late = self.proven = None

    @property
    def samples(self):
        return sum(self.stacks.values())

    def add_line(self, line, name_of):
        frames, _, count = line.rstrip("\n").rpartition(" ")
        if frames and count.isdigit():
            self.stacks[tuple(name_of(f) for f in frames.split(";"))] += int(count)


def name_before_place(frame):
    """`name (file.py:7)`, as ours and py-spy's."""
    return frame.rsplit(" (", 1)[0]


def name_between(frame):
    """`file.py:name:7`, as austin's and profiling.sampling's."""
    parts = frame.rsplit(":", 2)
    return parts[1] if len(parts) == 3 else frame


def number_after(pattern, text, default=None):
    found = re.search(pattern, text)
    return float(found.group(1)) if found else default


def lines_of(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            yield from f
    except OSError:
        return


class Tool:
    """`label` names the row, `shown` is the program's name in the commands that the document shows."""
    versions = None           # of Python; None: all
    shortest = 0.05           # the least duration it takes, seconds
    counts_intervals = False  # its duration is so many intervals, however long they take

    def __init__(self, label, words, version):
        self.label, self.words, self.version = label, words, version

    def command(self, pid, rate, seconds, out):
        """Without seconds it records until SIGINT."""
        return self.words + self.arguments(str(pid), rate, seconds, out)

    def shown(self, rate, seconds):
        name = os.path.basename(self.words[-1])
        if "-m" in self.words:
            name = "python3.15 -m " + self.words[-1]
        return " ".join([name] + self.arguments("PID", rate, seconds, "FILE"))

    def fits(self, version):
        return self.versions is None or version in self.versions


class Pystoker(Tool):
    def __init__(self, label, words, version, *options):
        super().__init__(label, words, version)
        self.options = list(options)

    def arguments(self, pid, rate, seconds, out):
        duration = ["-d", "%g" % seconds] if seconds else []
        return ["record", "-p", pid, "-f", "raw", "-o", out, "-r", str(rate)] + duration + self.options

    def read(self, out, finished):
        p = Profile()
        for line in lines_of(out):
            p.add_line(line, name_before_place)
        said = finished.err
        p.dropped = number_after(r"dropped (\d+)", said)
        p.repaired = number_after(r"repaired (\d+)", said)
        p.late = number_after(r"late (\d+)", said)
        p.proven = number_after(r"\((\d+) % proven\)", said)
        p.seconds = number_after(r"samples in ([\d.]+) s", said)
        reasons = re.search(r"dropped \d+ \(([^)]*)\)", said)
        p.reasons = reasons.group(1) if reasons else ""
        return p


class PySpy(Tool):
    shortest = 1
    counts_intervals = True

    def __init__(self, label, words, version, *options):
        super().__init__(label, words, version)
        self.options = list(options)

    def arguments(self, pid, rate, seconds, out):
        duration = ["-d", "%d" % max(1, round(seconds))] if seconds else []
        return ["record", "-p", pid, "-f", "raw", "-o", out, "-r", "%d" % rate] + duration + self.options

    def read(self, out, finished):
        p = Profile()
        for line in lines_of(out):
            p.add_line(line, name_before_place)
        p.dropped = number_after(r"Errors: (\d+)", finished.err + finished.out)
        return p


class Austin(Tool):
    """Weights are microseconds; each line is one look at one thread."""
    shortest = 1
    versions = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")

    def __init__(self, label, words, version, convert):
        super().__init__(label, words, version)
        self.convert = convert

    def arguments(self, pid, rate, seconds, out):
        duration = ["-x", "%d" % max(1, round(seconds))] if seconds else []
        return ["-i", "%dus" % max(1, round(1e6 / rate))] + duration + ["-o", out, "-p", pid]

    def text_of(self, out):
        """austin 4 writes MOJO, which mojo2austin of austin-python makes text."""
        try:
            with open(out, "rb") as f:
                if f.read(3) != b"MOJ":
                    return out
        except OSError:
            return out
        subprocess.run(self.convert + [out, out + ".txt"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=600, check=False)
        return out + ".txt"

    def read(self, out, finished):
        p = Profile()
        invalid = 0
        for line in lines_of(self.text_of(out)):
            if line.startswith("# duration:"):
                p.seconds = int(line.split()[-1]) / 1e6
            if not line.startswith("P"):
                continue
            frames = line.rsplit(" ", 1)[0].split(";")[2:]
            if ":INVALID:" in line:
                invalid += 1
            elif frames:
                p.stacks[tuple(name_between(f) for f in frames)] += 1
        p.dropped = invalid
        for line in lines_of(self.text_of(out)):
            if line.startswith("# errors:"):
                p.dropped = max(invalid, int(line.split()[-1].split("/")[0]))
        p.reasons = "%d of them INVALID in the file" % invalid if invalid else ""
        return p


class Profiling(Tool):
    """CPython 3.15's profiling.sampling."""
    shortest = 1
    versions = ("3.15",)

    def __init__(self, label, words, version, *options):
        super().__init__(label, words, version)
        self.options = list(options)

    def arguments(self, pid, rate, seconds, out):
        duration = ["-d", "%g" % seconds] if seconds else []
        return (["attach", "-r", "%d" % rate] + duration + ["-a", "--no-gc", "--collapsed", "-o", out] +
                self.options + [pid])

    def read(self, out, finished):
        p = Profile()
        for line in lines_of(out):
            p.add_line(re.sub(r"^tid:\d+;", "", line), name_between)
        said = finished.out + finished.err
        looks = number_after(r"Captured ([\d,]+) samples", said.replace(",", ""))
        share = number_after(r"Error rate: ([\d.]+)", said, 0.0)
        p.seconds = number_after(r"samples in ([\d.]+) seconds", said)
        p.dropped = round(looks * share / 100) if looks else None
        return p


class Pinned:
    """A tool kept on one CPU by hand, while its target is kept on `target_cpu`."""

    def __init__(self, tool, cpu, target_cpu):
        self.tool, self.cpu, self.target_cpu = tool, cpu, target_cpu
        self.label, self.shortest, self.counts_intervals = tool.label, tool.shortest, tool.counts_intervals

    def fits(self, version):
        return self.tool.fits(version)

    def command(self, *arguments):
        return ["taskset", "-c", str(self.cpu)] + self.tool.command(*arguments)

    def shown(self, *arguments):
        return "taskset -c %d %s" % (self.cpu, self.tool.shown(*arguments))

    def read(self, out, finished):
        return self.tool.read(out, finished)


def rival_rows(script):
    """Rows of tests/bench/rivals by name, and its SKIP lines."""
    done = subprocess.run([script, "--installed"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, check=False)
    rows = {}
    for line in done.stdout.splitlines():
        name, version, *words = line.split("\t")
        rows[name] = (version, words)
    return rows, [line for line in done.stderr.splitlines() if line.startswith("SKIP")]


def rivals_of(rows):
    """The tools that the rows make, several ways of running one included."""
    tools = []
    if "py-spy" in rows:
        version, words = rows["py-spy"]
        tools.append(PySpy("py-spy " + version, words, version))
        tools.append(PySpy("py-spy %s, nonblocking" % version, words, version, "--nonblocking"))
    for name in ("austin", "austin-debian"):
        if name in rows and ("mojo2austin" in rows or rows[name][0].startswith("3.")):
            version, words = rows[name]
            tool = Austin("austin " + version, words, version, rows.get("mojo2austin", ("", []))[1])
            if version.startswith("3."):
                tool.versions = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
            tools.append(tool)
    if "profiling.sampling" in rows:
        version, words = rows["profiling.sampling"]
        tools.append(Profiling("profiling.sampling " + version, words, version))
        tools.append(Profiling("profiling.sampling %s, blocking" % version, words, version, "--blocking"))
    return tools
