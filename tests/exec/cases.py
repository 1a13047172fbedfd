# SPDX-License-Identifier: MIT
"""`pystoker exec` compared with a plain exec. TAP on stdout. usage: cases.py [PART OF A NAME]"""
import ctypes
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from procs import PATIENCE_S, children, ours, read, status, until

PYSTOKER = os.environ["PYSTOKER"]
HERE = os.path.dirname(os.path.abspath(__file__))
PR_SET_CHILD_SUBREAPER = 36
DEAD_URL = "http://127.0.0.1:9"  # discard: nobody listens there


class Skip(Exception):
    pass


class Box:
    """A folder, and an environment in which profiling is on and goes nowhere."""

    def __init__(self):
        self.dir = tempfile.mkdtemp()
        os.chmod(self.dir, 0o777)
        self.log = os.path.join(self.dir, "log")
        self.off = {k: v for k, v in os.environ.items()
                    if not k.startswith(("PYROSCOPE", "PYSTOKER", "PROFILE")) and k != "SERVICE_NAME"}
        self.on = dict(self.off, SERVICE_NAME="test", PYROSCOPE_URL=DEAD_URL, PYSTOKER_LOG=self.log,
                       PYSTOKER_SPOOL=os.path.join(self.dir, "spool"))
        self.started = []

    def start(self, *words, **more):
        """pystoker exec WORDS."""
        more.setdefault("env", self.on)
        child = subprocess.Popen([PYSTOKER, "exec"] + list(words), **more)
        self.started.append(child)
        return child

    def run(self, *words, **more):
        child = self.start(*words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, **more)
        out, err = child.communicate(timeout=PATIENCE_S)
        return child, out, err

    def close(self):
        for child in self.started:
            for stream in (child.stdin, child.stdout, child.stderr):
                if stream:
                    stream.close()
            if child.poll() is None:
                child.kill()
                child.wait()
            for pid, _ in ours(child.pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it has just ended by itself, as it should
        shutil.rmtree(self.dir, ignore_errors=True)


def same(got, want, what):
    if got != want:
        raise AssertionError("%s: got %r, want %r" % (what, got, want))


def the(kind, program):
    """Waits for the guardian or pusher of a program."""
    pid = until(lambda: [p for p, what in ours(program) if what == kind])
    if not pid:
        raise AssertionError("no %s of %d" % (kind, program))
    return pid[0]


def gone(program):
    same(until(lambda: not ours(program)) and "gone", "gone", "processes of ours after the end")


MODES = {"on": [], "supervised": ["--supervise"]}

# --- the same as a plain exec ----------------------------------------------------------------------


def case_pid(box):
    for env in (box.on, box.off):
        child, out, _ = box.run("--", "sh", "-c", "echo $$", env=env)
        same(int(out), child.pid, "PID")


def case_statuses(box):
    for name, mode in MODES.items():
        for script, want in (("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", -15), ("kill -KILL $$", -9)):
            same(box.run(*mode, "--", "sh", "-c", script)[0].returncode, want, name + ": " + script)


def case_streams(box):
    data = os.urandom(1 << 20)
    for name, mode in MODES.items():
        child = box.start(*mode, "--", "sh", "-c", "tee /dev/fd/3 3>&2", stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = child.communicate(data, timeout=PATIENCE_S)
        same((out == data, err == data), (True, True), name + ": bytes of stdout and stderr")


def case_environment(box):
    plain = subprocess.run(["env", "-0"], env=box.on, stdout=subprocess.PIPE).stdout
    for name, mode in MODES.items():
        same(box.run(*mode, "--", "env", "-0")[1], plain, name)


def case_arguments(box):
    words = ["", "a b", "new\nline", "--help", "--", "'\"$x\\", "\xe9".encode("latin-1")]
    want = b"".join((w if isinstance(w, bytes) else w.encode()) + b"\0" for w in words)
    for name, mode in MODES.items():
        same(box.run(*mode, "--", "sh", "-c", "printf '%s\\0' \"$@\"", "sh", *words)[1], want, name)


def case_folder_and_umask(box):
    for name, mode in MODES.items():
        out = box.run(*mode, "--", "sh", "-c", "pwd; umask", cwd="/usr", preexec_fn=lambda: os.umask(0o27))[1]
        same(out, b"/usr\n0027\n", name)


def case_signal_dispositions(box):
    """Ignored and blocked as it was started, nothing pending."""
    def prepare():
        signal.signal(signal.SIGQUIT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD, signal.SIGUSR1])

    script = ["grep", "-E", "^(Sig|Shd)", "/proc/self/status"]
    want = subprocess.run(script, stdout=subprocess.PIPE, preexec_fn=prepare, restore_signals=False).stdout
    for name, mode in MODES.items():
        got = box.run(*mode, "--", *script, preexec_fn=prepare, restore_signals=False)[1]
        same([line for line in got.splitlines() if b"SigQ" not in line],
             [line for line in want.splitlines() if b"SigQ" not in line], name)
    child = box.start("--", "sleep", "1000", preexec_fn=prepare, restore_signals=False)
    ignored = int(status(the("pusher", child.pid), "SigIgn"), 16)
    same(ignored >> (signal.SIGQUIT - 1) & 1, 0, "SIGQUIT ignored in the pusher")


# --- nothing is held -------------------------------------------------------------------------------


def case_holds_nothing(box):
    kept, extra = os.pipe()
    for name, mode in MODES.items():
        child = box.start(*mode, "--", "sleep", "1000", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, pass_fds=[extra], cwd=box.dir)
        program = child.pid
        if mode:
            program = until(lambda: [p for p, _, _ in children(child.pid)
                                     if read("/proc/%d/comm" % p) == b"sleep\n"])[0]
        the("pusher", program)
        inodes = {os.readlink("/proc/%d/fd/%d" % (program, fd)) for fd in (0, 1, 2, extra)}
        for pid, what in ours(program) + ([(child.pid, "supervisor")] if mode else []):
            for fd in os.listdir("/proc/%d/fd" % pid):
                try:
                    link = os.readlink("/proc/%d/fd/%s" % (pid, fd))
                except OSError:
                    continue
                same(link in inodes, False, "%s: %s holds %s" % (name, what, link))
            if what != "supervisor":
                same(os.readlink("/proc/%d/cwd" % pid), "/", what + ": folder")
                same(os.getsid(pid) != os.getsid(program), True, what + ": a session of its own")
        os.kill(program, signal.SIGTERM)
        same(child.wait(PATIENCE_S), -15, name)
        gone(program)
    os.close(kept)
    os.close(extra)


def case_guardian_is_nobodys_child(box):
    child = box.start("--", "sleep", "1000")
    the("pusher", child.pid)
    until(lambda: not children(child.pid))  # the one between may not have ended yet: then exec waits for it
    same(children(child.pid), [], "children of the program")
    guardian = the("guardian", child.pid)
    same(status(guardian, "PPid") != str(child.pid), True, "its parent")


def case_named(box):
    """`pgrep -a pyroscope` finds the pusher."""
    child = box.start("--", "sleep", "1000")
    pusher = the("pusher", child.pid)
    same(until(lambda: read("/proc/%d/comm" % pusher) == b"pyroscope-push\n"), True, "its name")


# --- profiling on and off --------------------------------------------------------------------------


def case_switches(box):
    for value, want in (("false", 0), ("no", 0), ("0", 0), ("off", 0), ("maybe", 0),
                        ("1", 1), ("TRUE", 1), ("Yes", 1), ("on", 1), ("", 1)):
        child = box.start("--", "sleep", "1000", env=dict(box.on, PYROSCOPE_ENABLED=value))
        if want:
            the("pusher", child.pid)
        else:
            until(lambda: read("/proc/%d/comm" % child.pid) == b"sleep\n")
            same(ours(child.pid), [], "PYROSCOPE_ENABLED=" + value)
        child.kill()
        child.wait()


def case_no_name(box):
    for env in (box.off, dict(box.on, SERVICE_NAME="")):
        child = box.start("--", "sleep", "1000", env=env)
        until(lambda: read("/proc/%d/comm" % child.pid) == b"sleep\n")
        same(ours(child.pid), [], "processes of ours without a name of the service")


def case_options_reach_the_pusher(box):
    child = box.start("-a", "shop", "--grace", "3", "--spool", "here", "--superv", "--label=a=b", "--",
                      "sleep", "1000", env=dict(box.off, PYROSCOPE_URL="file:there"), cwd=box.dir)
    program = until(lambda: [p for p, _, _ in children(child.pid)
                             if read("/proc/%d/comm" % p) == b"sleep\n"])[0]
    words = read("/proc/%d/cmdline" % the("pusher", program)).decode().rstrip("\0").split("\0")
    same(words, ["pystoker", "push", "--tree", str(program), "-a", "shop", "--spool", "here",
                 "--label=a=b", "--spool", box.dir + "/here", "--url", "file:%s/there" % box.dir,
                 "--log", words[-1]], "its command line")
    # /tmp/profiler.log may be somebody else's.
    same(words[-1] in ("/tmp/profiler.log", "/dev/null"), True, "the log %s" % words[-1])
    child.terminate()
    child.wait(PATIENCE_S)


# --- what goes wrong -------------------------------------------------------------------------------


def case_mistakes(box):
    """The program runs, and the log or stderr says what is wrong."""
    here = dict(box.on, PYSTOKER_LOG="")
    for env, words, where, text in (
            (dict(box.on, PROFILE_INTERVAL="abc"), [], "log", "PROFILE_INTERVAL"),
            (dict(box.on, PYROSCOPE_SAMPLE_RATE="0"), [], "log", "PYROSCOPE_SAMPLE_RATE"),
            (box.on, ["--intervall", "10"], "log", "--intervall"),
            (box.on, ["--intervall", "10"], "stderr", "--interval?"),
            (box.on, ["--zzz"], "stderr", "--zzz"),
            (dict(box.on, PYROSCOPE_URL="nonsense://x y"), [], None, ""),
            (dict(box.on, PYSTOKER_LOG="/nonexistent/folder/log"), [], None, ""),
            (dict(here, PYSTOKER_LOG="/"), [], None, "")):
        open(box.log, "w").close()
        child, out, err = box.run(*words, "--", "sh", "-c", "echo runs; exit 4", env=env)
        changed = [words] + sorted(set(env.items()) - set(box.on.items()))
        same((out, child.returncode), (b"runs\n", 4), "the program, with %r" % changed)
        if where == "stderr":
            same(text in err.decode(), True, "%s in %r" % (text, err))
        elif not words:
            same(err, b"", "stderr with %r" % changed)
        if where == "log":
            child = box.start(*words, "--", "sleep", "1000", env=env, stderr=subprocess.DEVNULL)
            if not until(lambda: text in read(box.log).decode()):
                raise AssertionError("%s is not in the log: %r" % (text, read(box.log)))
            child.kill()


def case_without_dashes(box):
    for words in (["sh", "-c", "exit 4"], ["--interval", "abc", "sh", "-c", "exit 4"],
                  ["--zzz", "sh", "-c", "exit 4"], ["--zzz", "5", "--", "sh", "-c", "exit 4"]):
        same(box.run(*words)[0].returncode, 4, words)


def case_missing_program(box):
    plain = os.path.join(box.dir, "plain")
    open(plain, "w").close()
    for name, mode in MODES.items():
        for program, want in (("no-such-program-here", 127), (plain, 126)):
            child, _, err = box.run(*mode, "--", program)
            same(child.returncode, want, name + ": status")
            same(err.startswith(b"pystoker: cannot run "), True, name + ": " + repr(err))
            gone(child.pid)


def case_killed_pusher(box):
    for name, mode in MODES.items():
        child = box.start(*mode, "--", "sleep", "1000")
        program = child.pid
        if mode:
            program = until(lambda: [p for p, _, _ in children(child.pid)
                                     if read("/proc/%d/comm" % p) == b"sleep\n"])[0]
        first = the("pusher", program)
        os.kill(first, signal.SIGKILL)
        second = until(lambda: [p for p, what in ours(program) if what == "pusher" and p != first])
        same(bool(second), True, name + ": another one")
        same(until(lambda: b"signal 9" in read(box.log)), True, name + ": said in the log")
        same(child.poll(), None, name + ": the program")
        os.kill(program, signal.SIGKILL)
        same(child.wait(PATIENCE_S), -9, name)
        gone(program)


def case_killed_guardian(box):
    child = box.start("--", "sleep", "1000")
    pusher = the("pusher", child.pid)
    os.kill(the("guardian", child.pid), signal.SIGKILL)
    until(lambda: not [p for p, what in ours(child.pid) if what == "guardian"])
    same((child.poll(), bool(read("/proc/%d/cmdline" % pusher))), (None, True), "program and pusher")
    child.kill()
    child.wait()
    gone(child.pid)


def case_deleted_program_file(box):
    """An upgrade replaced the file: the pusher is started from what is running."""
    copy = os.path.join(box.dir, "pystoker")
    shutil.copy(PYSTOKER, copy)
    child = subprocess.Popen([copy, "exec", "--", "sleep", "1000"], env=box.on)
    box.started.append(child)
    first = the("pusher", child.pid)
    os.unlink(copy)
    os.kill(first, signal.SIGKILL)
    same(bool(until(lambda: [p for p, what in ours(child.pid) if what == "pusher" and p != first])), True,
         "another pusher")


def case_quick_end(box):
    """Programs that end before the pusher has begun leave nothing."""
    for _ in range(20):
        child = box.run("--", "true")[0]
        same(child.returncode, 0, "status")
        gone(child.pid)


def case_unprivileged(box):
    if os.getuid() or not shutil.which("setpriv"):
        raise Skip("needs root and setpriv, to give up being root")
    drop = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "--inh-caps=-all",
            "--bounding-set=-all", "--no-new-privs"]
    child = subprocess.Popen(drop + [PYSTOKER, "exec", "--", "sleep", "1000"], env=box.on, cwd=box.dir)
    box.started.append(child)
    pusher = the("pusher", child.pid)
    same(status(pusher, "Uid").split()[0], "1000", "its user")
    same(status(pusher, "CapEff"), "0000000000000000", "its capabilities")
    child.terminate()
    same(child.wait(PATIENCE_S), -15, "status")
    gone(child.pid)


def case_log_without_reader(box):
    """A fifo nobody reads holds up neither program nor guardian."""
    os.mkfifo(box.log)
    child = box.start("--", "sleep", "1000")
    first = the("pusher", child.pid)
    os.kill(first, signal.SIGKILL)
    until(lambda: [p for p, what in ours(child.pid) if what == "pusher" and p != first])
    child.terminate()
    same(child.wait(PATIENCE_S), -15, "status")
    gone(child.pid)
    os.unlink(box.log)


def case_old_kernel(box):
    """Without pidfd_open() and close_range(): before Linux 5.9, and under some container runtimes."""
    old = os.environ.get("OLD_KERNEL")
    if not old or subprocess.run([old, "true"], stderr=subprocess.DEVNULL).returncode:
        raise Skip("no program OLD_KERNEL that takes these calls away")
    kept, extra = os.pipe()
    child = subprocess.Popen([old, PYSTOKER, "exec", "--", "sleep", "1000"], env=box.on, pass_fds=[extra])
    box.started.append(child)
    first = the("pusher", child.pid)
    inode = os.readlink("/proc/self/fd/%d" % extra)
    for pid, what in ours(child.pid):
        links = [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
        same(inode in links, False, what + " holds a descriptor")
    os.kill(first, signal.SIGKILL)
    same(bool(until(lambda: [p for p, what in ours(child.pid) if what == "pusher" and p != first])), True,
         "another pusher")
    child.terminate()
    same(child.wait(PATIENCE_S), -15, "status")
    gone(child.pid)
    os.close(kept)
    os.close(extra)


# --- the shims for the old scripts -------------------------------------------------------------------

SCRIPTS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "scripts")


def shim_path(box, with_pystoker):
    folder = os.path.join(box.dir, "bin")
    os.makedirs(folder, exist_ok=True)
    if with_pystoker:
        os.symlink(PYSTOKER, os.path.join(folder, "pystoker"))
    return folder + ":/usr/bin:/bin"


def case_shim_entrypoint(box):
    """The same program with and without a pystoker that runs."""
    for with_pystoker in (False, True):
        env = dict(box.on, PATH=shim_path(box, with_pystoker))
        done = subprocess.run(["sh", SCRIPTS + "/ai-entrypoint.sh", "sh", "-c", "echo \"$@\"; exit 3", "sh",
                               "a  b", "c"], env=env, stdout=subprocess.PIPE, timeout=PATIENCE_S)
        same((done.stdout, done.returncode), (b"a  b c\n", 3), "with pystoker: %r" % with_pystoker)
    child = subprocess.Popen(["sh", SCRIPTS + "/ai-entrypoint.sh", "sleep", "1000"], env=env)
    box.started.append(child)
    the("pusher", child.pid)


def case_shim_profiler(box):
    """As the old entrypoint starts it; without arguments the environment counts."""
    env = dict(box.on, PATH=shim_path(box, True), SERVICE_NAME="other", PYSTOKER_LOG="")
    for words, name in (["my shop", DEAD_URL, "7"], b"my shop"), ([], b"other"):
        with open(box.log, "wb") as log:
            child = subprocess.Popen(["nohup", "sh", SCRIPTS + "/pyroscope-profiler.sh"] + words, env=env,
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        box.started.append(child)
        same(until(lambda: b"Starting profiler for " + name + b"\n" in read(box.log)), True, "the log")
        if words:
            same(until(lambda: b"every 7 s" in read(box.log)), True, "the interval")
        child.terminate()
        child.wait(PATIENCE_S)


# --- as PID 1, as a subreaper ------------------------------------------------------------------------

INSIDE = [b"os.wait() at the start: ECHILD", b"pusher: True", b"os.wait() beside the pusher: ECHILD",
          b"another pusher: True", b"os.wait() after its death: ECHILD", b"zombies: []"]
NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc"]


def need_namespace():
    if os.getuid() or not shutil.which("unshare"):
        raise Skip("needs root and unshare, to be PID 1 of a namespace")


def left(box):
    """Processes that have this box's log in their environment."""
    mark = ("PYSTOKER_LOG=" + box.log).encode()
    return [pid for pid, _, _ in children(None) if mark in read("/proc/%d/environ" % pid)]


def case_pid_1(box):
    need_namespace()
    done = subprocess.run(NAMESPACE + [PYSTOKER, "exec", "--", sys.executable, "-B", HERE + "/inside.py"],
                          env=box.on, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_S * 2)
    same(done.stdout.splitlines(), INSIDE, "seen by PID 1 (stderr %r)" % done.stderr)
    same(done.returncode, 5, "status")
    same(until(lambda: not left(box)), True, "everything has ended with it")


def case_subreaper(box):
    libc = ctypes.CDLL(None)
    child, out, err = box.run("--", sys.executable, "-B", HERE + "/inside.py",
                              preexec_fn=lambda: libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
    same(out.splitlines()[:-1], INSIDE[:-1], "seen by the subreaper (stderr %r)" % err)
    same(child.returncode, 5, "status")
    gone(child.pid)


def case_supervised_pid_1(box):
    need_namespace()
    for script, want in (("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", 143), ("kill -KILL $$", 137)):
        done = subprocess.run(NAMESPACE + [PYSTOKER, "exec", "--supervise", "--", "sh", "-c", script],
                              env=box.on, timeout=PATIENCE_S)
        same(done.returncode, want, script)
    same(until(lambda: not left(box)), True, "everything has ended")


# --- --supervise -------------------------------------------------------------------------------------


def case_supervised_signals(box):
    """Each signal reaches the program once; its own end is by its own choice."""
    script = ("import signal,sys\n"
              "seen=[]\n"
              "names=sys.argv[1:]\n"
              "for n in names: signal.signal(getattr(signal,n), lambda s,f: seen.append(s))\n"
              "print('ready', flush=True)\n"
              "while len(seen) < len(names): signal.pause()\n"
              "print(sorted(seen)==sorted(int(getattr(signal,n)) for n in names))\n"
              "sys.exit(9)\n")
    names = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGABRT",
             "SIGWINCH", "SIGPIPE", "SIGSEGV", "SIGRTMIN"]
    child = box.start("--supervise", "--", sys.executable, "-c", script, *names, stdout=subprocess.PIPE)
    same(child.stdout.readline(), b"ready\n", "start")
    for name in names:
        child.send_signal(getattr(signal, name))
    same(child.stdout.read(), b"True\n", "signals seen")
    same(child.wait(PATIENCE_S), 9, "status")


def case_supervised_orphans(box):
    """An orphan of the program is reaped while the program lives."""
    child = box.start("--supervise", "--", "sh", "-c", "(sleep 0.01 & echo $!); read x",
                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    orphan = int(child.stdout.readline())
    same(until(lambda: not read("/proc/%d/stat" % orphan)), True, "the orphan is reaped")
    same([c for c in children(child.pid) if c[1] == "Z"], [], "zombies")
    child.stdin.write(b"x\n")
    child.stdin.flush()
    same(child.wait(PATIENCE_S), 0, "status")


def case_supervised_stop(box):
    """A stop of the program is one of ours; SIGCONT to us continues both."""
    child = box.start("--supervise", "--", "sh", "-c", "kill -STOP $$; exit 6")
    pid, what = os.waitpid(child.pid, os.WUNTRACED)
    same(os.WIFSTOPPED(what), True, "stopped")
    os.kill(pid, signal.SIGCONT)
    same(child.wait(PATIENCE_S), 6, "status")


def case_supervised_last_profile(box):
    """The pusher ends by itself before we do."""
    child = box.start("--supervise", "--", "sh", "-c", "read x", stdin=subprocess.PIPE)
    program = until(lambda: [p for p, _, _ in children(child.pid)
                             if read("/proc/%d/comm" % p) == b"sh\n"])[0]
    pusher = the("pusher", program)
    child.stdin.close()
    same(child.wait(PATIENCE_S), 1, "status")
    same(read("/proc/%d/stat" % pusher), b"", "the pusher, after our end")


# --- on a terminal -----------------------------------------------------------------------------------


class Terminal:
    """A shell with job control on a pseudo-terminal."""

    def __init__(self, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], dict(env, PS1="$ "))
        self.text = b""

    def say(self, text):
        os.write(self.fd, text.encode())

    def expect(self, text):
        """Waits for text, and drops what came before it."""
        end = time.monotonic() + PATIENCE_S
        while text.encode() not in self.text:
            if time.monotonic() > end or not select.select([self.fd], [], [], PATIENCE_S)[0]:
                raise AssertionError("no %r on the terminal: %r" % (text, self.text))
            self.text += os.read(self.fd, 4096)
        self.text = self.text.partition(text.encode())[2]

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def case_job_control(box):
    if not shutil.which("bash"):
        raise Skip("no bash")
    # The program says what it does: "up", then "on" each time it is continued, "int" for ^C.
    program = os.path.join(box.dir, "program.py")
    with open(program, "w") as f:
        f.write("import os,signal,sys\n"
                "signal.signal(signal.SIGCONT, lambda s,f: print('<on>', flush=True))\n"
                "signal.signal(signal.SIGINT, lambda s,f: (print('<int>', flush=True), os._exit(7)))\n"
                "print('<up>', os.getpgrp()==os.tcgetpgrp(0), flush=True)\n"
                "while True: signal.pause()\n")
    for name, mode in MODES.items():
        t = Terminal(box.on)
        try:
            t.expect("$ ")
            t.say(" ".join([PYSTOKER, "exec"] + mode + ["--", sys.executable, program]) + "\n")
            t.expect("<up> True")
            t.say("\x1a")
            t.expect("Stopped")
            t.expect("$ ")
            t.say("fg\n")
            t.expect("<on>")
            t.say("\x03")
            t.expect("<int>")
            t.expect("$ ")
            t.say("echo status=$?\n")
            t.expect("status=7")
        except AssertionError as e:
            raise AssertionError(name + ": " + str(e))
        finally:
            t.close()


# --- the runner --------------------------------------------------------------------------------------


def run_case(number, name, case):
    box = Box()
    title = name[len("case_"):].replace("_", " ")
    try:
        case(box)
        print("ok %d - exec: %s" % (number, title))
    except Skip as e:
        print("ok %d - exec: %s # SKIP %s" % (number, title, e))
    except Exception:
        print("not ok %d - exec: %s" % (number, title))
        print("".join("# %s\n" % line for line in traceback.format_exc().splitlines()), end="")
        print("# log: %r" % read(box.log))
        return False
    finally:
        box.close()
        sys.stdout.flush()
    return True


def main():
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    cases = [(name, case) for name, case in globals().items() if name.startswith("case_") and part in name]
    results = [run_case(i + 1, name, case) for i, (name, case) in enumerate(cases)]
    print("1..%d" % len(cases))
    return 0 if all(results) else 1


sys.exit(main())
