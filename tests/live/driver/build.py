# SPDX-License-Identifier: MIT
"""Libraries for the targets, compiled at the time of the test, each once."""
import atexit
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading

from . import target

SOURCES = os.path.join(target.TARGETS, "native")
PATIENCE_S = 300
CC = shutil.which("gcc") or shutil.which("cc")
folder, lock, built = None, threading.Lock(), {}


class Missing(Exception):
    """What it takes is not on this machine."""


class BuildError(Exception):
    pass


def place():
    global folder
    if not folder:
        folder = tempfile.mkdtemp(prefix="pystoker-native.")
        os.chmod(folder, 0o755)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def library(source, *flags, name=None, compiler=CC):
    """The path of a shared library from a source in targets/native. With the same words it is built once."""
    words = (source, name, compiler, *flags)
    with lock:
        if words not in built:
            built[words] = make(*words)
    return built[words]


def make(source, name, compiler, *flags):
    if not compiler:
        raise Missing("no compiler")
    own = os.path.join(place(), hashlib.sha256(repr((source, name, compiler, flags)).encode()).hexdigest()[:12])
    os.makedirs(own, exist_ok=True)
    out = os.path.join(own, name or "lib%s.so" % source.partition(".")[0])
    run([compiler, "-shared", "-fPIC", "-O2", *flags, "-o", out, os.path.join(SOURCES, source)])
    return out


def run(argv):
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=PATIENCE_S)
    except FileNotFoundError:
        raise Missing("%s is not here" % argv[0]) from None
    if done.returncode:
        raise BuildError("%s: %s" % (" ".join(argv), done.stdout.decode(errors="replace")[-400:]))
    return done.stdout.decode(errors="replace")


def lld_flags():
    """How gcc links with lld: one that is installed, else the one that comes with rustc."""
    if shutil.which("ld.lld"):
        return ("-fuse-ld=lld",)
    rustc = shutil.which("rustc")
    if rustc:
        found = os.path.join(run([rustc, "--print", "target-libdir"]).strip(), "../bin/gcc-ld")
        if os.path.exists(os.path.join(found, "ld.lld")):
            return ("-B" + os.path.realpath(found), "-fuse-ld=lld")
    raise Missing("no lld")


def section(path, name):
    """(offset in the file, size) of a section."""
    for line in run(["readelf", "-SW", path]).splitlines():
        words = line.replace("[ ", "[").split()
        if len(words) > 6 and words[1] == name:
            return int(words[4], 16), int(words[5], 16)
    raise BuildError("%s has no %s" % (path, name))


def patched(path, name, change):
    """A copy whose section is what `change` makes of it; of the same size."""
    offset, size = section(path, name)
    out = path[:-3] + "-" + change.__name__ + ".so"
    with open(path, "rb") as f:
        data = bytearray(f.read())
    data[offset:offset + size] = change(bytes(data[offset:offset + size]))
    with open(out, "wb") as f:
        f.write(data)
    return out


def rust_library(source):
    """A cdylib; as rustc links it."""
    rustc = shutil.which("rustc")
    if not rustc:
        raise Missing("no rustc")
    with lock:
        if source not in built:
            out = os.path.join(place(), "lib%s.so" % source.partition(".")[0])
            run([rustc, "-O", "--crate-type", "cdylib", "-o", out, os.path.join(SOURCES, source)])
            built[source] = out
    return built[source]


def include_of(row):
    """The folder of Python.h."""
    found = run(row.command + ["-c", "import sysconfig; print(sysconfig.get_paths()['include'])"]).strip()
    if row.root or not os.path.exists(os.path.join(found, "Python.h")):
        raise Missing("no Python.h for %s" % row.name)
    return found


def extension(row, source, name, compiler):
    """The folder in which an extension module for this interpreter is."""
    path = library(source, "-g", "-I" + include_of(row), name=name + ".so", compiler=shutil.which(compiler))
    return os.path.dirname(path)


def cython_extension(row, folder, source, name):
    """The same from Cython, which is installed in `folder`."""
    words = (row.name, source)
    with lock:
        if words not in built:
            own = os.path.join(place(), "cython-" + row.name)
            os.makedirs(own, exist_ok=True)
            generated = os.path.join(own, name + ".c")
            shutil.copy(os.path.join(SOURCES, source), own)
            run(["env", "PYTHONPATH=" + folder] + row.command +
                ["-m", "cython", "-3", "-o", generated, os.path.join(own, source)])
            run([CC, "-shared", "-fPIC", "-O2", "-g", "-I" + include_of(row),
                 "-o", os.path.join(own, name + ".so"), generated])
            built[words] = own
    return built[words]
