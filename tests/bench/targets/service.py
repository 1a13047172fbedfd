# SPDX-License-Identifier: MIT
"""A small service: four threads answer requests through routes, middleware, queries and serializers, 20 to 40 frames
deep on a few hundred different paths, and wait eleven times as long as they work. Usage: service.py SECONDS"""
import os
import random
import signal
import sys
import threading
import time

THREADS = 4
AREAS = ("orders", "users", "catalog", "search", "billing", "reports")
VERBS = ("list", "show", "create", "update")
MIDDLEWARE = ("request_id", "metrics", "sessions", "authenticate", "authorize", "throttle", "transaction", "errors")
DRIVER = ("connection", "cursor", "execute", "send", "receive")
WORK_SECONDS = 0.01     # of CPU per request
WAIT_PER_WORK = 11      # four threads: a third of one CPU
NESTED = (1, 7)         # levels of what is serialized
REPLY_SHARE = 0.3       # of the waiting: for the database, inside the request

rounds = 0
names = {}              # everything that is made below, by module.function

MODULE_VIEW = """
def {verb}_{area}(request):
    rows = load_{verb}_{area}(request)
    return validate_{verb}_{area}(request, rows)

def load_{verb}_{area}(request):
    if request.random() < 0.5:
        score(request)
    return names["db.connection"](request)

def validate_{verb}_{area}(request, rows):
    parse(request)
    return names["serialize.nested"](request, request.randint(*NESTED))
"""

MODULE_SERIALIZE = """
def nested(request, level):
    if level % 3 == 0:
        return as_list(request, level)
    return as_fields(request, level)

def as_list(request, level):
    return element(request, level - 1)

def as_fields(request, level):
    return element(request, level - 1)

def element(request, level):
    if level > 0:
        return nested(request, level)
    if request.random() < 0.5:
        return encode(request)
    return digest(request)
"""

MODULE_CALLER = """
def {name}(request):
    return names["{callee}"](request)
"""


def define(path, text):
    """Compiles a module of the service under a path of its own, as if it were a file."""
    found = {"names": names, "NESTED": NESTED, "__name__": path, "encode": encode, "digest": digest, "parse": parse,
             "score": score}
    known = set(found)
    exec(compile(text, "service/%s.py" % path.replace(".", "/"), "exec"), found)
    for name in set(found) - known - {"__builtins__"}:
        names[path + "." + name] = found[name]


def spin(request):
    """A quarter of a request's work, by the CPU time of this thread."""
    end = time.thread_time() + WORK_SECONDS / 4
    x = 0
    while time.thread_time() < end:
        for i in range(200):
            x += i
    return x


def encode(request):
    return spin(request)


def digest(request):
    return spin(request)


def parse(request):
    spin(request)
    return spin(request)


def score(request):
    return spin(request)


def reply(request):
    time.sleep(WORK_SECONDS * WAIT_PER_WORK * REPLY_SHARE)


def dispatch(request):
    return names["views.%s.%s_%s" % (request.area, request.verb, request.area)](request)


def define_all():
    names["reply"], names["dispatch"] = reply, dispatch
    for area in AREAS:
        define("views." + area, "".join(MODULE_VIEW.format(verb=v, area=area) for v in VERBS))
    define("serialize", MODULE_SERIALIZE)
    for module, chain, last in (("middleware", MIDDLEWARE, "dispatch"), ("db", DRIVER, "reply")):
        callees = ["%s.%s" % (module, n) for n in chain[1:]] + [last]
        define(module, "".join(MODULE_CALLER.format(name=n, callee=c) for n, c in zip(chain, callees)))


def handle(number):
    global rounds
    request = random.Random(number)
    request.area, request.verb = request.choice(AREAS), request.choice(VERBS)
    names["middleware." + MIDDLEWARE[0]](request)
    rounds += 1


def serve(first):
    """Numbers are requests: which path each takes is known beforehand."""
    number = first
    while True:
        handle(number)
        number += THREADS
        time.sleep(WORK_SECONDS * WAIT_PER_WORK * (1 - REPLY_SHARE))


def report(signum, frame):
    os.write(1, b"%d %.6f\n" % (rounds, time.time()))


def main(seconds):
    signal.alarm(int(seconds))
    define_all()
    for i in range(THREADS - 1):
        threading.Thread(target=serve, args=(i,), daemon=True, name="worker-%d" % i).start()
    os.write(1, b"ready\n")
    serve(THREADS - 1)


signal.signal(signal.SIGUSR1, report)
main(float(sys.argv[1]))
