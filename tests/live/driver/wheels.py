# SPDX-License-Identifier: MIT
"""Packages from PyPI in a folder of the cache, per version of Python; nothing of the machine is touched."""
import os
import subprocess
import threading

CACHE = os.path.join(os.environ.get("PYSTOKER_CACHE") or
                     os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "pystoker"), "wheels")
PATIENCE_S = 300
lock = threading.Lock()


class Missing(Exception):
    pass


def folder(row, package):
    """A folder to put on sys.path that holds the package (and what it needs); installed if it is not there yet."""
    own = os.path.join(CACHE, "cp%d%d" % row.version, package)
    with lock:
        if os.path.exists(os.path.join(own, ".complete")):
            return own
        if row.root:
            raise Missing("no pip in a chroot")
        argv = row.command + ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:",
                              "--target", own, package]
        try:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise Missing("pip does not end") from None
        if done.returncode:
            raise Missing("pip: " + done.stdout.decode(errors="replace").strip()[-200:].replace("\n", " "))
        with open(os.path.join(own, ".complete"), "w"):
            return own
