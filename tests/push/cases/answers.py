# SPDX-License-Identifier: MIT
"""Every answer a server, a gateway or a broken network can give, and what becomes of the intervals."""
import base64
import datetime
import time
import zlib

from lib.pushing import Push, covered, ready, worker
from lib.serving import WALL, Server, wait_for

RETRIED = {
    "503": {"status": 503}, "502 of a proxy": {"status": 502, "body": "<html>Bad Gateway</html>", "type": "text/html"},
    "504": {"status": 504}, "408": {"status": 408},
    "499": {"status": 499, "body": {"code": "canceled", "message": "x"}},
    "500 of a stopping 2.x": {"status": 500, "body": {
        "code": "unknown", "message": "rpc error: code = Unavailable desc = service is unavailable"}},
    "500 of a stopping 1.x": {"status": 500, "body": {
        "code": "unknown", "message": "at least 1 live replicas required, could only find 0 - unhealthy instances: "}},
    "429 of the rate": {"status": 429, "body": {
        "code": "resource_exhausted", "message": "push rate limit (4.0 MiB) exceeded while adding 23 KiB"}},
    "closed before the answer": {"close": "before"}, "closed half-way": {"close": "half"}, "hang": {"hang": True},
    "slow bytes": {"status": 200, "body": "{}", "slow": 0.3},
    "an empty 500": {"status": 500, "body": ""},
}


def retried(check, names):
    """Four such answers, then good ones: everything arrives, once, at its time."""
    for name in names:
        with Server() as server, worker() as w:
            server.plan(dict(RETRIED[name], times=4))
            with Push(server.url, "--pid", ready(w), "--timeout", 1) as push:
                state = server.wait(lambda s: not s.plan_left and len(s.profiles(WALL)) >= 6)
                check.ok(push.says("Failed to push profile"), name + ": said", push.note())
                check.ok(push.end() == 0, name + ": status 0 at the end", push.note())
            state = server.state()
            covered(check, state, name, count=6)
            check.ok(max(state.often() or [0]) == 1, name + ": each once", state.often())


def retried_statuses(check):
    retried(check, ["503", "502 of a proxy", "504", "408", "499", "an empty 500"])


def retried_500s_and_429s(check):
    retried(check, [n for n in RETRIED if n.startswith(("500", "429"))])


def retried_connections(check):
    retried(check, [n for n in RETRIED if n.startswith("closed")])


def retried_hangs(check):
    retried(check, ["hang", "slow bytes"])


def stored_but_not_answered(check):
    """The server took it, the answer was lost: sent again, byte for byte the same."""
    with Server() as server, worker() as w:
        server.plan({"times": 3, "store": True, "close": "half"})
        with Push(server.url, "--pid", ready(w)) as push:
            server.wait(lambda s: not s.plan_left and len(s.profiles(WALL)) >= 4)
            push.end()
        state = server.state()
    covered(check, state, "lost answers", count=4)
    check.ok(max(state.often() or [0]) > 1, "sent again", state.often())
    check.ok(not state.lost(), "byte for byte the same", state.lost())


def dropped(check):
    """Refused for good: one attempt, the reason once in the log, later intervals arrive."""
    bodies = {
        "400 of the window": (400, {"code": "invalid_argument", "message": "profile with labels '{}' is outside of "
                                    "ingestion window (profile timestamp: 2026-01-01 00:00:00 +0000 UTC, the ingestion "
                                    "window starts at 2026-01-02 00:00:00 +0000 UTC)"}),
        "400 of labels": (400, {"code": "invalid_argument", "message": "x" * 3000 + " invalid labels"}),
    }
    for name, (status, body) in bodies.items():
        with Server() as server, worker() as w:
            server.plan({"times": 1, "status": status, "body": body})
            with Push(server.url, "--pid", ready(w), "--profiles", "wall") as push:
                server.wait_profiles(4)
                check.ok(push.says("Failed to push profile: HTTP %d" % status), name + ": said", push.note())
                check.equal(push.end(), 0, name + ": status 0")
                log = push.log()
            state = server.state()
            check.equal(len([r for r in state.pushes() if r["status"] == status]), 1, name + ": not tried again")
            check.equal(len(state.pushes()), 1 + len(state.profiles()), name + ": nothing else is lost or repeated")
            check.equal(log.count("Failed to push profile"), 1, name + ": said once")
            if status == 400:
                check.ok("ingestion window" in log or "x" * 50 in log, name + ": the server's words", log[-300:])
            check.ok(max(len(line) for line in log.splitlines()) < 600, name + ": no line without end")


def few_times(check):
    """500s that may be this profile's fault: bounded, then dropped; the others are not held up."""
    messages = ["proto: illegal wireType 7", "gzip: invalid header", "unexpected EOF", "failed to copy to buffer",
                "runtime error: invalid memory address or nil pointer dereference"]
    for message in messages[:1] + messages[-1:]:
        with Server() as server, worker() as w:
            with Push(server.url, "--pid", ready(w), "--profiles", "wall", "--once") as push:
                server.plan({"times": 0, "status": 500, "body": {"code": "unknown", "message": message}})
                status = push.wait(120)
                tries = len(server.state().pushes())
                check.ok(1 < tries <= 6, message + ": tried again, a few times", tries, push.note())
                check.ok(status is not None, message + ": comes to an end")
                check.equal(push.waiting(), [], message + ": given up")


def kept(check):
    """What an operator has to repair, and what is no Pyroscope at all: it stays in the spool, is complained of, and the
    next run sends it."""
    for name, step in {"401": {"status": 401}, "403": {"status": 403, "body": "forbidden"},
                       "404": {"status": 404, "body": "404 page not found\n"},
                       "301": {"status": 301, "body": "", "headers": {"Location": "/elsewhere"}},
                       "405": {"status": 405, "body": ""}, "415": {"status": 415, "body": ""},
                       "501": {"status": 501}, "000": {"garbage": True}, "000 ": {"flood": 64}}.items():
        with Server() as server, worker() as w:
            server.plan(dict(step, times=0))
            with Push(server.url, "--pid", ready(w), "--profiles", "wall") as push:
                check.ok(push.says("Failed to push profile: HTTP %s" % name.strip()), name + ": said", push.note())
                wait_for(lambda: len(push.waiting()) >= 3)
                check.ok(push.end() is not None, name + ": ends though nothing was taken")
                check.ok(len(push.waiting()) >= 3, name + ": kept", push.files())
                tries = len(server.state().pushes())
                check.ok(tries <= 6, name + ": not hammered", tries)
                server.control(clear=True)
                with Push(server.url, "--pid", w.pid, "--profiles", "wall", folder=push.folder) as again:
                    server.wait(lambda s: not again.waiting() and len(s.profiles()) > 3)
                    check.equal(again.end(), 0, name + ": the next run ends well")
            state = server.state()
            check.ok(len(state.profiles()) >= 4 and max(state.often()) == 1, name + ": the next run sends them",
                     state.often(), again.note())


def series_limit(check):
    """A server of version 1 with too many series: new ones wait, the known go on."""
    with Server() as server, worker() as w:
        server.plan({"times": 1, "status": 429, "body": {
            "code": "resource_exhausted", "message": "Maximum active series limit exceeded (5000/5000), reduce the "
            "number of active streams (reduce labels or reduce label values), or contact your administrator to see if "
            "the limit can be increased"}})
        with Push(server.url, "--pid", ready(w), "--profiles", "wall") as push:
            state = server.wait_profiles(4)
            check.ok(push.says("Failed to push profile: HTTP 429: .*active series limit"), "said", push.note())
            check.equal(len([r for r in state.pushes() if r["status"] == 429]), 1, "not hammered")
            check.equal(push.end(), 0, "status 0")
        covered(check, server.state(), "series limit", count=5)


def quota(check):
    """Nothing is sent before the reset that the answer names."""
    with Server() as server, worker() as w:
        reset = time.time() + 6
        text = datetime.datetime.fromtimestamp(reset, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        server.plan({"times": 1, "status": 429, "body": {
            "code": "resource_exhausted", "message": "limit of 1.0 MiB/day reached, next reset at " + text}})
        with Push(server.url, "--pid", ready(w), "--profiles", "wall") as push:
            server.wait_profiles(7)
            push.end()
        state = server.state()
    covered(check, state, "quota", count=7)
    early = [r["at"] - int(reset) for r in state.pushes()[1:] if r["at"] < int(reset) - 0.1]
    check.equal(early, [], "nothing before the reset")


def storm(check):
    """A tenant that may send almost nothing: sampling is not slowed, what waits is kept, the newest goes first."""
    with Server("--rate", 200, "--burst", 12000) as server, worker() as w:
        with Push(server.url, "--pid", ready(w), "--profiles", "wall") as push:
            server.wait(lambda s: sum(r["status"] == 429 for r in s.pushes()) >= 4, 90)
            server.control(rate=4 << 20, burst=2 << 20)
            server.wait(lambda s: not push.waiting() and len(s.profiles()) > 5, 150)
            push.end()
        state = server.state()
    found = covered(check, state, "429 storm", count=5)
    check.ok(any(r["status"] == 429 for r in state.pushes()), "there was a storm")
    check.ok(len([r for r in state.pushes() if r["status"] == 429]) < 3 * len(found) + 8, "not hammered")


def never_ready(check):
    """/ready says no for a minute after each start: nobody waits for it."""
    with Server() as server, worker() as w:
        server.control(ready=503)
        with Push(server.url, "--pid", ready(w), "--once") as push:
            check.equal(push.wait(), 0, "status")
        check.ok(server.state().profiles(), "arrives")


def bomb():
    """A gzip'd answer of 200 MB in 200 kB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(data) + data


HOSTILE = {
    "a gzip bomb": bomb, "a million headers": lambda: b"HTTP/1.1 200 OK\r\n" + b"X-Again: and again\r\n" * 500000,
    "a header without end": lambda: b"HTTP/1.1 200 OK\r\nX: " + b"x" * (16 << 20),
    "continue, continue": lambda: b"HTTP/1.1 100 Continue\r\n\r\n" * 300000,
    "a chunk of negative size": lambda: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n",
    "a huge length": lambda: b"HTTP/1.1 500 X\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
    "two lengths": lambda: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
    "a status of no meaning": lambda: b"HTTP/1.1 999 \x1b[31mred\r\nContent-Length: 6\r\n\r\n\x1b[31m\n",
    "a body of escapes": lambda: b"HTTP/1.1 400 X\r\nContent-Length: 12\r\n\r\n\x1b]0;x\x07\n\x00\xff\r\n",
}


def hostile(check):
    """Answers made to harm: small memory, nothing in the log but text, the next profiles arrive."""
    for name, make in HOSTILE.items():
        with Server() as server, worker() as w:
            server.plan({"times": 2, "raw": base64.b64encode(make()).decode()})
            with Push(server.url, "--pid", ready(w), "--profiles", "wall", "--timeout", 2) as push:
                server.wait(lambda s: s.pushes() and s.plan_left < 2)
                wait_for(lambda: len(push.waiting()) >= 2 or len(server.state().profiles()) >= 2, 20)
                check.ok(push.process.poll() is None and push.memory() < 40000, name + ": little memory",
                         push.process.poll(), push.process.poll() is None and push.memory())
                server.control(clear=True)
                check.equal(push.end(), 0, name + ": status 0")
                check.ok(all(line.isprintable() for line in push.log().split("\n")), name + ": the log is text",
                         ascii(push.log()[-400:]))
            check.ok(len(server.state().profiles()) >= 2, name + ": later profiles arrive", push.note())


def the_target_feels_nothing(check):
    """A server that hangs for ever: intervals go on being sampled, complete."""
    with Server() as server, worker() as w:
        server.plan({"times": 0, "hang": True})
        with Push(server.url, "--pid", ready(w), "--profiles", "wall", "--timeout", 2) as push:
            check.ok(wait_for(lambda: len(push.waiting()) >= 5), "intervals are collected meanwhile", push.files())
            server.control(clear=True)
            server.wait(lambda s: not push.waiting() and len(s.profiles()) >= 6, 150)
            push.end()
        state = server.state()
    found = covered(check, state, "a server that hangs", count=6)
    full = [sum(p["totals"]) / p["duration_nanos"] for p in found[1:-1]]
    check.ok(full and max(full) < 1.3 * min(full), "as many samples as ever", full)
