# SPDX-License-Identifier: MIT
"""A target that calls back through somebody else's code, round after round, until stdin ends.

usage: foreign.py ctypes LIBRARY | extension FOLDER NAME | jit | numpy FOLDER | scipy FOLDER | orjson FOLDER | pydantic FOLDER

Prints {"chain": [functions of Python that each stack holds when it holds the last one, outermost first], "code": regex for
what is between the last two}; at the end {"rounds": …, "right": …}.
"""
import ctypes
import json
import sys
import threading

running = [1]
right = [True]


def py_work(n):
    x = n
    for i in range(60):
        x = (x * 7 + i) % 1000003
    return 0


def py_callback(n):
    return py_work(n)


def py_default(thing):
    return py_callback(1)


def say(thing):
    sys.stdout.write(json.dumps(thing) + "\n")
    sys.stdout.flush()


def ctypes_round(path):
    library = ctypes.CDLL(path)
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(py_callback)
    first = library.mixed_call(callback, 5)

    def py_round():
        return library.mixed_call(callback, 5) == first
    return py_round, "mixed_call"


def extension_round(folder, name):
    sys.path.insert(0, folder)
    module = __import__(name)
    first = module.call(py_callback, 5)

    def py_round():
        return module.call(py_callback, 5) == first
    return py_round, r"\(%s\.|%s" % (name, name)


def jit_round():
    def py_round():
        total = 0
        for i in range(300):
            total += i ^ 3
            if i % 50 == 0:
                total += sorted((3, 1, 2), key=py_callback)[0]
        return total == 44850 + 18
    py_round()
    return py_round, None


def numpy_round(folder):
    sys.path.insert(0, folder)
    import numpy
    f = numpy.frompyfunc(py_callback, 1, 1)
    a = numpy.arange(20)
    m = numpy.ones((40, 40))

    def py_round():
        numpy.linalg.solve(m + numpy.eye(40), m)
        return int(numpy.sum(f(a))) == 0
    return py_round, "multiarray"


def scipy_round(folder):
    sys.path.insert(0, folder)
    import scipy.integrate

    def py_round():
        return abs(scipy.integrate.quad(py_callback, 0, 1)[0]) < 1
    return py_round, "_quadpack"


def orjson_round(folder):
    sys.path.insert(0, folder)
    import orjson

    class Thing(object):
        pass
    things = [Thing(), {"a": Thing()}]

    def py_round():
        return orjson.dumps(things, default=py_default) == b'[0,{"a":0}]'
    return py_round, "orjson"


def pydantic_round(folder):
    sys.path.insert(0, folder)
    from pydantic_core import SchemaValidator, core_schema
    function = core_schema.no_info_plain_validator_function(py_callback)
    validator = SchemaValidator(core_schema.list_schema(function))

    def py_round():
        return validator.validate_python([1, 2, 3]) == [0, 0, 0]
    return py_round, "pydantic_core"


def watch():
    sys.stdin.read()
    del running[:]


def main():
    make = globals()[sys.argv[1] + "_round"]
    py_round, code = make(*sys.argv[2:])
    threading.Thread(target=watch, daemon=True).start()
    between = ["py_default"] if sys.argv[1] == "orjson" else []
    name = getattr(py_round.__code__, "co_qualname", "py_round")
    say({"chain": [name] + between + ["py_callback", "py_work"], "code": code})
    rounds = 0
    while running:
        right[0] = py_round() and right[0]
        rounds += 1
    say({"rounds": rounds, "right": bool(right[0])})


main()
