# SPDX-License-Identifier: MIT
"""The target does not notice: its system calls are not interrupted, its signals all arrive, its children too."""
from driver import pystoker, target

EXCLUSIVE = True
SECONDS = 1


def recorded(row, check, *options):
    what = " ".join(options) or "default"
    with target.start(row, "harmless.py") as t:
        t.next()
        run = pystoker.Run(["record", "-p", t.pid, "-r", 1000, "-d", SECONDS, "-i", "-f", "raw", "-o", "-", *options])
        t.close_stdin()
        counts = t.next()
        status = t.end()
    check.ok(run.status == 0 and pystoker.samples(run), "%s: recorded" % what, run)
    check.ok(counts["calls"] > 10 and counts["eintr"] == 0,
             "%s: %d blocking calls, none interrupted" % (what, counts["calls"]), counts)
    # A tracer may stop a thread that has fallen asleep since it was seen running, and epoll_wait(2) returns EINTR after any
    # stop, unless the tracer sees to it.
    check.ok(counts["epoll_calls"] > 10 and counts["epoll_eintr"] == 0,
             "%s: %d calls of epoll_wait, none interrupted" % (what, counts["epoll_calls"]), counts)
    check.ok(counts["sent"] > 100 and counts["received"] == counts["sent"],
             "%s: %d signals, all arrive" % (what, counts["sent"]), counts)
    check.ok(counts["children"] == counts["forked"] > 0 and counts["alarms"] > 0,
             "%s: children end as they should, alarms come" % what, counts)
    check.equal(status, 0, "%s: the target ends well" % what)


def run(row, check):
    recorded(row, check)
    recorded(row, check, "--blocking")
    recorded(row, check, "--native")
    recorded(row, check, "--native", "--unwind=ptrace")
