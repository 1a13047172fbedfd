# SPDX-License-Identifier: MIT
"""Functions made at run time and thrown away: each is seen under its own name, file and lines, none under another's."""
import json

from driver import pystoker, target

COUNT, SECONDS = 20, 0.1


def misnamed(stack, functions):
    """Frames of the made functions that mix the one with the other."""
    for frame in stack:
        name, file, line = pystoker.split_frame(frame)
        if "/made/up/" not in file:
            continue
        known = functions.get(name)
        if known is None and name == "<module>":
            continue
        if known is None or known[0] != file or not known[1] <= line <= known[2]:
            yield frame
    made = {frame[:frame.index(" ")][-3:] for frame in stack if frame.startswith(("made_", "helper_"))}
    if len(made) > 1:
        yield stack


def run(row, check):
    argv = target.command(row, "discarded.py", [COUNT, SECONDS])
    run, stacks = pystoker.record(["-r", 1000, "--full-filenames", "--", *argv], env=target.environment())
    if run.status or stacks is None:
        check.ok(False, "runs", run)
        return
    functions = {f[0]: f[1:] for f in json.loads(run.stdout.decode())["functions"]}
    seen = {pystoker.split_frame(frame)[0] for stack in stacks.counts for frame in stack}
    wrong = [w for stack in stacks.counts for w in misnamed(stack, functions)]
    absent = sorted(name for name in functions if name.startswith("made_") and name not in seen)
    check.ok(not absent, "all %d functions are seen" % COUNT, absent, run)
    check.ok(not wrong, "none under another's name, file or lines, %d samples" % stacks.samples, wrong[:5])
