# SPDX-License-Identifier: MIT
"""A server that is away, is killed, is stopped; a pystoker that is killed; a clock that jumps."""
import os
import signal
import subprocess
import tempfile
import time

from lib.pushing import Push, covered, environment, ready, worker
from lib.serving import WALL, Server, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))


def twelve_intervals(check):
    """Away for twelve intervals: all arrive, once, at their original times."""
    with Server() as server, worker() as w:
        with Push(server.url, "--pid", ready(w), "--profiles", "wall") as push:
            server.wait_profiles(2)
            server.control(listen=False)
            left = time.time_ns()
            check.ok(wait_for(lambda: len(push.waiting()) >= 12), "twelve wait in the spool", push.files())
            server.control(listen=True)
            back = time.time_ns()
            state = server.wait(lambda s: not push.waiting() and s.profiles() and
                                s.profiles()[-1]["time_nanos"] > back, 150)
            check.ok("Failed to push profile" in push.log(), "said")
            check.equal(push.end(), 0, "status 0")
        state = server.state()
    found = covered(check, state, "away", count=14)
    late = [p for p in found if left < p["time_nanos"] < back]
    check.ok(len(late) >= 11, "those of the outage keep their times", len(late))
    check.ok(all(p["first_at"] * 1e9 > back for p in late[:-2]), "and came after it")


def away_from_the_start(check):
    with Server() as server, worker() as w:
        server.control(listen=False)
        with Push(server.url, "--pid", ready(w)) as push:
            check.ok(wait_for(lambda: len(push.waiting()) >= 3), "collected", push.files())
            server.control(listen=True)
            server.wait(lambda s: not push.waiting() and len(s.profiles()) >= 3, 120)
            check.equal(push.end(), 0, "status 0")
        covered(check, server.state(), "away from the start", count=3)


def newest_first(check):
    """What is new is worth most."""
    with Server() as server, worker() as w:
        server.control(listen=False)
        with Push(server.url, "--pid", ready(w), "--profiles", "wall") as push:
            wait_for(lambda: len(push.waiting()) >= 6)
            server.control(listen=True)
            state = server.wait(lambda s: len(s.profiles()) >= 4, 120)
            push.end()
    found = sorted(state.profiles(WALL), key=lambda p: p["first_at"])
    check.ok(len(found) >= 4 and found[0]["time_nanos"] > found[2]["time_nanos"], "the newest goes first",
             [p["time_nanos"] for p in found])


def killed_1x(check):
    """kill -9 of version 1 loses what it acknowledged: it is sent again, once, at the same times."""
    with Server("--version", "1.15.3") as server, worker() as w:
        with Push(server.url, "--pid", ready(w), "--profiles", "wall") as push:
            before = server.wait_profiles(4).profiles()
            server.control(listen=False)
            server.control(forget=True)
            wait_for(lambda: len(push.waiting()) >= 2)
            server.control(listen=True)
            times = {p["time_nanos"] for p in before}
            state = server.wait(lambda s: times <= {p["time_nanos"] for p in s.profiles()}, 150)
            check.ok(times <= {p["time_nanos"] for p in state.profiles()}, "what was acknowledged is sent again",
                     len(times), push.note())
            check.equal(push.end(), 0, "status 0")
        state = server.state()
    covered(check, state, "killed 1.x", count=6)
    check.ok(max(state.often()) == 1, "each once", state.often())


def stopped(check, version, says, what):
    """An orderly stop, and a version that keeps what it acknowledged: nothing is sent again."""
    with Server("--version", version) as server, worker() as w:
        with Push(server.url, "--pid", ready(w), "--profiles", "wall") as push:
            server.wait_profiles(4)
            if says:
                server.plan({"times": 2, "status": 500, "body": {"code": "unknown", "message": says}})
                server.wait(lambda s: not s.plan_left)
            server.control(listen=False)
            server.control(clear=True)
            wait_for(lambda: len(push.waiting()) >= 2)
            server.control(listen=True)
            count = len(server.state().profiles())
            server.wait(lambda s: not push.waiting() and len(s.profiles()) >= count + 4, 150)
            check.equal(push.end(), 0, what + ": status 0")
        state = server.state()
    covered(check, state, what, count=6)
    check.ok(max(state.often()) == 1, what + ": nothing is sent again", state.often())


def killed_2x(check):
    stopped(check, "2.0.6", None, "2.x killed")


def stopped_1x(check):
    says = "at least 1 live replicas required, could only find 0 - unhealthy instances: "
    stopped(check, "1.15.3", says, "1.x stopped")


def stopped_2x(check):
    stopped(check, "2.0.6", "rpc error: code = Unavailable desc = service is unavailable", "2.x stopped")


def killed_ourselves(check):
    """kill -9 of pystoker in the middle of a long interval: the next run sends the checkpoint."""
    with Server() as server, worker() as w:
        pid, began = ready(w), time.time_ns()
        with Push(server.url, "--pid", pid, "--profiles", "wall", interval=600) as push:
            found = wait_for(lambda: [f for f in push.files("") if "/running/" in f])
            check.ok(found, "the interval under way is checkpointed", push.files(""), push.note())
            push.end(signal.SIGKILL)
            killed = time.time_ns()
            check.equal(server.state().profiles(), [], "nothing arrived yet")
            with Push(server.url, "--pid", pid, "--profiles", "wall", folder=push.folder) as again:
                state = server.wait_profiles(2)
                check.ok(again.end() is not None, "the next run ends")
            check.ok(not [f for f in again.files("") if "/running/" in f], "no checkpoint is left", again.files(""))
        state = server.state()
    old = [p for p in state.profiles() if p["time_nanos"] < killed]
    check.equal(len(old), 1, "the checkpoint arrives, once")
    for p in old:
        last = p["time_nanos"] + p["duration_nanos"]
        check.ok(began < p["time_nanos"] and last <= killed and p["duration_nanos"] > 0, "with the time it covers",
                 p["duration_nanos"])
    check.ok(max(state.often() or [0]) == 1 and not state.lost(), "each once")


def killed_again_and_again(check):
    """kill -9 at any moment, ten times, each time started anew: nothing that was complete is lost, nothing is twice."""
    pauses = [0.3, 1.9, 1.02, 2.5, 1.0, 0.7, 2.99, 1.5, 0.05, 2.01]  # moments, not synchronisation
    with Server("--version", "2.0.6") as server, worker() as w, tempfile.TemporaryDirectory() as folder:
        pid, kept = ready(w), set()
        for pause in pauses:
            with Push(server.url, "--pid", pid, "--profiles", "wall", folder=folder) as push:
                push.says("profiling PID")
                time.sleep(pause)
                push.end(signal.SIGKILL)
                kept |= {int(f.rpartition("/")[2].partition("-")[0]) for f in push.files()}
        with Push(server.url, "--pid", pid, "--profiles", "wall", folder=folder) as push:
            server.wait(lambda s: not push.waiting() and len(s.profiles()) > 8)
            check.equal(push.end(), 0, "status 0")
        state = server.state()
    got = {p["time_nanos"] // 10**6 for p in state.profiles()}
    check.ok(kept and kept <= got, "all that was ever in the spool arrived", sorted(kept - got), len(kept))
    check.ok(not state.lost(), "nothing twice with other contents", state.lost())
    check.ok(max(state.often()) <= 2, "at most the one under way at a kill is sent again", state.often())
    holes = state.holes()
    check.ok(all(h > -10**6 for h in holes), "no time is counted twice", holes)


def killed_while_waiting(check):
    """kill -9 with a spool full of intervals: the next run sends them all."""
    with Server() as server, worker() as w:
        server.control(listen=False)
        with Push(server.url, "--pid", ready(w), "--profiles", "wall") as push:
            wait_for(lambda: len(push.waiting()) >= 5)
            push.end(signal.SIGKILL)
            waited = len(push.waiting())
            server.control(listen=True)
            with Push(server.url, "--pid", w.pid, "--profiles", "wall", folder=push.folder) as again:
                server.wait(lambda s: len(s.profiles()) > waited + 2, 120)
                check.equal(again.end(), 0, "status 0")
                check.equal(again.waiting(), [], "nothing is left")
        state = server.state()
    check.ok(len(state.profiles()) > waited >= 5, "all arrive", waited, len(state.profiles()))
    check.ok(max(state.often() or [0]) == 1 and not state.lost(), "each once", state.often())


def ends_while_the_server_hangs(check):
    """SIGTERM ends it in bounded time whatever the server does; what waits is kept."""
    with Server() as server, worker() as w:
        server.plan({"times": 0, "hang": True})
        with Push(server.url, "--pid", ready(w), "--profiles", "wall", "--timeout", 600) as push:
            server.wait(lambda s: s.pushes())
            wait_for(lambda: len(push.waiting()) >= 2)
            check.equal(push.end() is not None, True, "SIGTERM ends it")
            check.ok(len(push.waiting()) >= 2, "what waits is kept", push.files())


def stopped_for_a_while(check):
    """pystoker itself is: what it sees when it goes on is of the whole time, so the interval lasts until then."""
    with Server() as server, worker("idle") as w:
        with Push(server.url, "--pid", ready(w), "--profiles", "wall") as push:
            server.wait_profiles(2)
            push.send(signal.SIGSTOP)
            time.sleep(2.5)
            continued, count = time.time_ns(), len(server.state().profiles())
            push.send(signal.SIGCONT)
            server.wait_profiles(count + 3)
            check.equal(push.end(), 0, "status 0")
        found = covered(check, server.state(), "stopped", count=5)
    ends = [p["time_nanos"] + p["duration_nanos"] for p in found]
    early = [e for p, e in zip(found, ends) if continued - 10**9 < e < continued - 10**8]
    check.equal(early, [], "none ends while it was stopped")


def two_at_once(check):
    """Two runs share a spool: neither sends the other's, nor twice."""
    with Server() as server, worker() as w, worker() as v:
        with Push(server.url, "--pid", ready(w), "--profiles", "wall") as one:
            server.wait_profiles(1)
            with Push(server.url, "--pid", ready(v), "--profiles", "wall", folder=one.folder) as two:
                server.wait(lambda s: all(len(s.profiles(pid=str(t.pid))) >= 3 for t in (w, v)))
                check.equal([two.end(), one.end()], [0, 0], "both end well")
        state = server.state()
    covered(check, state, "one", count=3, pid=str(w.pid))
    covered(check, state, "the other", count=3, pid=str(v.pid))
    check.ok(max(state.often()) == 1, "each once", state.often())


def clock_jumps(check):
    """The wall clock jumps forth and back: no hang, no overlap, every interval arrives at a time of its own."""
    with tempfile.TemporaryDirectory() as folder, Server() as server, worker() as w:
        library, offset = os.path.join(folder, "clockjump.so"), os.path.join(folder, "offset")
        built = subprocess.run(os.environ.get("CC", "cc").split() + ["-shared", "-fPIC", "-O2", "-o", library,
                               os.path.join(HERE, os.pardir, "clockjump.c")], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
        if not check.ok(built.returncode == 0, "the clock can be shifted", built.stdout.decode()):
            return
        env = environment(LD_PRELOAD=library, CLOCKJUMP=offset)
        with Push(server.url, "--pid", ready(w), "--profiles", "wall", env=env) as push:
            for seconds in (0, 300, -300, 0):
                with open(offset + ".new", "w") as f:
                    f.write(str(seconds))
                os.rename(offset + ".new", offset)
                count = len(server.state().profiles())
                state = server.wait_profiles(count + 3)
                check.ok(len(state.profiles()) >= count + 3, "goes on at %+d s" % seconds, push.note())
            check.equal(push.end(), 0, "status 0")
        state = server.state()
    found = state.profiles()
    check.ok(not state.lost(), "no two of one identity", state.lost())
    check.ok(all(0 < p["duration_nanos"] < 10 * 10**9 for p in found), "durations are those of a steady clock",
             [p["duration_nanos"] for p in found])
