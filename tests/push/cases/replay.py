# SPDX-License-Identifier: MIT
"""push --replay: folders of profiles, ours and those of others."""
import os
import signal
import tempfile
import time

from lib.pprof import Writer
from lib.pushing import Push, run
from lib.serving import CPU, PATIENCE_S, WALL, Server, wait_for

MINUTE = 60 * 10**9


def made(ago_ns=MINUTE, kind=("cpu", "nanoseconds"), value=10**7, **labels):
    return Writer(time.time_ns() - ago_ns, kind, labels=labels.items()).add([("mod.f", "/srv/mod.py", 3)], value)


def replay(server, files, *options, **more):
    """The state, the exit status, what was said, what was left."""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "in"))
        for name, data in files.items():
            path = os.path.join(folder, "in", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(data)
        status, _, said = run("push", "--replay", folder + "/in", "--url", server.url, "--spool", folder + "/spool",
                              *options, **more)
        left = sorted(os.listdir(folder + "/in"))
    return server.state(), status, said, left


def two_kinds(check):
    with Server() as server:
        state, status, said, left = replay(server, {
            "a.pb.gz": made(service_name="made", team="blue").gzip(),
            "b.pb.gz": made(2 * MINUTE, ("wall", "nanoseconds"), service_name="made").gzip()})
    check.equal(status, 0, "status 0: " + said)
    check.equal([(len(state.profiles(t)), state.total(t)) for t in (CPU, WALL)], [(1, 10**7), (1, 10**7)],
                "both arrive")
    check.equal([p["labels"].get("team") for p in state.profiles(CPU)], ["blue"], "with their labels")
    check.equal(left, ["a.pb.gz", "b.pb.gz"], "the files stay")


def twice(check):
    """The same folder twice: byte for byte the same requests, which the server takes as one."""
    with Server() as server:
        files = {"a.pb.gz": made(service_name="made").gzip()}
        replay(server, files)
        state = replay(server, files)[0]
    check.equal((state.often(), state.lost()), ([2], []), "the same bytes both times")


def of_others(check):
    """Profiles without our labels, gzip'd or not: the service is said on the command line."""
    with Server() as server:
        state, status, said, _ = replay(server, {"a.pb.gz": made().gzip(), "b.pb": made(2 * MINUTE).bytes()}, "--app",
                                        "theirs", "--label", "team=red")
    check.equal(status, 0, "status 0: " + said)
    found = state.profiles(CPU, service_name="theirs", team="red")
    check.ok(found, "they arrive under the name given", state.series)


def without_a_name(check):
    with Server() as server:
        state, status, said, _ = replay(server, {"a.pb.gz": made().gzip()})
    check.ok(status not in (0, None) or "service" in said, "a profile without a service is complained of", status, said)
    check.equal(state.profiles(CPU, service_name="unknown_service"), [], "and not sent as unknown_service")


def window(check):
    """50 minutes and 5 minutes ahead are taken; 61 minutes are refused, once, and said."""
    with Server() as server:
        state, status, said, _ = replay(server, {
            "late.pb.gz": made(50 * MINUTE, service_name="late").gzip(),
            "ahead.pb.gz": made(-5 * MINUTE, service_name="ahead").gzip(),
            "old.pb.gz": made(61 * MINUTE, service_name="old").gzip(),
            "future.pb.gz": made(-11 * MINUTE, service_name="future").gzip()})
    check.ok(status is not None, "comes to an end")
    names = {p["labels"]["service_name"] for p in state.profiles(CPU)}
    check.equal(names, {"late", "ahead"}, "what servers take arrives")
    check.ok(len(state.pushes()) <= 4, "nothing is tried again", len(state.pushes()))
    check.ok(status != 0 and said, "what was refused is said", status, said)


def broken_files(check):
    """One broken file among good ones, of every kind."""
    good = made(service_name="good").gzip()
    with Server() as server:
        state, status, said, _ = replay(server, {
            "a.pb.gz": good, "b.pb.gz": good[:40], "c.pb.gz": b"", "d.pb.gz": os.urandom(500),
            "e.pb.gz": b"\x1f\x8b" + os.urandom(100), "f.pb": b"\x0a\xff\xff\xff\xff\x0f", "note.txt": b"hello",
            "g.pb.gz": Writer(time.time_ns(), labels=[("service_name", "empty")]).gzip()}, "--app", "x")
    check.ok(status is not None, "comes to an end")
    check.equal([p["labels"]["service_name"] for p in state.profiles(CPU)], ["good"], "the good one arrives")
    check.equal([r["status"] for r in state.pushes()], [200], "the others are not even sent")


def nothing_there(check):
    with Server() as server:
        status, said = replay(server, {})[1:3]
        check.ok(status is not None, "an empty folder", status, said)
        status, _, said = run("push", "--replay", "/nonexistent", "--url", server.url, "--app", "x")
        check.ok(status not in (0, None) and "/nonexistent" in said, "no folder: said", status, said)


def without_a_server(check):
    """Ends in bounded time, with a status that says it, and the files stay."""
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        server.control(listen=False)
        with open(os.path.join(folder, "a.pb.gz"), "wb") as f:
            f.write(made(service_name="made").gzip())
        with Push(server.url, "--replay", folder, app=None, interval=None, log=False) as push:
            status = push.wait(3)
            if status is None:
                check.ok(wait_for(lambda: "Failed to push" in push.stderr() or push.stderr()), "says that it tries",
                         push.stderr())
                status = push.end(signal.SIGTERM)
            check.ok(status not in (None, 0), "not a success", status, push.stderr())
        check.equal(os.listdir(folder).count("a.pb.gz"), 1, "the file stays")


def waits_for_the_server(check):
    """A server that stumbles at first."""
    with Server() as server:
        server.plan({"times": 3, "status": 503})
        state, status, said, _ = replay(server, {"a.pb.gz": made(service_name="made").gzip()}, seconds=PATIENCE_S)
    check.equal((status, len(state.profiles(CPU))), (0, 1), "arrives in the end: " + said)
