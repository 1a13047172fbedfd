# SPDX-License-Identifier: MIT
"""What arrived: profiles by their identity, which is their labels and their time and nothing else."""
import hashlib
import threading
import time


class Stored:
    def __init__(self, series, profile, size, body_size, raw):
        self.time_nanos, self.duration_nanos = profile.time_nanos, profile.duration_nanos
        self.types = profile.type_ids(dict(series)["__name__"])
        self.totals, self.samples = profile.totals(), len(profile.samples)
        self.raw_size, self.body_size, self.received = size, body_size, 1
        self.digests = [hashlib.sha256(raw).hexdigest()[:16]]
        self.first_at, self.last_at = time.time(), time.time()
        self.stacks = list(profile.stacks())
        self.comments = [profile.string(i) for i in profile.comments if i < len(profile.strings)]
        self.period, self.mapping = profile.period, [profile.string(m.get(5, 0)) for m in profile.mappings]

    def view(self, full):
        """As JSON; the whole stacks only on request."""
        frames = sorted({f for stack, _, _ in self.stacks for f in stack})
        labels = {}
        for _, l, values in self.stacks:
            for pair in l.items():
                labels["%s=%s" % pair] = labels.get("%s=%s" % pair, 0) + values[0]
        view = {"time_nanos": self.time_nanos, "duration_nanos": self.duration_nanos, "types": self.types,
                "totals": self.totals, "samples": self.samples, "raw_size": self.raw_size,
                "body_size": self.body_size, "received": self.received, "digests": self.digests,
                "first_at": self.first_at, "last_at": self.last_at, "functions": frames, "sample_labels": labels,
                "depth": max([len(s[0]) for s in self.stacks] + [0]), "period": self.period,
                "comments": self.comments, "mapping": self.mapping}
        if full:
            view["stacks"] = self.stacks
        return view


class Store:
    """Tenant -> labels -> identity -> Stored. Version 1 compares times by the millisecond."""

    def __init__(self, version):
        self.version, self.lock = version, threading.Lock()
        self.tenants, self.forgotten = {}, 0

    def add(self, tenant, series, profile, size, body_size, raw):
        step = 10**6 if self.version < (2,) else 1
        with self.lock:
            profiles = self.tenants.setdefault(tenant, {}).setdefault(tuple(series), {})
            found = profiles.get(profile.time_nanos // step)
            if found is None:
                profiles[profile.time_nanos // step] = Stored(series, profile, size, body_size, raw)
                return
            found.received += 1
            found.last_at = time.time()
            digest = hashlib.sha256(raw).hexdigest()[:16]
            if digest not in found.digests:
                found.digests.append(digest)  # other bytes of the same identity: they are lost

    def forget(self):
        """As kill -9 does to version 1."""
        with self.lock:
            self.tenants = {}
            self.forgotten += 1

    def state(self, full=False):
        with self.lock:
            return [{"tenant": tenant, "labels": dict(series),
                     "profiles": [profiles[k].view(full) for k in sorted(profiles)]}
                    for tenant, found in sorted(self.tenants.items()) for series, profiles in sorted(found.items())]

    def select(self, tenant, type_id):
        """(labels, Stored, index of the value) of everything of a type; None: of all types."""
        with self.lock:
            rows = [(dict(series), stored) for series, profiles in self.tenants.get(tenant, {}).items()
                    for stored in profiles.values()]
        return [(labels, stored, i) for labels, stored in rows for i, name in enumerate(stored.types)
                if type_id in (None, name)]
