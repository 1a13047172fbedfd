# SPDX-License-Identifier: MIT
"""What the figures were taken on, and how quiet it was meanwhile."""
import os
import platform
import resource
import subprocess
import time

QUIET_LOAD = 0.3      # before the bench; later it is the bench's own
QUIET_OTHERS = 5.0    # % of one CPU that others may use meanwhile


def load():
    return os.getloadavg()[0]


def cpu_model():
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def kernel():
    return "Linux " + ".".join(platform.release().split(".")[:2])


def describe():
    return "%s, %s, %d CPUs (%s)" % (kernel(), platform.machine(), len(os.sched_getaffinity(0)), cpu_model())


def first_line(argv):
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=10,
                              universal_newlines=True, check=False)
        return done.stdout.split("\n")[0].strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def busy_seconds():
    """CPU seconds spent by anyone since boot; and those a hypervisor took away."""
    with open("/proc/stat") as f:
        ticks = [int(n) / os.sysconf("SC_CLK_TCK") for n in f.readline().split()[1:]]
    user, nice, system, _, _, irq, softirq, steal = ticks[:8]
    return user + nice + system + irq + softirq, steal


def own_seconds():
    """CPU seconds of ours: the bench and every process of it that was waited for."""
    return sum(u.ru_utime + u.ru_stime for u in
               (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)))


class Watch:
    """How busy others kept the machine between start and end, in % of one CPU."""

    def __init__(self):
        self.begin, self.load = time.monotonic(), load()
        self.busy, self.stolen = busy_seconds()
        self.own = own_seconds()

    def finish(self):
        busy, stolen = busy_seconds()
        seconds = max(time.monotonic() - self.begin, 0.001)
        self.others = 100 * max(0.0, busy - self.busy - (own_seconds() - self.own)) / seconds
        self.text = ("%.0f s; load average %.2f before, %.2f after; work of others %.1f %% of one CPU, "
                     "stolen by the hypervisor %.1f %%" % (seconds, self.load, load(), self.others,
                                                           100 * (stolen - self.stolen) / seconds))
