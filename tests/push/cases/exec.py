# SPDX-License-Identifier: MIT
"""exec -- program: the container entrypoint, with a server to push to. That the program is untouched in every way is
tests/cli's business; here: what arrives, and that nothing about pushing harms the program."""
import os
import signal
import subprocess
import sys
import tempfile

from driver import pystoker

from lib.pushing import TARGETS, covered, environment, run
from lib.serving import WALL, Server, wait_for

WORKER = [sys.executable, os.path.join(TARGETS, "worker.py")]


class Entry:
    """pystoker exec -- worker.py, with its log and spool in a folder of its own."""

    def __init__(self, url, *options, words=WORKER, **env):
        self.folder = tempfile.TemporaryDirectory()
        self.log_path = os.path.join(self.folder.name, "log")
        env = dict({"SERVICE_NAME": "api", "PYROSCOPE_URL": url, "PROFILE_INTERVAL": "1"}, **env)
        env = environment(**{k: v for k, v in env.items() if v is not None})
        argv = [pystoker.PROGRAM, "exec", "--log", self.log_path, "--spool", self.folder.name + "/spool"]
        self.process = subprocess.Popen(argv + list(options) + ["--"] + words, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=env)

    def log(self):
        try:
            with open(self.log_path) as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        # The pusher ends with its program; only then is its folder nobody's.
        wait_for(lambda: not pushers(self.folder.name), 20)
        self.folder.cleanup()


def pushers(mark):
    """PIDs whose command line or open files name the folder."""
    found = []
    for pid in os.listdir("/proc"):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                text = f.read()
            files = [os.readlink("/proc/%s/fd/%s" % (pid, n)) for n in os.listdir("/proc/%s/fd" % pid)]
        except OSError:
            continue
        if pid.isdigit() and int(pid) != os.getpid() and (mark.encode() in text or any(mark in f for f in files)):
            found.append(int(pid))
    return found


def profiles_its_program(check):
    with Server() as server, Entry(server.url, "--profiles", "wall") as entry:
        ready = entry.process.stdout.readline()
        check.equal(ready, b'{"ready": %d}\n' % entry.process.pid, "the same PID, its output untouched")
        server.wait_profiles(3, pid=str(entry.process.pid))
        check.ok("Starting profiler for api" in entry.log(), "the pusher is found in the log", entry.log()[-300:])
        entry.process.stdin.write(b"exit 3\n")
        entry.process.stdin.flush()
        check.equal(entry.process.wait(60), 3, "the exit status")
        check.ok(wait_for(lambda: not pushers(entry.folder.name), 30), "the pusher ends with the program")
        state = server.state()
    covered(check, state, "exec", count=4, pid=str(entry.process.pid))


def nothing_without_a_name(check):
    with Server() as server:
        for env in ({"SERVICE_NAME": None}, {"PYROSCOPE_ENABLED": "false"}):
            with Entry(server.url, words=["sh", "-c", "echo hello; exit 5"], **env) as entry:
                check.equal((entry.process.stdout.read(), entry.process.wait(60)), (b"hello\n", 5),
                            "only runs: %s" % env)
                check.equal(entry.log(), "", "no pusher: %s" % env)
        check.equal(server.state().requests, [], "and asks no server")


def trouble_of_pushing(check):
    """Whatever is wrong with pushing, the program runs."""
    for what, options, env in (("a wrong URL", [], {"PYROSCOPE_URL": "http://nowhere.invalid:4040"}),
                               ("no URL at all", [], {"PYROSCOPE_URL": "nonsense"}),
                               ("a bad interval", [], {"PROFILE_INTERVAL": "soon"}),
                               ("a log that cannot be", ["--log", "/nonexistent/log"], {}),
                               ("a spool that cannot be", ["--spool", "/proc/spool"], {})):
        with Entry("http://127.0.0.1:9", *options, words=[sys.executable, "-c", "print(42)"], **env) as entry:
            check.equal((entry.process.stdout.read(), entry.process.wait(60)), (b"42\n", 0), what)


def statuses(check):
    with Server() as server:
        for words, status in ((["true"], 0), (["sh", "-c", "exit 3"], 3), (["sh", "-c", "kill -15 $$"], -15)):
            with Entry(server.url, words=words) as entry:
                check.equal(entry.process.wait(60), status, "as of a plain exec: " + " ".join(words))
        check.equal(run("exec", "--", "/nonexistent/program")[0], 127, "no such program: 127, as a shell has it")


def supervised(check):
    """--supervise: stays, forwards signals, sends the last interval before it ends."""
    with Server() as server, Entry(server.url, "--supervise", "--profiles", "wall", PROFILE_INTERVAL="600") as entry:
        child = int(entry.process.stdout.readline().split(b":")[1].strip(b" }\n"))
        check.ok(child != entry.process.pid, "the program is a child")
        check.ok(wait_for(lambda: "Starting profiler" in entry.log()), "it starts", entry.log())
        os.kill(entry.process.pid, signal.SIGTERM)
        status = entry.process.wait(60)
        check.ok(status in (-15, 143), "the status of a program that SIGTERM ends", status)
        found = server.state().profiles(WALL, pid=str(child))
        check.equal(len(found), 1, "the last interval was sent before it ended")
