# SPDX-License-Identifier: MIT
"""Finding what to profile: by name, by descent, workers of a pre-fork server."""
import os
import subprocess
import sys
import time

from lib.pushing import Push, covered, fork, ready, run, worker
from lib.serving import WALL, Server, wait_for

MARK = "pushmark-%d-" % os.getpid()


def waits_for_python(check):
    """Nothing there yet: said word for word, and found within a second of its coming."""
    with Server() as server:
        with Push(server.url, "--match", MARK + "waits", "--profiles", "wall") as push:
            check.ok(push.says("No Python process found, waiting\\.\\.\\."), "No Python process found, waiting...",
                     push.note())
            with worker(MARK + "waits") as w:
                pid = ready(w)
                there = time.time_ns()
                server.wait_profiles(2, pid=str(pid))
                found = server.state().profiles(WALL, pid=str(pid))
                check.ok(found, "found", push.note())
                for p in found[:1]:
                    check.ok(p["time_nanos"] - there < 1500 * 10**6, "within a second", (p["time_nanos"] - there) / 1e9)
            check.ok(wait_for(lambda: push.log().count("No Python process found, waiting...") >= 2),
                     "looks again when it has gone", push.log()[-300:])
            check.ok(push.process.poll() is None, "and goes on")
            with worker(MARK + "waits") as w:
                again = str(ready(w))
                check.ok(server.wait_profiles(1, pid=again).profiles(WALL, pid=again), "finds the next one",
                         push.note())
            check.equal(push.end(), 0, "status 0")


def only_what_matches(check):
    with Server() as server, worker(MARK + "one") as w, worker(MARK + "other") as v:
        ready(w), ready(v)
        with Push(server.url, "--match", MARK + "one$", "--once", "--profiles", "wall") as push:
            check.equal(push.wait(), 0, "status 0")
        pids = {p["labels"].get("pid") for p in server.state().profiles()}
        check.equal(pids, {str(w.pid)}, "only what matches: neither the other nor ourselves")


def workers(check):
    """gunicorn-like: a master and its forked workers, each a series of its own; one more comes, one goes."""
    with Server() as server, worker() as w:
        pid, children = ready(w), [fork(w), fork(w)]
        with Push(server.url, "--tree", pid, "--profiles", "wall") as push:
            every = [str(p) for p in [pid] + children]
            server.wait(lambda s: all(len(s.profiles(pid=p)) >= 3 for p in every))
            late = fork(w)
            there = time.time_ns()
            server.wait_profiles(3, pid=str(late))
            w.say(b"end %d\n" % children[0])
            w.next()
            count = len(server.state().profiles(pid=str(pid)))
            server.wait_profiles(count + 3, pid=str(pid))
            w.say(b"exit 0\n")
            check.equal(push.wait(), 0, "ends with the tree")
        state = server.state()
    for p in every + [str(late)]:
        covered(check, state, "process %s" % ("master" if p == str(pid) else "worker"), count=3, pid=p)
    found = state.profiles(pid=str(late))
    check.ok(found and found[0]["time_nanos"] - there < 1500 * 10**6, "a new worker is found within a second")
    in_child = {f[0].rpartition(".")[2] for p in state.profiles(pid=every[1]) for f in p["functions"]}
    check.ok("in_child" in in_child and "burn" in in_child, "what a worker does", sorted(in_child))
    check.equal({p["labels"]["service_name"] for p in state.profiles()}, {"api"}, "one service")


def merged(check):
    """--merge: one series for all, nothing lost though they share each time."""
    with Server() as server, worker() as w:
        pid = ready(w)
        fork(w), fork(w)
        with Push(server.url, "--tree", pid, "--profiles", "wall", "--merge") as push:
            server.wait_profiles(4)
            w.say(b"exit 0\n")
            check.equal(push.wait(), 0, "ends with the tree")
        state = server.state()
    series = {tuple(sorted(p["labels"].items())) for p in state.profiles()}
    check.equal(len(series), 1, "one series")
    check.equal({dict(s).get("pid") for s in series}, {str(pid)}, "under the PID at the root of the tree")
    found = covered(check, state, "merged", count=4)
    for p in found[1:3]:
        check.ok(p["totals"][0] > 3.5 * p["duration_nanos"], "the time of all threads of all processes",
                 p["totals"][0] / p["duration_nanos"])


def replaced_by_exec(check):
    """The same PID becomes another program."""
    script = "import os, sys, time\ntime.sleep(3)\nos.execv(sys.executable, [sys.executable] + sys.argv[1:])\n"
    target = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "targets", "worker.py")
    process = subprocess.Popen([sys.executable, "-c", script, target], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        with Server() as server, Push(server.url, "--tree", process.pid, "--profiles", "wall") as push:
            state = server.wait(lambda s: any(f[0].endswith("burn") for p in s.profiles() for f in p["functions"]))
            check.ok(any(f[0].endswith("burn") for p in state.profiles() for f in p["functions"]), "followed",
                     push.note())
            process.stdin.close()
            process.wait()
            check.equal(push.wait(), 0, "ends with it")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def a_pid_that_is_none(check):
    with Server() as server:
        status, _, said = run("push", "--pid", 2**22 - 3, "--app", "x", "--url", server.url)
        check.ok(status not in (0, None), "no such process", status, said)
        child = subprocess.Popen(["sleep", "1000"])
        with Push(server.url, "--pid", child.pid, "--profiles", "wall") as push:
            check.ok(push.says("No Python process found, waiting\\.\\.\\."), "no Python: waits for it to become one",
                     push.note())
        child.kill()
        child.wait()
        check.equal(server.state().profiles(), [], "nothing is sent")
