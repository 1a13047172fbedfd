# SPDX-License-Identifier: MIT
"""--native on a program that goes from Python to C and back, and knows by which C functions: what is seen must be one of
its ways, and begin where threads begin."""
from driver import build, native, pystoker, target

EXCLUSIVE = True
SECONDS = 2
RATE = 500
# Of the samples; the aims (99.9 % from 3.10 on, 99 % before, 99.5 % complete) are measured by make bench, on more of them.
RIGHT_MIN, RIGHT_MIN_OLD, COMPLETE_MIN = 99.0, 97.0, 99.0
WAYS_MIN = 5     # a slow machine may not see them all
OLD = (3, 10)    # before, eval calls leave no address on the C stack


def judge(row, check, graph, t, level, seconds):
    run, stacks = pystoker.record(["-p", t.pid, "-d", seconds, "-r", RATE, level])
    if run.status or stacks is None:
        return check.ok(False, "%s: runs" % level, run)
    graph.levels_all = level == "--native=all"
    verdict = native.Verdict(graph, stacks, row.executable)
    check.ok(verdict.samples > 0 and verdict.native > 0, "%s: has native frames" % level, run)
    least = RIGHT_MIN_OLD if row.version < OLD else RIGHT_MIN
    check.ok(verdict.percent(verdict.wrong) <= 100 - least, "%s: %s" % (level, verdict.text()), *verdict.worst())
    check.ok(verdict.percent(verdict.right) >= least, "%s: few are marked" % level, verdict.text(), run)
    ways = graph.all_ways()
    check.ok(len(verdict.seen) >= WAYS_MIN, "%s: %d of the %d ways through C" % (level, len(verdict.seen), len(ways)),
             verdict.seen)
    if level == "--native=all":
        check.ok(verdict.percent(verdict.complete) >= COMPLETE_MIN, "%s: stacks begin where threads do" % level,
                 verdict.text(), *verdict.cut())
    return True


def run(row, check):
    library = row.script(build.library("mixed.c", "-g"))
    with target.start(row, "mixed.py", library, 2) as t:
        graph = native.Graph(t.next(), row.has("symbols"))
        judge(row, check, graph, t, "--native=all", SECONDS)
        judge(row, check, graph, t, "--native", SECONDS / 2)
        t.close_stdin()
        end = t.next()
        check.ok(end["rounds"] > 0 and end["right"] and t.end() == 0, "the target's results are right", end, t.stderr())
