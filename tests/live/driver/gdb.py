# SPDX-License-Identifier: MIT
"""What gdb sees of a stopped process: the judge of our native stacks."""
import json
import os
import shutil
import subprocess
import tempfile

PATIENCE_S = 120
SCRIPT = r"""
import gdb, json
KINDS = {gdb.INLINE_FRAME: "inline", gdb.TAILCALL_FRAME: "tailcall", gdb.SIGTRAMP_FRAME: "signal"}
threads = {}
for thread in gdb.selected_inferior().threads():
    thread.switch()
    frames, frame = [], gdb.newest_frame()
    while frame is not None and len(frames) < 20000:
        frames.append([frame.pc(), frame.name(), KINDS.get(frame.type(), "")])
        try:
            frame = frame.older()
        except gdb.error as e:
            frames.append([0, str(e), "error"])
            break
    threads[thread.ptid[1]] = frames
with open(%r, "w") as f:
    json.dump(threads, f)
"""


def there():
    return shutil.which("gdb") is not None


def stacks(pid, executable, root=""):
    """{tid: [(pc, name or None, kind)]}, innermost first; kind is "", "inline", "tailcall" or "signal". The executable as
    this machine sees it, and the root of the process."""
    with tempfile.TemporaryDirectory() as folder:
        script, out = os.path.join(folder, "script.py"), os.path.join(folder, "out.json")
        with open(script, "w") as f:
            f.write(SCRIPT % out)
        settings = ["set pagination off", "set auto-load off", "set debuginfod enabled off", "set backtrace limit unlimited",
                    "set backtrace past-main on"] + (["set sysroot " + root] if root else [])
        argv = ["gdb", "-batch", "-nx"] + [w for s in settings for w in ("-iex", s)]
        argv += [executable, "-p", str(pid), "-x", script]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=PATIENCE_S)
        if not os.path.exists(out):
            raise RuntimeError("gdb: " + done.stdout.decode(errors="replace")[-500:])
        with open(out) as f:
            return {int(tid): [tuple(x) for x in frames] for tid, frames in json.load(f).items()}


def physical(frames):
    """Without what gdb adds of its own: inlined functions, and functions that jumped to their last call."""
    return [(pc, name) for pc, name, kind in frames if kind not in ("inline", "tailcall", "error")]


def running(pid, executable, root=""):
    """A gdb that holds the process and lets it run; SIGINT to it ends it, and the process goes on."""
    settings = [w for s in ["set auto-load off", "set debuginfod enabled off"] + (["set sysroot " + root] if root else [])
                for w in ("-iex", s)]
    return subprocess.Popen(["gdb", "-batch", "-nx", *settings, executable, "-p", str(pid), "-ex", "continue"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def tracer(pid):
    with open("/proc/%d/status" % pid) as f:
        return [int(line.split()[1]) for line in f if line.startswith("TracerPid")][0]
