# SPDX-License-Identifier: MIT
"""The read calls that doctor and tests/pyroscope/conformance make: Connect JSON, and render, which needs a full profile
type."""
import json
import re

from . import merge
from .answers import Refusal, invalid

PREFIX = "/querier.v1.QuerierService/"
MATCHER = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"')
TYPE = re.compile(r"[\w]+:[\w]+:[\w]*:[\w]*:[\w]*\Z")


def handle(server, request):
    server.tenant(request)
    call = request.path[len(PREFIX):]
    if call not in CALLS:
        return None
    try:
        asked = json.loads(request.body.decode() or "{}")
    except ValueError as e:
        raise invalid("unmarshal message: %s", e) from None
    return json.dumps(CALLS[call](server, request.tenant, asked)).encode()


def matchers(text):
    if not (text.startswith("{") and text.endswith("}")):
        raise invalid("failed to parse label selector: %s", text)
    return [(k, v.replace('\\"', '"').replace("\\\\", "\\")) for k, v in MATCHER.findall(text)]


def span(server, asked, must=True):
    start, end = int(asked.get("start", 0)), int(asked.get("end", 0))
    if must and not (start and end):
        raise invalid("missing time range in the query")
    if start > end:
        raise invalid("query start time is after end time")
    return start, end


def found(server, tenant, asked, type_id=None, selectors=()):
    """What a query sees: labels, profile, index of the value, matchers. A new server of version 2 hides everything for
    minutes, and listings without a service_name still longer."""
    start, end = span(server, asked)
    if server.version >= (2,) and server.unseen:
        return
    for wanted in [matchers(s) for s in selectors] or [[]]:
        if server.version >= (2,) and server.uncompacted and "service_name" not in dict(wanted):
            continue
        for labels, stored, i in server.store.select(tenant, type_id):
            if start <= stored.time_nanos // 10**6 <= end and any(
                    all(v in (labels.get(k, ""), own.get(k)) for k, v in wanted) for _, own, _ in stored.stacks):
                yield labels, stored, i, wanted


def select_merge(server, tenant, asked):
    return merge.merged(found(server, tenant, asked, asked.get("profileTypeID"), [asked.get("labelSelector", "{}")]))


def select_merge_profile(server, tenant, asked):
    return merge.profile(select_merge(server, tenant, asked), asked.get("profileTypeID", ""))


def select_merge_stacktraces(server, tenant, asked):
    return merge.flamegraph(select_merge(server, tenant, asked))


def select_series(server, tenant, asked):
    step, points = max(float(asked.get("step", 15)), 0.001), {}
    for _, stored, i, _ in found(server, tenant, asked, asked.get("profileTypeID"),
                                 [asked.get("labelSelector", "{}")]):
        at = int((stored.time_nanos / 1e9 // step + 1) * step * 1000)
        points[at] = points.get(at, 0) + stored.totals[i]
    if not points:
        return {}
    return {"series": [{"points": [{"value": v, "timestamp": str(t)} for t, v in sorted(points.items())]}]}


def label_values(server, tenant, asked):
    name = asked.get("name", "")
    values = {own[name] for labels, stored, _, _ in found(server, tenant, asked, None, asked.get("matchers", []))
              for own in [labels] + [l for _, l, _ in stored.stacks] if name in own}
    return {"names": sorted(values)} if values else {}


def profile_types(server, tenant, asked):
    ids = {stored.types[i] for _, stored, i, _ in found(server, tenant, asked)}
    return {"profileTypes": [dict(zip(("name", "sampleType", "sampleUnit", "periodType", "periodUnit"), i.split(":")),
                                  ID=i) for i in sorted(ids)]} if ids else {}


def series(server, tenant, asked):
    names = asked.get("labelNames", [])
    sets = set()
    for labels, stored, i, _ in found(server, tenant, asked, None, asked.get("matchers", [])):
        labels = dict(labels, __profile_type__=stored.types[i])
        sets.add(tuple((n, labels[n]) for n in names or sorted(labels) if n in labels))
    return {"labelsSet": [{"labels": [{"name": n, "value": v} for n, v in s]} for s in sorted(sets)]} if sets else {}


def stats(server, tenant, asked):
    times = [s.time_nanos // 10**6 for _, s, _ in server.store.select(tenant, None)]
    if not times or server.version >= (2,) and server.uncompacted:
        return {}
    return {"dataIngested": True, "oldestProfileTime": str(min(times)), "newestProfileTime": str(max(times))}


def render(server, request, query):
    """GET /pyroscope/render: anything but TYPE{…} is refused."""
    server.tenant(request)
    kind, brace, rest = query.get("query", "").partition("{")
    if not brace or not TYPE.match(kind):
        raise Refusal("invalid_argument", "failed to parse query: " + json.dumps(query.get("query", "")), 400)
    wanted = matchers("{" + rest)
    total = sum(s.totals[i] for labels, s, i in server.store.select(request.tenant, kind)
                if all(labels.get(k, "") == v for k, v in wanted))
    flames = {"names": ["total"], "levels": [[0, total, 0, 0]], "numTicks": total, "maxSelf": 0}
    return json.dumps({"version": 1, "flamebearer": flames}).encode()


CALLS = {"SelectSeries": select_series, "LabelValues": label_values, "ProfileTypes": profile_types, "Series": series,
         "GetProfileStats": stats, "SelectMergeProfile": select_merge_profile,
         "SelectMergeStacktraces": select_merge_stacktraces}
