# SPDX-License-Identifier: MIT
"""A target whose threads stand in functions and files with hard names.

Prints {"case", "thread_id", "name", "file"} for the function each thread stands in, in \\u escapes, then {"ready": 1}.
Ends when stdin does. usage: names.py [spin], to spin instead of standing.
"""
import json
import os
import shutil
import sys
import tempfile
import threading
import time

LONG = "long_" + "x" * 4995
CASES = [  # what, name, file
    ("latin-1", "héllo", "/made/up/café.py"),
    ("two bytes", "привет", "/made/up/кириллица.py"),
    ("four bytes", "𝒇unction", "/made/up/💩 emoji.py"),
    ("mixed", "a猫", "/made/up/x\u00e9\u0416\U0001f40d.py"),
    ("5000 characters", LONG, "/made/up/plain.py"),
    ("5000 wide characters", "ж" * 5000, "/made/up/plain.py"),
    ("long file name", "plain", "/made/up/" + "d" * 3000 + "/long.py"),
    ("surrogates in the file name", "plain", "/made/up/\udcff\udc80.py"),
    ("NUL", "plain", "/made/up/nul\0inside.py"),
    ("semicolon and newline", "a;b\nc", "/made/up/semi;colon\nnewline.py"),
    ("blanks", "a b  c", "/made/up/with blank (1):2.py"),
    ("quotes and markup", "<&>\"'\\", "/made/up/<script>&amp;\"quote\".py"),
    ("controls", "a\tb\x1b[31m\x7f\x85\u2028\u202e", "/made/up/tab\there.py"),
    ("no characters", "a\uffff\ufffe\ufdd0", "/made/up/plain.py"),
    ("empty", "", ""),
    ("relative", "plain", "relative/path.py"),
]
ready = threading.Semaphore(0)


def with_names(code, name, file):
    """The code with other names, whatever this Python's way."""
    if hasattr(code, "replace"):
        names = {"co_name": name, "co_filename": file}
        if hasattr(code, "co_qualname"):
            names["co_qualname"] = name
        return code.replace(**names)
    return type(code)(code.co_argcount, code.co_kwonlyargcount, code.co_nlocals, code.co_stacksize, code.co_flags,
                      code.co_code, code.co_consts, code.co_names, code.co_varnames, file, name, code.co_firstlineno,
                      code.co_lnotab, code.co_freevars, code.co_cellvars)


def say(thing):
    sys.stdout.write(json.dumps(thing) + "\n")
    sys.stdout.flush()


def stand(what, wait):
    code = sys._getframe(1).f_code
    say({"case": what, "thread_id": threading.get_ident(), "name": getattr(code, "co_qualname", code.co_name),
         "file": code.co_filename})
    ready.release()
    wait()


def start(function, what):
    threading.Thread(target=function, args=(what,), daemon=True, name=what).start()
    ready.acquire()


def template(what):
    stand(what, wait)


def wait():
    if sys.argv[1:] == ["spin"]:
        while True:
            pass
    time.sleep(1000000)


def import_cyrillic():
    """From a real file of that name."""
    folder = tempfile.mkdtemp()
    with open(os.path.join(folder, "модуль.py"), "w", encoding="utf-8") as f:
        f.write("def функция(what):\n    stand(what, wait)\n")
    sys.path.insert(0, folder)
    module = __import__("модуль")
    module.stand, module.wait = stand, wait
    shutil.rmtree(folder)
    return module.функция


def main():
    for what, name, file in CASES:
        template.__code__ = with_names(template.__code__, name, file)
        start(type(template)(template.__code__, globals()), what)
    try:
        start(import_cyrillic(), "imported from a file")
    except (UnicodeError, ImportError) as e:
        say({"skipped": "imported from a file", "why": str(e)})
    say({"ready": 1})
    sys.stdin.read()


main()
