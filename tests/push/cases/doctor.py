# SPDX-License-Identifier: MIT
"""doctor: each trouble has an exit status of its own, and is said with what to do."""
import json
import tempfile
import time

from lib.pprof import Writer
from lib.pushing import environment, ready, run, worker
from lib.serving import Server


def put(server, app, ago_s, **options):
    """One profile, as old as that."""
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/a.pb.gz", "wb") as f:
            f.write(Writer(time.time_ns() - ago_s * 10**9, labels=[("service_name", app)]).add(
                [("m.f", "/srv/m.py", 1)], 10**8).gzip())
        words = [w for pair in options.items() for w in ("--" + pair[0], pair[1])]
        return run("push", "--replay", folder, "--url", server.url, "--spool", folder + "/spool", *words)[0]


def doctor(server, *words, **env):
    return run("doctor", "--url", server.url if server else "http://127.0.0.1:9", *words, env=environment(**env))


def statuses_tell_apart(check):
    seen = {}
    for version in ("1.15.3", "2.0.6"):
        with Server("--version", version) as server:
            put(server, "fresh", 5)
            put(server, "stale", 1200)
            for name, app in (("fresh", "fresh"), ("stale", "stale"), ("wrong service", "nobody")):
                status, said, errors = doctor(server, "--remote", "--app", app)
                check.ok(status is not None and said, "%s to %s: says something" % (name, version), errors)
                seen.setdefault(name, set()).add(status)
    with Server("--multitenant") as server:
        put(server, "fresh", 5, tenant="one")
        check.equal(doctor(server, "--remote", "--app", "fresh", "--tenant", "one")[0], 0, "the right tenant: fresh")
        seen["no tenant"] = {doctor(server, "--remote", "--app", "fresh")[0]}
    seen["unreachable"] = {doctor(None, "--remote", "--app", "fresh")[0]}
    check.ok(seen["fresh"] == {0}, "fresh is status 0", seen)
    check.ok(all(len(s) == 1 for s in seen.values()), "the same on both versions", seen)
    check.ok(len({tuple(s) for s in seen.values()}) == len(seen), "each trouble its own status", seen)


def ready_is_not_needed(check):
    for answer in ({"ready": 503}, {"plan": [{"times": 0, "match": "/ready", "status": 404, "body": ""}]}):
        with Server() as server:
            put(server, "fresh", 5)
            server.control(**answer)
            status, said, _ = doctor(server, "--remote", "--app", "fresh")
            check.ok(status == 0, "/ready %s: fresh all the same" % answer, said)


def a_new_server_of_version_2(check):
    """Shows nothing for minutes: that is not stale."""
    with Server("--version", "2.0.6") as server:
        put(server, "fresh", 5)
        server.control(unseen=True, uncompacted=True)
        status, said, _ = doctor(server, "--remote", "--app", "fresh")
        check.ok("minute" in said, "it is said that a new server shows nothing for minutes", said)
        server.control(unseen=False)
        status, said, _ = doctor(server, "--remote", "--app", "fresh")
        check.ok(status == 0, "asks with a service_name matcher", said)


def json_and_processes(check):
    with Server() as server, worker() as w:
        put(server, "fresh", 5)
        pid = ready(w)
        status, text, errors = doctor(server, "--app", "fresh", "--json")
        try:
            told = json.loads(text)
        except ValueError:
            told = None
        check.ok(isinstance(told, (dict, list)), "--json is JSON", text[:300], errors)
        check.ok(str(pid) in text, "the Python processes are found", text[:600])
        plain = doctor(server, "--app", "fresh")[1]
        check.ok(str(pid) in plain and "3." in plain, "with their versions", plain[:600])
        check.ok("1.15.3" in plain, "the server's version", plain[:600])


def a_malicious_server(check):
    for step in ({"hang": True}, {"garbage": True}, {"flood": 64}, {"close": "half"}, {"status": 200, "body": "[]"},
                 {"status": 200, "body": "{\"series\":[{\"points\":[{\"value\":\"x\"}]}]}"}, {"status": 500}):
        with Server() as server:
            server.plan(*[dict(step, times=0, match="/")])
            status, said, _ = run("doctor", "--url", server.url, "--app", "x", "--timeout", "1", seconds=60)
            check.ok(status not in (None, 0) and status > 0, "%s: a status, in bounded time" % step, status,
                     said[-300:])
