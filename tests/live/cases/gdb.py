# SPDX-License-Identifier: MIT
"""dump --native=all of a stopped process, against gdb's backtraces of the same moment: every frame of every thread.

Environment: NATIVE_STOPS, how often the target is stopped and compared (each time all of its threads).
"""
import os
import re
import signal
import time

from driver import build, gdb, pystoker, rows, symbols, target

EXCLUSIVE = True
STOPS = int(os.environ.get("NATIVE_STOPS", 2))
THREADS = 8
BETWEEN_S = 0.02
DEEP = 2000  # frames; a stack of so many may be longer than what is copied of it
NOTHING = [{"name": "nothing", "filename": ""}]
TABLE_NAME = re.compile(r"[A-Za-z_][\w.|-]*$")


def names_of(space, pc, leaf):
    """What a frame may be called; a return address belongs to the call before it."""
    found = space.find(pc if leaf else pc - 1)
    return found[2] if found else set()


def offsets_of(space, pc, leaf):
    """What stands for a name where there is none: where the function begins, else the address itself."""
    found = space.find(pc if leaf else pc - 1)
    return {"0x%x" % at for at in (found[1], found[3]) if at is not None} if found else set()


def is_between(ours, space, pc, leaf):
    """Whether ours is a range without unwind information, "0x10-0x20", that pc lies in."""
    found = space.find(pc if leaf else pc - 1)
    low, _, high = ours.partition("-")
    return bool(found and high) and int(low, 16) <= found[1] < int(high, 16)


def matches(frame, space, pc, name, leaf):
    """Whether our frame is gdb's. Where neither has a name, the address in the file must be the same one. What Python's
    tables call a function gdb does not know."""
    ours = symbols.plain(frame["name"])
    if ours.startswith("0x"):
        return ours in offsets_of(space, pc, leaf) or is_between(ours, space, pc, leaf)
    known = names_of(space, pc, leaf) | ({symbols.plain(name)} if name else set())
    return ours in known or not known and bool(ours.startswith("[") or TABLE_NAME.match(ours))


def difference(space, ours, theirs):
    """None if our frames are gdb's. Functions that were inlined may be shown or not, by either."""
    theirs = [x for x in theirs if x[2] not in ("tailcall", "error")]
    reached, leaf = {0}, True  # how many of ours may be gone through so far
    for pc, name, kind in theirs:
        if kind == "inline":
            reached |= {at + 1 for at in reached if at < len(ours) and symbols.plain(ours[at]["name"]) == name}
            continue
        fits = {at + 1 for at in reached if at < len(ours) and matches(ours[at], space, pc, name, leaf)}
        if not fits:
            at = min(max(reached), len(ours) - 1)
            return "frame %d is %s (%s), gdb's is %s (%x %s)" % (
                at, ours[at]["name"], ours[at]["filename"], name, pc,
                sorted(names_of(space, pc, leaf) or offsets_of(space, pc, leaf)))
        reached, leaf = fits, kind == "signal"
    if len(ours) not in reached:
        return "goes on after gdb's end: %s" % [f["name"] for f in ours[max(reached):][:3]]
    return None


def native_frames(thread):
    return [f for f in thread["frames"] if f["kind"] != "python"]


def stopped(t):
    """Stops all threads of the target, and waits until they are."""
    os.kill(t.pid, signal.SIGSTOP)
    return target.wait_for(lambda: all(target.state(t.pid, tid) in ("T", "") for tid in target.tids(t.pid)))


def compare(row, t, found):
    if not stopped(t):
        found["bad"].append("the target does not stop")
        return
    try:
        threads = pystoker.dump(t.pid, "--native=all")
        states = {target.state(t.pid, tid) for tid in target.tids(t.pid)}
        if isinstance(threads, pystoker.Run):
            found["bad"].append(str(threads))
            return
        ours = {th["os_thread_id"]: th for th in threads}
        theirs, space = gdb.stacks(t.pid, row.executable, row.root), symbols.Space(t.pid, row.root)
    finally:
        os.kill(t.pid, signal.SIGCONT)
    found["states"] |= states
    for tid, frames in theirs.items():
        found["stacks"] += 1
        if tid not in ours:
            found["bad"].append("thread %d is not in the dump" % tid)
            continue
        wrong = difference(space, native_frames(ours[tid]) or NOTHING, frames)
        found["frames"] += len(frames)
        if wrong:
            found["bad"].append("%s\nours: %s\ngdb:  %s" % (
                wrong, " < ".join(f["name"] for f in native_frames(ours[tid])),
                " < ".join("%s%s" % (n, "{%s}" % k if k else "") for _, n, k in frames)))


def asleep(row, check):
    """Threads that sleep in hard places and have not run since anybody looked: of their registers SP and PC are known."""
    with target.start(row, "parked.py") as t:
        t.until("ready")
        check.ok(target.wait_for(lambda: all(target.state(t.pid, tid) == "S" for tid in target.tids(t.pid))),
                 "asleep: all threads rest")
        threads = pystoker.dump(t.pid, "--native=all")
        if isinstance(threads, pystoker.Run):
            check.ok(False, "asleep: dump runs", threads)
            return
        theirs, space = gdb.stacks(t.pid, row.executable, row.root), symbols.Space(t.pid, row.root)
        wrong = [difference(space, native_frames(th) or NOTHING, theirs.get(th["os_thread_id"], [])) for th in threads
                 if len(th["frames"]) < DEEP]
        wrong = [w for w in wrong if w]
        check.ok(len(threads) > 50 and len(theirs) == len(threads) and not wrong,
                 "asleep: %d stacks equal gdb's" % len(threads), "%d differ" % len(wrong), *wrong[:5])


def run(row, check):
    if not gdb.there():
        check.skip("compared", "no gdb")
        return
    library = row.script(build.library("mixed.c", "-g"))
    found = {"stacks": 0, "frames": 0, "bad": [], "states": set()}
    with target.start(row, "mixed.py", library, THREADS) as t:
        t.next()
        for _ in range(STOPS):
            time.sleep(BETWEEN_S)  # elsewhere next time
            compare(row, t, found)
        t.close_stdin()
        end = t.next()
        check.ok(found["stacks"] >= STOPS * THREADS and not found["bad"],
                 "%d stacks, %d frames equal gdb's" % (found["stacks"], found["frames"]),
                 "%d differ" % len(found["bad"]), *found["bad"][:3])
        check.equal(found["states"], {"T"}, "the target stays stopped")
        check.ok(end["right"] and t.end() == 0, "the target's results are right", end, t.stderr())
    if row.name in [r.name for r in rows.spread(rows.find([])[0])]:
        asleep(row, check)
