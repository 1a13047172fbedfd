# SPDX-License-Identifier: MIT
"""Section `rates`: how many samples per second, and what they are worth at that rate."""
from . import graph
from .report import Table, number, percent, spread
from .settings import MAIN
from .truth import CALLS, dropped_text, seconds_of

DEPTHS = (20, 100)


def achieved(profile, finished):
    return profile.samples / seconds_of(profile, finished)


def deep_runs(bench, tool, version, depth, rate, reps):
    """So many recordings of one thread so deep: [(rate achieved, wrong %, dropped %, CPU %)]."""
    rows = []
    with bench.target(version, "deep.py", depth) as target:
        for _ in range(reps):
            profile, finished = bench.record(tool, target, rate, max(bench.s.top_s, tool.shortest))
            verdict = graph.judge(profile.stacks, graph.possible_at_depth(depth))
            looks = profile.samples + (profile.dropped or 0)
            rows.append((achieved(profile, finished), verdict.percent(verdict.bad),
                         100 * (profile.dropped or 0) / looks if looks else None,
                         100 * finished.cpu / finished.wall))
    return rows


def calls_run(bench, tool, version, rate, seconds):
    with bench.target(version, "calls.py") as target:
        profile, finished = bench.record(tool, target, rate, max(seconds, tool.shortest))
    return profile, finished, graph.judge(profile.stacks, CALLS)


def top_row(bench, table, tool, version, rate, reps):
    cells = []
    for depth in DEPTHS:
        bench.say("rates: %s at %d Hz, depth %d" % (tool.label, rate, depth))
        rows = deep_runs(bench, tool, version, depth, rate, reps)
        columns = list(zip(*rows))
        cells += [spread(columns[0]), spread(columns[1], 4), spread(columns[2]), spread(columns[3], 0)]
    profile, finished, verdict = calls_run(bench, tool, version, rate, bench.s.top_truth_s)
    table.add("%s, %s" % (tool.label, bench.named(version)), number(rate), *cells,
              number(achieved(profile, finished)), number(verdict.percent(verdict.bad), 4), dropped_text(profile),
              command=tool.shown(rate, max(bench.s.top_s, tool.shortest)))


def top_columns():
    columns = []
    for depth in DEPTHS:
        columns += ["samples/s at depth %d" % depth, "wrong %", "dropped %", "CPU %"]
    return columns + ["samples/s on `calls.py`", "impossible or not rooted %", "dropped %"]


def top_table(bench):
    table = Table("Highest rates: one thread of `targets/deep.py`, lines resolved; and the truth of `targets/calls.py` "
                  "at the rate asked for", "tool, Python", "asked, Hz", *top_columns())
    if not bench.has(MAIN):
        table.note("SKIP: no CPython %s here" % MAIN)
        return table
    for rate in bench.s.top_rates:
        top_row(bench, table, bench.placed("off-cpu"), MAIN, rate, bench.s.top_reps)
    top_row(bench, table, bench.ours, MAIN, max(bench.s.top_rates), bench.s.top_reps)
    for tool in bench.others():
        version = MAIN if tool.fits(MAIN) else "3.15"
        if bench.has(version):
            top_row(bench, table, tool, version, max(bench.s.top_rates), bench.s.rival_top_reps)
    table.note("`wrong %`: stacks that are not exactly the frames the target has.")
    return table


def ladder_row(bench, table, tool, rate):
    bench.say("rates: %s at %d Hz, calls.py" % (tool.label, rate))
    profile, finished, verdict = calls_run(bench, tool, MAIN, rate, bench.s.ladder_s)
    with bench.target(MAIN, "calls.py") as target:
        lost = bench.slowdowns(tool, target, rate, bench.s.ladder_pair_s, bench.s.ladder_pairs)
    late = percent(profile.late, rate * seconds_of(profile, finished))
    table.add(number(rate), number(achieved(profile, finished)), number(verdict.stacks),
              number(verdict.percent(verdict.impossible), 5), number(verdict.percent(verdict.unrooted), 5),
              dropped_text(profile), late, number(profile.proven, 0), number(100 * finished.cpu / finished.wall, 1),
              spread(lost, 1),
              command=tool.shown(rate, bench.s.ladder_s))
    return achieved(profile, finished) if verdict.stacks and verdict.bad == 0 else None


def ladder_table(bench, tool):
    table = Table("Rates of `%s` on `targets/calls.py`, CPython %s" % (tool.label, MAIN), "asked, Hz", "samples/s",
                  "stacks", "impossible %", "not rooted %", "dropped %", "late %", "proven %", "own CPU %",
                  "target slower by %")
    if not bench.has(MAIN):
        table.note("SKIP: no CPython %s here" % MAIN)
        return table
    clean = [ladder_row(bench, table, tool, rate) for rate in bench.s.ladder]
    best = max([c for c in clean if c], default=None)
    table.note("Highest rate at which no stack is impossible or not rooted: **%s samples/s**." % number(best))
    return table


def rates(bench):
    places = ("on-cpu",) if bench.s.quick else ("on-cpu", "off-cpu")
    return [top_table(bench)] + [ladder_table(bench, bench.placed(p)) for p in places]
