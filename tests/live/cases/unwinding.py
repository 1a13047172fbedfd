# SPDX-License-Identifier: MIT
"""--native through code with every kind of unwind information, and with none: stacks go on to where threads begin, and
Python's frames are in their places."""
import os
import re

from driver import build, native, pystoker, rows, target, wheels

EXCLUSIVE = True
SECONDS = 0.7
RATE = 1000
COMPLETE_MIN = RIGHT_MIN = 99.0  # the aim is 99.5 %, of more samples than these: make bench
NO_CFI = ("-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-nostartfiles")
WHEELS = {"numpy": "numpy", "scipy": "scipy", "orjson": "orjson", "pydantic": "pydantic_core"}
WHEELS_ROW = "pyenv-3.13"


def junk(data):
    return bytes((i * 37 + 11) % 256 for i in range(len(data)))


def tableless(data):
    """An .eh_frame_hdr without its table of functions, as the standard allows."""
    return data[:2] + b"\xff\xff" + data[4:]


def libraries():
    """{what: how it is built}; each with mixed_call()."""
    return {
        "GNU ld": lambda: build.library("mixed.c"),
        "lld": lambda: build.library("mixed.c", *build.lld_flags()),
        "no .eh_frame_hdr": lambda: build.library("mixed.c", "-Wl,--no-eh-frame-hdr"),
        ".eh_frame_hdr without table": lambda: build.patched(build.library("mixed.c"), ".eh_frame_hdr", tableless),
        ".debug_frame only": lambda: build.library("mixed.c", "-g", *NO_CFI),
        "no CFI, frame pointers": lambda: build.library("mixed.c", "-fno-omit-frame-pointer", *NO_CFI),
        "no CFI, no frame pointers": lambda: build.library("mixed.c", "-fomit-frame-pointer", *NO_CFI),
        "corrupt .eh_frame": lambda: build.patched(build.library("mixed.c"), ".eh_frame", junk),
        "stripped": lambda: build.library("mixed.c", "-s"),
        "clang": lambda: build.library("mixed.c", compiler=build.shutil.which("clang")),
        "Rust": lambda: build.rust_library("rusty.rs"),
    }


class Verdict:
    def __init__(self, said, stacks, executable):
        self.chain, self.code = said["chain"], said["code"] and re.compile(said["code"])
        self.samples = self.complete = self.right = self.reached = self.through = 0
        self.bad = []
        for texts, count in stacks.counts.items():
            stack = native.frames(texts)
            whole, right = native.complete(stack, executable), self.in_order(stack, count)
            self.samples += count
            self.complete += count * whole
            self.right += count * right
            if not whole or not right:
                self.bad.append((count, " ; ".join(texts)))

    def in_order(self, stack, count):
        names = [f.name for f in stack if f.kind == native.PYTHON]
        shown = [n for n in names if n in self.chain]
        if shown != self.chain[:len(shown)]:
            return False
        if len(shown) < 2:
            return True
        found, _ = native.groups(stack)
        part = [p for p, f in found if f.name == self.chain[1]][0]
        self.reached += count
        self.through += count * (not self.code or any(self.code.search(f.text) for f in part))
        return bool(part)

    def percent(self, count):
        return 100.0 * count / self.samples if self.samples else 0.0

    def worst(self):
        return ["%d x %s" % (n, text[:500]) for n, text in sorted(self.bad, reverse=True)[:2]]


def judge(row, check, what, arguments, interpreter=(), environment=(), named=True):
    command = row.command + list(interpreter) + [row.script(os.path.join(target.TARGETS, "foreign.py"))] + list(arguments)
    with target.Target(command, env=dict(target.environment(), **dict(environment))) as t:
        said = t.next()
        run, stacks = pystoker.record(["-p", t.pid, "-d", SECONDS, "-r", RATE, "--native=all"])
        t.close_stdin()
        end = t.next()
        if run.status or stacks is None:
            return check.ok(False, "%s: runs" % what, run)
        v = Verdict(said, stacks, row.executable)
        check.ok(v.reached > 0, "%s: the callback is seen" % what, run, list(stacks.counts)[:2])
        check.ok(v.percent(v.complete) >= COMPLETE_MIN,
                 "%s: %.2f %% of %d complete" % (what, v.percent(v.complete), v.samples), *v.worst())
        check.ok(v.percent(v.right) >= RIGHT_MIN, "%s: %.2f %% in order" % (what, v.percent(v.right)), *v.worst())
        if named:
            check.ok(v.through >= 0.99 * v.reached, "%s: the code between is shown" % what,
                     "%d of %d" % (v.through, v.reached), *v.worst())
        return check.ok(end["right"] and t.end() == 0, "%s: the target's results are right" % what, end, t.stderr())


def attempt(row, check, what, prepare, kind="ctypes", **options):
    try:
        arguments = prepare()
    except (build.Missing, wheels.Missing) as e:
        return check.skip(what, str(e))
    return judge(row, check, what, [kind] + arguments, **options)


def through_libraries(row, check):
    for what, make in libraries().items():
        # What lies between cannot all be known without any unwind information; stripped, it has no name.
        named = what not in ("no CFI, no frame pointers", "no CFI, frame pointers", "corrupt .eh_frame", "stripped")
        attempt(row, check, what, lambda: [row.script(make())], named=named)


def through_extensions(row, check):
    attempt(row, check, "C++", lambda: [build.extension(row, "templates.cc", "templates", "g++"), "templates"], "extension")
    if row.name != WHEELS_ROW:
        return
    attempt(row, check, "Cython", lambda: [
        build.cython_extension(row, wheels.folder(row, "Cython"), "cythonic.pyx", "cythonic"), "cythonic"], "extension")
    for kind, package in WHEELS.items():
        attempt(row, check, package, lambda: [wheels.folder(row, package)], kind, named=kind != "orjson")


def has_jit(row):
    code = "import sys; print(hasattr(sys, '_jit') and sys._jit.is_available())"
    return build.run(row.command + ["-c", code]).strip() == "True"


def run(row, check):
    if row.version >= (3, 12):
        attempt(row, check, "-X perf", lambda: [row.script(build.library("mixed.c"))], interpreter=["-X", "perf"])
    if row.version >= (3, 14) and has_jit(row):
        attempt(row, check, "JIT", lambda: [], "jit", environment={"PYTHON_JIT": "1"}.items(), named=False)
    if row.name in [r.name for r in rows.spread(rows.find([])[0])]:
        through_libraries(row, check)
    if not row.root and row.version >= (3, 8):
        through_extensions(row, check)
    if not check.cases:
        check.skip("nothing of its own", "the libraries are tried on a few interpreters only")
