# SPDX-License-Identifier: MIT
"""POST /push.v1.PusherService/Push: Connect unary over HTTP/1.1, as connect-go and pkg/distributor do it."""
import base64
import binascii
import json
import zlib

from . import limits as rules
from . import pprof
from .answers import Refusal, invalid
from .protobuf import Malformed, fields

PATH = "/push.v1.PusherService/Push"
TYPES = ("application/json", "application/proto")
MESSAGE_MAX = 256 << 20


class Empty(Exception):
    """A refusal by the HTTP layer, which has no body."""

    def __init__(self, status, headers=()):
        super().__init__(status)
        self.status, self.headers = status, headers


def handle(server, request):
    """The body of the 200 and its headers; Refusal or Empty otherwise."""
    if request.method != "POST":
        raise Empty(405, [("Allow", "POST")])
    kind = request.headers.get("Content-Type", "")
    if kind.startswith("application/json;"):
        kind = "application/json"
    if kind not in TYPES:
        raise Empty(415, [("Accept-Post", ", ".join(TYPES))])
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding not in ("gzip", "identity", ""):
        raise Refusal("unimplemented", 'unknown compression "%s": supported encodings are gzip' % encoding)
    body = gunzip(request.body) if encoding == "gzip" else request.body
    series = from_json(body) if kind == TYPES[0] else from_proto(body)
    server.tenant(request)
    push(server, request, series, len(request.body))
    answer = b"{}" if kind == TYPES[0] else b""
    return answer, [("Content-Type", kind), ("Accept-Encoding", "gzip")], encoding == "gzip"


def gunzip(data):
    try:
        reader = zlib.decompressobj(31)
        body = reader.decompress(data, MESSAGE_MAX)
    except zlib.error:
        raise invalid("decompress: gzip: invalid header") from None
    if not reader.eof:
        raise invalid("decompress: unexpected EOF")
    return body


def from_proto(body):
    """[(labels, [raw profiles])]"""
    try:
        return [_series(value) for number, value in fields(body) if number == 1]
    except (Malformed, TypeError) as e:
        raise invalid("unmarshal message: %s", e) from None


def _series(data):
    labels, samples = [], []
    for number, value in fields(data):
        if number == 1:
            pair = dict(fields(value))
            labels.append((utf8(pair.get(1, b"")), utf8(pair.get(2, b""))))
        elif number == 2:
            samples.append(bytes(dict(fields(value)).get(1, b"")))
    return labels, samples


def utf8(data):
    try:
        return bytes(data).decode()
    except UnicodeDecodeError:
        raise Malformed("string field contains invalid UTF-8") from None


def from_json(body):
    try:
        message = json.loads(body.decode())
        found = []
        for series in message.get("series", []):
            labels = [(p.get("name", ""), p.get("value", "")) for p in series.get("labels", [])]
            raws = [s.get("rawProfile", s.get("raw_profile", "")) for s in series.get("samples", [])]
            found.append((labels, [base64.urlsafe_b64decode(r.replace("+", "-").replace("/", "_") + "==")
                                   for r in raws]))
        return found
    except (ValueError, AttributeError, TypeError, binascii.Error) as e:
        raise invalid("unmarshal message: %s", e) from None


def push(server, request, series, body_size):
    """Each profile by itself: the good ones are stored, the first refusal is the answer."""
    refusals, count = [], 0
    for labels, raws in series:
        for raw in raws:
            count += 1
            try:
                push_one(server, request.tenant, labels, raw, body_size)
            except Refusal as e:
                if e.message != "no profiles received":
                    e.message = "push series with index %d and id  failed: %s: %s" % (count - 1, e.code, e.message)
                refusals.append(e)
    if not count:
        raise invalid("no profiles received")
    if refusals:
        raise refusals[0]


def push_one(server, tenant, labels, raw, body_size):
    limits, old = server.limits, server.version < (2,)
    labels = [(n, v) for n, v in labels if v or n == "__name__"]
    if not dict(labels).get("service_name"):
        labels.append(("service_name", "unknown_service"))
    try:
        plain = pprof.uncompress(raw, None if old else rules.PROFILE_BYTES)
        profile = pprof.Profile(plain)
    except OverflowError:
        raise invalid("uncompressed profile payload size exceeds limit of 4.2 MB") from None
    except (Malformed, TypeError) as e:
        if old:  # up to 1.17 the error is kept from the client
            raise invalid("no profiles received") from None
        raise Refusal("unknown", str(e)) from None
    limits.check_rate(tenant, profile.size + sum(len(n.encode()) + len(v.encode()) for n, v in labels))
    rules.check_profile(limits, profile, labels)
    rules.normalize(profile)
    if not profile.samples:
        return
    sample_names = {profile.string(k) for s in profile.samples for k, value in s.labels if value}
    extra = [(n, "") for n in sample_names if n not in dict(labels)]
    stored = rules.check_labels(limits, labels + extra)
    server.store.add(tenant, [(n, v) for n, v in stored if n not in dict(extra)], profile, profile.size, body_size, raw)
