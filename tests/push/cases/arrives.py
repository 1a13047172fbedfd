# SPDX-License-Identifier: MIT
"""What a push brings: types, labels, names, lines, times; without gaps, to the end."""
import os
import re
import signal
import socket
import tempfile
import time

from lib.pushing import APP, Push, covered, environment, ready, run, worker
from lib.serving import CPU, WALL, Server

MS = 10**6
REPLACED = ("Connect-Timeout-Ms", "Connect-Protocol-Version")


def the_whole_contract(check):
    with Server(*["--header=" + h for h in REPLACED]) as server, worker() as w:
        pid = ready(w)
        with Push(server.url, "--pid", pid, "--label", "team=blue", "--label", "zone=a") as push:
            server.wait(lambda s: len(s.profiles(CPU)) >= 3 and len(s.profiles(WALL)) >= 3)
            check.equal(push.end(), 0, "SIGTERM ends it with status 0")
        state = server.state(full=True)
    cpu, wall = state.profiles(CPU), state.profiles(WALL)
    check.ok(cpu and wall, "CPU and wall time arrive", push.note() if not cpu else "")
    if not (cpu and wall):
        return
    check_labels(check, cpu + wall, pid)
    check_requests(check, state)
    check_frames(check, cpu, wall)
    check.ok(all(n == 1 for n in state.often()), "each profile is sent once", state.often())
    check.ok(not state.lost(), "no two of one identity")
    check.ok(all(p["depth"] and p["samples"] <= 15000 for p in cpu), "within the limits")


def check_labels(check, profiles, pid):
    want = {"service_name": APP, "environment": "development", "hostname": socket.gethostname(), "pid": str(pid),
            "team": "blue", "zone": "a"}
    for p in profiles:
        got = {k: v for k, v in p["labels"].items() if k in want}
        if not check.equal(got, want, "labels"):
            break
    more = set(profiles[0]["labels"]) - set(want) - {"__name__", "__delta__", "pyroscope_spy"}
    check.ok(len(profiles[0]["labels"]) <= 20, "at most 20 labels", sorted(more))
    check.ok(not any("=" in label and "thread_name" in label for p in profiles for label in p["sample_labels"]),
             "no thread names unless asked for")


def check_requests(check, state):
    pushes = state.pushes()
    check.equal({r["path"] for r in pushes}, {"/push.v1.PusherService/Push"}, "the address")
    check.equal({r["status"] for r in pushes}, {200}, "all are taken")
    check.equal({(r["headers"].get("Content-Type"), r["headers"].get("Content-Encoding")) for r in pushes},
                {("application/proto", "gzip")}, "protobuf, gzip'd")
    check.ok(all(r["headers"].get("User-Agent", "").startswith("pystoker/") for r in pushes), "it says who it is",
             pushes[0]["headers"])
    check.ok(not any(h in r["headers"] for r in pushes for h in REPLACED), "no header that cuts the request")
    check.ok(not any("X-Scope-OrgID" in r["headers"] or "Authorization" in r["headers"] for r in pushes),
             "no tenant, no authorization unless asked for")
    check.ok(state.connections <= 3, "connections are kept", state.connections)


def check_frames(check, cpu, wall):
    lines = open(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "targets", "worker.py"))
    source = lines.read().splitlines()
    lines.close()
    frames = {tuple(f) for p in cpu + wall for f in p["functions"]}
    names = {f[0] for f in frames}
    for name in ("burn", "work", "wait"):
        check.ok(any(re.search(r"(^|\.)%s$" % name, n) for n in names), "function %s" % name, sorted(names)[:20])
    check.ok(any("." in n for n in names), "names are qualified by their module", sorted(names)[:20])
    burn = sorted(f[2] for f in frames if f[0].endswith("burn"))
    first = source.index("def burn():") + 1
    check.ok(burn and all(first < n <= first + 4 for n in burn), "lines of burn()", burn, first)
    check.ok(all(f[1].endswith("worker.py") for f in frames if f[0].endswith("burn")), "its file", sorted(frames)[:5])
    waited = sum(v[0] for p in wall for s, _, v in p["stacks"] if any(f[0].endswith(".wait") for f in s))
    life = sum(p["duration_nanos"] for p in wall)
    check.ok(0.7 * life < waited < 1.3 * life, "a thread that waits has all the wall time", waited, life)
    busy = sum(p["totals"][0] for p in cpu)
    check.ok(0 < busy <= 1.2 * life, "CPU time is not more than the time that went by", busy, life)
    check.ok(not any(s and s[0][0].endswith("Event.wait") for p in cpu for s, _, v in p["stacks"] if v[0] > 50 * MS),
             "a thread that waits has no CPU time")


def ends_with_its_target(check):
    """The last part-interval is sent, and the sum of the intervals is the life of the target."""
    with Server() as server, worker() as w:
        pid, began = ready(w), time.time_ns()
        with Push(server.url, "--pid", pid) as push:
            server.wait_profiles(3)
            w.say(b"exit 0\n")
            gone = time.time_ns()
            check.equal(push.wait(), 0, "status 0 at the target's end")
            ended = time.time_ns()
        state = server.state()
    found = covered(check, state, "until the target's end", count=4)
    if not found:
        return
    last = found[-1]["time_nanos"] + found[-1]["duration_nanos"]
    check.ok(gone - 100 * MS <= last <= ended + MS, "the last interval ends with the target", (last - gone) / 1e6)
    check.ok(began - MS <= found[0]["time_nanos"], "the first starts with the attachment")
    total = sum(p["duration_nanos"] for p in found)
    check.ok(abs(total - (last - found[0]["time_nanos"])) <= MS, "the sum is the life, to the millisecond", total)


def sigterm_sends_the_part_interval(check):
    for number, name in ((signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "SIGINT")):
        with Server() as server, worker() as w:
            with Push(server.url, "--pid", ready(w), interval=600) as push:
                check.ok(push.says("Starting profiler for api"), "it starts", push.note())
                time.sleep(1.2)  # the length of what is to be sent, not a synchronisation
                asked = time.time_ns()
                check.equal(push.end(number), 0, "%s: status 0" % name)
                ended = time.time_ns()
            found = server.state().profiles(WALL)
            check.equal(len(found), 1, "%s: the interval of 600 s is sent when it ends early" % name)
            for p in found:
                last = p["time_nanos"] + p["duration_nanos"]
                check.ok(p["duration_nanos"] >= 10**9 and asked - 500 * MS <= last <= ended,
                         "%s: up to the signal" % name, (last - asked) / 1e6, p["duration_nanos"])
            check.ok(w.alive(), "%s: the target lives" % name)


def the_clock_decides_the_borders(check):
    with Server() as server, worker() as w:
        with Push(server.url, "--pid", ready(w)) as push:
            state = server.wait_profiles(8)
            push.end()
    found = covered(check, state, "eight intervals", count=8)
    if len(found) < 8:
        return
    drift = [(p["time_nanos"] - found[1]["time_nanos"]) / 1e9 - k for k, p in enumerate(found[1:-1])]
    check.ok(all(abs(d) < 0.5 for d in drift), "no drift over the intervals", drift)
    check.ok(all(p["period"] == 10**7 for p in found), "the period is that of the rate", found[0]["period"])


def the_environment_contract(check):
    with Server() as server, worker() as w:
        env = environment(SERVICE_NAME="from-env", PYROSCOPE_URL=server.url, PROFILE_INTERVAL="1",
                          ENVIRONMENT="staging", PYROSCOPE_SAMPLE_RATE="50")
        pid = ready(w)
        with Push(None, "--pid", pid, app=None, interval=None, env=env) as push:
            state = server.wait_profiles(2, service_name="from-env", environment="staging")
            check.ok(push.says("^.*Starting profiler for from-env"), "the log names the service", push.note())
            push.end()
        found = state.profiles(WALL, service_name="from-env", environment="staging")
        check.ok(len(found) >= 2, "everything by environment", push.note())
        check.ok(all(p["period"] == 2 * 10**7 for p in found), "PYROSCOPE_SAMPLE_RATE", [p["period"] for p in found])
        with Push(server.url, "--pid", pid, app="from-line", env=dict(env, PYROSCOPE_URL="http://127.0.0.1:9")) as push:
            check.ok(server.wait_profiles(1, service_name="from-line").profiles(service_name="from-line"),
                     "the command line wins", push.note())


def switched_off(check):
    for word, on in (("false", False), ("0", False), ("no", False), ("True", True), ("YES", True), ("on", True)):
        with Server() as server, worker() as w:
            with Push(server.url, "--pid", ready(w), "--once", env=environment(PYROSCOPE_ENABLED=word)) as push:
                check.equal(push.wait(), 0, "PYROSCOPE_ENABLED=%s: status 0" % word)
            check.equal(bool(server.state().profiles()), on, "PYROSCOPE_ENABLED=%s: profiles" % word)


def once(check):
    with Server() as server, worker() as w:
        with Push(server.url, "--pid", ready(w), "--once") as push:
            check.equal(push.wait(), 0, "ends by itself")
            check.equal(push.waiting(), [], "nothing waits")
        found = server.state().profiles(WALL)
        check.equal(len(found), 1, "one interval")
        check.ok(w.alive(), "the target lives")


def one_kind(check):
    for word, there, absent in (("cpu", CPU, WALL), ("wall", WALL, CPU)):
        with Server() as server, worker() as w:
            with Push(server.url, "--pid", ready(w), "--once", "--profiles", word) as push:
                check.equal(push.wait(), 0, "--profiles %s: status" % word)
            state = server.state()
            check.ok(state.profiles(there) and not state.profiles(absent), "--profiles %s: only that" % word,
                     push.note())


def thread_names(check):
    with Server() as server, worker() as w:
        with Push(server.url, "--pid", ready(w), "--thread-names") as push:
            server.wait_profiles(8)
            check.equal(push.end(), 0, "status")
        found = server.state().profiles(WALL)
        names = {n for p in found for n in p["sample_labels"]}
        most = max([v / p["duration_nanos"] for p in found for v in p["sample_labels"].values()] + [0])
        check.ok(0 < most < 1.1, "no thread has more wall time than the interval", most)
        want = {"thread_name=MainThread", "thread_name=waiter", "thread_name=listener"}
        check.ok(want <= names, "each thread by its name", sorted(names))


def idle_at_a_low_rate(check):
    """Nothing runs for many intervals: their wall time arrives all the same, each with its own."""
    with Server() as server, worker("idle") as w:
        with Push(server.url, "--pid", ready(w), "--rate", "50", "--profiles", "wall") as push:
            server.wait_profiles(22)
            check.equal(push.end(), 0, "status")
        found = covered(check, server.state(), "idle", count=22)
    shares = [sum(p["totals"]) / p["duration_nanos"] for p in found[1:-1]]
    check.ok(shares and max(shares) < 3.6 and min(shares) > 2.4, "three threads wait in every interval", shares)


def by_ingest(check):
    """The ways for proxies that know no other: the same totals, names and service."""
    for options, type_id in ((["--transport", "ingest"], CPU), (["--format", "folded"], CPU),
                             (["--format", "speedscope"], CPU), (["--transport", "ingest"], WALL)):
        what = " ".join(options) + " " + type_id.partition(":")[0]
        for version in ("1.15.3", "2.0.6"):
            with Server("--version", version) as server, worker() as w:
                pid = ready(w)
                with Push(server.url, "--pid", pid, "--once", "--label", "team=blue", *options) as push:
                    check.equal(push.wait(), 0, "%s: status" % what)
                state = server.state()
                found = [p for p in state.profiles(type_id) if p["labels"].get("service_name") == APP]
                check.ok(found, "%s to %s: stored as %s" % (what, version, type_id), push.note(),
                         [(r["path"], r["query"], r["status"]) for r in state.pushes()][:3])
                for p in found[:1]:
                    check.equal([p["labels"].get(k) for k in ("team", "pid")], ["blue", str(pid)], what + ": labels")
                    check.ok("profile_name" not in p["labels"], what + ": no label profile_name")
                    check.ok(any(f[0].endswith("burn") for f in p["functions"]), what + ": names", p["functions"][:5])
                    check.ok(0 < p["totals"][0] < 5 * 10**9, what + ": plausible total", p["totals"])
                queries = [r["query"] for r in state.pushes()]
                check.ok(all("spyName=pyspy" not in q for q in queries), what + ": not as pyspy")
                check.ok(all(re.search(r"from=\d{19}(&|$)", q) for q in queries), what + ": from in nanoseconds",
                         queries[:1])


def prefix_tenant_and_auth(check):
    with Server("--prefix", "/deep/down", "--multitenant", "--require-auth", "basic me:secret", "--header",
                "X-Extra") as server, worker() as w:
        pid = ready(w)
        env = environment(PYROSCOPE_BASIC_AUTH_USER="me", PYROSCOPE_BASIC_AUTH_PASSWORD="secret")
        for url in (server.url, server.url + "/"):
            with Push(url, "--pid", pid, "--once", "--tenant", "team-1", "--header", "X-Extra: yes", env=env) as push:
                check.equal(push.wait(), 0, "status")
        state = server.state()
        found = state.profiles()
        check.equal(len(found), 2, "below a path, with and without a last slash")
        check.equal({p["tenant"] for p in found}, {"team-1"}, "the tenant")
        check.ok(all(r["headers"].get("X-Extra") == "yes" for r in state.pushes()), "another header")
        check.ok("secret" not in push.log(), "the password is not in the log")
        with Push(server.url, "--pid", pid, "--once", "--tenant", "a|b", env=env) as push:
            check.ok(push.wait() not in (0, None), "a tenant that no server takes is refused at once", push.note())


def auth_from_files(check):
    for kind, secret, option in (("basic", "me:secret", "--auth-file"), ("bearer", "t0ken", "--token-file")):
        with Server("--require-auth", "%s %s" % (kind, secret)) as server, worker() as w, \
                tempfile.NamedTemporaryFile("w") as f:
            f.write(secret + "\n")
            f.flush()
            with Push(server.url, "--pid", ready(w), "--once", option, f.name) as push:
                check.equal(push.wait(), 0, option + ": status")
            check.ok(server.state().profiles(), option + ": arrives", push.note())


def bearer_from_the_environment(check):
    with Server("--require-auth", "bearer t0ken") as server, worker() as w:
        with Push(server.url, "--pid", ready(w), "--once", env=environment(PYROSCOPE_AUTH_TOKEN="t0ken")) as push:
            check.equal(push.wait(), 0, "status")
        check.ok(server.state().profiles(), "arrives", push.note())


def wrong_words(check):
    for words in (["--url", "ftp://x"], ["--url", "nonsense"], ["--label", "1bad=x"], ["--label", "__name__=x"],
                  ["--label", "nothing"], ["--interval", "0"], ["--profiles", "none"], ["--label", "a=\udcff"]):
        status, _, said = run("push", "--pid", os.getpid(), "--app", APP, *words)
        check.ok(status not in (0, None), "%s is refused" % ascii(words), status, said)
        first = re.search("^pystoker: (.*)", said, re.M)
        check.ok(first and said.count(first[1]) == 1, "%s: said once" % ascii(words), said)
        check.ok("Starting profiler" not in said, "%s: before anything is begun" % ascii(words), said)
    status, _, said = run("push", "--pid", os.getpid())
    check.ok(status not in (0, None) and "--app" in said, "no service name", said)
    status, _, said = run("push", "--pid", os.getpid(), "--app", APP, *["--label=l%d=x" % i for i in range(40)])
    check.ok(status not in (0, None), "more labels than servers take", said)
