# SPDX-License-Identifier: MIT
"""A target with several interpreters, each with threads that stand still.

Prints {"interpreter", "thread_id", "functions": [leaf first, …]} per thread, then {"ready": count} or {"skipped": why}.
Ends when stdin does.
"""
import json
import os
import sys
import threading
import time

CODE = """
import json, os, sys, threading, time
def stands_in_{0}(say):
    os.write(1, (json.dumps(say(sys._getframe())) + "\\n").encode()); time.sleep(1000000)
def say(frame):
    names = []
    while frame is not None:
        names.append(getattr(frame.f_code, "co_qualname", frame.f_code.co_name))
        frame = frame.f_back
    return {{"interpreter": {0}, "thread_id": threading.get_ident(), "functions": names}}
def outer_{0}():
    stands_in_{0}(say)
{1}
"""
COUNT = 3


def api():
    """(create, run) of the module that this version has."""
    try:
        import _interpreters
        return lambda: _interpreters.create(), lambda i, code: _interpreters.run_string(i, code)
    except ImportError:
        pass
    try:
        import _xxsubinterpreters
    except ImportError:
        return None
    return _xxsubinterpreters.create, _xxsubinterpreters.run_string


def say_line(thing):
    """In one write: several interpreters write at once."""
    os.write(1, (json.dumps(thing) + "\n").encode())


def run(function, interpreter, code):
    error = function(interpreter, code)
    if error:
        say_line({"skipped": str(error)})


def main():
    found = api()
    if found is None:
        say_line({"skipped": "this version cannot make interpreters from Python"})
        return
    create, run_string = found
    for n in range(1, COUNT + 1):
        code = CODE.format(n, "outer_%d()" % n)
        threading.Thread(target=run, args=(run_string, create(), code), daemon=True).start()
    exec(CODE.format(0, "threading.Thread(target=outer_0, daemon=True).start()"), {"__name__": "main_code"})
    say_line({"ready": COUNT + 1})
    sys.stdin.read()


main()
