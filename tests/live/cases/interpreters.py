# SPDX-License-Identifier: MIT
"""Several interpreters in one process: the threads of all of them are shown, each with its own stack."""
from driver import pystoker, target


def is_shown(row, threads, said):
    """Whether one of the thread's states, one per interpreter it has been in, shows its functions.

    Up to 3.12 a state knows the thread that created it, which may not be the one that uses it
    (Modules/_xxsubinterpretersmodule.c, v3.12.1: interp_create makes it, run_string uses it).
    """
    found = [t for t in threads if [f["name"] for f in t["frames"]] == said["functions"]]
    known = row.version > (3, 12) or said["interpreter"] == 0
    return any(not known or t["thread_id"] == said["thread_id"] for t in found)


def run(row, check):
    with target.start(row, "interpreters.py") as t:
        said, ready, skipped = [], None, None
        while skipped is None and (ready is None or len(said) < ready):
            line = t.next()
            ready, skipped = line.get("ready", ready), line.get("skipped", skipped)
            if "functions" in line:
                said.append(line)
        if skipped:
            check.skip("several interpreters", skipped)
            return
        target.wait_for(lambda: all(target.in_system_call(t.pid, tid) for tid in target.tids(t.pid)))
        threads = pystoker.dump(t.pid)
        if isinstance(threads, pystoker.Run):
            check.ok(False, "dump", threads)
            return
        for thread in said:
            check.ok(is_shown(row, threads, thread),
                     "dump: interpreter %d" % thread["interpreter"], thread,
                     [[f["name"] for f in th["frames"]] for th in threads])
        numbers = {th["interpreter"] for th in threads}
        if row.version >= (3, 7):
            check.ok(len(numbers) == len(said), "dump: each has a number of its own", numbers)
        check.ok(any(f["name"] == "<module>" for th in threads for f in th["frames"] if th["interpreter"] <= 0),
                 "dump: the main thread of the main one")
        run, stacks = pystoker.record(["-p", t.pid, "-i", "-d", 0.2, "-r", 50])
        absent = [n for n in range(len(said)) if not stacks or
                  not any("stands_in_%d" % n in s[-1] for s in stacks.counts)]
        check.ok(not absent, "record --idle: all of them", absent, run)
        check.ok(t.alive(), "the target lives", t.stderr())
