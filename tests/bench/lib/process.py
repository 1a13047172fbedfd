# SPDX-License-Identifier: MIT
"""Processes that are bounded in time, measured by the kernel's own accounts, and gone at exit."""
import ctypes
import os
import select
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1  # linux/prctl.h
ANSWER_SECONDS = 20   # a target that says nothing for so long is stuck
NEAR_END_SECONDS, CLOSE_LOOKS_SECONDS = 0.1, 0.005
END_SECONDS = 60      # so long may a profiler take to write its file after SIGINT

libc = ctypes.CDLL(None)
alive = set()


def die_with_us():
    """In the child: also when the bench is killed by SIGKILL nothing of it stays."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start(argv, **options):
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, preexec_fn=die_with_us, **options)
    alive.add(process)
    return process


def kill(process):
    if process in alive:
        alive.discard(process)
        if process.returncode is None:
            process.kill()
            process.wait()


def kill_all():
    for process in list(alive):
        kill(process)


def end_on_signals():
    """SIGTERM and SIGHUP leave through the same door as Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda signum, frame: sys.exit(128 + signum))


def status_kb(pid, *names):
    """Values in kB of /proc/PID/status; an empty dict when it is gone or a zombie."""
    try:
        with open("/proc/%d/status" % pid) as f:
            rows = dict(line.split(":", 1) for line in f if ":" in line)
    except (OSError, ValueError):
        return {}
    return {n: int(rows[n].split()[0]) for n in names if n in rows}


class Finished:
    """What a process did and what it cost."""

    def __init__(self, status, usage, wall, out, err, memory, timed_out):
        self.status = os.waitstatus_to_exitcode(status)
        self.wall = wall
        self.cpu = usage.ru_utime + usage.ru_stime
        self.out, self.err = out, err
        self.memory = memory      # [(seconds, {"VmRSS": kB, …})]
        self.timed_out = timed_out


class Running:
    """A process that is waited for with wait4, so that its CPU time is its own."""

    def __init__(self, argv, work, memory_every=None, expected=None):
        self.files = [open(os.path.join(work, name), "w+b") for name in ("stdout", "stderr")]
        self.memory_every, self.expected = memory_every, expected
        self.memory = []
        self.begin = time.monotonic()
        self.process = start(argv, stdout=self.files[0], stderr=self.files[1])
        self.fd = os.pidfd_open(self.process.pid)

    def pid(self):
        return self.process.pid

    def note_memory(self):
        values = status_kb(self.pid(), "VmRSS", "VmHWM", "RssAnon")
        if values:
            self.memory.append((time.monotonic() - self.begin, values))

    def memory_nap(self):
        """Around the expected end the looks are close, to catch what writing the file takes."""
        left = self.expected - (time.monotonic() - self.begin) - NEAR_END_SECONDS
        return min(self.memory_every, left) if left > 0 else CLOSE_LOOKS_SECONDS

    def ended_within(self, seconds):
        """Waits for the end, asleep but for the looks at its memory that were asked for."""
        deadline = time.monotonic() + seconds
        while True:
            left = max(0, deadline - time.monotonic())
            nap = min(left, self.memory_nap()) if self.memory_every else left
            if select.select([self.fd], [], [], nap)[0]:
                return True
            if self.memory_every:
                self.note_memory()
            if left <= 0:
                return False

    def finish(self, seconds):
        """Waits for so long, then asks it to end (SIGINT), then makes it end."""
        timed_out = False
        if not self.ended_within(seconds):
            self.process.send_signal(signal.SIGINT)
            timed_out = not self.ended_within(END_SECONDS)
            if timed_out:
                self.process.kill()
        _, status, usage = os.wait4(self.process.pid, 0)
        wall = time.monotonic() - self.begin
        self.process.returncode = status
        alive.discard(self.process)
        os.close(self.fd)
        texts = []
        for file in self.files:
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
            file.close()
        return Finished(status, usage, wall, texts[0], texts[1], self.memory, timed_out)


class Target:
    """One of targets/ on one interpreter, started, and in its loop."""

    def __init__(self, argv):
        self.process = start(argv, stdout=subprocess.PIPE, bufsize=0)
        self.pid = self.process.pid
        if self.line() != "ready":
            kill(self.process)
            raise RuntimeError("target does not start: " + " ".join(argv))

    def line(self):
        text = b""
        while not text.endswith(b"\n"):
            if not select.select([self.process.stdout], [], [], ANSWER_SECONDS)[0]:
                raise RuntimeError("target %d says nothing" % self.pid)
            byte = os.read(self.process.stdout.fileno(), 1)
            if not byte:
                break
            text += byte
        return text.decode().strip()

    def rounds(self):
        """(rounds done, at which time), by the target's own clock."""
        self.process.send_signal(signal.SIGUSR1)
        done, when = self.line().split()
        return int(done), float(when)

    def speed(self, seconds):
        """Rounds per second over the next so many seconds."""
        a = self.rounds()
        time.sleep(seconds)
        b = self.rounds()
        return (b[0] - a[0]) / (b[1] - a[1])

    def stop(self):
        kill(self.process)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.stop()


class Busy:
    """Ordinary processes that keep every CPU at work, at the same priority as everyone."""

    def __enter__(self):
        count = len(os.sched_getaffinity(0))
        self.loops = [start(["sh", "-c", "while :; do :; done"]) for _ in range(count)]
        return self

    def __exit__(self, *ignored):
        for loop in self.loops:
            kill(loop)
