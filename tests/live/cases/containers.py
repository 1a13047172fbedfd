# SPDX-License-Identifier: MIT
"""Targets in namespaces of their own, looked at from outside and from within. That interpreters are found when they are
deleted, renamed or in another root is the test locate's; the chroots of tests/interpreters are roots, too."""
import json
import os
import subprocess

from driver import pystoker, rows, target

ROWS = "spread"
SPACES = {
    "PID namespace": ["unshare", "--pid", "--fork"],
    "user namespace": ["unshare", "--user", "--map-root-user"],
    "user, PID and mount namespace": ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount"],
    "PID namespace in another": ["unshare", "--pid", "--fork", "unshare", "--pid", "--fork"],
}


def innermost(pid):
    """The descendant that execs no more: unshare --fork stays and waits for its child."""
    while True:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            children = f.read().split()
        if not children:
            return pid
        pid = int(children[0])


def looked_at(check, pid, what, before=(), seen_as=None):
    run = pystoker.Run(["dump", "--json", "-p", seen_as or pid], before=before)
    good = run.status == 0 and '"work"' in run.stdout.decode()
    check.ok(good, "%s: dump" % what, run, run.stdout[:300])
    return run


def outside(row, check, what, space):
    with target.Target(space + target.command(row, "obey.py")) as t:
        try:
            inside = t.next()["ready"]
        except target.TargetError as e:
            check.skip(what, "cannot be made here: %s" % str(e)[-200:])
            return
        t.say(b"rounds\n")
        while t.next()["rounds"] == 0:
            t.say(b"rounds\n")
        pid = innermost(t.pid)
        run = looked_at(check, pid, what)
        threads = {int(tid) for tid in os.listdir("/proc/%d/task" % pid)}
        shown = {th["os_thread_id"] for th in json.loads(run.stdout.decode() or "[]")}
        check.ok(shown == threads, "%s: thread ids are ours" % what, shown, threads)
        run, stacks = pystoker.record(["-p", pid, "-d", 0.2, "-r", 200])
        check.ok(stacks and any("step" in f for s in stacks.counts for f in s), "%s: record" % what, run)
        if "PID" in what and "user" not in what and rows.which("nsenter") and not row.root:
            # A /proc of the namespace's own is what a container has.
            enter = ["nsenter", "-t", str(pid), "-p", "--", "unshare", "-m", "--mount-proc"]
            if subprocess.run(enter + ["true"], stderr=subprocess.DEVNULL).returncode:
                check.skip("%s: from within" % what, "nsenter cannot enter it")
            else:
                looked_at(check, pid, "%s: from within, where it is %d" % (what, inside), enter, inside)


def run(row, check):
    if not rows.which("unshare"):
        check.skip("namespaces", "unshare is not installed")
        return
    for what, space in SPACES.items():
        outside(row, check, what, space)
