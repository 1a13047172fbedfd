# SPDX-License-Identifier: MIT
"""Stacks with Python and native frames, and what must hold of each."""
import os
import re

from . import pystoker

UNNAMED = re.compile(r"0x[0-9a-f]+(-0x[0-9a-f]+)?$")
START = re.compile(r"(_start|_?_?clone3?|_?_?GI_+clone3?)$")
EVAL = re.compile(r"_PyEval_EvalFrame(Default|Ex)?\b|_TAIL_CALL_")
C_LIBRARY = re.compile(r"(libc[.-]|ld-|libpthread|clone3?\.S|start\.S)")
PYTHON, NATIVE, MARK = "python", "native", "mark"


class Frame:
    def __init__(self, text):
        self.text = text
        self.name, self.file, self.line = pystoker.split_frame(text)
        marked = text.startswith("[") and "[jit]" not in (text, self.file)
        self.kind = MARK if marked else PYTHON if is_python(self.file) else NATIVE

    @property
    def unnamed(self):
        return bool(UNNAMED.match(self.name))

    def __repr__(self):
        return self.text


def is_python(file):
    return file.endswith((".py", ".pyc")) or file.startswith("<")


def frames(stack):
    return [Frame(text) for text in stack]


def groups(stack):
    """[(C part before it, Python frame)], outermost first, and the C part of the leaf."""
    found, part = [], []
    for frame in stack:
        if frame.kind == PYTHON:
            found.append((part, frame))
            part = []
        else:
            part.append(frame)
    return found, part


def complete(stack, executable):
    """Whether the outermost frame (of --native=all) is one at which a thread begins. In stripped files it has no name: then
    it is in the program itself for the first thread (which runs a module), in the C library for others."""
    first = stack[0]
    if first.kind != NATIVE:
        return False
    if START.match(first.name):
        return True
    own = os.path.basename(os.path.realpath(executable))
    main = any(f.kind == PYTHON and f.name == "<module>" for f in stack)
    return first.unnamed and (first.file == own or not main and bool(C_LIBRARY.match(first.file)))


def marked(stack):
    return any(frame.kind == MARK for frame in stack)


class Graph:
    """What targets/mixed.py says of itself, as a judge."""

    def __init__(self, said, symbols, hidden=False):
        """hidden: of a profiler that shows nothing of the interpreter: only the tests' own library is asked for."""
        self.symbols, self.hidden = symbols and not hidden, hidden
        self.levels_all = False  # the interpreter's eval loop is shown too
        self.reached, self.leaf = said["reached"], said["leaf"]
        self.tables = {} if hidden else said["tables"]
        self.aliases = dict(said["maybe"], **said["tables"])
        self.signatures = {q for callers in self.reached.values() for _, parts in callers for p in parts
                           for q in (p, self.aliases.get(p)) if q}

    def expected(self, patterns):
        """Those that can be told: without symbols only the tests' own library has names, and what Python's tables say."""
        if self.symbols:
            return patterns
        return [p if p.startswith("mixed_") else self.tables[p]
                for p in patterns if p.startswith("mixed_") or p in self.tables]

    def fault(self, stack):
        """What is wrong with a stack; None: nothing. It says nothing of whether the stack is complete."""
        found, rest = groups(stack)
        if not found:
            return None
        previous, missing = None, marked(stack)
        for part, frame in found:
            wrong = previous and self.edge_fault(previous, part, frame, missing)
            if wrong:
                return wrong
            previous = frame
        own = {p for callers in self.reached.values() for caller, parts in callers if caller == previous.name for p in parts}
        if previous.name not in self.reached and previous.name not in {c for cs in self.reached.values() for c, _ in cs}:
            return None
        own |= {self.aliases[p] for p in own if p in self.aliases}
        return self.stranger(previous, rest, own | set(filter(None, [self.leaf.get(previous.name)])), "the leaf")

    def edge_fault(self, caller, part, callee, missing):
        """missing: the stack says that native frames are missing."""
        if callee.name not in self.reached:
            return None
        ways = [parts for name, parts in self.reached[callee.name] if name == caller.name]
        if not ways:
            return "%s calls %s" % (caller, callee)
        own = set(ways[0]) | {self.aliases[p] for p in ways[0] if p in self.aliases}
        wrong = self.stranger(caller, part, own, callee.name)
        return wrong or (None if missing else self.part_fault(caller, part, callee, ways[0]))

    def stranger(self, caller, part, own, callee):
        """C functions of other ways."""
        for frame in part:
            if frame.kind == NATIVE and any(re.search(p, frame.name) for p in self.signatures - own) and \
                    not any(re.search(p, frame.name) for p in own):
                return "%s between %s and %s" % (frame, caller, callee)
        return None

    def part_fault(self, caller, part, callee, patterns):
        native = [f for f in part if f.kind == NATIVE]
        if patterns and not native and not self.hidden:
            return "nothing between %s and %s" % (caller, callee)
        names = iter(f.name for f in native)
        for pattern in self.expected(patterns):
            if not any(re.search(pattern, name) for name in names):
                return "no %s between %s and %s: %s" % (pattern, caller, callee, native)
        after = native[len(native) - sum(1 for _ in names):] if self.expected(patterns) else []
        # What is inlined into the eval loop comes after it.
        if self.levels_all and self.symbols and patterns and not any(EVAL.match(f.name) for f in after):
            return "%s is reached from %s" % (callee, native[-1])
        return None

    def ways(self, stack):
        """The (caller, callee) through C that a stack shows."""
        found, _ = groups(stack)
        return {(a.name, b.name) for (_, a), (part, b) in zip(found, found[1:])
                for name, parts in self.reached.get(b.name, ()) if name == a.name and parts}

    def all_ways(self):
        return {(caller, callee) for callee, callers in self.reached.items() for caller, parts in callers if parts}


class Verdict:
    """Counts over all stacks of a recording: right, wrong, marked, complete."""

    def __init__(self, graph, stacks, executable):
        self.samples = self.right = self.wrong = self.marked = self.complete = self.native = 0
        self.faults, self.incomplete, self.seen, self.leaves = [], [], set(), set()
        for texts, count in stacks.counts.items():
            self.add(graph, frames(texts), count, executable)

    def add(self, graph, stack, count, executable):
        fault = graph.fault(stack)
        self.samples += count
        self.native += count * any(f.kind == NATIVE for f in stack)
        self.wrong += count * bool(fault)
        self.marked += count * (marked(stack) and not fault)
        self.right += count * (not fault and not marked(stack))
        if complete(stack, executable):
            self.complete += count
        else:
            self.incomplete.append((count, stack))
        if fault:
            self.faults.append((count, fault, stack))
        self.seen |= graph.ways(stack)
        last = [f for f in stack if f.kind == PYTHON][-1:]
        if last:
            self.leaves |= {(last[0].name, f.name, f.file) for f in groups(stack)[1]}

    def percent(self, count):
        return 100.0 * count / self.samples if self.samples else 0.0

    def text(self):
        return "%d samples: %.2f %% right, %d wrong, %d marked, %.2f %% complete" % (
            self.samples, self.percent(self.right), self.wrong, self.marked, self.percent(self.complete))

    def worst(self, most=3):
        return ["%d x %s in %s" % (n, fault, " ; ".join(map(str, stack[-40:])))
                for n, fault, stack in sorted(self.faults, key=lambda f: -f[0])[:most]]

    def cut(self, most=2):
        return ["%d x begins at %s" % (n, " ; ".join(map(str, stack[:6]))) for n, stack in
                sorted(self.incomplete, key=lambda f: -f[0])[:most]]
