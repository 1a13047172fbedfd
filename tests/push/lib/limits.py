# SPDX-License-Identifier: MIT
"""What a server refuses: grafana/pyroscope pkg/validation and pkg/distributor at v1.15.3 and v2.0.6, default limits."""
import datetime
import json
import re
import threading
import time

from .answers import Refusal, invalid

SAMPLES, SAMPLE_LABELS, FRAMES = 16000, 100, 1000
LABEL_NAMES, NAME_BYTES, VALUE_BYTES = 30, 1024, 2048
PROFILE_BYTES, SYMBOL_BYTES = 4 << 20, 65535
RATE, BURST = 4 << 20, 2 << 20
OLDER_S, NEWER_S = 3600, 600
LEGACY_NAME = re.compile(r"[a-zA-Z_.][a-zA-Z0-9_.]*\Z")


class Limits:
    """The settings of one server, and the rate each tenant has used."""

    def __init__(self, version, rate=RATE, burst=BURST, older_s=OLDER_S, newer_s=NEWER_S):
        self.version, self.rate, self.burst, self.older_s, self.newer_s = version, rate, burst, older_s, newer_s
        self.lock, self.buckets = threading.Lock(), {}

    def allow(self, tenant, size):
        """A token bucket as golang.org/x/time/rate has it: what is larger than the burst never passes."""
        now = time.monotonic()
        with self.lock:
            level, then = self.buckets.get(tenant, (self.burst, now))
            level = min(self.burst, level + (now - then) * self.rate)
            good = size <= level
            self.buckets[tenant] = (level - size if good else level, now)
        return good

    def check_rate(self, tenant, size):
        if not self.allow(tenant, size):
            raise Refusal("resource_exhausted", "push rate limit (%s) exceeded while adding %s" %
                          (ibytes(self.rate), ibytes(size)))


def ibytes(size):
    """humanize.IBytes of Go: 1.5 MiB, 23 KiB, 512 B."""
    units, value = ["B", "KiB", "MiB", "GiB"], float(size)
    if size < 10:
        return "%d B" % size
    while value >= 1024 and len(units) > 1:
        value /= 1024
        units.pop(0)
    return ("%.1f %s" if value < 10 and units[0] != "B" else "%.0f %s") % (value, units[0])


def quote(labels):
    """Labels in the servers' messages: {a="b", c="d"}."""
    return "{%s}" % ", ".join("%s=%s" % (n, json.dumps(v)) for n, v in sorted(labels))


def stamp(seconds):
    return datetime.datetime.utcfromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3].rstrip("0").rstrip(".") \
        + " +0000 UTC"


def check_labels(limits, labels):
    """The labels as they are stored: a list of (name, value) in order."""
    said = quote(labels)
    if len(labels) > LABEL_NAMES:
        raise invalid("profile series '%s' has %d label names; limit %d", said, len(labels), LABEL_NAMES)
    if not dict(labels).get("__name__"):
        raise invalid("invalid labels '%s' with error: invalid metric name", said)
    stored = []
    for name, value in sorted(labels):
        if len(name.encode()) > NAME_BYTES:
            raise invalid("profile with labels '%s' has label name too long: '%s'", said, name)
        if len(value.encode()) > VALUE_BYTES:
            raise invalid("profile with labels '%s' has label value too long: '%s'", said, value)
        if limits.version < (2,):
            if not LEGACY_NAME.match(name):
                raise invalid("invalid labels '%s' with error: invalid label name '%s'", said, name)
            name = name.replace(".", "_")
        if name in dict(stored):
            raise invalid("profile with labels '%s' has duplicate label name: '%s'", said, name)
        stored.append((name, value))
    return stored


def check_window(limits, seconds, labels, now):
    start, end = now - limits.older_s, now + limits.newer_s
    if start < seconds < end:
        return
    raise invalid("profile with labels '%s' is outside of ingestion window (profile timestamp: %s, the ingestion "
                  "window starts at %s and ends at %s)", quote(labels), stamp(seconds), stamp(start), stamp(end))


def check_profile(limits, profile, labels):
    """ValidateProfile: refuses, or cuts the stacks (at the leaf!) and the names."""
    now, said = time.time(), quote(labels)
    if not profile.sample_types:
        raise invalid("empty profile")
    if profile.time_nanos > 0:
        check_window(limits, profile.time_nanos / 1e9, labels, now)
    else:
        profile.time_nanos = int(now * 1000) * 10**6
    if profile.size > PROFILE_BYTES:
        raise invalid("the profile with labels '%s' exceeds the size limit (max_profile_size_byte, actual: %d, limit: "
                      "%d)", said, profile.size, PROFILE_BYTES)
    if len(profile.samples) > SAMPLES:
        raise invalid("the profile with labels '%s' exceeds the samples count limit (max_profile_stacktrace_samples, "
                      "actual: %d, limit: %d)", said, len(profile.samples), SAMPLES)
    for sample in profile.samples:
        if len(sample.locations) > FRAMES:
            sample.locations = sample.locations[-FRAMES:]
        if len(sample.labels) > SAMPLE_LABELS:
            raise invalid("the profile with labels '%s' exceeds the sample labels limit "
                          "(max_profile_stacktrace_sample_labels, actual: %d, limit: %d)", said, len(sample.labels),
                          SAMPLE_LABELS)
    profile.strings = [s[-SYMBOL_BYTES:] for s in profile.strings]
    check_ids(profile)
    check_indexes(profile)
    for string in profile.strings:
        try:
            string.decode()
        except UnicodeDecodeError:
            raise invalid("invalid utf8 string hex: %s", string.hex()) from None


def check_ids(profile):
    if any(x.id == 0 for x in profile.locations):
        raise invalid("location id is 0")
    if any(f.id == 0 for f in profile.functions):
        raise invalid("function id is 0")
    if any(len(s.values) != len(profile.sample_types) for s in profile.samples):
        raise invalid("sample value length mismatch")


def check_indexes(profile):
    count = len(profile.strings)
    if not count or profile.strings[0]:
        raise invalid("string 0 should be empty string")
    if any(t >= count for t, _ in profile.sample_types):
        raise invalid("sample type type string index out of range")
    if any(b"-" in profile.strings[t] for t, _ in profile.sample_types):
        raise invalid("sample type contains -")
    if any(k >= count or s >= count for sample in profile.samples for k, s in sample.labels):
        raise invalid("sample label string index out of range")
    for function in profile.functions:
        if max(function.name, function.system_name, function.filename) >= count:
            raise invalid("function name string index out of range")
    if any(m.get(5, 0) >= count for m in profile.mappings):
        raise invalid("mapping file name string index out of range")


def normalize(profile):
    """What is dropped without a word: negative and zero samples, unknown locations and functions. A function that only
    those used is then cleared, for which the servers need a period_type."""
    functions = {f.id for f in profile.functions}
    known = {x.id for x in profile.locations if (x.lines or x.address) and all(f in functions for f, _ in x.lines)}
    kept = [s for s in profile.samples
            if min(s.values) >= 0 and any(s.values) and all(x in known for x in s.locations)]
    if len(kept) != len(profile.samples) and profile.period_type is None:
        raise Refusal("unknown", "runtime error: invalid memory address or nil pointer dereference")
    profile.samples = kept
