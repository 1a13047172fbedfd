# SPDX-License-Identifier: MIT
"""doctor asks a server: which exit status, by which check. The profiles are put there by the case itself."""
import base64
import email.utils
import json
import os
import tempfile
import time
import urllib.request

from lib.pprof import Writer
from lib.pushing import environment, run
from lib.serving import Server

VERSIONS = ("1.15.3", "2.0.6")
STALE, NO_SERVICE, AUTH, UNREACHABLE, NOT_TAKEN, UNCERTAIN = 8, 9, 10, 11, 12, 13


def put(server, app, ago_s=5, name="process_cpu", kind="cpu", headers=()):
    """One profile, as old as that."""
    profile = Writer(int(time.time() * 1e9) - int(ago_s * 1e9), (kind, "nanoseconds")).add([("m.f", "/srv/m.py", 1)], 10**8)
    labels = [{"name": "__name__", "value": name}, {"name": "service_name", "value": app}]
    body = {"series": [{"labels": labels, "samples": [{"rawProfile": base64.b64encode(profile.bytes()).decode()}]}]}
    asked = urllib.request.Request(server.url + "/push.v1.PusherService/Push", json.dumps(body).encode(),
                                   dict(headers, **{"Content-Type": "application/json"}))
    urllib.request.urlopen(asked).close()


def doctor(url, *words, **env):
    """(status, {id: check}, stderr)"""
    status, text, errors = run("doctor", "--remote", "--json", "--url", url, *words, env=environment(**env))
    try:
        checks = json.loads(text)
    except ValueError:
        checks = []
    return status, {c["id"]: c for c in checks}, errors


def judged(check, what, url, words, status, last, verdict):
    """Ends with this status because of the check `last`; what it said."""
    got, checks, errors = doctor(url, *words)
    told = checks.get(last, {})
    check.equal((got, told.get("verdict"), told.get("exit_status")), (status, verdict, status), what)
    return (told.get("text", "") + " -> " + told.get("hint", "")) if told else errors


def services(check):
    for version in VERSIONS:
        with Server("--version", version) as server:
            put(server, "api")
            put(server, "idle", name="wall", kind="wall")
            put(server, "stale", 600)
            put(server, 'q"uo\\te')
            for app, words, status, verdict in (
                    ("api", (), 0, "ok"), ("idle", (), 0, "ok"), ("stale", (), STALE, "FAIL"),
                    ("stale", ("--interval", "300"), 0, "ok"), ("api", ("--interval", "1"), STALE, "FAIL"),
                    ('q"uo\\te', (), 0, "ok"), ("apj", (), NO_SERVICE, "FAIL")):
                said = judged(check, "%s: %s %s" % (version, app, " ".join(words)), server.url, ("--app", app) + words,
                              status, "fresh", verdict)
            check.ok("did you mean api?" in said, version + ": a name near to it is suggested", said)
            status, checks, _ = doctor(server.url)
            check.ok(status == 0 and "stale" in checks["services"]["text"], version + ": without --app they are listed")
            check.equal(checks["version"]["text"], "Pyroscope " + version, version + ": is told")


def service_from_environment(check):
    with Server() as server:
        put(server, "api")
        status, checks, _ = doctor(server.url, SERVICE_NAME="api", PROFILE_INTERVAL="60")
        check.ok(status == 0 and "api" in checks["fresh"]["text"], "SERVICE_NAME and PROFILE_INTERVAL", checks)


def nothing_at_all(check):
    with Server() as server:
        judged(check, "1.x: stale", server.url, ("--app", "api"), STALE, "fresh", "FAIL")
    with Server("--version", "2.0.6") as server:
        said = judged(check, "2.x: cannot be told", server.url, ("--app", "api"), UNCERTAIN, "fresh", "warn")
        check.ok("cannot be told yet" in said and "compaction" in said, "2.x: it is said why", said)
    with Server("--version", "2.0.0") as server:
        judged(check, "no version: cannot be told", server.url, ("--app", "api"), UNCERTAIN, "fresh", "warn")


def a_fresh_server_of_version_2(check):
    with Server("--version", "2.0.6") as server:
        put(server, "api")
        server.control(unseen=True, uncompacted=True)
        judged(check, "nothing is visible", server.url, ("--app", "api"), UNCERTAIN, "fresh", "warn")
        server.control(unseen=False)
        judged(check, "only asking by service_name shows it", server.url, ("--app", "api"), 0, "fresh", "ok")


def tenants(check):
    mine = {"X-Scope-OrgID": "mine"}
    for version in VERSIONS:
        with Server("--multitenant", "--version", version) as server:
            put(server, "api", headers=mine)
            said = judged(check, version + ": none", server.url, ("--app", "api"), AUTH, "push", "FAIL")
            check.ok("--tenant" in said, version + ": what to do about it", said)
            judged(check, version + ": the right one", server.url, ("--app", "api", "--tenant", "mine"), 0, "fresh", "ok")
            wrong = (AUTH, "fresh", "FAIL") if version < "2" else (UNCERTAIN, "fresh", "warn")
            said = judged(check, version + ": another", server.url, ("--app", "api", "--tenant", "other"), *wrong)
            check.ok("other" in said, version + ": it is named", said)


def secrets(check):
    for needed, option, text in (("basic me:s3cr:et", "--auth-file", "me:s3cr:et"), ("bearer s3cret", "--token-file",
                                                                                    "s3cret")):
        with Server("--require-auth", needed) as server, tempfile.TemporaryDirectory() as folder:
            good, bad = folder + "/good", folder + "/bad"
            for path, content in ((good, text + "\n"), (bad, text[:-1] + "\n")):
                with open(path, "w") as f:
                    f.write(content)
                os.chmod(path, 0o600)
            for what, words in (("none", ()), ("a wrong one", (option, bad))):
                judged(check, "%s: %s" % (option, what), server.url, words, AUTH, "push", "FAIL")
            status, checks, errors = doctor(server.url, option, good)
            check.ok(status == 0 and checks["push"]["verdict"] == "ok", option + ": the right one", checks, errors)
            check.ok(not errors, option + ": no complaint", errors)
            os.chmod(good, 0o644)
            status, checks, errors = doctor(server.url, option, good)
            check.ok(status == 0 and "everybody" in errors, option + ": everybody can read it", errors)
            check.ok("s3c" not in errors + json.dumps(checks), option + ": the secret is not said")


def paths(check):
    with Server("--prefix", "/profiles") as server:
        judged(check, "with its path", server.url + "/", (), 0, "push", "ok")
        said = judged(check, "without", server.url[:-len("/profiles")], ("--app", "x"), NOT_TAKEN, "push", "FAIL")
        check.ok("--url" in said, "what to do about it", said)


def ready_is_no_condition(check):
    for ready, verdict in ((404, "ok"), (503, "warn")):
        with Server() as server:
            put(server, "api")
            put(server, "stale", 600)
            server.control(ready=ready)
            status, checks, _ = doctor(server.url, "--app", "api")
            check.equal((status, checks["ready"]["verdict"]), (0, verdict), "/ready %d: fresh" % ready)
            stale = (STALE, "fresh", "FAIL") if ready == 404 else (UNCERTAIN, "fresh", "warn")
            judged(check, "/ready %d: old data" % ready, server.url, ("--app", "stale"), *stale)


def clocks(check):
    for ahead_s, status, verdict in ((0, 0, "ok"), (100, 0, "warn"), (-100, 0, "warn"), (7200, NOT_TAKEN, "FAIL"),
                                     (-1200, NOT_TAKEN, "FAIL")):
        with Server() as server:
            date = email.utils.formatdate(time.time() + ahead_s, usegmt=True)
            server.plan({"times": 0, "match": "/ready", "status": 200, "body": "ready", "headers": {"Date": date}})
            judged(check, "the server's is %d s ahead" % ahead_s, server.url, (), status, "clock", verdict)


def troubles(check):
    page = {"body": "<html>Bad Gateway</html>", "type": "text/html"}
    stopping = {"code": "unknown", "message": "rpc error: code = Unavailable desc = service is unavailable"}
    for what, step, status, last, verdict in (
            ("a gateway alone", dict(page, status=502, match="/Push"), UNREACHABLE, "push", "FAIL"),
            ("a stopping server", {"status": 500, "body": stopping, "match": "/Push"}, UNCERTAIN, "push", "warn"),
            ("takes only pushes", {"status": 404, "body": "404 page not found\n", "match": "querier"}, UNCERTAIN, "fresh",
             "warn"),
            ("not allowed to read", {"status": 403, "match": "querier"}, UNCERTAIN, "fresh", "warn"),
            ("garbage for data", {"status": 200, "body": "[[[[", "match": "querier"}, UNCERTAIN, "fresh", "warn"),
            ("endless data", {"flood": 8, "match": "querier"}, UNCERTAIN, "fresh", "warn"),
            ("hangs", {"hang": True, "match": "/ready"}, UNREACHABLE, "server", "FAIL"),
            ("no HTTP", {"garbage": True, "match": "/ready"}, UNREACHABLE, "server", "FAIL"),
            ("redirects", {"status": 301, "headers": {"Location": "http://127.0.0.1:1/"}, "match": "/Push"}, NOT_TAKEN,
             "push", "FAIL")):
        with Server() as server:
            put(server, "api")
            server.plan(dict(step, times=0))
            judged(check, what, server.url, ("--app", "api", "--timeout", "1"), status, last, verdict)


def unreachable(check):
    with Server() as server:
        server.control(listen=False)
        said = judged(check, "nobody listens", server.url, (), UNREACHABLE, "server", "FAIL")
        check.ok("nothing listens" in said, "nobody listens: said", said)
    judged(check, "no such name", "http://pyroscope.invalid:4040", (), UNREACHABLE, "server", "FAIL")
    with Server() as server:
        judged(check, "https where there is none", "https" + server.url[4:], (), UNREACHABLE, "server", "FAIL")


def leaves_no_trace(check):
    with Server() as server:
        doctor(server.url, "--app", "api")
        state = server.state()
        check.ok(not state.series, "nothing is stored", state.series)
        check.equal([r["body_size"] for r in state.pushes()], [0], "one push, an empty one")
