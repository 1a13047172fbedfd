# SPDX-License-Identifier: MIT
"""POST /ingest: pprof, folded and speedscope, with what each loses without a word (pkg/og at v1.15.3 and v2.0.6)."""
import json
import re
import time
import urllib.parse

from . import pprof, push
from .answers import Refusal

APP = re.compile(r"[A-Za-z0-9_./-]+\Z")
KEY = re.compile(r"[A-Za-z0-9_.]+\Z")
LINE_MAX = 64 << 10  # of bufio.Scanner: a longer line ends the parsing
SCHEMA = "https://www.speedscope.app/file-format-schema.json"
RATE_OF_UNIT = {"microseconds": 10**8, "milliseconds": 10**5, "seconds": 100, "none": 10**4, "bytes": 0,
                "nanoseconds": 100 * 10**9 % 2**32}
TYPES = {"cpu": ("process_cpu", "cpu", "nanoseconds"), "itimer": ("process_cpu", "cpu", "nanoseconds"),
         "wall": ("wall", "wall", "nanoseconds"),
         "alloc_objects": ("memory", "alloc_objects", "count"), "inuse_objects": ("memory", "inuse_objects", "count"),
         "alloc_space": ("memory", "alloc_space", "bytes"), "inuse_space": ("memory", "inuse_space", "bytes")}


def handle(server, request):
    """Refusal carries the status that /ingest gives."""
    if request.method != "POST":
        raise push.Empty(405)
    query = {k: v[0] for k, v in urllib.parse.parse_qs(request.query, keep_blank_values=True).items()}
    server.tenant(request)
    app, labels = parse_name(query.get("name", ""))
    form = query.get("format", "")
    if form in ("pprof", "speedscope"):
        try:
            (pprof_body if form == "pprof" else speedscope_body)(server, request, query, app, labels)
        except Refusal as e:  # whatever it is, a rate limit too
            raise Refusal("unknown", "%s: %s" % (e.code, e.message), 422) from None
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            raise Refusal("unknown", str(e), 422) from None
    else:
        folded_body(server, request, query, app, labels)


def parse_name(name):
    app, brace, rest = name.partition("{")
    if not APP.match(app.strip()):
        raise Refusal("invalid_argument", "name: invalid application name: %s" % app, 400)
    labels = {}
    pairs = rest.partition("}")[0].split(",")
    if brace and "}" not in rest:
        pairs.pop()  # the last one is lost
    for pair in pairs if rest.strip("} ") else []:
        key, equals, value = pair.partition("=")
        if not equals or not KEY.match(key.strip()):
            raise Refusal("invalid_argument", "name: invalid tag key: %s" % key, 400)
        if value.strip() and not (key.startswith("__") and key not in ("__session_id__", "__name__")):
            labels[key.strip()] = value.strip()
    return labels.pop("__name__", app.strip()), labels


def parse_time(text):
    """Nanoseconds: of digits by their number, of anything else now."""
    if not text.isdigit():
        return time.time_ns()
    return int(text) * {13: 10**6, 16: 10**3, 19: 1}.get(len(text), 10**9)


def pprof_body(server, request, query, app, labels):
    if not request.body:
        return
    profile = pprof.Profile(pprof.uncompress(request.body))
    types = [t for t, _ in profile.types()]
    name = "wall" if "wall" in types else "process_cpu" if any("cpu" in t for t in types) else types[-1]
    if any("alloc_" in t or "inuse_" in t for t in types):
        name = "memory"
    spy = query.get("spyName") or "unknown"
    raw = request.body
    if profile.time_nanos == 0:
        raw = pprof.uncompress(raw) + pprof.put(9, parse_time(query.get("from", "")))
    series = [("__name__", name), ("__delta__", "false"), ("pyroscope_spy", spy)]
    series += [("service_name", app)] * ("service_name" not in labels) + list(labels.items())
    push.push_one(server, request.tenant, series, raw, len(request.body))


def put(server, request, query, app, labels, stacks, rate):
    """pyroscopeIngesterAdapter.Put: stacks root first, as counts at a rate."""
    if "profile_id" in labels:
        return
    suffix = app.rpartition(".")[2] if "." in app else "cpu"
    if suffix not in TYPES:
        raise Refusal("invalid_argument", "pyroscopeIngesterAdapter failed to convert metadata: unknown profile type: "
                      + suffix, 400)
    metric, kind, unit = TYPES[suffix]
    service = app.rpartition(".")[0] if "." in app else app
    timed = metric in ("wall", "process_cpu") and rate
    scale = 10**9 // rate if timed else 1
    writer = pprof.Writer(parse_time(query.get("from", "")), (kind, unit) if timed or metric == "memory" else
                          ("samples", "count"), 0, 0, period_kind=("cpu", "nanoseconds") if timed else ("", ""))
    for stack, value in stacks:
        writer.add([(f, "", 0) for f in reversed(stack)], value * scale)
    raw = writer.bytes()
    series = [("__name__", metric), ("__delta__", "false"), ("pyroscope_spy", query.get("spyName") or "unknown")]
    series += list(labels.items())
    series.append(("app_name" if "service_name" in labels else "service_name", service))
    push.push_one(server, request.tenant, series, raw, len(request.body))


def sample_rate(query):
    try:
        return int(query.get("sampleRate") or 100) & 0xffffffff
    except ValueError:
        return 100


def folded_body(server, request, query, app, labels):
    stacks = []
    for line in request.body.split(b"\n"):
        if len(line) >= LINE_MAX:
            break
        stack, space, count = line.rpartition(b" ")
        if not space:
            continue
        try:
            stacks.append((stack.decode("utf-8", "replace").split(";"), int(count)))
        except ValueError:
            raise Refusal("unknown", 'strconv.Atoi: parsing "%s": invalid syntax' % count.decode("utf-8", "replace"),
                          422) from None
    if stacks:
        put(server, request, query, app, labels, stacks, sample_rate(query))


def speedscope_body(server, request, query, app, labels):
    document = json.loads(request.body.decode())
    if document.get("$schema") != SCHEMA:
        raise ValueError("Unknown schema: %s" % document.get("$schema", ""))
    frames = [f.get("name", "") for f in document["shared"]["frames"]]
    profiles = document.get("profiles", [])
    for profile in profiles:
        unit = profile["unit"]
        rate = sample_rate(query)
        rate = RATE_OF_UNIT[unit] if rate == 100 else rate
        own = dict(labels)
        if len(profiles) > 1:
            if server.version < (2,) or unit not in ("microseconds", "milliseconds", "seconds", "nanoseconds"):
                raise ValueError("pyroscopeIngesterAdapter failed to convert metadata: unknown profile type: " + unit)
            app = app + ".wall" if not app.endswith(".wall") else app
        if server.version >= (2,) and profile.get("name"):
            own["profile_name"] = profile["name"]
        if len(profile["samples"]) != len(profile["weights"]):
            raise ValueError("Unequal lengths of samples and weights")
        times = 1 if unit == "bytes" else 100
        stacks = [([frames[int(i)] for i in stack], int(weight) * times)
                  for stack, weight in zip(profile["samples"], profile["weights"])]
        if stacks:
            put(server, request, query, app, own, stacks, rate)
