# SPDX-License-Identifier: MIT
"""pprof's profile.proto, read as the servers read it, and written for the tests that need files of their own."""
import gzip
import zlib

from . import protobuf
from .protobuf import fields, packed, put, signed

GZIP = b"\x1f\x8b"


class Sample:
    def __init__(self):
        self.locations, self.values, self.labels = [], [], []  # labels: (key, string) as indexes


class Location:
    def __init__(self):
        self.id = self.address = 0
        self.lines = []  # (function id, line)


class Function:
    def __init__(self):
        self.id = self.name = self.system_name = self.filename = self.start_line = 0


class Profile:
    """A decoded profile; what has an index is left as one, for the checks."""

    def __init__(self, data):
        self.sample_types, self.samples, self.mappings, self.period_type = [], [], [], None
        self.locations, self.functions, self.strings, self.comments = [], [], [], []
        self.time_nanos = self.duration_nanos = self.period = 0
        self.size = len(data)
        for number, value in fields(data):
            self._field(number, value)

    def _field(self, number, value):
        if number == 1:
            self.sample_types.append(_value_type(value))
        elif number == 2:
            self.samples.append(_sample(value))
        elif number == 3:
            self.mappings.append({n: v for n, v in fields(value)})
        elif number == 4:
            self.locations.append(_location(value))
        elif number == 5:
            self.functions.append(_function(value))
        elif number == 6:
            self.strings.append(bytes(protobuf.text(value)))
        elif number == 9:
            self.time_nanos = signed(value)
        elif number == 10:
            self.duration_nanos = signed(value)
        elif number == 11:
            self.period_type = _value_type(value)
        elif number == 12:
            self.period = signed(value)
        elif number == 13:
            self.comments += packed(value)

    def string(self, index):
        return self.strings[index].decode("utf-8", "replace")

    def types(self):
        """(type, unit) of each sample type."""
        return [(self.string(t), self.string(u)) for t, u in self.sample_types]

    def type_ids(self, name):
        period = tuple(self.string(i) for i in self.period_type) if self.period_type else ("", "")
        return [":".join((name,) + t + period) for t in self.types()]

    def stacks(self):
        """((frames leaf first), {label: value}, values) of each sample; a frame is (function, file, line)."""
        functions = {f.id: f for f in self.functions}
        locations = {x.id: x for x in self.locations}
        for sample in self.samples:
            frames = []
            for i in sample.locations:
                for f, line in locations[i].lines:
                    frames.append((self.string(functions[f].name), self.string(functions[f].filename), line))
            yield tuple(frames), {self.string(k): self.string(s) for k, s in sample.labels if s}, sample.values

    def totals(self):
        return [sum(s.values[i] for s in self.samples) for i in range(len(self.sample_types))]


def _value_type(data):
    found = dict(fields(data))
    return found.get(1, 0), found.get(2, 0)


def _sample(data):
    sample = Sample()
    for number, value in fields(data):
        if number == 1:
            sample.locations += packed(value)
        elif number == 2:
            sample.values += [signed(v) for v in packed(value)]
        elif number == 3:
            label = dict(fields(value))
            sample.labels.append((label.get(1, 0), label.get(2, 0)))
    return sample


def _location(data):
    location = Location()
    for number, value in fields(data):
        if number == 1:
            location.id = value
        elif number == 3:
            location.address = value
        elif number == 4:
            line = dict(fields(value))
            location.lines.append((line.get(1, 0), signed(line.get(2, 0))))
    return location


def _function(data):
    found, function = dict(fields(data)), Function()
    function.id, function.name = found.get(1, 0), found.get(2, 0)
    function.system_name, function.filename = found.get(3, 0), found.get(4, 0)
    function.start_line = signed(found.get(5, 0))
    return function


def uncompress(data, limit=None):
    """The bytes of a profile that may be gzip'd. OverflowError beyond the limit, Malformed for a broken gzip."""
    if data[:2] != GZIP:
        return data
    reader = zlib.decompressobj(31)
    try:
        raw = reader.decompress(data, limit + 1 if limit else 0)
    except zlib.error:
        raise protobuf.Malformed("gzip: invalid header") from None
    if limit and len(raw) > limit:
        raise OverflowError(limit)
    if not reader.eof:
        raise protobuf.Malformed("unexpected EOF")
    return raw


def read(data):
    return Profile(uncompress(data))


class Writer:
    """Makes a profile: stacks of (function, file, line), leaf first."""

    def __init__(self, time_nanos, kind=("cpu", "nanoseconds"), duration_nanos=10**10, period=10**7, labels=(),
                 period_kind=None):
        self.period_kind = kind if period_kind is None else period_kind
        self.strings, self.functions, self.locations, self.samples = {"": 0}, {}, {}, []
        self.time, self.kind, self.duration, self.period = time_nanos, kind, duration_nanos, period
        self.comments = ["pystoker.label %s=%s" % pair for pair in labels]

    def string(self, text):
        return self.strings.setdefault(text, len(self.strings))

    def frame(self, name, filename, line):
        function = self.functions.setdefault((name, filename), len(self.functions) + 1)
        self.string(name), self.string(filename)
        return self.locations.setdefault((function, line), len(self.locations) + 1)

    def add(self, stack, value, **labels):
        pairs = b"".join(put(3, put(1, self.string(k)) + put(2, self.string(v))) for k, v in labels.items())
        self.samples.append(put(1, [self.frame(*f) for f in stack]) + put(2, [value]) + pairs)
        return self

    def bytes(self):
        kind, period_kind = (put(1, self.string(k[0])) + put(2, self.string(k[1])) if k else b""
                             for k in (self.kind, self.period_kind))
        comments = [self.string(c) for c in self.comments]
        mapping = put(1, 1) + put(5, self.string("python")) + put(7, 1) + put(8, 1) + put(9, 1)
        out = [put(1, kind)] + [put(2, s) for s in self.samples] + [put(3, mapping)]
        for (function, line), number in self.locations.items():
            out.append(put(4, put(1, number) + put(2, 1) + put(4, put(1, function) + put(2, line))))
        for (name, filename), number in self.functions.items():
            out.append(put(5, put(1, number) + put(2, self.strings[name]) + put(3, self.strings[name]) +
                           put(4, self.strings[filename])))
        out += [put(6, s) for s in self.strings]
        out += [put(9, self.time), put(10, self.duration), put(12, self.period)]
        out += [put(11, period_kind)] if self.period_kind else []
        return b"".join(out) + b"".join(put(13, c) for c in comments)

    def gzip(self):
        return gzip.compress(self.bytes(), mtime=0)
