# SPDX-License-Identifier: MIT
"""The program under test."""
import json
import os
import re
import subprocess
import tempfile

PROGRAM = os.path.abspath(os.environ.get("PYSTOKER", "pystoker"))
PATIENCE_S = 120
LONGER_S = 5
FRAME = re.compile(r"^(.*) \((.*?)(?::(\d+))?\)$", re.S)


class Run:
    """What one run left: status, stdout and stderr as bytes."""

    def __init__(self, arguments, before=(), program=None, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run(list(before) + [program or PROGRAM] + [str(a) for a in arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=PATIENCE_S, **options)
        self.status, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr.decode(errors="replace")

    def __str__(self):
        return "exit status %d; %s" % (self.status, self.stderr.strip())


def dump(pid, *options):
    """The threads of dump --json, or the failed run."""
    run = Run(["dump", "--json", "-p", pid, *options])
    return run if run.status else json.loads(run.stdout.decode())


def start(arguments, before=(), **options):
    """A pystoker that is left running."""
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(list(before) + [PROGRAM] + [str(a) for a in arguments], **options)


class Stacks:
    """A raw profile: {tuple of frames: samples}, outermost frame first."""

    def __init__(self, text):
        self.counts = {}
        for line in text.decode().split("\n")[:-1]:
            stack, _, count = line.rpartition(" ")
            self.counts[tuple(stack.split(";"))] = int(count)
        self.samples = sum(self.counts.values())


def record(arguments, **options):
    """record -f raw into a file: (run, stacks); stacks is None when there is no file.

    The time that finding the interpreter takes is part of -d: on a busy machine it may be all of it, so a short recording
    without samples is made again, longer.
    """
    run, stacks = record_once(arguments, **options)
    if "-d" in arguments and run.status == 0 and stacks and not stacks.samples:
        at = arguments.index("-d") + 1
        run, stacks = record_once(arguments[:at] + [arguments[at] + LONGER_S] + arguments[at + 1:], **options)
    return run, stacks


def record_once(arguments, **options):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "profile.txt")
        run = Run(["record", "-f", "raw", "-o", path, *arguments], **options)
        if not os.path.exists(path):
            return run, None
        with open(path, "rb") as f:
            return run, Stacks(f.read())


def split_frame(text):
    """(name, file, line) of `name (file:line)`; line 0 where none is shown."""
    match = FRAME.match(text)
    return (match[1], match[2], int(match[3] or 0)) if match else (text, "", 0)


def summary_count(run, word):
    """The number after a word in record's summary line; None when it is not there."""
    match = re.search(r"%s (\d+)" % word, run.stderr)
    return int(match[1]) if match else None


def samples(run):
    match = re.search(r"(\d+) samples", run.stderr)
    return int(match[1]) if match else None
