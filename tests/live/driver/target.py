# SPDX-License-Identifier: MIT
"""Programs to look into. They say what is to be seen as JSON, one line each, and end when their stdin does."""
import json
import os
import queue
import subprocess
import tempfile
import threading
import time

from . import rows

PATIENCE_S = 60  # for anything that is bound to happen: generous, since the machine may be busy
ENVIRONMENT = {"PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
TARGETS = os.path.join(rows.TESTS, "live", "targets")


class TargetError(Exception):
    pass


def environment():
    return dict(os.environ, **ENVIRONMENT)


def command(row, script, arguments=()):
    return row.command + [row.script(os.path.join(TARGETS, script))] + [str(a) for a in arguments]


def wait_for(condition, seconds=PATIENCE_S):
    """Asks until the answer is true; the last answer."""
    end, pause = time.monotonic() + seconds, 0.001
    while True:
        answer = condition()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


class Target:
    """A running program, for the length of a with block; its JSON lines come by next()."""

    def __init__(self, argv, **options):
        options.setdefault("env", environment())
        self.errors = tempfile.TemporaryFile()
        options.setdefault("stderr", self.errors)
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
        self.pid = self.process.pid
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def line(self):
        try:
            line = self.lines.get(timeout=PATIENCE_S)
        except queue.Empty:
            raise TargetError("the target says nothing") from None
        if line is None:
            raise TargetError("the target ended: " + self.stderr()[-500:])
        return line

    def next(self):
        return json.loads(self.line().decode())

    def until(self, key):
        """All lines up to the first one that has the key; that one comes last."""
        lines = []
        while not lines or key not in lines[-1]:
            lines.append(self.next())
        return lines

    def say(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def alive(self):
        return self.process.poll() is None

    def close_stdin(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def end(self):
        """Closes its stdin and waits; the exit status."""
        self.close_stdin()
        return self.process.wait(PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close_stdin()
        self.process.kill()
        self.process.wait()
        self.errors.close()


def start(row, script, *arguments, **options):
    return Target(command(row, script, arguments), **options)


def state(pid, tid=None):
    """The letter of /proc: R, S, T …; '' when it is gone."""
    try:
        with open("/proc/%d/task/%d/stat" % (pid, tid or pid)) as f:
            return f.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def tids(pid):
    try:
        return [int(t) for t in os.listdir("/proc/%d/task" % pid)]
    except FileNotFoundError:
        return []


READ = {"x86_64": "0", "aarch64": "63"}.get(os.uname().machine)  # read(2) by number


def in_system_call(pid, tid):
    """The number of the system call that a sleeping thread is in; '' when it runs or is gone."""
    try:
        with open("/proc/%d/task/%d/syscall" % (pid, tid)) as f:
            number = f.read().split()[0]
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return ""
    return "" if number == "running" else number
