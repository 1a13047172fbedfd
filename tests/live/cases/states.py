# SPDX-License-Identifier: MIT
"""What threads are said to do: what is shown of a thread must be true each time, and the truth must come to be seen."""
from driver import pystoker, target

TRIES = 200
SETTLED = 10  # dumps in a row


def dumps(pid):
    """Dumps, until the caller has seen enough."""
    for _ in range(TRIES):
        threads = pystoker.dump(pid)
        yield threads
        if isinstance(threads, pystoker.Run):
            return


def asleep(thread):
    return (thread["state"] == "S" and not thread["active"] and not thread["owns_gil"] and
            not thread["waits_for_gil"] and thread["doing"] == "sleeping")


def settled(pid, names):
    """Whether those that are to sleep have come to it: before, they may well wait for the GIL."""
    if target.in_system_call(pid, pid) != target.READ:
        return False
    for _ in range(SETTLED):
        threads = pystoker.dump(pid)
        if isinstance(threads, pystoker.Run):
            return False
        named = {names.get(t["thread_id"]): t for t in threads}
        if not all(name in named and asleep(named[name]) for name in ("sleeper", "locked", "main")):
            return False
    return True


def untrue(row, named):
    """What cannot be, whenever one looks."""
    for name in ("sleeper", "locked", "main"):
        if not asleep(named[name]):
            yield name, named[name]["doing"]
    owners = [n for n, t in named.items() if t["owns_gil"]]
    if not row.free_threaded and len(owners) > 1:
        yield "the GIL is held by", owners
    for name, thread in named.items():
        if thread["owns_gil"] and thread["waits_for_gil"]:
            yield name, "holds the GIL and waits for it"
        top = thread["frames"][0]["name"] if thread["frames"] else ""
        # "native" may be caught between two calls; the others never leave their function.
        if name in ("spinner", "rival") and top != "spin":
            yield name, "is in " + top
        if name == "sleeper" and top != "sleep" or name == "locked" and top != "lock":
            yield name, "is in " + top


def wanted(row):
    """What must be seen sooner or later: name and test of it."""
    if row.free_threaded:
        return {
            "a spinner runs Python": lambda t: t["spinner"]["active"] and t["spinner"]["owns_gil"],
            "another beside it": lambda t: t["rival"]["active"],
            "a thread in C code runs": lambda t: t["native"]["active"],
        }
    wanted = {
        "a spinner holds the GIL": lambda t: t["spinner"]["active"] and t["spinner"]["owns_gil"],
        "its rival holds the GIL": lambda t: t["rival"]["active"] and t["rival"]["owns_gil"],
        "a thread in C code runs without the GIL":
            lambda t: t["native"]["active"] and not t["native"]["owns_gil"] and not t["native"]["waits_for_gil"],
    }
    if row.version == (3, 6):
        return wanted  # its GIL is a static variable that no table tells of: who waits for it only sleeps
    wanted["one spinner waits for the GIL while the other has it"] = lambda t: (
        t["spinner"]["owns_gil"] and t["rival"]["waits_for_gil"] or
        t["rival"]["owns_gil"] and t["spinner"]["waits_for_gil"])
    return wanted


def dumped_states(row, check):
    open_ones, faults = wanted(row), []
    with target.start(row, "states.py", "sleeper", "locked", "native", "spinner", "rival") as t:
        names = {ident: name for name, ident in t.next()["threads"].items()}
        check.ok(target.wait_for(lambda: settled(t.pid, names)), "the sleepers sleep")
        for threads in dumps(t.pid):
            if isinstance(threads, pystoker.Run):
                check.ok(False, "dump", threads)
                return
            named = {names[th["thread_id"]]: th for th in threads if th["thread_id"] in names}
            if set(named) != set(names.values()):
                faults.append(("not shown", set(names.values()) - set(named)))
                break
            faults += untrue(row, named)
            for what in [w for w, test in open_ones.items() if test(named)]:
                check.ok(True, what)
                del open_ones[what]
            if not open_ones:
                break
    if row.version == (3, 6):
        check.skip("one spinner waits for the GIL while the other has it", "3.6 does not tell where its GIL lies")
    for what in open_ones:
        check.ok(False, what, "not seen in %d dumps" % TRIES)
    check.ok(not faults, "never anything untrue", faults[:5])


def threads_of(stacks):
    return {stack[0].partition('"')[2].rstrip('"') for stack in stacks.counts}


def recorded_states(row, check):
    """-t names the threads; -i shows the sleepers, its absence does not; -g shows one thread at a time."""
    with target.start(row, "states.py", "sleeper", "locked", "spinner") as t:
        names = {ident: name for name, ident in t.next()["threads"].items()}
        target.wait_for(lambda: settled(t.pid, names))
        options = ["-p", t.pid, "-t", "-d", 0.3, "-r", 200]
        run, plain = pystoker.record(options)
        check.ok(plain and threads_of(plain) == {"spinner"}, "record -t: the one that runs", plain and threads_of(plain),
                 run)
        run, idle = pystoker.record(options + ["-i"])
        names = {"spinner", "sleeper", "locked", "MainThread"}
        check.ok(idle and threads_of(idle) >= names, "record -t -i: all", idle and threads_of(idle), run)
        run, gil = pystoker.record(options + ["-g"])
        if row.free_threaded:
            check.ok(run.status in (0, 2), "record -g without a GIL: a clear answer", run)
        else:
            check.ok(gil and threads_of(gil) == {"spinner"}, "record -t -g: the holder of the GIL",
                     gil and threads_of(gil), run)


def short_threads(row, check):
    with target.start(row, "comers.py") as t:
        t.next()
        run, stacks = pystoker.record(["-p", t.pid, "-t", "-d", 1, "-r", 500])
        t.close_stdin()
        started = t.next()["started"]
        check.ok(run.status == 0 and stacks and stacks.samples > 0, "%d threads come and go: recorded" % started, run)
        names = threads_of(stacks) if stacks else ()
        check.ok(len([n for n in names if n.startswith("short ")]) > 1, "some of them by name", sorted(names)[:5])
        check.ok(t.end() == 0, "the target ends well", t.stderr())


def run(row, check):
    dumped_states(row, check)
    recorded_states(row, check)
    short_threads(row, check)
