# SPDX-License-Identifier: MIT
"""The test server against the cases that real servers pass: it is worth no more than it is like them."""
import os
import subprocess
import sys

from lib.serving import Server

CONFORMANCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "pyroscope", "conformance")
PATIENCE_S = 300


def run(check, version, side):
    with Server("--version", version) as server:
        done = subprocess.run([sys.executable, CONFORMANCE, side, "--patience", "30", server.url],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S)
    lines = done.stdout.decode(errors="replace").splitlines()
    for i, line in enumerate(lines):
        good, _, what = line.partition(" - ")
        if good.split(" ")[0] in ("ok", "not"):
            notes = [n for n in lines[i + 1:i + 4] if n.startswith("#")]
            check.ok(good.startswith("ok"), "%s: %s" % (version, what), *notes)
    check.ok(done.returncode in (0, 1) and lines and "passed" in lines[-1], version + ": goes through", lines[-3:])


def version_1(check):
    run(check, "1.15.3", "--server")


def version_2(check):
    run(check, "2.0.6", "--server")


def pystoker_to_version_1(check):
    run(check, "1.15.3", "--client")


def pystoker_to_version_2(check):
    run(check, "2.0.6", "--client")
