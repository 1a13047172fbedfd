# SPDX-License-Identifier: MIT
"""Disks that are full or read-only, folders full of foreign things, limits of what may wait."""
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from lib import pprof
from lib.pushing import Push, covered, ready, run, worker
from lib.serving import CPU, WALL, Server, wait_for


def on_a_disk(check, server, w, options, what, fill=0):
    """A run whose spool is a small file system of its own."""
    with tempfile.TemporaryDirectory() as folder:
        spool = os.path.join(folder, "spool")
        os.mkdir(spool)
        ballast = "head -c %d /dev/zero > %s/ballast && " % (fill, spool) if fill else ""
        script = "mount -t tmpfs -o %s tmpfs %s && %sexec \"$@\"" % (options, spool, ballast)
        before = ["unshare", "-m"] + ([] if os.geteuid() == 0 else ["-U", "-r"]) + ["sh", "-c", script, "sh"]
        with Push(server.url, "--pid", ready(w), "--profiles", "wall", folder=folder, before=before) as push:
            server.wait(lambda s: len(s.profiles()) >= 2)
            server.control(listen=False)
            push.says("Failed to push profile")
            time.sleep(2.5)  # so that intervals collect where the disk is no help
            server.control(listen=True)
            count = len(server.state().profiles())
            server.wait(lambda s: len(s.profiles()) >= count + 4, 120)
            check.equal(push.end(), 0, what + ": status 0")
        log = push.log() if os.path.exists(push.log_path) else ""
    covered(check, server.state(), what, count=6)
    return log


def read_only(check):
    with Server() as server, worker() as w:
        log = on_a_disk(check, server, w, "ro,size=64k", "read-only")
        check.ok("ead-only" in log, "read-only: said", log[:600])


def full(check):
    with Server() as server, worker() as w:
        log = on_a_disk(check, server, w, "size=8k", "full disk", fill=8192)
        check.ok("pace left" in log, "full disk: said", log[:600])


def nowhere(check):
    """A spool that cannot be made: memory has to do."""
    with Server() as server, worker() as w:
        with Push(server.url, "--pid", ready(w), "--profiles", "wall", "--spool", "/proc/nowhere/spool",
                  spool=False) as push:
            server.wait_profiles(3)
            check.equal(push.end(), 0, "status 0")
        covered(check, server.state(), "no spool at all", count=3)


def foreign_things(check):
    """What others put into the folder harms nobody."""
    with Server() as server, worker() as w, tempfile.TemporaryDirectory() as folder:
        run_folder = os.path.join(folder, "spool", "1795246045-17")
        os.makedirs(os.path.join(run_folder, "running"))
        os.makedirs(os.path.join(run_folder, "sent"))
        os.mkfifo(os.path.join(run_folder, "1795246045138-1.cpu.pb.gz"))
        os.symlink("/dev/zero", os.path.join(run_folder, "1795246045138-2.cpu.pb.gz"))
        os.symlink(folder, os.path.join(folder, "spool", "1795246045-18"))
        os.mkfifo(os.path.join(folder, "spool", "fifo"))
        made = pprof.Writer(time.time_ns() - 10**10).add([("f", "x", 1)], 5).gzip()
        for name, data in {"1795246045138-3.cpu.pb.gz": b"\x1f\x8bgarbage", "1795246045138-4.wall.pb.gz": b"",
                           "99999999999999999999999-4.wall.pb.gz": made, "readme": b"x", "-.pb.gz": b"x",
                           "running/1795246045138-5.cpu.pb": b"torn" * 100, "running/.x.tmp": b"y"}.items():
            with open(os.path.join(run_folder, name), "wb") as f:
                f.write(data)
        with open(os.path.join(run_folder, "1795246045138-6.cpu.pb.gz"), "wb") as f:
            f.truncate(1 << 30)
        with Push(server.url, "--pid", ready(w), "--profiles", "wall", folder=folder) as push:
            server.wait_profiles(3, service_name="api")
            check.equal(push.end(), 0, "status 0")
        covered(check, server.state(), "foreign things", count=3, service_name="api", pid=str(w.pid))


def limits_of_size(check):
    """A spool of 64 KiB in which an earlier run has left three times that: the oldest go, the rest arrives, the loss
    is said and counted."""
    with Server() as server, worker() as w, tempfile.TemporaryDirectory() as folder:
        left = os.path.join(folder, "spool", "1795246045-17")
        os.makedirs(left)
        times = [time.time_ns() - (60 + k) * 10**9 for k in range(24)]
        for t in times:
            made = pprof.Writer(t, labels=[("service_name", "old")]).add([(os.urandom(4096).hex(), "x", 1)], 5)
            with open("%s/%d-1.cpu.pb.gz" % (left, t // 10**6), "wb") as f:
                f.write(made.gzip())
        figures = os.path.join(folder, "figures")
        server.control(listen=False)
        with Push(server.url, "--pid", ready(w), "--spool-size", "65536", "--stats-file", figures,
                  folder=folder) as push:
            wait_for(lambda: os.path.exists(figures))
            size = sum(os.path.getsize(os.path.join(push.spool, f)) for f in push.files())
            check.ok(size <= 65536 + 4096, "the folder keeps to its size", size)
            server.control(listen=True)
            server.wait(lambda s: not push.waiting() and s.profiles(), 120)
            check.equal(push.end(), 0, "status 0")
        check.ok("room" in push.log() or "dropped for" in push.log(), "the loss is said", push.note())
        state = server.state()
        with open(figures) as f:
            count = re.search(r"^pystoker_dropped_no_room_total\S* (\d+)", f.read(), re.M)
    got = sorted(p["time_nanos"] for p in state.profiles(CPU, service_name="old"))
    check.ok(0 < len(got) < 24 and got == sorted(times)[-len(got):], "the newest of them arrive", len(got))
    check.ok(count and int(count[1]) == 24 - len(got), "the others are counted", count and count[1], 24 - len(got))


def limits_of_age(check):
    """Intervals too old for any server are dropped and counted."""
    with Server() as server, worker() as w:
        server.control(listen=False)
        with Push(server.url, "--pid", ready(w), "--profiles", "wall", "--spool-age", "3") as push:
            check.ok(wait_for(lambda: len(push.waiting()) >= 2), "collected")
            first = push.waiting()[0]
            check.ok(wait_for(lambda: first not in push.waiting()), "the old ones go", push.files())
            server.control(listen=True)
            server.wait(lambda s: s.profiles(), 120)
            push.end()
        state = server.state()
    stamp = int(first.rpartition("/")[2].partition("-")[0])
    check.ok(state.profiles() and all(p["time_nanos"] // 10**6 > stamp for p in state.profiles()), "and are not sent")


def one_file_is_one_profile(check):
    """What waits can be read by anybody, and replayed."""
    with Server() as server, worker() as w:
        server.control(listen=False)
        with Push(server.url, "--pid", ready(w), "--label", "team=blue") as push:
            wait_for(lambda: len(push.waiting()) >= 4)
            push.end(signal.SIGKILL)
            files = push.waiting()
            for name in files:
                with open(os.path.join(push.spool, name), "rb") as f:
                    profile = pprof.read(f.read())
                check.ok(profile.samples and profile.time_nanos and profile.duration_nanos, "pprof: " + name)
            check.ok(all(os.stat(os.path.join(push.spool, f)).st_mode & 0o077 == 0 for f in files) or
                     os.stat(push.spool).st_mode & 0o077 == 0, "nobody else can read it")
            check_go(check, os.path.join(push.spool, files[0]))
            server.control(listen=True)
            folder = os.path.dirname(os.path.join(push.spool, files[0]))
            status, _, said = run("push", "--replay", folder, "--url", server.url, "--spool", push.folder + "/other")
            check.equal(status, 0, "replayed: " + said)
        state = server.state()
    found = state.profiles(WALL) + state.profiles()
    check.ok(found and all(p["labels"].get("team") == "blue" and p["labels"].get("pid") == str(w.pid) and
                           p["labels"].get("service_name") == "api" for p in found), "with the labels of the interval",
             found[0]["labels"] if found else "")


def file_url(check):
    """No server at all."""
    with worker() as w, tempfile.TemporaryDirectory() as folder:
        collected = os.path.join(folder, "not", "yet", "profiles")
        with Push("file:" + collected, "--pid", ready(w)) as push:
            wait_for(lambda: len(glob.glob(collected + "/**/*.pb.gz", recursive=True)) >= 4)
            check.equal(push.end(), 0, "status 0")
        files = sorted(glob.glob(collected + "/**/*.pb.gz", recursive=True))
        check.ok(len(files) >= 4, "intervals collect in the folder", push.note())
        profiles = []
        for name in files:
            with open(name, "rb") as f:
                profiles.append(pprof.read(f.read()))
        wall = sorted((p for p in profiles if p.types() == [("wall", "nanoseconds")]), key=lambda p: p.time_nanos)
        holes = [b.time_nanos - a.time_nanos - a.duration_nanos for a, b in zip(wall, wall[1:])]
        check.ok(len(wall) >= 2 and all(abs(h) <= 10**6 for h in holes), "without gaps", holes)
        if files:
            check_go(check, files[0])


def file_url_that_takes_nothing(check):
    """It is said, the profiles stay in the spool, and the end is not held up."""
    with worker() as w, tempfile.NamedTemporaryFile() as f:
        pid = ready(w)
        for url, why in (("file:" + f.name + "/below", "Not a directory"), ("file:/proc/none/below", "does not exist")):
            with Push(url, "--pid", pid) as push:
                check.ok(push.says(why + ".*stays in the spool", 20), url + ": the log says why", push.note())
                push.send(signal.SIGTERM)
                check.equal(push.wait(20), 0, url + ": SIGTERM ends it")
                check.ok(push.waiting(), url + ": the profiles wait", push.files())


def check_go(check, path):
    """go tool pprof reads it, where there is Go."""
    go = shutil.which("go")
    if not go:
        check.ok(True, "go tool pprof: no Go here")
        return
    done = subprocess.run([go, "tool", "pprof", "-top", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=dict(os.environ, HOME=os.environ.get("HOME", "/tmp"), GOTOOLCHAIN="local", GOPROXY="off"))
    check.ok(done.returncode == 0 and b"flat%" in done.stdout, "go tool pprof reads it", done.stderr.decode()[-300:])
