# SPDX-License-Identifier: MIT
"""Section `exec`: what the container's entrypoint adds to the start of a program."""
import os
import statistics
import subprocess
import sys
import time

from . import process, service
from .bench import interval
from .report import Table, number, spread

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
PUSHER_SECONDS = 20  # after its program's end


def spoken_ms(argv):
    """Until the program's first output."""
    begin = time.monotonic()
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          preexec_fn=process.die_with_us) as running:
        byte = os.read(running.stdout.fileno(), 1)
        took = 1000 * (time.monotonic() - begin)
    if not byte:
        raise RuntimeError("says nothing: " + " ".join(argv))
    return took


def strangers():
    """Children that we did not start: pushers that lost their parent and are ours as we are the subreaper."""
    known = {p.pid for p in process.alive}
    pids = service.read("/proc/self/task/%d/children" % os.getpid()).split()
    return [int(pid) for pid in pids if int(pid) not in known]


def wait_for_pushers():
    """They end a little after their program; none must run into the next measurement."""
    deadline = time.monotonic() + PUSHER_SECONDS
    while strangers() and time.monotonic() < deadline:
        for pid in strangers():
            os.waitpid(pid, os.WNOHANG)
        time.sleep(0.005)
    if strangers():
        raise RuntimeError("a pusher outlives its program by %d s" % PUSHER_SECONDS)


def pairs_of(bench, before, program):
    """[(ms alone, ms under exec)]; which comes first alternates."""
    found = []
    for i in range(bench.s.exec_pairs):
        took = {}
        for under in (False, True) if i % 2 == 0 else (True, False):
            took[under] = spoken_ms(before + program if under else program)
            wait_for_pushers()
            time.sleep(bench.s.settle_s)
        found.append((took[False], took[True]))
    return found


def exec_row(bench, table, words, options, program, shown):
    bench.say("exec: %s, %s" % (words, shown))
    pairs = pairs_of(bench, [bench.program, "exec"] + options + ["--"], program)
    alone, under = zip(*pairs)
    added = [b - a for a, b in pairs]
    low, high = interval(added)
    table.add("%s, `%s`" % (words, shown), spread(alone), spread(under), number(statistics.median(added)),
              "%s … %s" % (number(low), number(high)), len(pairs))


def programs(bench):
    """The least there is, and an interpreter: the one that runs the bench, which needs no script to start it."""
    path = os.path.join(bench.work, "hello.py")
    with open(path, "w", encoding="utf-8") as f:
        f.write("import os\nos.write(1, b'hello')\n")
    return (["echo"], "echo"), ([sys.executable, path], "python%d.%d FILE" % sys.version_info[:2])


def entry(bench):
    for name in [n for n in os.environ if n.startswith(("SERVICE_NAME", "PYROSCOPE_", "PROFILE_INTERVAL"))]:
        del os.environ[name]
    process.libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    server = service.StandIn(bench.top)
    log, spool = os.path.join(bench.work, "exec.log"), os.path.join(bench.work, "exec.spool")
    pushing = ["--app", "bench", "--url", server.url, "--log", log, "--spool", spool]
    table = Table("From the start of `pystoker exec` to the first output of the program, paired with the program alone, in turns",
                  "how, program", "alone, ms", "under exec, ms", "added, median, ms", "95 % interval of the median", "pairs")
    for program, shown in programs(bench):
        exec_row(bench, table, "no service named", [], program, shown)
        exec_row(bench, table, "with a pusher", pushing, program, shown)
        exec_row(bench, table, "--supervise", ["--supervise"] + pushing, program, shown)
    server.stop()
    table.note("By the clock of the parent, its own fork included. With no service named pystoker becomes the program at once; "
               "with a pusher after two forks; with `--supervise` the program is its child. `FILE` writes one word.")
    return [table]
