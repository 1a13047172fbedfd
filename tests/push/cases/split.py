# SPDX-License-Identifier: MIT
"""Profiles larger than servers take: split, paced, and the sum unchanged."""
import os
import tempfile
import time

from lib.pprof import Writer
from lib.pushing import APP, run
from lib.serving import CPU, Server

MIB = 1 << 20


def replay(check, server, what, *writers, status=0, options=()):
    """Sends made profiles; the state after."""
    with tempfile.TemporaryDirectory() as folder:
        for k, writer in enumerate(writers):
            with open(os.path.join(folder, "%d.pb.gz" % k), "wb") as f:
                f.write(writer.gzip())
        got, _, said = run("push", "--replay", folder, "--url", server.url, "--app", APP, "--spool", folder + "/spool",
                           seconds=150)
        check.ok(got == status if status is not None else got is not None, what + ": exit status %s" % status,
                 got, said)
        check.equal(len([f for f in os.listdir(folder) if f.endswith(".gz")]), len(writers), what + ": the files stay")
    return server.state()


def stacks(count, name_bytes=0, ago_s=60):
    """So many different stacks of 1 ms."""
    writer = Writer(time.time_ns() - ago_s * 10**9, labels=[("service_name", "made")])
    for k in range(count):
        name = "mod.f%d" % k
        writer.add([(name.ljust(name_bytes, "x"), "/srv/mod.py", k % 900 + 1), ("mod.main", "/srv/mod.py", 1)], 10**6)
    return writer


def check_sum(check, state, count, what):
    found = state.profiles(CPU)
    check.equal(sum(p["totals"][0] for p in found), count * 10**6, what + ": the sum is exact")
    check.equal(sum(p["samples"] for p in found), count, what + ": each stack once")
    times = [p["time_nanos"] // 10**6 for p in found]
    check.equal(len(set(times)), len(times), what + ": a millisecond apart")
    check.ok(not state.lost() and max(state.often() or [0]) == 1, what + ": none twice", state.often())
    check.ok(all(p["raw_size"] < 1900 * 1024 and p["samples"] <= 15000 for p in found), what + ": within the limits",
             [(p["raw_size"], p["samples"]) for p in found])
    return found


def too_many_samples(check):
    with Server() as server:
        state = replay(check, server, "40000 stacks", stacks(40000))
    check.ok(len(check_sum(check, state, 40000, "40000 stacks")) >= 3, "40000 stacks: in three")


def too_many_bytes(check):
    with Server() as server:
        state = replay(check, server, "5 MiB", stacks(2000, 2600))
    found = check_sum(check, state, 2000, "5 MiB")
    check.ok(len(found) >= 3, "5 MiB: split", len(found))
    check.ok(sum(r["status"] == 429 for r in state.pushes()) <= 4, "5 MiB: paced below the server's rate",
             [r["status"] for r in state.pushes()])


def proxy_with_a_limit(check):
    """413 until the request is small enough."""
    with Server() as server:
        server.plan({"times": 1, "status": 413, "body": "<html>Request Entity Too Large</html>", "type": "text/html"})
        state = replay(check, server, "413", stacks(1000))
    found = check_sum(check, state, 1000, "413")
    check.equal(len(found), 2, "413: in halves")


def always_too_large(check):
    """413 for ever: halves of halves end at one sample, and are given up."""
    with Server() as server:
        server.plan({"times": 0, "status": 413})
        state = replay(check, server, "413 for ever", stacks(8), status=None)
    check.ok(1 < len(state.pushes()) <= 32, "413 for ever: comes to an end", len(state.pushes()))


def one_sample(check):
    with Server() as server:
        server.plan({"times": 0, "status": 413})
        state = replay(check, server, "413 for one sample", stacks(1), status=None)
    check.equal(len(state.pushes()), 1, "413 for one sample: not tried again")


def size_in_the_text_of_429(check):
    """A server with a smaller burst than usual: its 429 says so by its text, and splitting helps."""
    with Server("--burst", 100000, "--rate", 400000) as server:
        state = replay(check, server, "a small burst", stacks(2000, 200))
    check_sum(check, state, 2000, "a small burst")


def deep_stacks(check):
    """1500 frames: the leaf arrives, with at most 1000 frames in all."""
    writer = Writer(time.time_ns() - 60 * 10**9, labels=[("service_name", "deep")])
    writer.add([("mod.f%d" % k, "/srv/mod.py", k + 1) for k in range(1500)], 10**6)
    with Server() as server:
        found = replay(check, server, "1500 frames", writer).profiles(CPU)
    check.equal(len(found), 1, "1500 frames: arrives")
    for p in found:
        names = {f[0] for f in p["functions"]}
        check.ok("mod.f0" in names and p["depth"] <= 1000, "1500 frames: the leaf is kept", p["depth"])


def hard_names(check):
    names = ["semi;colon", 'quo"te', "emoji \U0001f40d", "Agent.go", "back\\slash", "new\nline", "x" * 3000]
    writer = Writer(time.time_ns() - 60 * 10**9, labels=[("service_name", "names")])
    for name in names:
        writer.add([(name, "/srv/ünï/" + name[:20], 1)], 10**6)
    writer.add([("bad \udcff\udcfe bytes", "/srv/\udcff", 1)], 10**6)
    with Server() as server:
        found = replay(check, server, "hard names", writer).profiles(CPU)
    check.equal(len(found), 1, "hard names: arrive")
    got = {f[0] for p in found for f in p["functions"]}
    check.ok(set(names) <= got, "hard names: as they were", sorted(set(names) - got))
    check.ok(any(n.startswith("bad ") and n.endswith(" bytes") for n in got), "bytes that are not UTF-8 are replaced")
