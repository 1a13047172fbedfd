# SPDX-License-Identifier: MIT
"""pystoker push under test, and what it is pointed at."""
import os
import re
import signal
import subprocess
import sys
import tempfile

from driver import pystoker, target

from . import serving
from .serving import PATIENCE_S, wait_for

TARGETS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "targets")
APP = "api"
# The environment contract must not leak from the machine of the developer into the tests.
OURS = ("SERVICE_NAME", "PYROSCOPE_", "PROFILE_INTERVAL", "ENVIRONMENT", "HTTP_PROXY", "http_proxy", "XDG_STATE_HOME")


STATE = tempfile.TemporaryDirectory()  # where the default spool lies while testing


def environment(**more):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    return dict(clean, XDG_STATE_HOME=STATE.name, **more)


def worker(*arguments, script="worker.py", **options):
    """A service that works; use it in a with block."""
    options.setdefault("env", target.environment())
    return target.Target([sys.executable, os.path.join(TARGETS, script)] + list(arguments), **options)


def ready(t):
    return t.until("ready")[-1]["ready"]


def fork(t):
    t.say(b"fork\n")
    return t.next()["child"]


class Push:
    """A pystoker push that is left running; its spool and log are in a folder that outlives it where `folder` is
    given."""

    def __init__(self, url, *arguments, interval=1, folder=None, command="push", env=None, before=(), app=APP,
                 spool=True, log=True, **options):
        self.own = None if folder else tempfile.TemporaryDirectory()
        self.folder = folder or self.own.name
        self.spool, self.log_path = os.path.join(self.folder, "spool"), os.path.join(self.folder, "log")
        asked = ["--app", app] if app else []
        asked += ["--url", url] if url else []
        asked += ["--interval", interval] if interval else []
        asked += ["--spool", self.spool] if spool else []
        asked += ["--log", self.log_path] if log else []
        argv = list(before) + [pystoker.PROGRAM, command] + asked + list(arguments)
        self.errors, self.said = tempfile.TemporaryFile(), None
        options.setdefault("stdout", subprocess.DEVNULL)
        self.process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stderr=self.errors,
                                        env=env or environment(), **options)
        self.pid = self.process.pid

    def log(self):
        if self.said is not None:
            return self.said[0]
        try:
            with open(self.log_path, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def stderr(self):
        if self.said is not None:
            return self.said[1]
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def says(self, pattern, seconds=PATIENCE_S):
        """Waits for a line of the log; the match or None."""
        return wait_for(lambda: re.search(pattern, self.log(), re.M) or (self.process.poll() is not None and None),
                        seconds)

    def send(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=PATIENCE_S):
        """The exit status; None when it does not end."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.wait()

    def memory(self):
        """Most resident memory so far, in kB."""
        with open("/proc/%d/status" % self.pid) as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])

    def files(self, end=".gz"):
        """What lies in the spool, relative to it."""
        return sorted(os.path.relpath(os.path.join(where, f), self.spool)
                      for where, _, files in os.walk(self.spool) for f in files if f.endswith(end))

    def waiting(self):
        """Those that were not sent."""
        return [f for f in self.files() if "/sent/" not in f and "/running/" not in f]

    def note(self):
        """For a failure: what it said."""
        return "log: %s stderr: %s" % (self.log()[-400:], self.stderr()[-300:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.said = self.log(), self.stderr()
        self.errors.close()
        if self.own:
            self.own.cleanup()


def run(*arguments, env=None, seconds=PATIENCE_S, **options):
    """A pystoker that ends by itself: (status, stdout, stderr); status None when it does not."""
    try:
        done = subprocess.run([pystoker.PROGRAM] + [str(a) for a in arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env or environment(), timeout=seconds,
                              **options)
    except subprocess.TimeoutExpired as e:
        return None, (e.stdout or b"").decode(errors="replace"), (e.stderr or b"").decode(errors="replace")
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def covered(check, state, what, most_ns=10**6, count=2, **labels):
    """The intervals of one process follow each other without a hole, and none came as another's twin."""
    found, holes = state.profiles(serving.WALL, **labels), state.holes(serving.WALL, **labels)
    check.ok(len(found) >= count, what + ": intervals arrived", "%d of %d" % (len(found), count))
    check.ok(all(abs(h) <= most_ns for h in holes), what + ": no gap between them", holes)
    check.ok(not state.lost(), what + ": no two of one identity", state.lost())
    return found
