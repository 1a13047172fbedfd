# SPDX-License-Identifier: MIT
"""What the server says no with: Connect's codes, their statuses, and the bodies."""
import json

STATUS = {"invalid_argument": 400, "unauthenticated": 401, "permission_denied": 403, "not_found": 404,
          "resource_exhausted": 429, "canceled": 499, "unknown": 500, "internal": 500, "unimplemented": 501,
          "unavailable": 503, "deadline_exceeded": 504}
# /ingest names its statuses by gRPC's table, in which 422 has no entry.
CODE = {400: "invalid_argument", 401: "unauthenticated", 403: "permission_denied", 404: "not_found",
        408: "deadline_exceeded", 413: "invalid_argument", 422: "unknown", 429: "resource_exhausted",
        500: "unknown", 503: "unavailable"}


class Refusal(Exception):
    """An error of the Connect protocol; on /ingest the status is another."""

    def __init__(self, code, message, status=None):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status or STATUS[code]

    def body(self):
        return encode(self.code, self.message)


def encode(code, message):
    return json.dumps({"code": code, "message": message}, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "replace")


def invalid(message, *arguments):
    return Refusal("invalid_argument", message % arguments)
