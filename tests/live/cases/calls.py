# SPDX-License-Identifier: MIT
"""Programs that do nothing but call: no recorded stack may hold a call that the program does not contain.

The program says from which line it calls what; so a caller must be shown at the very line of its call, and the innermost
function at one of its own lines.
"""
from driver import pystoker, target

EXCLUSIVE = True
SECONDS = 2
RATE = 1000
DROPPED_MAX = 0.05  # of the looks; no timing test: what it really is, make bench says


class Graph:
    def __init__(self, said):
        self.edges = {tuple(e) for e in said["edges"]}
        self.lines = said["lines"]

    def fault(self, stack):
        """What is impossible in a stack, outermost first; None: nothing."""
        frames = [pystoker.split_frame(f) for f in stack]
        if frames[0][0] != "<module>":
            return "begins at %s" % stack[0]
        for (caller, _, line), (callee, _, _) in zip(frames, frames[1:]):
            if caller != "<module>" and (caller, line, callee) not in self.edges:
                return "%s at line %d calls %s" % (caller, line, callee)
            if caller == "<module>" and callee != "work":
                return "the module calls %s" % callee
        name, _, line = frames[-1]
        first, last, *lineless = self.lines.get(name, (0, 1 << 30))
        if not first <= line <= last and line not in lineless:
            return "%s ends at line %d, it has %d to %d" % (name, line, first, last)
        return None


def impossible(graph, stacks):
    bad = [(n, graph.fault(s), s) for s, n in stacks.counts.items()]
    return [b for b in bad if b[1]]


def judge(check, graph, what, options, strict=True):
    run, stacks = pystoker.record(options)
    if run.status or stacks is None:
        check.ok(False, "%s: runs" % what, run)
        return
    bad = impossible(graph, stacks)
    samples, dropped = pystoker.samples(run), pystoker.summary_count(run, "dropped")
    check.ok(stacks.samples > 0 and stacks.samples == samples, "%s: has samples" % what, stacks.samples, run)
    if not strict:
        check.ok(dropped is not None and pystoker.summary_count(run, "repaired") is not None,
                 "%s: says what it dropped and repaired" % what, run)
        return
    check.ok(not bad, "%s: %d samples, %d different stacks, none impossible" % (what, samples, len(stacks.counts)),
             "%d impossible samples" % sum(b[0] for b in bad), *bad[:3])
    check.ok(dropped <= DROPPED_MAX * (samples + dropped), "%s: %d dropped" % (what, dropped), run)
    kinds = {pystoker.split_frame(s[-1])[0] for s in stacks.counts}
    check.ok(len(kinds) > 5, "%s: sees more than a few functions" % what, kinds)


def run(row, check):
    with target.start(row, "calls.py", "both") as t:
        graph = Graph(t.next())
        # The thread that waits for the end of stdin is not part of the graph: let it come to rest first.
        target.wait_for(lambda: any(target.in_system_call(t.pid, tid) == target.READ for tid in target.tids(t.pid)))
        judge(check, graph, "default", ["-p", t.pid, "-d", SECONDS, "-r", RATE])
        judge(check, graph, "--blocking", ["-p", t.pid, "-d", SECONDS / 2, "-r", RATE, "--blocking"])
        judge(check, graph, "--placement off-cpu", ["-p", t.pid, "-d", 0.4, "-r", RATE, "--placement", "off-cpu"],
              strict=False)
        t.close_stdin()
        check.ok(t.next()["rounds"] > 0 and t.end() == 0, "the target ends well", t.stderr())
