# SPDX-License-Identifier: MIT
"""A target that does nothing but call small functions and generators, and says which call which.

Prints {"edges": [[caller, line, callee], …], "lines": {function: [first, last]}}, taken from its own source: one call
of a function of its own per line. A function's lines have 0 among them if the compiler gave some of its code no line. Runs until stdin ends, then prints {"rounds": …}.
usage: calls.py [calls|generators|both]
"""
import ast
import json
import sys
import threading


def leaf_a():
    return 1


def leaf_b():
    x = 1
    x += 1
    return x


def middle_a():
    x = leaf_a()
    x += leaf_a()
    return x


def middle_b():
    x = leaf_b()
    for _ in (1, 2):
        x += leaf_b()
    return x


def hot_a():
    x = middle_a()
    x += leaf_a()
    return x


def hot_b():
    x = middle_b()
    x += leaf_b()
    return x


def fibonacci(n):
    if n < 2:
        return n
    x = fibonacci(n - 1)
    x += fibonacci(n - 2)
    return x


def same_depth_a(n):
    if n:
        return same_depth_b(n - 1)
    return leaf_a()


def same_depth_b(n):
    if n:
        return same_depth_a(n - 1)
    return leaf_b()


def with_argument_tuple(*arguments, **keywords):
    x = leaf_a()
    return x + len(arguments) + len(keywords)


def numbers_a():
    for _ in (1, 2, 3):
        yield leaf_a()


def numbers_b():
    for _ in (1, 2, 3):
        yield leaf_b()


def chained_a():
    yield from numbers_a()


def chained_b():
    for x in numbers_b():
        yield x


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield leaf_a()


def use_a():
    x = 0
    for y in chained_a():
        x += y
    return x


def use_b():
    x = 0
    for y in chained_b():
        x += y
    return x


def use_tree():
    for _ in tree(5):
        pass


def by_c(x):
    return middle_a()


def through_c():
    return sorted((2, 1), key=by_c)


class Thing:
    def __init__(self):
        self.x = leaf_a()


def construct():
    x = Thing()
    return x.x


def call_round():
    for _ in range(20):
        hot_a()
        hot_b()
        fibonacci(5)
        same_depth_a(9)
        same_depth_a(30)
        with_argument_tuple(1, 2, three=3)
        through_c()
        construct()


def generator_round():
    for _ in range(20):
        use_a()
        use_b()
        use_tree()


def edges_of_module(tree_of_all, qualified):
    functions = {n.name: n for n in ast.walk(tree_of_all) if isinstance(n, ast.FunctionDef)}
    init = "Thing.__init__" if qualified else "__init__"
    shown = {name: name for name in functions}
    shown["__init__"] = init
    targets = dict(shown, Thing=init)
    edges, lines = set(), {}
    for name, function in functions.items():
        last = max(getattr(n, "lineno", 0) for n in ast.walk(function))
        first = min([function.lineno] + [d.lineno for d in function.decorator_list])
        code = getattr(Thing if name == "__init__" else sys.modules["__main__"], name).__code__
        lineless = hasattr(code, "co_lines") and any(line is None for _, _, line in code.co_lines())
        lines[shown[name]] = [first, last] + [0] * lineless
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                for called in [node.func] + [k.value for k in node.keywords]:
                    if isinstance(called, ast.Name) and called.id in targets:
                        edges.add((shown[name], node.lineno, targets[called.id]))
    return sorted(edges), lines


def say(thing):
    sys.stdout.write(json.dumps(thing) + "\n")
    sys.stdout.flush()


def work():
    rounds, both = 0, kind == "both"
    while running:
        if both or kind == "calls":
            call_round()
        if both or kind == "generators":
            generator_round()
        rounds += 1
    return rounds


def watch():
    sys.stdin.read()
    del running[:]


kind = sys.argv[1] if len(sys.argv) > 1 else "both"
running = [1]
with open(__file__) as source:
    edges, lines = edges_of_module(ast.parse(source.read()), hasattr(say.__code__, "co_qualname"))
del source
threading.Thread(target=watch, daemon=True).start() # before we say that we are ready: it is no part of the graph
say({"edges": edges, "lines": lines})
say({"rounds": work()})
