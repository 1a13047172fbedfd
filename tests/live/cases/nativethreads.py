# SPDX-License-Identifier: MIT
"""Threads that have nothing to do with Python are shown under their names, asleep in C or at work, and do not notice."""
from driver import build, native, pystoker, target

EXCLUSIVE = True
ROWS = "spread"
COUNT = 159
SECONDS = 1


def named(threads):
    """{name: text of its frames} of a dump's threads."""
    return {th["thread_name"]: " ; ".join(f["name"] for f in th["frames"]) for th in threads}


def dumped(check, t, said):
    threads = pystoker.dump(t.pid, "--native=all")
    if isinstance(threads, pystoker.Run):
        return check.ok(False, "dump runs", threads)
    found = named(threads)
    missing = [n for n in said["names"] if n not in found]
    check.ok(not missing, "dump: %d native threads by name" % COUNT, missing[:5], sorted(map(str, found))[:5])
    lost = [(n, found.get(n)) for n in said["names"]
            if said["functions"][n.partition("-")[0]] not in (found.get(n) or "") and
            "native_round" not in (found.get(n) or "")]
    # Between two waits a thread may be anywhere in its loop.
    return check.ok(len(lost) <= COUNT // 20, "dump: what each of them waits in is shown", lost[:3])


def recorded(row, check, t, said):
    run, stacks = pystoker.record(["-p", t.pid, "-d", SECONDS, "-r", 100, "--native", "--idle", "-t"])
    if run.status or stacks is None:
        return check.ok(False, "record runs", run)
    texts = [" ; ".join(s) for s in stacks.counts]
    for kind, function in said["functions"].items():
        check.ok(any(function in t for t in texts), "record: %s is seen" % function, run, texts[:2])
    shown = [n for n in said["names"] if any(n in t for t in texts)]
    return check.ok(len(shown) == COUNT, "record -t: all names", len(shown), texts[:2])


def run(row, check):
    library = row.script(build.library("threads.c", "-g", "-pthread"))
    with target.start(row, "nativethreads.py", library, COUNT) as t:
        said = t.next()
        if not check.equal(said["started"], COUNT, "the threads are there"):
            return
        dumped(check, t, said)
        recorded(row, check, t, said)
        t.close_stdin()
        end = t.next()
        check.ok(end["waits"] > COUNT and end["interrupted"] == 0, "%d waits, none interrupted" % end["waits"], end)
        check.ok(t.end() == 0, "the target ends well", t.stderr())
