# SPDX-License-Identifier: MIT
"""Sections `truth` and `rivals`: is what a profile shows possible in the program?"""
import os

from . import graph, process
from .report import Table, number, percent
from .settings import MAIN, VERSIONS
from .tools import Pinned

CALLS = graph.possible_in(graph.CALLS)
GENERATORS = graph.possible_in(graph.GENERATORS)

COLUMNS = ("stacks", "per s", "impossible %", "not rooted %", "dropped %", "repaired %", "late %", "proven %")


def dropped_text(profile):
    if profile.dropped is None:
        return "–"
    text = percent(profile.dropped, profile.samples + profile.dropped)
    return "%s (%s)" % (text, profile.reasons) if profile.reasons else text


def seconds_of(profile, finished):
    return profile.seconds or finished.wall


def truth_cells(profile, finished, verdict, rate):
    seconds = seconds_of(profile, finished)
    return (number(verdict.stacks), number(profile.samples / seconds), number(verdict.percent(verdict.impossible), 4),
            number(verdict.percent(verdict.unrooted), 4), dropped_text(profile),
            percent(profile.repaired, profile.samples), percent(profile.late, rate * seconds),
            number(profile.proven, 0))


def worst_note(table, label, verdict):
    for stack, count in verdict.worst.most_common(1):
        table.note("%s: the most frequent of its wrong stacks (%d times): `%s`" % (label, count, stack[-200:]))


def row_of(bench, table, tool, version, seconds, label, script="calls.py", possible=CALLS):
    """Records a fresh target and adds its row; returns the verdict."""
    rate = bench.s.truth_rate
    bench.say("truth: %s, %s, %s" % (script, label, tool.label))
    with bench.target(version, script) as target:
        if isinstance(tool, Pinned):
            os.sched_setaffinity(target.pid, {tool.target_cpu})
        profile, finished = bench.record(tool, target, rate, max(seconds, tool.shortest))
    verdict = graph.judge(profile.stacks, possible)
    table.add(label, *truth_cells(profile, finished, verdict, rate),
              command=tool.shown(rate, max(seconds, tool.shortest)))
    worst_note(table, label, verdict)
    if not verdict.stacks:
        table.note("%s, %s: no stack at all, exit status %d" % (tool.label, label, finished.status))
    return verdict, profile


def label_of(bench, version):
    return bench.named(version)


def missing(table, version):
    table.note("SKIP %s: no such interpreter here; `tests/interpreters/fetch` adds some" % version)


def versions_for(bench, table, wanted=VERSIONS):
    for version in wanted:
        if bench.has(version):
            yield version
        else:
            missing(table, version)


def calls_table(bench):
    table = Table("Tiny calls with a known graph (`targets/calls.py`), machine otherwise quiet", "Python", *COLUMNS)
    verdicts = {v: row_of(bench, table, bench.ours, v, bench.s.truth_s, label_of(bench, v))[0]
                for v in versions_for(bench, table)}
    return table, verdicts


def busy_table(bench):
    table = Table("The same with every CPU kept busy by another process (as many endless loops as CPUs, nice 0)",
                  "Python", *COLUMNS)
    for version in versions_for(bench, table):
        with process.Busy():
            row_of(bench, table, bench.ours, version, bench.s.busy_s, label_of(bench, version))
    return table


def generators_table(bench):
    table = Table("Generators and coroutines (`targets/generators.py`)", "Python", "complete %",
                  "complete % of all looks, dropped ones too", *COLUMNS)
    inner = Table("")
    for version in versions_for(bench, table):
        verdict, profile = row_of(bench, inner, bench.ours, version, bench.s.generators_s, label_of(bench, version),
                                  "generators.py", GENERATORS)
        whole = verdict.stacks - verdict.bad
        label, *cells = inner.rows[-1]
        table.add(label, percent(whole, verdict.stacks, 4), percent(whole, verdict.stacks + (profile.dropped or 0), 4),
                  *cells)
    table.commands, table.notes = inner.commands, table.notes + inner.notes
    return table


def reference(bench, version):
    """The leaf shares of a stopped target."""
    bench.say("leaf shares: %s, blocking" % version)
    with bench.target(version, "calls.py") as target:
        profile, _ = bench.record(bench.blocking, target, bench.s.truth_rate, bench.s.reference_s)
    return graph.judge(profile.stacks, CALLS)


def difference_cells(a, b):
    most, leaf, distance = graph.distance(a, b)
    return "%s (`%s`)" % (number(most), leaf), number(distance, 4)


def leaves_table(bench, verdicts):
    table = Table("Leaf shares against those of a stopped target (`--blocking`), `targets/calls.py`", "Python",
                  "largest difference, percentage points", "total variation",
                  "two blocking runs: largest difference", "their total variation", "blocking: impossible %")
    for version, verdict in verdicts.items():
        if bench.s.quick and version != MAIN:
            continue
        first, second = reference(bench, version), reference(bench, version)
        table.add(label_of(bench, version), *difference_cells(verdict, first), *difference_cells(first, second),
                  number(first.percent(first.bad), 4),
                  command=bench.blocking.shown(bench.s.truth_rate, bench.s.reference_s))
    table.note("The last columns show how far two runs of the reference itself lie apart: noise of so many samples.")
    return table


def truth(bench):
    calls, verdicts = calls_table(bench)
    return [calls, busy_table(bench), generators_table(bench), leaves_table(bench, verdicts)]


def rival_table(bench, title, versions, pin=lambda tool: tool):
    table = Table(title, "tool, Python", *COLUMNS, "% of the samples due", "leaf distance to `--blocking`")
    for version in versions_for(bench, table, versions):
        blocked = reference(bench, version)
        for tool in [bench.ours] + [t for t in bench.rivals if t.fits(version)]:
            rival_row(bench, table, pin(tool), version, blocked)
    return table


def rival_row(bench, table, tool, version, blocked):
    inner, seconds = Table(""), max(bench.s.rival_truth_s, tool.shortest)
    verdict, profile = row_of(bench, inner, tool, version, seconds, label_of(bench, version))
    due = bench.s.truth_rate * seconds
    _, _, distance = graph.distance(verdict, blocked)
    label, *cells = inner.rows[-1]
    table.add("%s, %s" % (tool.label, label), *cells, percent(profile.samples, due, 1), number(distance, 3))
    table.notes += [note for note in inner.notes if note.startswith(tool.label)]
    for command in inner.commands:
        table.commands.setdefault(command, []).append(tool.label)


def rivals(bench):
    tables = [rival_table(bench, "Every profiler on `targets/calls.py`, nothing pinned", bench.s.rival_versions)]
    for line in bench.skipped:
        tables[0].note(line)
    cpus = sorted(os.sched_getaffinity(0))
    if bench.s.pinned_versions and len(cpus) > 1:
        tables += pinned_tables(bench, cpus[0], cpus[1])
    return tables


def pinned_tables(bench, first, second):
    return [rival_table(bench, title, bench.s.pinned_versions, lambda tool, cpu=cpu: Pinned(tool, cpu, first))
            for title, cpu in (
                ("Pinned by hand: the target to CPU %d, the profiler to CPU %d" % (first, second), second),
                ("Pinned by hand: both to CPU %d" % first, first))]
