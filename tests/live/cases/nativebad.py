# SPDX-License-Identifier: MIT
"""--native where it is hard: pystoker goes on, Python's frames stay in order, and the target's results are right."""
import os
import shutil
import signal

from driver import build, gdb, native, pystoker, target

EXCLUSIVE = True
ROWS = "spread"
SECONDS = 0.7
RATE = 1000
WAYS = (("--native=all",), ("--native=all", "--unwind=ptrace"))


def own_copy(row, library, name):
    """The library as a file that may be deleted; the path as the row sees it."""
    inside = row.script(library)
    copy = os.path.join(os.path.dirname(inside) if row.root else build.place(), name)
    shutil.copy(row.root + inside if row.root else library, row.root + copy)
    os.chmod(row.root + copy, 0o755)
    return copy


def names(stack, chain):
    return [f.name for f in stack if f.kind == native.PYTHON and f.name in chain]


def judged(check, what, t, said, run, stacks):
    if run.status or stacks is None:
        return check.ok(False, "%s: recorded" % what, run)
    check.ok(stacks.samples > 0, "%s: recorded" % what, run)
    found = [(names(native.frames(s), said["chain"]), s) for s in stacks.counts]
    bad = [s for shown, s in found if shown != said["chain"][:len(shown)]]
    return check.ok(not bad, "%s: Python's frames are in order" % what, *bad[:2])


def ends_well(check, what, t):
    t.close_stdin()
    end = t.next()
    check.ok(end["rounds"] > 0 and end["right"] and t.end() == 0, "%s: the target's results are right" % what,
             end, t.stderr())


def attempt(row, check, kind, expected=None, other=False):
    """expected(frames of a stack): some stack is so."""
    library = build.library("bad.c", "-g", "-pthread")
    for options in WAYS:
        what = "%s, %s" % (kind, options[-1])
        mine = own_copy(row, library, "bad-%s.so" % row.name)
        more = [own_copy(row, build.library("mixed.c", "-g"), "other-%s.so" % row.name)] if other else []
        with target.start(row, "bad.py", mine, kind, *more) as t:
            said = t.next()
            run, stacks = pystoker.record(["-p", t.pid, "-d", SECONDS, "-r", RATE, *options])
            if judged(check, what, t, said, run, stacks) and expected:
                check.ok(any(expected(native.frames(s)) for s in stacks.counts), "%s: shown as what it is" % what,
                         list(stacks.counts)[:3], run)
            ends_well(check, what, t)


def has(name):
    return lambda stack: any(f.name == name for f in stack)


def under_debugger(row, check):
    if not gdb.there():
        check.skip("under gdb", "no gdb")
        return
    library = row.script(build.library("bad.c", "-g", "-pthread"))
    with target.start(row, "bad.py", library, "call") as t:
        said = t.next()
        debugger = gdb.running(t.pid, row.executable, row.root)
        try:
            traced = target.wait_for(lambda: gdb.tracer(t.pid) and target.state(t.pid) in "RS")
            check.ok(traced, "gdb has it", gdb.tracer(t.pid))
            run, stacks = pystoker.record(["-p", t.pid, "-d", SECONDS, "-r", RATE, "--native=all"])
            judged(check, "under gdb", t, said, run, stacks)
            refused = pystoker.Run(["record", "-p", t.pid, "-d", SECONDS, "-r", RATE, "--native",
                                    "--unwind=ptrace", "-f", "raw", "-o", "-"])
            # Another tracer is respected: Python's frames alone, or a clear refusal.
            check.ok(refused.status >= 0 and refused.stderr.strip(), "under gdb, --unwind=ptrace: ends in order", refused)
        finally:
            os.kill(debugger.pid, signal.SIGINT)
            debugger.wait(target.PATIENCE_S)
        ends_well(check, "under gdb", t)


def run(row, check):
    attempt(row, check, "deep", has("bad_deep"))
    attempt(row, check, "alarms", has("bad_handler"))
    attempt(row, check, "threads")  # they end before anybody knows of them
    attempt(row, check, "forks")
    attempt(row, check, "deleted", has("bad_call"))
    attempt(row, check, "replaced", has("bad_call"), other=True)
    under_debugger(row, check)
