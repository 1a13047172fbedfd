# SPDX-License-Identifier: MIT
"""The ways to registers (perf, ptrace) and the engines (rules, libunwind) see the same; who may not use perf is told so."""
import os
import shutil

from driver import build, native, pystoker, target

EXCLUSIVE = True
ROWS = "spread"
SECONDS = 1
RATE = 300
RIGHT_MIN, COMPLETE_MIN = 97.0, 97.0
WAYS = (("--unwind=perf",), ("--unwind=ptrace",), ("--unwinder=libunwind",), ("--unwind=ptrace", "--unwinder=libunwind"),
        ("--blocking",))
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")
PARANOID = "/proc/sys/kernel/perf_event_paranoid"


def judge(check, what, graph, executable, pid, options, before=()):
    run, stacks = pystoker.record(["-p", pid, "-d", SECONDS, "-r", RATE, "--native=all", *options], before=before)
    if run.status or stacks is None:
        check.ok(False, "%s: runs" % what, run)
        return run
    v = native.Verdict(graph, stacks, executable)
    check.ok(v.native and v.percent(v.right) >= RIGHT_MIN, "%s: %s" % (what, v.text()), run, *v.worst())
    check.ok(v.percent(v.complete) >= COMPLETE_MIN, "%s: stacks begin where threads do" % what, v.text(), *v.cut())
    return run


def as_root(row, check):
    with target.start(row, "mixed.py", row.script(build.library("mixed.c", "-g")), 2) as t:
        graph = native.Graph(t.next(), row.has("symbols"))
        for options in WAYS:
            judge(check, " ".join(options), graph, row.executable, t.pid, options)
        refused = pystoker.Run(["record", "-p", t.pid, "--native", "--placement", "off-cpu", "-d", "1", "-o", "-"])
        check.ok(refused.status == 2 and "--native" in refused.stderr, "--placement off-cpu: refused", refused)
        t.close_stdin()
        end = t.next()
        check.ok(end["right"] and t.end() == 0, "the target's results are right", end, t.stderr())


def reachable(path):
    """A copy that everybody may read."""
    copy = os.path.join(build.place(), os.path.basename(path))
    if not os.path.exists(copy):
        shutil.copy(path, copy)
        os.chmod(copy, 0o755)
    return copy


def paranoid():
    try:
        with open(PARANOID) as f:
            return int(f.read())
    except FileNotFoundError:
        return 3


def as_nobody(row, check):
    what = "not permitted to use perf"
    if os.geteuid() or not shutil.which("setpriv") or row.root or not row.executable.startswith("/usr/"):
        return check.skip(what, "needs root, setpriv and an interpreter that everybody may run")
    if paranoid() < 2:
        return check.skip(what, "%s permits it to everybody" % PARANOID)
    script = reachable(os.path.join(target.TARGETS, "mixed.py"))
    argv = list(NOBODY) + row.command + [script, reachable(build.library("mixed.c", "-g")), "2"]
    with target.Target(argv, cwd="/") as t:
        graph = native.Graph(t.next(), row.has("symbols"))
        run = pystoker.Run(["record", "-p", t.pid, "-d", SECONDS, "-r", RATE, "--native=all", "-f", "raw", "-o", "-"],
                           before=NOBODY, program=reachable(pystoker.PROGRAM), cwd="/")
        v = native.Verdict(graph, pystoker.Stacks(run.stdout), row.executable)
        check.ok(run.status == 0 and "ptrace" in run.stderr, "%s: says that it takes ptrace" % what, run)
        check.ok(v.native and v.percent(v.right) >= RIGHT_MIN, "%s: %s" % (what, v.text()), run, *v.worst())
        refused = pystoker.Run(["record", "-p", t.pid, "-d", SECONDS, "--native", "--unwind=perf", "-f", "raw", "-o", "-"],
                               before=NOBODY, program=reachable(pystoker.PROGRAM), cwd="/")
        check.ok(refused.status and "perf_event_paranoid" in refused.stderr,
                 "%s: --unwind=perf says why not" % what, refused)
        t.close_stdin()
        end = t.next()
        check.ok(end["right"] and t.end() == 0, "%s: the target's results are right" % what, end, t.stderr())
    return True


def run(row, check):
    as_root(row, check)
    as_nobody(row, check)
