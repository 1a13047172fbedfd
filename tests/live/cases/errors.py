# SPDX-License-Identifier: MIT
"""Bad input: the exit status that man/pystoker.1 states, one clear line on stderr, nothing on stdout, no partial file."""
import os
import subprocess
import sys
import tempfile

from driver import pystoker, rows, target

ROWS = "once"
USAGE, GONE, NOT_PYTHON, UNSUPPORTED, DENIED, OUTPUT = 2, 3, 4, 5, 6, 7
NOBODY = 65534
SLEEP = ["-c", "import sys; sys.stdout.write('1\\n'); sys.stdout.flush(); sys.stdin.read()"]


def fails(check, what, arguments, status, *words, **options):
    run = pystoker.Run(arguments, **options)
    lines = run.stderr.strip().split("\n")
    good = run.status == status and not run.stdout and all(w in run.stderr for w in words)
    check.ok(good and len(lines) <= 3 and lines[0].startswith("pystoker: "), "%s: status %d" % (what, status),
             run, run.stdout[:80])


def newest_own(found):
    return ([r for r in found if not r.root] or found)[-1]


def no_such_process():
    with open("/proc/sys/kernel/pid_max") as f:
        return int(f.read()) - 1


def wrong_processes(check):
    gone = no_such_process()
    ended = subprocess.Popen(["true"])
    ended.wait()
    for command in ("dump", "record"):
        fails(check, "%s: no such process" % command, [command, "-p", gone], GONE, str(gone))
        fails(check, "%s: one that has ended" % command, [command, "-p", ended.pid], GONE, str(ended.pid))
        with target.Target(["cat"]) as t:
            fails(check, "%s: not Python" % command, [command, "-p", t.pid], NOT_PYTHON, str(t.pid))
    kernel = [p for p in os.listdir("/proc") if p.isdigit() and kernel_thread(int(p))]
    if kernel:
        fails(check, "dump: a thread of the kernel", ["dump", "-p", kernel[0]], NOT_PYTHON, kernel[0])
    else:
        check.skip("dump: a thread of the kernel", "none is to be seen; this may be a container")
    zombie(check)


def kernel_thread(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return int(f.read().rpartition(")")[2].split()[6]) & 0x00200000 != 0  # PF_KTHREAD
    except OSError:
        return False


def zombie(check):
    child = subprocess.Popen(["true"])
    target.wait_for(lambda: target.state(child.pid) == "Z")
    fails(check, "dump: a zombie", ["dump", "-p", child.pid], GONE, str(child.pid))
    child.wait()


def old_python(check):
    listed = subprocess.run([rows.LIST, "--all"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    old = [r for r in map(rows.Row, listed.stdout.decode().splitlines()) if r.version < (3, 6)]
    if not old:
        check.skip("a Python that is too old", "there is none before 3.6 here")
        return
    with target.Target(old[0].command + SLEEP) as t:
        t.line()
        for command in ("dump", "record"):
            fails(check, "%s: Python %s" % (command, old[0].text), [command, "-p", t.pid], UNSUPPORTED, "3.6")


def not_permitted(check, row):
    if os.getuid() != 0 or not rows.which("setpriv"):
        check.skip("another user's process", "needs root and setpriv")
        return
    nobody = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups"]
    # Where nobody can come to it.
    with tempfile.TemporaryDirectory() as folder, target.Target(row.command + SLEEP) as t:
        t.line()
        os.chmod(folder, 0o755)
        copy = os.path.join(folder, "pystoker")
        with open(pystoker.PROGRAM, "rb") as original, open(copy, "wb") as f:
            f.write(original.read())
        os.chmod(copy, 0o755)
        for argv in (["dump", "-p", t.pid], ["record", "-o", "-", "-p", t.pid]):
            run = subprocess.run(nobody + [copy] + [str(a) for a in argv], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=pystoker.PATIENCE_S)
            text = run.stderr.decode()
            check.ok(run.returncode == DENIED and not run.stdout and str(t.pid) in text and "CAP_SYS_PTRACE" in text,
                     "%s: another user's process: status %d, names what is missing" % (argv[0], DENIED),
                     run.returncode, text)
        # Root without the capability, as in many containers.
        weak = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
        with target.Target(["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups", sys.executable]
                           + SLEEP) as other:
            try:
                other.line()
            except target.TargetError as e:
                check.skip("root without CAP_SYS_PTRACE", str(e))
                return
            run = pystoker.Run(["dump", "-p", other.pid], before=weak)
            check.ok(run.status == DENIED and "CAP_SYS_PTRACE" in run.stderr,
                     "dump: root without CAP_SYS_PTRACE: status %d" % DENIED, run)


def outputs(check, t, folder):
    def record(path, *options, **more):
        return ["record", "-p", t.pid, "-d", "0.2", "-o", path, *options]

    missing = os.path.join(folder, "missing", "p.svg")
    fails(check, "output folder missing", record(missing), OUTPUT, missing)
    plain = os.path.join(folder, "plain")
    open(plain, "w").close()
    fails(check, "output below a plain file", record(plain + "/p.svg"), OUTPUT, plain)
    fails(check, "output is a folder", record(folder, "-f", "raw"), OUTPUT, folder)
    os.remove(plain)
    for form in ("flamegraph", "raw", "speedscope", "pprof", "chrometrace"):
        fails(check, "/dev/full, %s" % form, record("/dev/full", "-i", "-f", form), OUTPUT, "/dev/full")
    check.ok(os.listdir(folder) == [], "nothing is left behind", os.listdir(folder))


IN_TMPFS = """set -e
mount -t tmpfs -o size=%s pystoker-test "$1"
rc=0
"$2" record -p "$3" -d 0.2 -i -o "$1/p.%s" --full-filenames || rc=$?
ls -A "$1" >&2
exit $rc
"""


def full_disk(check, t, folder):
    """A disk that is full from the start, and one that cannot be written."""
    if os.getuid() != 0 or subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        check.skip("a full disk", "needs root and unshare")
        return
    for suffix in ("svg", "speedscope.json", "txt", "pb.gz"):
        script = IN_TMPFS % ("4k", suffix)
        script = script.replace("rc=0\n", "head -c 4096 /dev/zero >\"$1/filler\" || :\nrc=0\n")
        run = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", folder, pystoker.PROGRAM, str(t.pid)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=pystoker.PATIENCE_S)
        text = run.stderr.decode()
        check.ok(run.returncode == OUTPUT and "/p." + suffix in text and text.endswith("\nfiller\n"),
                 "a full disk, %s: status %d, names the file and leaves none" % (suffix, OUTPUT), run.returncode, text)
    script = (IN_TMPFS % ("1m", "svg")).replace("rc=0\n", "mount -o remount,ro \"$1\"\nrc=0\n")
    run = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", folder, pystoker.PROGRAM, str(t.pid)],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=pystoker.PATIENCE_S)
    check.ok(run.returncode == OUTPUT and b"/p.svg" in run.stderr, "a disk that is read-only: status %d" % OUTPUT,
             run.returncode, run.stderr)


def empty_profile(check, t, folder):
    """All threads asleep: a valid file, status 0, a hint; in every format."""
    for suffix in (".svg", ".txt", ".speedscope.json", ".pb.gz", ".json"):
        path = os.path.join(folder, "p" + suffix)
        run = pystoker.Run(["record", "-p", t.pid, "-d", "0.2", "-o", path] +
                           (["-f", "chrometrace"] if suffix == ".json" else []))
        check.ok(run.status == 0 and os.path.exists(path) and "--idle" in run.stderr and pystoker.samples(run) == 0,
                 "an empty profile, %s" % suffix, run)
        os.path.exists(path) and os.remove(path)


def to_stdout(check, t):
    run = pystoker.Run(["record", "-p", t.pid, "-d", "0.2", "-i", "-f", "raw", "-o", "-"])
    stacks = [line for line in run.stdout.decode().split("\n")[:-1]]
    check.ok(run.status == 0 and stacks and all(s.rpartition(" ")[2].isdigit() for s in stacks),
             "-o -: data on stdout and nothing else", run, run.stdout[:200])
    closed = subprocess.run(["sh", "-c", "\"$0\" dump -p %d >&-" % t.pid, pystoker.PROGRAM], stderr=subprocess.PIPE)
    check.ok(closed.returncode not in (0, -11), "stdout closed: said", closed.returncode, closed.stderr)
    full = subprocess.run(["sh", "-c", "\"$0\" dump -p %d >/dev/full" % t.pid, pystoker.PROGRAM],
                          stderr=subprocess.PIPE)
    check.ok(full.returncode not in (0, -11), "stdout full: said", full.returncode, full.stderr)


def usage(check, t):
    pid = ["-p", t.pid]
    for what, arguments in (
            ("rate no number", ["-r", "fast"]), ("rate zero", ["-r", "0"]), ("rate negative", ["-r", "-1"]),
            ("rate absurd", ["-r", "1e30"]), ("rate nan", ["-r", "nan"]), ("duration zero", ["-d", "0"]),
            ("duration no number", ["-d", "long"]), ("duration negative", ["-d", "-3"]),
            ("duration infinite", ["-d", "inf"]), ("unknown format", ["-f", "pdf"]),
            ("unknown option", ["--no-such-option"]), ("a program too", ["--", "true"]),
            ("blocking and not", ["--blocking", "--nonblocking"]), ("lines and not", ["-F", "--nolineno"])):
        fails(check, "record: %s" % what, ["record", *pid, *arguments], USAGE)
    for what, arguments in (("neither process nor program", ["record"]), ("no process", ["dump"]),
                            ("PID no number", ["dump", "-p", "me"]), ("PID zero", ["dump", "-p", "0"]),
                            ("PID negative", ["dump", "-p", "-5"]), ("PID absurd", ["dump", "-p", "99999999999"]),
                            ("unknown command", ["recrod"])):
        fails(check, what, arguments, USAGE)
    run = pystoker.Run(["record", "-o", "/dev/null", "-f", "raw", "--", "/no/such/program"])
    check.ok(run.status == 127 and "/no/such/program" in run.stderr, "a program that is not there: 127", run)
    run = pystoker.Run(["record", "-o", "/dev/null", "-f", "raw", "--", "/etc/passwd"])
    check.ok(run.status == 126 and "/etc/passwd" in run.stderr, "a program that is none: 126", run)


def run(_row, check):
    found = rows.find([])[0]
    row = newest_own(found)
    wrong_processes(check)
    old_python(check)
    not_permitted(check, row)
    with target.Target(row.command + SLEEP) as t:
        t.line()
        target.wait_for(lambda: target.in_system_call(t.pid, t.pid) == target.READ)
        usage(check, t)
        for part in (outputs, full_disk, empty_profile):
            with tempfile.TemporaryDirectory() as folder:
                part(check, t, folder)
        to_stdout(check, t)
