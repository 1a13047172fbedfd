# SPDX-License-Identifier: MIT
"""A target that goes from Python to C and back, and says by which C functions each Python function is reached.

usage: mixed.py LIBRARY [THREADS [CASE…]]

Prints {"reached": {function: [[caller, [C function, …]], …]}, "leaf": {function: C function}, …}: functions of Python
with their callers, and regular expressions for the C functions that must stand between the two, outermost first; and
those in which a function of Python must be seen to end now and then. Names that begin with mixed_ are those of LIBRARY,
which has symbols even if the interpreter has none; "tables" and "maybe" are regular expressions for what the others are
called then. Each thread does all cases in turn until stdin ends; then {"rounds": …, "right": whether every result was
what it should be} is printed.
"""
import ctypes
import functools
import hashlib
import json
import re
import sys
import threading
import zlib

try:
    import sqlite3
except ImportError:  # interpreters that were built without it
    sqlite3 = None

library = ctypes.CDLL(sys.argv[1])
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
COMPARISON = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
DATA = bytes(bytearray(i * 7 % 251 for i in range(20000)))
running = [1]
REACHED, LEAF, CASES = {}, {}, []


def reached(*callers):
    """Where a function is called from: (caller, C functions outermost first)."""
    def mark(function):
        REACHED[name_of(function)] = callers
        return function
    return mark


def name_of(function):
    return getattr(function.__code__, "co_qualname", function.__code__.co_name)


def case(function):
    CASES.append(function)
    REACHED[name_of(function)] = (("py_round", ()),)
    return function


WORKERS = ("py_default", "py_key", "py_match", "py_reduce", "py_compare", "py_callback", "py_sql", "py_map", "py_filter",
           "py_nested_callback", "Item.__lt__", "__lt__", "Sum.step", "step", "<module>")


@reached(*[(name, ()) for name in WORKERS])
def py_work(n):
    x = n
    for i in range(30):
        x = (x * 7 + i) % 1000003
    return x


# --- json ---------------------------------------------------------------------------------------

class Thing(object):
    pass


@reached(("iterencode", ("encoder_(call|listencode_obj)",)), ("JSONEncoder.iterencode", ("encoder_(call|listencode_obj)",)))
def py_default(thing):
    return py_work(1)


@case
def py_json():
    return json.dumps([Thing(), {"a": [Thing()]}], default=py_default) == '[%d, {"a": [%d]}]' % (py_work.one, py_work.one)


# --- sorting ------------------------------------------------------------------------------------

@reached(("py_sorted", ("builtin_sorted", "list_?_?_?sort")))
def py_key(n):
    return -n + 0 * py_work(n)


@case
def py_sorted():
    return sorted(range(20), key=py_key) == list(range(19, -1, -1))


class Item(object):
    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        py_work(1)
        return self.n < other.n


reached(("py_sort", ("list_?_?_?sort",)))(Item.__lt__)


@case
def py_sort():
    items = [Item(n * 7 % 13) for n in range(13)]
    items.sort()
    return [i.n for i in items] == list(range(13))


# --- re, functools, map, filter --------------------------------------------------------------------

@reached(("py_re", ("_sre_SRE_Pattern_sub|pattern_sub",)))
def py_match(match):
    py_work(1)
    return "<" + match.group() + ">"


PATTERN = re.compile("[0-9]+")


@case
def py_re():
    return PATTERN.sub(py_match, "a1b22c333") == "a<1>b<22>c<333>"


@reached(("py_functools", ("functools_reduce",)))
def py_reduce(a, b):
    py_work(1)
    return a + b


@case
def py_functools():
    return functools.reduce(py_reduce, range(10)) == 45


@reached(("py_iterators", ("filter_next", "map_next")))
def py_map(n):
    return n + 0 * py_work(n)


@reached(("py_iterators", ("filter_next",)))
def py_filter(n):
    return py_work(n) >= 0


@case
def py_iterators():
    return list(filter(py_filter, map(py_map, range(10)))) == list(range(10))


# --- ctypes -----------------------------------------------------------------------------------------

@reached(("py_qsort", ("_ctypes_callproc|PyCFuncPtr_call", "mixed_sort", "closure_fcn|_CallPythonObject")))
def py_compare(a, b):
    py_work(1)
    return a[0] - b[0]


compare = COMPARISON(py_compare)


@case
def py_qsort():
    numbers = (ctypes.c_int * 12)(*[n * 5 % 12 for n in range(12)])
    library.mixed_sort(numbers, ctypes.c_size_t(12), compare)
    return list(numbers) == list(range(12))


@reached(("py_ctypes", ("_ctypes_callproc|PyCFuncPtr_call", "mixed_call", "mixed_middle", "mixed_innermost",
                        "closure_fcn|_CallPythonObject")))
def py_callback(n):
    return 0 * py_work(n)


callback = CALLBACK(py_callback)


@case
def py_ctypes():
    return library.mixed_call(callback, 3) == 3 + 9 + 15 + 3


NESTED = ("_ctypes_callproc|PyCFuncPtr_call", "mixed_recurse", "mixed_recurse", "mixed_recurse",
          "closure_fcn|_CallPythonObject")
local = threading.local()


@reached(("py_nested", NESTED), ("py_nested_callback", NESTED))
def py_nested_callback(n):
    local.depth -= 1
    if local.depth:
        return library.mixed_recurse(nested, 2)
    return 0 * py_work(n)


nested = CALLBACK(py_nested_callback)


@case
def py_nested():
    local.depth = 4
    return library.mixed_recurse(nested, 2) == 12


# --- sqlite3 ----------------------------------------------------------------------------------------

STEP = "pysqlite_(cursor|connection)_execute|pysqlite_query_execute"


@reached(("py_sqlite", (STEP, "func_callback")))
def py_sql(n):
    return n + 0 * py_work(n)


class Sum(object):
    def __init__(self):
        self.sum = 0

    def step(self, n):
        self.sum += n + 0 * py_work(n)

    def finalize(self):
        return self.sum


reached(("py_sqlite", (STEP, "step_callback")))(Sum.step)
reached(("py_sqlite", (STEP, "final_callback")))(Sum.finalize)


def py_sqlite():
    found = local.database.execute("select sum(py_sql(n)), py_sum(n) from numbers").fetchone()
    return found == (45, 45)


if sqlite3:
    case(py_sqlite)


def database():
    if not sqlite3:
        return None
    d = sqlite3.connect(":memory:")
    d.create_function("py_sql", 1, py_sql)
    d.create_aggregate("py_sum", 1, Sum)
    d.execute("create table numbers (n)")
    d.executemany("insert into numbers values (?)", [(n,) for n in range(10)])
    return d


# --- leaves -----------------------------------------------------------------------------------------

@case
def py_hash():
    return hashlib.sha256(DATA).hexdigest() == HASHED


@case
def py_zlib():
    return zlib.crc32(zlib.decompress(zlib.compress(DATA, 1))) == CRC


@case
def py_spin():
    return library.mixed_spin(3000) is not None


CALL = r"_ctypes\.(Py)?CFuncPtr\.__call__$"
# What Python's own tables call the C functions of the above: all that stripped interpreters can say. The functions of
# MAYBE end by jumping to another one, which no table names, or were cut in two by the compiler.
TABLES = {
    "encoder_(call|listencode_obj)": r"_json\.Encoder\.__call__$",
    "builtin_sorted": "sorted$",
    "functools_reduce": r"_functools\.reduce$",
    "filter_next": r"filter\.__next__$",
    "map_next": r"map\.__next__$",
    STEP: r"sqlite3\.(Cursor|Connection)\.execute$",
}
MAYBE = {
    "list_?_?_?sort": r"list\.sort$",
    "_sre_SRE_Pattern_sub|pattern_sub": r"re\.Pattern\.sub$",
    "_ctypes_callproc|PyCFuncPtr_call": CALL,
}

HASHED, CRC = hashlib.sha256(DATA).hexdigest(), zlib.crc32(DATA)
LEAF.update(py_hash="(?i)sha|hash|evp", py_zlib="(?i)zlib|flate|crc|adler",
            py_spin="mixed_spin|_ctypes_callproc|PyCFuncPtr_call|" + CALL)


def py_round(cases):
    good = True
    for function in cases:
        good = function() and good
    return good


REACHED["py_round"] = (("py_thread", ()),)


def py_thread(cases, results):
    local.database, rounds, good = database(), 0, True
    while running:
        good = py_round(cases) and good
        rounds += 1
    results.append((rounds, good))


def say(thing):
    sys.stdout.write(json.dumps(thing) + "\n")
    sys.stdout.flush()


def watch():
    sys.stdin.read()
    del running[:]


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    cases = [c for c in CASES if not sys.argv[3:] or name_of(c) in sys.argv[3:]]
    results = []
    threading.Thread(target=watch, daemon=True).start()
    threads = [threading.Thread(target=py_thread, args=(cases, results)) for _ in range(count - 1)]
    for thread in threads:
        thread.start()
    say({"reached": REACHED, "leaf": LEAF, "tables": TABLES, "maybe": MAYBE, "threads": count})
    py_thread(cases, results)
    for thread in threads:
        thread.join()
    say({"rounds": sum(r for r, _ in results), "right": all(good for _, good in results)})


py_work.one = py_work(1)
main()
