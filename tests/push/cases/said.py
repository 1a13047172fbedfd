# SPDX-License-Identifier: MIT
"""What it says: the runbook's lines, the log that is rotated, the status, the figures for Prometheus."""
import os
import re
import signal
import tempfile

from lib.pushing import Push, ready, worker
from lib.serving import Server, wait_for


def lines_word_for_word(check):
    with Server() as server, worker() as w:
        server.plan({"times": 1, "status": 503})
        with Push(server.url, "--pid", ready(w)) as push:
            check.ok(push.says("Starting profiler for api"), "Starting profiler for NAME", push.note())
            check.ok(push.says("Failed to push profile: HTTP 503"), "Failed to push profile: HTTP CODE", push.note())
            check.ok(push.says("Profile pushed successfully"), "Profile pushed successfully", push.note())
            server.wait_profiles(4)
            push.end()
        log = push.log()
        check.ok(all(line.isprintable() for line in log.splitlines()), "no control characters")
        for word in ("sample", "byte|kB|KiB|MB| B", "CPU", "spool|waiting", r"\d m?s\b"):
            check.ok(re.search(word, log), "an interval's line tells: " + word, log[-500:])
        count = len([line for line in log.splitlines() if "Profile pushed successfully" in line])
        check.ok(3 <= count <= len(server.state().pushes()), "a line per interval", count)


def each_line_is_of_its_own_interval(check):
    with Server() as server, worker() as w:
        with Push(server.url, "--pid", ready(w)) as push:
            server.wait_profiles(3)
            push.end()
        told = re.findall(r"Profile pushed successfully: ([\d.]+) s of", push.log())
        stored = ["%.3f" % (p["duration_nanos"] / 1e9) for p in server.state().profiles()]
        check.equal(told, stored, "as long as the profile the server got, from the first to the cut-off last one")


def unreachable(check):
    with Server() as server, worker() as w:
        server.control(listen=False)
        with Push(server.url, "--pid", ready(w)) as push:
            check.ok(push.says("Failed to push profile"), "said", push.note())
            check.ok(re.search("Failed to push profile: .*(refused|connect|HTTP 0|HTTP 000)", push.log()),
                     "with the reason", push.log()[-300:])
            push.end()


def hangup_reopens_the_log(check):
    with Server() as server, worker() as w:
        with Push(server.url, "--pid", ready(w)) as push:
            push.says("Profile pushed successfully")
            os.rename(push.log_path, push.log_path + ".1")
            push.send(signal.SIGHUP)
            check.ok(push.says("Profile pushed successfully"), "a new file after SIGHUP", push.note())
            check.ok(push.process.poll() is None, "it goes on")
            check.equal(push.end(), 0, "status 0")


def status_on_usr1(check):
    with Server() as server, worker() as w:
        with Push(server.url, "--pid", ready(w), interval=600) as push:
            check.ok(push.says("Starting profiler"), "it starts", push.note())
            before = push.log()
            push.send(signal.SIGUSR1)
            check.ok(wait_for(lambda: push.log() != before), "SIGUSR1 makes it say something", push.note())
            check.ok(push.process.poll() is None, "and it goes on")
            check.equal(push.end(), 0, "status 0")


def stats_file(check):
    sample = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^{}]*\})? [0-9.eE+-]+\Z")
    with Server() as server, worker() as w:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "pystoker.prom")
            with Push(server.url, "--pid", ready(w), "--stats-file", path) as push:
                server.wait_profiles(2)
                check.ok(wait_for(lambda: os.path.exists(path)), "written", push.note())
                torn = [1 for _ in range(200) if not read(path).endswith("\n")]
                check.equal(torn, [], "never seen half-written")
                check.equal(push.end(), 0, "status")
            text = read(path)
            pushed = re.search(r"^pystoker_pushed_total\{.*\} (\d+)", text, re.M)
            check.equal(int(pushed[1]) if pushed else None, len(server.state().pushes()), "the last one counts all pushes")
            check.equal(os.listdir(folder), ["pystoker.prom"], "nothing beside it")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    check.ok(lines and all(sample.match(line) for line in lines), "Prometheus text",
             [line for line in lines if not sample.match(line)])
    check.ok(all("pystoker" in line for line in lines), "names of its own", lines[:3])
    check.ok(len(re.findall("^# TYPE ", text, re.M)) >= 5 and len(re.findall("^# HELP ", text, re.M)) >= 5, "explained")
    names = [re.split("[{ ]", line)[0] for line in lines]
    for word in ("sample", "byte", "spool", "push", "drop"):
        check.ok(any(word in n for n in names), "a figure about: " + word, names)


def read(path):
    with open(path) as f:
        return f.read()


def log_that_cannot_be_written(check):
    with Server() as server, worker() as w:
        with Push(server.url, "--pid", ready(w), "--once", "--log", "/dev/full", log=False) as push:
            check.equal(push.wait(), 0, "a full disk under the log: goes on")
        check.ok(server.state().profiles(), "and pushes")


def wrong_url(check):
    """A name that no resolver knows: said, and nothing is lost."""
    with worker() as w:
        with Push("http://nowhere.invalid:4040", "--pid", ready(w), "--profiles", "wall") as push:
            check.ok(push.says("Failed to push profile"), "said", push.note())
            check.ok(wait_for(lambda: len(push.waiting()) >= 2), "kept", push.files())
            check.ok(push.end() is not None, "ends")
