# SPDX-License-Identifier: MIT
"""doctor looks at this machine."""
import json
import os
import shutil
import subprocess
import tempfile

from driver import pystoker
from lib.pushing import environment, ready, worker

DENIED, NOT_PYTHON = 6, 4
NOBODY = 65534


def local(*words, before=(), **options):
    """(status, checks, stderr) of doctor --local."""
    options.setdefault("env", environment())
    r = pystoker.Run(["doctor", "--local", "--json"] + list(words), before=before, **options)
    return r.status, json.loads(r.stdout.decode() or "[]"), r.stderr


def of(checks, name, pid=None):
    return [c for c in checks if c["id"] == name and (pid is None or c.get("pid") == pid)]


def a_process(check):
    with worker() as w:
        pid = ready(w)
        for words in ((), ("--pid", pid), ("--match", "worker[.]py")):
            status, checks, errors = local(*words)
            found = of(checks, "process", pid)
            check.equal([c["verdict"] for c in found], ["ok"], "found and read by %s" % (words[:1] or "looking",))
            check.ok(found and "Python 3." in found[0]["text"] and "worker.py" in found[0]["text"],
                     "with version and command line", checks, errors)
        check.equal(len(of(local("--pid", pid)[1], "process")), 1, "--pid is about one process")


def fewer_cpus(check):
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2 or not shutil.which("taskset"):
        check.skip("on fewer CPUs than the process", "needs taskset and two CPUs")
        return
    with worker() as w:
        pid = ready(w)
        for before, verdict in (((), "ok"), (("taskset", "-c", str(cpus[0])), "warn")):
            checks = local("--pid", pid, before=before)[1]
            check.equal([c["verdict"] for c in of(checks, "cpus")], [verdict], "CPUs: %s" % (before or "all",))


def as_nobody(check):
    if os.getuid() != 0 or not shutil.which("setpriv"):
        check.skip("root's process as nobody", "needs root and setpriv")
        return
    with worker() as w, tempfile.TemporaryDirectory() as folder:
        pid = ready(w)
        os.chmod(folder, 0o755)
        copy = shutil.copy(pystoker.PROGRAM, folder)  # where nobody can come to it
        nobody = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups", copy]
        for words in (["--pid", str(pid)], ["--match", "worker[.]py"]):
            done = subprocess.run(nobody + ["doctor", "--local", "--json"] + words, stdout=subprocess.PIPE,
                                  env=environment(), cwd="/", timeout=pystoker.PATIENCE_S)
            found = of(json.loads(done.stdout.decode() or "[]"), "process", pid)
            check.equal((done.returncode, [c["verdict"] for c in found]), (DENIED, ["FAIL"]), "denied by " + words[0])
            check.ok(found and "user 0" in found[0]["text"] and "sudo" in found[0].get("hint", ""),
                     "why, and what to do", found)


def nothing_here(check):
    status, checks, _ = local("--match", "no process has this command line")
    check.equal((status, of(checks, "process")[0]["verdict"]), (NOT_PYTHON, "FAIL"), "nothing matches")
    with worker() as w, tempfile.TemporaryDirectory() as folder:
        r = pystoker.Run(["doctor", "--json", "--app", "x", "--match", "no process has this", "--url", "file:" + folder,
                          "--interval", "1"], env=environment())
        check.equal(r.status, NOT_PYTHON, "one that was asked for is missed also beside a server")
        r = pystoker.Run(["doctor", "--local", "--json", "--pid", str(ready(w))], before=["env", "PYSTOKER_MATCH=x"],
                         env=environment())
        check.equal(r.status, 0, "an option given excludes the variable of another")


def folders(check):
    with worker() as w, tempfile.TemporaryDirectory() as folder:
        pid = ready(w)
        spool = os.path.join(folder, "not", "yet")
        status, checks, _ = local("--pid", pid, "--spool", spool)
        check.equal((status, of(checks, "spool")[0]["verdict"]), (0, "ok"), "a spool that is not there yet")
        check.equal(os.listdir(folder), [], "it is not made")
        status, checks, _ = local("--pid", pid, "--spool", "/proc/here")
        check.equal((status, of(checks, "spool")[0]["verdict"]), (0, "warn"), "a spool that cannot be written")
        with open(spool.split("/not")[0] + "/file", "w"):
            pass
        status, checks, _ = local("--pid", pid, "--spool", folder + "/file/below")
        check.equal(of(checks, "spool")[0]["verdict"], "warn", "a spool below a file")
