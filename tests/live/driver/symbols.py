# SPDX-License-Identifier: MIT
"""Names for the addresses of a process, by readelf: all that a symbol table has for an address."""
import bisect
import os
import re
import struct
import subprocess

DEBUG = "/usr/lib/debug/.build-id"
SUFFIX = re.compile(r"(\.(cold|part|constprop|isra|lto_priv|llvm|localalias|unlikely|warm)(\.\d+)*)+$|@.*$")


def plain(name):
    """Without what compilers and linkers add."""
    before = None
    while before != name:
        before, name = name, SUFFIX.sub("", name)
    return name


def readelf(*arguments):
    done = subprocess.run(["readelf", "-W", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return done.stdout.decode(errors="replace").splitlines()


def debug_files(path):
    for line in readelf("-n", path):
        match = re.search(r"Build ID: ([0-9a-f]{4,})", line)
        if match:
            return ["%s/%s/%s.debug" % (DEBUG, match[1][:2], match[1][2:])]
    return []


def demangled(names):
    done = subprocess.run(["c++filt", "-p"], input="\n".join(names).encode(), stdout=subprocess.PIPE)
    return [n.partition("(")[0] for n in done.stdout.decode().split("\n")]


def function_starts(path):
    """The sorted table of .eh_frame_hdr (LSB Core, 10.6.2), as linkers write it: offsets of four bytes."""
    for line in readelf("-S", path):
        words = line.replace("[ ", "[").split()
        if len(words) > 6 and words[1] == ".eh_frame_hdr":
            address, offset, size = (int(w, 16) for w in words[3:6])
            with open(path, "rb") as f:
                f.seek(offset)
                data = f.read(size)
            if data[:4] != b"\x01\x1b\x03\x3b":
                return []
            count = struct.unpack_from("<I", data, 8)[0]
            return sorted(address + struct.unpack_from("<i", data, 12 + 8 * i)[0] for i in range(count))
    return []


class File:
    """The functions of an ELF file."""

    def __init__(self, path):
        self.at = {}  # start: {(name, size)}
        for file in [path] + [f for f in debug_files(path) if os.path.exists(f)]:
            for line in readelf("-s", file):
                words = line.split()
                if len(words) >= 8 and words[3] in ("FUNC", "IFUNC", "NOTYPE") and words[6] != "UND":
                    size = int(words[2], 0)
                    self.at.setdefault(int(words[1], 16), set()).add((words[7], size))
        self.starts = sorted(self.at)
        self.segments = [(int(w[1], 16), int(w[2], 16), int(w[4], 16)) for w in
                         (line.split() for line in readelf("-l", path)) if w[:1] == ["LOAD"]]

        self.functions = function_starts(path)

    def start(self, address):
        """Where the function begins that holds the address, as .eh_frame_hdr has it; None: not known."""
        i = bisect.bisect_right(self.functions, address) - 1
        return self.functions[i] if i >= 0 else None

    def names(self, address):
        """Every name whose function holds the address; those without a size reach to the next one."""
        found, i = set(), bisect.bisect_right(self.starts, address) - 1
        for start in self.starts[max(0, i - 8):i + 1]:
            nearest = start == self.starts[i]
            found |= {plain(n) for n, size in self.at[start] if start <= address < start + size or not size and nearest}
        cpp = [n for n in found if n.startswith("_")]
        return found | set(demangled(cpp) if any(n.startswith("_Z") for n in cpp) else ())


class Space:
    """The mappings of a process."""

    files = {}

    def __init__(self, pid, root=""):
        self.maps, self.root = [], root
        with open("/proc/%d/maps" % pid) as f:
            for line in f:
                words = line.split(None, 5)
                if len(words) == 6 and words[5].startswith("/"):
                    start, end = (int(n, 16) for n in words[0].split("-"))
                    self.maps.append((start, end, int(words[2], 16), words[5].strip()))

    def file_of(self, path):
        if path not in self.files:
            outside = path if os.path.exists(path) else self.root + path
            self.files[path] = File(outside)
        return self.files[path]

    def find(self, address):
        """(path, address in the file, names, where its function begins); None for what is in no file."""
        for start, end, offset, path in self.maps:
            if start <= address < end:
                file, at = self.file_of(path), address - start + offset
                for from_offset, vaddr, size in file.segments:
                    if from_offset <= at < from_offset + size:
                        inside = at - from_offset + vaddr
                        return path, inside, file.names(inside), file.start(inside)
        return None
