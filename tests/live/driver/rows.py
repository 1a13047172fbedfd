# SPDX-License-Identifier: MIT
"""The interpreters that tests/interpreters/list finds."""
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIST = os.environ.get("INTERPRETERS", os.path.join(TESTS, "interpreters", "list"))
# What the order names as being on the machine: one of these that does not run is a failure, not a skip.
OWN = re.compile(r"\b((?:pyenv|system)-3\.(?:8|9|10|11|12|13)): .* does not run")


class Row:
    def __init__(self, line):
        self.name, version, self.flavour, *self.command = line.split("\t")
        self.text = version
        self.version = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
        self.kinds = self.flavour.split(",")
        self.root = self.command[1] if self.command[0] == "chroot" else ""

    def has(self, kind):
        return kind in self.kinds

    @property
    def free_threaded(self):
        return self.has("free-threaded")

    @property
    def executable(self):
        """As this machine sees it."""
        return self.root + self.command[-1]

    def script(self, path):
        """The path under which this interpreter sees a script of this machine: in a chroot, of a copy."""
        if not self.root:
            return path
        with open(path, "rb") as f:
            text = f.read()
        inside = "/mnt/pystoker/%s/%s" % (hashlib.sha256(text).hexdigest()[:12], os.path.basename(path))
        outside = self.root + inside
        if not os.path.exists(outside):
            os.makedirs(os.path.dirname(outside), exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=os.path.dirname(outside))
            with os.fdopen(handle, "wb") as f:
                f.write(text)
            os.chmod(temporary, 0o644)
            os.rename(temporary, outside)
        return inside


def find(names):
    """Rows, lines about those that are wanted and missing, lines about those that should work and do not."""
    listed = subprocess.run([LIST, "--wanted"] + names, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = listed.stderr.decode(errors="replace").splitlines()
    rows = sorted((Row(line) for line in listed.stdout.decode().splitlines()), key=lambda r: (r.version, r.name))
    missing = [line[5:] for line in said if line.startswith("SKIP ")]
    broken = [line for line in said if OWN.search(line)]
    if listed.returncode:
        broken.append("%s failed: %s" % (LIST, said[-1] if said else listed.returncode))
    if names:
        known = {r.name for r in rows}
        missing = []
        broken += ["%s: no such interpreter; %s shows them" % (n, LIST) for n in names if n not in known]
    return rows, missing, broken


def spread(rows):
    """A few that differ most: the oldest, a stripped static one, the newest of the machine's own, the newest of all,
    a free-threaded one."""
    own = [r for r in rows if not r.root and not r.has("stripped")]
    picks = [rows[:1], [r for r in rows if r.has("stripped") and not r.root][:1], own[-1:],
             [r for r in rows if r.has("release") and r.root][-1:], [r for r in rows if r.free_threaded][:1]]
    names = {r.name for pick in picks for r in pick}
    return [r for r in rows if r.name in names]


def which(program):
    return shutil.which(program)
