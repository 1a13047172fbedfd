# SPDX-License-Identifier: MIT
"""How recordings begin and end, and what becomes of the program meanwhile."""
import json
import os
import signal
import subprocess
import sys
import tempfile

from driver import pystoker, rows, target

ROWS = "spread"


class Recording(target.Target):
    """A pystoker record that is left running, and what it recorded."""

    def __init__(self, *arguments, **options):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "profile.txt")
        super().__init__([pystoker.PROGRAM, "record", "-f", "raw", "-o", self.path] + [str(a) for a in arguments],
                         **options)

    def stacks(self):
        with open(self.path, "rb") as f:
            return pystoker.Stacks(f.read())

    def written(self):
        return os.path.exists(self.path)

    def wait(self):
        return self.process.wait(target.PATIENCE_S)

    def __exit__(self, *error):
        super().__exit__(*error)
        self.folder.cleanup()


def obeying(row):
    return target.command(row, "obey.py")


def says(t, text):
    t.say(text.encode() + b"\n")


def rounds(t):
    says(t, "rounds")
    return t.next()["rounds"]


def goes_on(t):
    """Whether the target still makes progress."""
    before = rounds(t)
    return target.wait_for(lambda: rounds(t) > before)


def has(stacks, function):
    return any(function in frame for stack in stacks.counts for frame in stack)


def sampling(pid, recorder):
    """The recorder has opened the target's run times: it is at work."""
    folder = "/proc/%d/fd" % recorder
    try:
        return any("/%d/" % pid in os.readlink(os.path.join(folder, fd)) for fd in os.listdir(folder))
    except OSError:
        return False


def exit_status(row, check):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "p.svg")
        for argv, want in ((["sh", "-c", "exit 3"], 3), (row.command + ["-c", "import os; os._exit(7)"], 7),
                           (row.command + ["-c", "pass"], 0)):
            run = pystoker.Run(["record", "-o", path, "--", *argv])
            check.ok(run.status == want and os.path.getsize(path), "exit status %d is passed on" % want, run)
            os.path.exists(path) and os.remove(path)
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1):
            with Recording("--", *obeying(row)) as r:
                r.next()
                says(r, "kill %d" % number)
                status = r.wait()
                check.ok(status in (-number, 128 + number) and r.written(),
                         "a program killed by signal %d" % number, status, r.stderr())


def streams(row, check):
    """Its stdin, stdout and stderr are the program's own, to the byte."""
    data = bytes(range(256)) * 4096
    code = ("import sys, os\nwhile True:\n b = os.read(0, 65536)\n if not b: break\n"
            " while b: b = b[os.write(1, b):]\nos.write(2, b'a\\0word\\n')")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([pystoker.PROGRAM, "record", "-o", folder + "/p.txt", "--", *row.command, "-c", code],
                              input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=target.PATIENCE_S)
        check.ok(done.stdout == data, "stdin and stdout pass through, 1 MB", len(done.stdout))
        check.ok(done.stderr.startswith(b"a\0word\n"), "stderr too", done.stderr[:200])


def duration_ends(row, check):
    """The recording ends, the program does not."""
    with Recording("-d", 2, "--", *obeying(row)) as r:
        r.next()
        check.ok(target.wait_for(r.written), "-d: the file is written while the program runs")
        says(r, "echo after")
        check.ok(r.next() == {"echo": "after"} and goes_on(r), "-d: the program goes on, its output arrives")
        says(r, "exit 5")
        check.ok(r.wait() == 5, "-d: its exit status arrives as well", r.stderr())
        check.ok(has(r.stacks(), "step"), "-d: it was recorded")


def signals(row, check):
    with target.start(row, "obey.py") as t:
        t.next()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with Recording("-p", t.pid) as r:
                target.wait_for(lambda: sampling(t.pid, r.pid))
                r.process.send_signal(number)
                check.ok(r.wait() == 0 and r.written(), "%s ends the recording and writes" % number.name, r.stderr())
        check.ok(goes_on(t), "the target does not notice")


def target_ends(row, check):
    for how, what in (("exit 4", "exits"), ("kill 9", "is killed")):
        with target.start(row, "obey.py") as t, Recording("-p", t.next()["ready"] and t.pid) as r:
            target.wait_for(lambda: sampling(t.pid, r.pid))
            for _ in range(50):
                goes_on(t)
            says(t, how)
            check.ok(r.wait() == 0 and r.written(), "the target %s: the recording ends well" % what, r.stderr())


def exec_is_followed(row, check):
    """Found out within a second; the rest is for a busy machine."""
    with target.start(row, "obey.py") as t, Recording("-p", t.pid, "-r", 500, "-d", 6) as r:
        t.next()
        target.wait_for(lambda: sampling(t.pid, r.pid))
        goes_on(t)
        says(t, "exec")
        t.next()
        check.ok(r.wait() == 0, "exec of another Python: goes through", r.stderr())
        check.ok(has(r.stacks(), "after_exec"), "exec of another Python: it is followed", r.stderr(),
                 list(r.stacks().counts)[:3])


def fork(row, check):
    with target.start(row, "obey.py") as t, Recording("-p", t.pid, "-r", 500) as r:
        t.next()
        target.wait_for(lambda: sampling(t.pid, r.pid))
        says(t, "fork")
        child = t.next()["child"]
        check.ok(goes_on(t), "fork: the parent goes on")
        run, stacks = pystoker.record(["-p", child, "-d", 0.2])
        check.ok(stacks and has(stacks, "in_child"), "fork: the child can be recorded", run)
        r.process.send_signal(signal.SIGINT)
        check.ok(r.wait() == 0 and not has(r.stacks(), "in_child"), "fork: the recording is of the parent alone",
                 r.stderr())


def stopped(row, check):
    with target.start(row, "obey.py") as t:
        t.next()
        goes_on(t)
        os.kill(t.pid, signal.SIGSTOP)
        target.wait_for(lambda: all(target.state(t.pid, tid) == "T" for tid in target.tids(t.pid)))
        for options in ((), ("--blocking",)):
            threads = pystoker.dump(t.pid, *options)
            good = not isinstance(threads, pystoker.Run) and any(f["name"] == "work" for th in threads
                                                               for f in th["frames"])
            check.ok(good, "SIGSTOP: dump %s shows its stack" % " ".join(options), threads)
        # Let go by a tracer, each thread stops again by itself.
        states = lambda: {target.state(t.pid, tid) for tid in target.tids(t.pid)}
        check.ok(target.wait_for(lambda: states() == {"T"}), "SIGSTOP: it stays stopped", states())
        run, stacks = pystoker.record(["-p", t.pid, "-d", 0.2, "-i"])
        check.ok(run.status == 0 and stacks and has(stacks, "work"), "SIGSTOP: record --idle shows its stack", run)
        os.kill(t.pid, signal.SIGCONT)
        check.ok(goes_on(t), "SIGCONT: it goes on")


def not_stopped(pid):
    return all(target.state(pid, tid) in "RSD" for tid in target.tids(pid))


def killed_ourselves(row, check):
    """Whenever we are killed, the target is let go."""
    with target.start(row, "obey.py") as t:
        t.next()
        for options in (("--blocking",), ("--native", "--unwind=ptrace"), ()):
            for _ in range(5):
                with Recording("-p", t.pid, "-r", 1000, *options) as r:
                    target.wait_for(lambda: sampling(t.pid, r.pid))
                    goes_on(t)
                    r.process.kill()
                    r.wait()
            what = "kill -9 of record %s" % " ".join(options)
            check.ok(target.wait_for(lambda: not_stopped(t.pid)), "%s: the target is not stopped" % what,
                     [target.state(t.pid, tid) for tid in target.tids(t.pid)])
            check.ok(goes_on(t), "%s: and goes on" % what)


def traced(row, check):
    """Under a debugger: without ptrace nothing changes; with --blocking there is a clear answer."""
    for tool, argv in (("strace", ["-f", "-o", "/dev/null", "-e", "trace=none", "-p"]),
                       ("gdb", ["-q", "-nx", "-batch", "-ex", "set pagination off", "-ex", "continue", "-p"])):
        if not rows.which(tool):
            check.skip("under %s" % tool, "%s is not installed" % tool)
            continue
        with target.start(row, "obey.py") as t:
            t.next()
            tracer = subprocess.Popen([tool] + argv + [str(t.pid)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            try:
                if not target.wait_for(lambda: tracer_of(t.pid) and not_stopped(t.pid) or tracer.poll() is not None) \
                        or tracer.poll() is not None:
                    check.skip("under %s" % tool, "%s cannot trace here" % tool)
                    continue
                run, stacks = pystoker.record(["-p", t.pid, "-d", 0.3, "-i"])
                check.ok(stacks and has(stacks, "work"), "under %s: recorded" % tool, run)
                run = pystoker.Run(["record", "-p", t.pid, "-d", 0.2, "--blocking", "-f", "raw", "-o", "-"])
                check.ok(run.status in (0, 6) and run.stderr.strip(), "under %s: --blocking has an answer" % tool, run)
                run, stacks = pystoker.record(["-p", t.pid, "-d", 0.3, "--native", "--unwind=ptrace"])
                check.ok(stacks and has(stacks, "work"), "under %s: --unwind=ptrace still shows Python" % tool, run)
            finally:
                tracer.terminate()
                tracer.wait()
            target.wait_for(lambda: not_stopped(t.pid))
            check.ok(not_stopped(t.pid) and goes_on(t), "under %s: the target goes on" % tool)


def tracer_of(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(next(line for line in f if line.startswith("TracerPid")).split()[1])


def twice(row, check):
    """Attached twice at once, and again afterwards."""
    with target.start(row, "obey.py") as t:
        t.next()
        with Recording("-p", t.pid, "-d", 2) as one, Recording("-p", t.pid, "-d", 2) as two:
            check.ok(one.wait() == 0 and two.wait() == 0, "two recorders at once", one.stderr(), two.stderr())
            check.ok(has(one.stacks(), "work") and has(two.stacks(), "work"), "both see the target")
        check.ok(goes_on(t), "it goes on")


def run(row, check):
    for part in (exit_status, streams, duration_ends, signals, target_ends, exec_is_followed, fork, stopped,
                 killed_ourselves, traced, twice):
        try:
            part(row, check)
        except (OSError, ValueError, subprocess.SubprocessError, target.TargetError) as e:
            check.ok(False, "%s: goes through" % part.__name__, repr(e), sys.exc_info()[2].tb_next)
