# SPDX-License-Identifier: MIT
"""What the test tells the server to do, on a port of its own.

POST /control {"plan": [STEP…]}   answer the next pushes so; a step is {"times": N, …} (0: for ever), with any of
	"status", "body", "type", "headers": answer this instead   "store": also take the profile
	"delay": seconds before the answer                         "hang": never answer
	"close": "before" or "half" of the answer                  "garbage": bytes that are no HTTP
	"slow": seconds between the bytes of the answer            "flood": megabytes of body
	"raw": these bytes (base64), then the connection is closed
	"match": only requests whose path contains this (default: Push and ingest)
POST /control {"clear": true}     forget the plan
POST /control {"forget": true}    lose what is stored: kill -9 of version 1
POST /control {"listen": false}   go away: the port is closed, connections are cut; true: come back
POST /control {"version": "2.0.6", "unseen": true, "uncompacted": true, "rate": N, "burst": N, "ready": 503, …}
GET  /control/state               everything stored, and every request; ?full=1 with the stacks
"""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Plan:
    def __init__(self):
        self.lock, self.steps = threading.Lock(), []

    def add(self, steps):
        with self.lock:
            self.steps += [dict(step, left=step.get("times", 1)) for step in steps]

    def clear(self):
        with self.lock:
            self.steps = []

    def left(self):
        with self.lock:
            return sum(s["left"] for s in self.steps)

    def take(self, path):
        """The step for this request, or None."""
        with self.lock:
            for step in self.steps:
                match = step.get("match")
                if match in path if match else path.endswith("/Push") or path.endswith("/ingest"):
                    if step["left"] == 1:
                        self.steps.remove(step)
                    step["left"] -= step["left"] > 0
                    return step
        return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, thing):
        body = json.dumps(thing).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(self.server.subject.state("full" in self.path))

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.subject.obey(asked)
        self.answer({})


def serve(subject):
    """Starts the control port; its number."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.subject = subject
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
