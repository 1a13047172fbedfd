# SPDX-License-Identifier: MIT
"""Hard names of functions and files: in dump as they are, in every format of record harmless and still told apart."""
import gzip
import json
import os
import tempfile
import xml.etree.ElementTree

from driver import pystoker, target

CHARS_MAX = 4096        # UNICODE_CHARS_MAX: names longer than that are cut when they are read
LABEL_MAX = 1024        # LABEL_NAME_MAX: bytes of a name in a file


def as_read(text):
    """What becomes of a str of the target: valid UTF-8 without NUL, cut if it is long."""
    shown = "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text[:CHARS_MAX])
    return shown + "…" * (len(text) > CHARS_MAX)


def dumped(check, said, pid):
    threads = pystoker.dump(pid)
    if isinstance(threads, pystoker.Run):
        check.ok(False, "dump", threads)
        return
    by_id = {t["thread_id"]: t for t in threads}
    for case in said:
        frames = [(f["name"], f["filename"]) for f in by_id.get(case["thread_id"], {"frames": []})["frames"]]
        want = (as_read(case["name"]), as_read(case["file"]))
        check.ok(want in frames, "dump --json: %s" % case["case"], "want %r" % (want,), "got %r" % frames[:4])
    run = pystoker.Run(["dump", "-p", pid])
    text = run.stdout.decode()  # raises if it is no UTF-8
    check.ok(run.status == 0 and "функция" in text or "𝒇unction" in text, "dump: text is valid UTF-8", run)
    bad = [c for c in text if c != "\n" and (c < " " or "\x7f" <= c < "\xa0")]
    check.ok(not bad, "dump: no control characters, so that no name can steer a terminal", bad[:5])


def record(check, pid, suffix, *options):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "profile" + suffix)
        # The time that finding the interpreter takes on a busy machine is part of the duration.
        for seconds in (0.2, 2, 10):
            run = pystoker.Run(["record", "-p", pid, "-i", "-d", seconds, "-r", 50, "-o", path, *options])
            if run.status or pystoker.samples(run):
                break
        if not check.ok(run.status == 0 and os.path.exists(path), "record %s: runs" % suffix, run):
            return b""
        with open(path, "rb") as f:
            return f.read()


def recorded(check, said, pid):
    raw = record(check, pid, ".txt", "--full-filenames", "-t").decode()
    lines = raw.split("\n")[:-1]
    broken = [l for l in lines if not l.rpartition(" ")[2].isdigit()]
    check.ok(lines and not broken, "raw: each line is a stack and a count", broken[:2])
    whole = lambda frame: frame.endswith((")", "[no name]")) or frame.startswith("thread (")
    foreign = [l for l in lines if not all(map(whole, l.rpartition(" ")[0].split(";")))]
    check.ok(not foreign, "raw: no name splits a frame", foreign[:2])
    check.equal(len({l.split(";")[0] for l in lines}), len(said) + 1, "raw: as many threads as there are")
    check.ok("a:b c (" in raw, "raw: semicolon and newline are made harmless")
    check.ok("x" * 900 in raw and "x" * (LABEL_MAX + 1) not in raw, "raw: a long name is cut")

    scope = json.loads(record(check, pid, ".speedscope.json").decode() or "{}")
    names = {f["name"] for f in scope.get("shared", {}).get("frames", [])}
    shown = {n.partition(" (")[0] for n in names}
    check.ok({"héllo", "привет", "𝒇unction", "a猫"} <= shown, "speedscope: names as they are", sorted(names)[:30])

    packed = record(check, pid, ".pb.gz")
    check.ok(packed, "pprof: a file")
    data = gzip.decompress(packed) if packed else b""
    absent = [n for n in ("héllo", "привет", "𝒇unction", "a猫") if n.encode() not in data]
    check.ok(not absent, "pprof: names are in its strings", absent)

    json.loads(record(check, pid, ".json", "-f", "chrometrace").decode() or "null")
    check.ok(True, "chrometrace: JSON")
    svg = record(check, pid, ".svg")
    try:
        xml.etree.ElementTree.fromstring(svg.decode())
        check.ok("привет" in svg.decode(), "flame graph: well-formed")
    except xml.etree.ElementTree.ParseError as e:
        check.ok(False, "flame graph: well-formed", e)


def run(row, check):
    with target.start(row, "names.py") as t:
        *said, _ = t.until("ready")
        for skipped in [s for s in said if "skipped" in s]:
            check.skip(skipped["skipped"], skipped["why"])
        said = [s for s in said if "case" in s]
        target.wait_for(lambda: all(target.in_system_call(t.pid, tid) for tid in target.tids(t.pid)))
        dumped(check, said, t.pid)
        recorded(check, said, t.pid)
        check.ok(t.alive(), "the target lives", t.stderr())
