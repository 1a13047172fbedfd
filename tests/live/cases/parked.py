# SPDX-License-Identifier: MIT
"""Some 140 threads in hard places: every frame's name, file and line as the target itself states them."""
from driver import pystoker, target

SHOWN = 3  # differences printed


def all_parked(pid):
    """Every thread is in a blocking system call, so nothing moves any more."""
    return all(target.in_system_call(pid, tid) for tid in target.tids(pid))


def differences(said, threads):
    """One line for each stack that is not what its thread said."""
    by_id = {t["thread_id"]: t for t in threads}
    for thread in said:
        shown = by_id.get(thread["thread_id"])
        if shown is None:
            yield "%s: its thread is not shown" % thread["case"]
            continue
        got = [[f["name"], f["filename"], f["line"], f["first_line"]] for f in shown["frames"]]
        want = thread["frames"]
        if got != want:
            at = next((i for i, (g, w) in enumerate(zip(got, want)) if g != w), min(len(got), len(want)))
            yield "%s: frame %d of %d (%d shown): got %r, want %r" % (
                thread["case"], at, len(want), len(got), got[at:at + 1], want[at:at + 1])
        if thread["tid"] and shown["os_thread_id"] != thread["tid"]:
            yield "%s: thread %d shown as %d" % (thread["case"], thread["tid"], shown["os_thread_id"])
        if shown["active"] or shown["owns_gil"]:
            yield "%s: shown as running" % thread["case"]


def compare(check, said, pid, what, *options):
    threads = pystoker.dump(pid, *options)
    if isinstance(threads, pystoker.Run):
        check.ok(False, what, threads)
        return
    wrong = list(differences(said, threads))
    check.ok(not wrong, "%s, %d stacks, %d frames" % (what, len(said), sum(len(t["frames"]) for t in said)),
             "%d differ" % len(wrong), *wrong[:SHOWN])


def label(frame):
    """A frame as raw has it."""
    name, file, line, _ = frame
    return "%s (%s:%d)" % (name, file, line)


def compare_recorded(check, said, pid):
    run, stacks = pystoker.record(["-p", pid, "-i", "--full-filenames", "-d", "0.3", "-r", "50"])
    if stacks is None:
        check.ok(False, "record: a file", run)
        return
    want = {tuple(label(f) for f in reversed(t["frames"])): t["case"] for t in said}
    absent = [case for stack, case in want.items() if stack not in stacks.counts]
    extra = [s for s in stacks.counts if s not in want and "_bootstrap" not in s[0]]
    check.ok(not absent, "record --idle: every stack is in the profile", absent[:SHOWN], run)
    check.ok(not extra, "record --idle: and no other", extra[:SHOWN])
    check.equal(pystoker.summary_count(run, "dropped"), 0, "record --idle: nothing dropped")


def run(row, check):
    with target.start(row, "parked.py") as t:
        *said, ready = t.until("ready")
        failed = {case: why for case, why in ready["skipped"].items() if why.startswith("FAILED")}
        check.ok(not failed, "each case comes to stand", failed)
        for case, why in sorted(ready["skipped"].items()):
            if case not in failed:
                check.skip(case, why)
        check.ok(len(said) == ready["ready"] - len(ready["skipped"]), "every thread has said where it stands")
        check.ok(target.wait_for(lambda: all_parked(t.pid)), "every thread stands")
        compare(check, said, t.pid, "dump")
        compare(check, said, t.pid, "dump --blocking", "--blocking")
        compare_recorded(check, said, t.pid)
        check.ok(t.alive(), "the target lives", t.stderr())
