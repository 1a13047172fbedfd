# SPDX-License-Identifier: MIT
"""HTTP of the test server: routes, chunked and gzip'd answers as measured, and misbehaviour on order."""
import base64
import gzip
import json
import socket
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import ingest, push, querier
from .answers import CODE, Refusal, encode

CHUNKED_ABOVE = 2048  # net/http sends longer answers in chunks
BODY_MAX = 64 << 20
JSON = [("Content-Type", "application/json")]
PLAIN = [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]


class Request:
    def __init__(self, handler, path, query, body):
        self.method, self.path, self.query, self.body = handler.command, path, query, body
        self.headers, self.tenant, self.at = handler.headers, "anonymous", time.time()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def send_response(self, code, message=None):
        """Without a line Server, as the servers do."""
        self.send_response_only(code, message)
        self.send_header("Date", self.date_time_string())

    def log_message(self, *_):
        pass

    def setup(self):
        if self.server.subject.tls:
            self.request = secure(self.server.subject.tls, self.request)
        super().setup()
        self.server.connections.add(self.connection)
        self.server.subject.connected += 1

    def finish(self):
        self.server.connections.discard(self.connection)
        try:
            super().finish()
        except OSError:
            pass

    def handle(self):
        try:
            super().handle()
        except (OSError, ValueError):
            pass

    def read_body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(min(int(self.headers.get("Content-Length", 0)), BODY_MAX))
        parts = []
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            parts.append(self.rfile.read(size))
            self.rfile.readline()
            if not size:
                return b"".join(parts)

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        request = Request(self, url.path, url.query, self.read_body())
        subject = self.server.subject
        step = subject.plan.take(request.path)
        record = subject.record(request)
        if step is None or step.get("store"):
            status, body, headers = subject.answer(request)
        if step is not None:
            if not self.misbehave(step, record):
                return
            if "status" in step:
                status, body, headers = planned(step)
            elif not step.get("store"):
                status, body, headers = subject.answer(request)
        record["status"] = status
        self.send(status, body, headers, (step or {}).get("slow", 0))

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_OPTIONS = serve

    def misbehave(self, step, record):
        """False when the connection is of no use any more."""
        record["step"] = {k: v for k, v in step.items() if k != "left" and k != "body"}
        self.server.subject.stopping.wait(step.get("delay", 0))
        if step.get("hang"):
            self.connection.recv(1)  # until the client has had enough
        elif step.get("close") == "half":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"co")
        elif step.get("garbage"):
            self.wfile.write(b"\x00\xff\x13SSH-2.0-garbage\r\n" * 40)
        elif step.get("raw"):
            self.wfile.write(base64.b64decode(step["raw"]))
        elif step.get("flood"):
            self.flood(step["flood"])
        elif not step.get("close"):
            return True
        self.close_connection = True
        cut(self.connection)
        return False

    def flood(self, megabytes):
        self.wfile.write(b"HTTP/1.1 %d X\r\nContent-Type: text/plain\r\n\r\n" % 500)
        for _ in range(megabytes):
            self.wfile.write(b"all work and no play " * 50000)

    def send(self, status, body, headers, slow):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        chunked = status != 200 and len(body) > CHUNKED_ABOVE
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
        else:
            self.send_header("Content-Length", str(len(body)))
        if not slow:
            self.end_headers()
            self.wfile.write(body)
            return
        self._headers_buffer.append(b"\r\n")
        data = b"".join(self._headers_buffer) + body
        self._headers_buffer = []
        for i in range(len(data)):
            self.wfile.write(data[i:i + 1])
            if self.server.subject.stopping.wait(slow):
                return


def planned(step):
    """The answer a step orders: a string as it is, anything else as JSON, none in the server's own form."""
    body = step.get("body")
    if body is None:
        body = encode(CODE.get(step["status"], "unknown"), step.get("message", "planned")).decode()
    text = body if isinstance(body, str) else json.dumps(body)
    kind = step.get("type", "application/json" if text.startswith("{") else "text/plain")
    return step["status"], text.encode(), [("Content-Type", kind)] + list(step.get("headers", {}).items())


def secure(tls, connection):
    """The connection after the handshake, in the connection's own thread: it may take its time."""
    if connection.recv(1, socket.MSG_PEEK) not in (b"\x16", b""):  # no handshake: as net/http answers
        connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
        raise ConnectionError
    return tls.wrap_socket(connection, server_side=True)


def cut(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class Httpd(ThreadingHTTPServer):
    """One listening time of the server; close() is what a killed process leaves behind."""
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, subject, port):
        super().__init__(("127.0.0.1", port), Handler)
        self.subject, self.connections = subject, set()
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def handle_error(self, *_):
        pass

    def close(self):
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            cut(connection)


def route(subject, request):
    """(status, body, headers) of a well-behaved server."""
    path = subject.below_prefix(request.path)
    if path is None:
        return 404, b"404 page not found\n", PLAIN
    if path.startswith("//"):
        return 301, b"", [("Location", path.replace("//", "/"))]
    query = {k: v[0] for k, v in urllib.parse.parse_qs(request.query).items()}
    request.path = path
    try:
        if path == push.PATH:
            body, headers, zipped = push.handle(subject, request)
            if zipped:
                return 200, gzip.compress(body), headers + [("Content-Encoding", "gzip")]
            return 200, body, headers
        if path in ("/ingest", "/pyroscope/ingest"):
            ingest.handle(subject, request)
            return 200, b"", []
        if path.startswith(querier.PREFIX):
            body = querier.handle(subject, request)
            return (404, b"404 page not found\n", PLAIN) if body is None else (200, body, JSON)
        if path == "/pyroscope/render":
            return 200, querier.render(subject, request, query), JSON
        return plain(subject, request, path)
    except push.Empty as e:
        return e.status, b"", list(e.headers)
    except Refusal as e:
        end = b"" if path == push.PATH else b"\n"
        return e.status, e.body() + end, JSON


def plain(subject, request, path):
    if path == "/ready":
        if request.method != "GET":
            return 405, b"", []
        text = b"ready\n" if subject.ready == 200 else b"Ingester not ready: waiting for 15s after being ready\n"
        return subject.ready, text, PLAIN
    if path == "/api/v1/status/buildinfo":
        data = {"status": "success", "data": {"version": subject.shown_version, "revision": "0", "branch": "HEAD",
                                              "buildDate": "", "goVersion": "go1.24"}}
        return 200, json.dumps(data).encode(), JSON
    return 404, b"404 page not found\n", PLAIN
