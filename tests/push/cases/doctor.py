# SPDX-License-Identifier: MIT
"""doctor: each trouble has an exit status of its own, and is said with what to do."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from driver import pystoker
from lib.pprof import Writer
from lib.pushing import APP, Push, environment, ready, run, worker
from lib.serving import Server, wait_for


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


def local(*words, **env):
    """(status, {id: check}, stderr) of doctor --local; of several of one id the last."""
    status, text, errors = run("doctor", "--local", "--json", *words, env=environment(**env))
    return status, {c["id"]: c for c in json.loads(text or "[]")}, errors


def not_taken(*words):
    answer = local(*words)
    return answer if "does not take them" in answer[1]["pusher"]["text"] else None


def a_running_push(check):
    with worker() as w, Server() as server:
        pid = ready(w)
        with Push(server.url, "--pid", pid) as push:
            words = "--pid", pid, "--app", APP, "--spool", push.spool, "--log", push.log_path
            push.says("Profile pushed successfully")
            status, checks, _ = local(*words, "--interval", "60")
            seen = checks.get("pusher", {})
            check.equal((status, seen.get("verdict"), seen.get("running"), seen.get("pusher_pid")),
                        (0, "ok", 1, push.pid), "a running push is seen")
            check.ok("running since" in seen["text"] and "last sent" in seen["text"] and seen["sent_seconds_ago"] < 60,
                     "since when, and what was sent last", seen)
            told = checks["log"]
            check.ok(told["verdict"] == "ok" and re.search(r", \d+ s ago: Profile pushed successfully: ", told["text"]),
                     "the last line of its log", told)
            check.equal(push.end(), 0, "it ends as ever")
        check.ok("pusher" not in local("--pid", pid)[1], "without --app no spool is known, and nothing is said")


def a_server_that_is_away(check):
    with worker() as w, Server() as server:
        pid = ready(w)
        server.control(listen=False)
        with Push(server.url, "--pid", pid) as push:
            words = "--pid", pid, "--app", APP, "--spool", push.spool, "--log", push.log_path, "--interval", "1"
            late = wait_for(lambda: not_taken(*words))
            status, checks, _ = late or local(*words)
            seen = checks["pusher"]
            check.equal((status, seen["verdict"], seen["running"]), (0, "warn", 1), "said, without a status")
            check.ok(seen["waiting"] >= 2 and "%d profiles" % seen["waiting"] in seen["text"] and seen["hint"],
                     "how many wait", seen)
            failed = wait_for(lambda: local(*words)[1]["log"]["text"].partition(" ago: ")[2].startswith("Failed to push"))
            check.ok(failed, "the log's last line fails", push.note())
            check.equal(local(*words)[1]["log"]["verdict"], "warn", "which is a warning")
            push.send(signal.SIGKILL)
            push.wait()
            before = push.waiting()
            status, checks, _ = local(*words)
            seen = checks["pusher"]
            check.equal((status, seen["verdict"], seen["running"], seen["waiting"]), (0, "warn", 0, len(before)),
                        "killed: no pusher runs, so many wait")
            check.ok("no pusher runs with the spool " + push.spool in seen["text"], "by its spool's name", seen)
            check.equal(push.waiting(), before, "they still do")
            check.equal(len(os.listdir(push.spool)), 1, "and no other run was made")


def logs(check):
    with worker() as w, tempfile.TemporaryDirectory() as folder:
        path, pid = folder + "/log", ready(w)
        for what, content, said in (
                ("empty", b"", "can be written"), ("blank lines", b"\n\n \n", "can be written"),
                ("controls", b"a\n2026-01-31 12:00:00 x\x1b[2J\0\ry\xff\n", r"ago: x \[2J  y\ufffd$"),
                ("a long line", b"a\n" + b"b" * 200000, r"ago: b{200,400}$"),
                ("a failure", b"2026-01-31 12:00:00 Failed to push profile: HTTP 500\n\n", "Failed to push profile: HTTP 500"),
                ("no newline", b"first\nlast", "ago: last$")):
            with open(path, "wb") as f:
                f.write(content)
            status, checks, _ = local("--pid", pid, PYSTOKER_LOG=path)
            check.ok(status == 0 and re.search(said, checks["log"]["text"]), what, checks["log"])
        os.utime(path, (0, time.time() - 600))
        check.ok("10 min ago" in local("--pid", pid, "--log", path)[1]["log"]["text"], "its age")
        os.unlink(path)
        os.mkfifo(path)
        check.ok(" ago" not in local("--pid", pid, "--log", path)[1]["log"]["text"], "a FIFO is not read")
        check.ok("log" not in local("--pid", pid, "--log", "-")[1], "stderr is none")


def many_of_others(check):
    if os.getuid() != 0 or not shutil.which("setpriv"):
        check.skip("root's processes as a user", "needs root and setpriv")
        return
    with worker() as one, worker() as two, tempfile.TemporaryDirectory() as folder:
        pids = sorted([ready(one), ready(two)])
        os.chmod(folder, 0o755)
        copy = shutil.copy(pystoker.PROGRAM, folder)
        asked = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", copy, "doctor", "--local", "--match",
                 "worker[.]py"]
        done = [subprocess.run(asked + more, stdout=subprocess.PIPE, env=environment(), cwd="/",
                               timeout=pystoker.PATIENCE_S) for more in ([], ["--json"])]
        plain = [li for li in done[0].stdout.decode().splitlines() if "it belongs to user 0, we" in li]
        each = [c["pid"] for c in json.loads(done[1].stdout) if c["id"] == "process"]
        check.equal([d.returncode for d in done], [6, 6], "not permitted")
        check.ok(len(plain) == 1 and re.search(r"FAIL +process +\d+ processes \(PIDs .*each: not permitted", plain[0]) and
                 plain[0].count("->") == 1, "one line for the same reason", plain)
        check.ok(set(pids) <= set(each), "JSON keeps each", each, pids)
        os.makedirs(folder + "/spool/1795246045-7", 0o755)
        os.chmod(folder + "/spool/1795246045-7", 0o700)
        for what, path, said in (("a run", folder + "/spool", "1 run there may not be read"),
                                 ("a spool", folder + "/spool/1795246045-7", "Permission denied")):
            done = subprocess.run(asked[:-2] + ["--spool", path], stdout=subprocess.PIPE, env=environment(), cwd="/",
                                  timeout=pystoker.PATIENCE_S).stdout.decode()
            told = [li for li in done.splitlines() if li.split()[1:2] == ["pusher"]]
            check.ok(len(told) == 1 and said in told[0] and "no pusher" not in told[0], what + " that may not be read", told)
