# SPDX-License-Identifier: MIT
"""A target whose threads stand still in hard places, each having said where it stands.

Prints one JSON line per thread: {"case", "thread_id", "tid", "frames": [[name, file, line, first line], …]}, leaf
first, as sys._getframe() sees it; then {"ready": count, "skipped": {case: why}}. Ends when stdin does.
Runs on every CPython from 3.6; newer syntax is compiled from text.
"""
import asyncio
import contextlib
import functools
import itertools
import json
import operator
import os
import re
import signal
import sys
import tempfile
import threading
import time
import weakref

PARKED_FD = 0
cases = []
skipped = {}
lock = threading.Lock()
noted = threading.Semaphore(0)
current = threading.local()
_frame = sys._getframe


def name_of(code):
    return getattr(code, "co_qualname", code.co_name)


def chain(frame):
    frames = []
    while frame is not None:
        code = frame.f_code
        frames.append([name_of(code), code.co_filename, frame.f_lineno, code.co_firstlineno])
        frame = frame.f_back
    return frames


def say(thing):
    with lock:
        sys.stdout.write(json.dumps(thing) + "\n")
        sys.stdout.flush()


def note(frame, result=1):
    """Says where the calling thread stands; the caller blocks in the same line."""
    tid = threading.get_native_id() if hasattr(threading, "get_native_id") else 0
    say({"case": current.case, "thread_id": threading.get_ident(), "tid": tid, "frames": chain(frame)})
    noted.release()
    return result


def park(*_args, **_keywords):
    os.read(PARKED_FD, note(_frame()))
    return 1


def case(function):
    cases.append((function.__name__, function))
    return function


def cases_from(version, text):
    """Cases in the syntax of a newer Python; every top-level function whose name starts with case_."""
    if sys.version_info < version:
        return
    scope = dict(globals())
    exec(compile(text, "/made/up/since_%d_%d.py" % version, "exec"), scope)
    for name, function in list(scope.items()):
        if name.startswith("case_"):
            cases.append((name[5:], function))


# --- calls ---------------------------------------------------------------------------------------

@case
def plain():
    park()


@case
def multi_line_call():
    park(
        1,
        2,
        three=3,
    )


@case
def multi_line_argument():
    operator.add(
        1,
        park(
            "inner",
        ),
    )


@case
def multi_line_first_argument():
    max(
        park(),
        2,
        3)


@case
def multi_line_method_chain():
    class Builder:
        def step(self):
            return self

        def stop(self, *_):
            park()

    (Builder()
     .step()
     .step()
     .stop(
         1))


@case
def multi_line_binary_operator():
    class Operand:
        def __add__(self, _other):
            return park()

    _ = (Operand()
         +
         Operand())


@case
def multi_line_subscript():
    class Items:
        def __getitem__(self, _key):
            return park()

    Items()[
        1,
        2
    ]


@case
def multi_line_return():
    return (
        1,
        park(),
    )


@case
def star_arguments():
    positional, keywords = (1, 2), {"three": 3}
    park(
        *positional,
        **keywords
    )


@case
def nested_calls_in_one_line():
    max(min(park(), 2), 3)


@case
def conditional_expression():
    _ = (park()
         if cases
         else None)


@case
def dict_display():
    _ = {
        "one": 1,
        "two": park(),
        "three": 3,
    }


@case
def percent_format():
    class Text:
        def __str__(self):
            park()
            return ""
    "%s %s" % (
        1,
        Text())


@case
def f_string():
    class Text:
        def __format__(self, _spec):
            park()
            return ""
    _ = f"{1}{Text():>10}{2}"


@case
def assert_message():
    with contextlib.suppress(AssertionError):
        assert not cases, \
            park()


@case
def raise_argument():
    try:
        raise ValueError(
            park())
    except ValueError:
        pass


@case
def default_of_lambda():
    lambda x=park(): x


@case
def lambda_body():
    (lambda: (
        park()))()


@case
def default_of_function():
    def function(_one=1,
                 _two=park()):
        pass


@case
def annotation_of_function():
    # Not evaluated any more from 3.14.
    def function(_one: park()):
        pass
    function.__annotations__


@case
def decorators():
    def decorate(*_):
        park()
        return lambda f: f

    @functools.lru_cache(
        maxsize=3)
    @decorate(
        1)
    def function():
        pass


@case
def decorator_applied():
    def decorate(f):
        park()
        return f

    @functools.wraps(plain)
    @decorate
    def function():
        pass


@case
def class_decorated():
    def decorate(c):
        park()
        return c

    @decorate
    class _Decorated:
        pass


# --- control flow --------------------------------------------------------------------------------

@case
def in_try():
    try:
        park()
    finally:
        pass


@case
def in_except():
    try:
        raise KeyError
    except (ValueError,
            KeyError):
        park()


@case
def in_nested_except():
    try:
        try:
            {}[1]
        except KeyError as e:
            raise ValueError from e
    except ValueError:
        try:
            1 / 0
        except ZeroDivisionError:
            park()


@case
def in_try_else():
    try:
        pass
    except ValueError:
        pass
    else:
        park()


@case
def in_finally():
    try:
        pass
    finally:
        park()


@case
def in_finally_after_return():
    try:
        return 1
    finally:
        park()


@case
def in_finally_after_raise():
    with contextlib.suppress(KeyError):
        try:
            raise KeyError
        finally:
            park()


class Manager:
    def __init__(self, at):
        self.at = at

    def __enter__(self):
        if self.at == "enter":
            park()

    def __exit__(self, *_):
        if self.at == "exit":
            park()
        return True


@case
def with_enter():
    with Manager(""), \
            Manager("enter"):
        pass


@case
def with_exit():
    with Manager("exit"):
        _ = 1


@case
def with_exit_after_raise():
    with Manager("exit"):
        raise KeyError


@case
def with_exit_after_return():
    with Manager("exit"):
        return


@case
def with_contextmanager():
    @contextlib.contextmanager
    def manager():
        park()
        yield
    with manager():
        pass


@case
def with_exit_stack():
    with contextlib.ExitStack() as stack:
        stack.callback(park)


@case
def loops():
    for i in range(3):
        while i == 2:
            park()
            break
        else:
            continue


@case
def for_else():
    for _ in ():
        pass
    else:
        park()


@case
def condition_of_while():
    while park():
        break


@case
def bool_of_if():
    class Truth:
        def __bool__(self):
            return bool(park())
    if (Truth()
            and 1):
        pass


# --- comprehensions and generators ---------------------------------------------------------------

@case
def list_comprehension():
    _ = [
        park()
        for _ in range(1)
    ]


@case
def nested_comprehensions():
    _ = {
        i: [{
            park()
            for _ in range(1)
        } for _ in range(1)]
        for i in range(1)
    }


@case
def comprehension_condition():
    _ = [i
         for i in range(1)
         if park()]


@case
def generator_expression():
    any(park()
        for _ in range(1))


@case
def generator_in_generator():
    def inner():
        yield park()

    def outer():
        for x in inner():
            yield x
    list(outer())


@case
def yield_from_chain():
    def link(depth):
        if depth:
            yield from link(depth - 1)
        else:
            yield 1
            park()
            yield 2
    list(link(40))


@case
def generator_send():
    def echo():
        while True:
            got = yield
            if got:
                park()
    g = echo()
    next(g)
    g.send(None)
    g.send(1)


@case
def generator_throw():
    def catcher():
        try:
            yield
        except KeyError:
            park()
            yield
    g = catcher()
    next(g)
    g.throw(KeyError)


@case
def generator_close():
    def closed():
        try:
            yield
        finally:
            park()
    g = closed()
    next(g)
    g.close()


@case
def generator_deleted():
    def deleted():
        try:
            yield
        finally:
            park()
    g = deleted()
    next(g)
    del g


@case
def generator_unpacked():
    def pair():
        yield 1
        yield park()
    _a, _b = pair()


@case
def generator_as_star_arguments():
    def some():
        yield 1
        yield park()
    print(*some(), file=open(os.devnull, "w"))


@case
def generator_in_other_thread():
    """Begun in one thread, continued in another."""
    def travelling():
        yield 1
        park()
        yield 2
    g = travelling()
    helper = threading.Thread(target=next, args=(g,))
    helper.start()
    helper.join()
    next(g)


@case
def generator_recursive():
    def tree(depth):
        if depth == 0:
            yield park()
            return
        for x in tree(depth - 1):
            yield x
    next(tree(30))


# --- coroutines ----------------------------------------------------------------------------------

def run_async(coroutine):
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(coroutine)
    finally:
        loop.close()


@case
def coroutine_chain():
    async def inner():
        park()

    async def outer():
        await inner()

    run_async(outer())


@case
def coroutine_after_suspension():
    async def inner():
        await asyncio.sleep(0)
        park()

    async def outer():
        await asyncio.sleep(0.001)
        await inner()

    run_async(outer())


@case
def coroutine_tasks():
    async def worker(n):
        await asyncio.sleep(0)
        if n == 2:
            park()

    async def main():
        await asyncio.gather(*[worker(n) for n in range(3)])

    run_async(main())


@case
def coroutine_by_hand():
    async def f():
        park()
    with contextlib.suppress(StopIteration):
        f().send(None)


@case
def async_for_and_generator():
    async def numbers():
        yield 1
        await asyncio.sleep(0)
        park()
        yield 2

    async def main():
        async for _ in numbers():
            pass

    run_async(main())


@case
def async_comprehension():
    async def numbers():
        yield park()

    async def main():
        return [x
                async for x in numbers()]

    run_async(main())


@case
def async_with():
    class Async:
        async def __aenter__(self):
            await asyncio.sleep(0)

        async def __aexit__(self, *_):
            park()

    async def main():
        async with Async():
            pass

    run_async(main())


@case
def awaitable_class():
    class Awaitable:
        def __await__(self):
            park()
            yield from ()

    async def main():
        await Awaitable()

    run_async(main())


@case
def loop_callback():
    async def main():
        done = asyncio.get_event_loop().create_future()
        asyncio.get_event_loop().call_soon(lambda: done.set_result(park()))
        await done

    run_async(main())


# --- classes -------------------------------------------------------------------------------------

@case
def class_body():
    class _Outer:
        x = 1

        class Inner:
            y = park()


@case
def class_init():
    class Thing:
        def __init__(self):
            park()
    Thing()


@case
def class_init_with_super():
    class Base:
        def __init__(self, _x):
            park()

    class Derived(Base):
        def __init__(self):
            super().__init__(
                1)
    Derived()


@case
def class_init_in_init():
    class A:
        def __init__(self, depth):
            self.child = A(depth - 1) if depth else park()
    A(20)


@case
def class_new():
    class Thing:
        def __new__(cls):
            park()
            return super().__new__(cls)
    Thing()


@case
def metaclass():
    class Meta(type):
        @classmethod
        def __prepare__(mcs, *_):
            return {}

        def __new__(mcs, name, bases, namespace):
            return super().__new__(mcs, name, bases, namespace)

        def __call__(cls, *_):
            park()

    class Thing(metaclass=Meta):
        pass
    Thing()


@case
def metaclass_prepare():
    class Meta(type):
        @classmethod
        def __prepare__(mcs, *_):
            park()
            return {}

    class _Thing(
            metaclass=Meta):
        pass


@case
def init_subclass():
    class Base:
        def __init_subclass__(cls):
            park()

    class _Derived(Base):
        pass


@case
def set_name():
    class Named:
        def __set_name__(self, _owner, _name):
            park()

    class _Thing:
        attribute = Named()


@case
def property_get():
    class Thing:
        @property
        def value(self):
            return park()
    Thing().value


@case
def property_set():
    class Thing:
        value = property(None, lambda self, _v: park())
    Thing().value = 1


@case
def descriptor():
    class Descriptor:
        def __get__(self, _instance, _owner):
            return park()

    class Thing:
        value = Descriptor()
    Thing.value


@case
def getattr_hook():
    class Thing:
        def __getattr__(self, _name):
            return park()
    Thing().anything


@case
def getattribute_hook():
    class Thing:
        def __getattribute__(self, _name):
            return park()
    Thing().anything


@case
def setattr_hook():
    class Thing:
        def __setattr__(self, _name, _value):
            park()
    Thing().anything = 1


@case
def class_and_static_methods():
    class Thing:
        @classmethod
        def one(cls):
            cls.two()

        @staticmethod
        def two():
            park()
    Thing.one()


@case
def finalizer():
    class Thing:
        def __del__(self):
            park()
    x = Thing()
    del x


@case
def finalizer_at_return():
    class Thing:
        def __del__(self):
            park()

    def function():
        _local = Thing()
    function()


@case
def instance_called():
    class Thing:
        def __call__(self):
            park()
    Thing()()


@case
def operators():
    class Thing:
        def __radd__(self, _other):
            return self

        def __iadd__(self, _other):
            return self

        def __neg__(self):
            return self

        def __lt__(self, _other):
            park()
            return True
    x = 1 + Thing()
    x += 1
    -x < 2


@case
def iterator_class():
    class Endless:
        def __iter__(self):
            return self

        def __next__(self):
            return park()
    for _ in Endless():
        break


# --- through C -----------------------------------------------------------------------------------

@case
def through_sorted():
    sorted([2, 1],
           key=lambda x: park())


@case
def through_map_and_filter():
    list(map(lambda x: x,
             filter(park, [1])))


@case
def through_reduce():
    functools.reduce(park, [1, 2, 3])


@case
def through_partial():
    functools.partial(park, 1)()


@case
def through_lru_cache():
    @functools.lru_cache(None)
    def cached(n):
        return cached(n - 1) if n else park()
    cached(20)


@case
def through_singledispatch():
    @functools.singledispatch
    def dispatch(_x):
        park()
    dispatch(1)


@case
def through_hash_and_equality():
    class Key:
        def __hash__(self):
            return 1

        def __eq__(self, _other):
            return bool(park())
    {Key(): 1, Key(): 2}


@case
def through_list_sort_comparison():
    class Thing:
        def __lt__(self, _other):
            return bool(park())
    [Thing(), Thing()].sort()


@case
def through_join():
    "".join(str(park()) for _ in range(1))


@case
def through_iter_sentinel():
    list(itertools.islice(iter(park, None), 1))


@case
def through_starmap():
    list(itertools.starmap(park, [(1, 2)]))


@case
def through_re_sub():
    re.sub("a", lambda match: str(park()), "a")


@case
def through_json():
    json.dumps(object(), default=park)


@case
def through_weakref():
    class Thing:
        pass
    x = Thing()
    _ref = weakref.ref(x, park)
    del x


@case
def through_print():
    class File:
        def write(self, _text):
            park()
    print(1, file=File())


@case
def through_getattr_and_call():
    operator.methodcaller("function")(type("Thing", (), {"function": lambda self: park()})())


@case
def through_c_recursion():
    def down(n):
        return sorted([n], key=lambda x: down(x - 1) if x else park())
    down(40)


@case
def through_ctypes():
    import ctypes
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(park)
    callback(1)


@case
def through_expat():
    from xml.parsers import expat
    parser = expat.ParserCreate()
    parser.StartElementHandler = park
    parser.Parse("<a/>", True)


@case
def through_sqlite():
    import sqlite3
    db = sqlite3.connect(":memory:")
    db.create_function("park", 0, park)
    db.execute("select park()").fetchall()


@case
def through_pickle():
    import pickle

    class Thing:
        def __reduce__(self):
            park()
            return (int, ())
    pickle.dumps(Thing())


def profiled(event_wanted, function):
    """Stands in a profile function, while it is told of one event of a function."""
    def profile(frame, event, _argument):
        if event == event_wanted and frame.f_code.co_name == "seen":
            sys.setprofile(None)
            park()
    sys.setprofile(profile)
    function()


@case
def profile_of_call():
    def seen():
        pass
    profiled("call", seen)


@case
def profile_of_return():
    def seen():
        return 1
    profiled("return", seen)


@case
def profile_of_generator_resumed():
    def seen():
        yield 1
        yield 2
    g = seen()
    next(g)
    profiled("call", lambda: next(g))


@case
def profile_of_generator_yielding():
    def seen():
        yield 1
        yield 2
    g = seen()
    profiled("return", lambda: next(g))


def traced(event_wanted, function):
    def trace(frame, event, _argument):
        if frame.f_code.co_name != "seen":
            return None
        if event == event_wanted:
            sys.settrace(None)
            park()
        return trace
    sys.settrace(trace)
    function()


@case
def trace_of_line():
    def seen():
        _ = 1
        _ = 2
    traced("line", seen)


@case
def trace_of_exception():
    def seen():
        with contextlib.suppress(KeyError):
            raise KeyError
    traced("exception", seen)


@case
def trace_of_return():
    def seen():
        return 1
    traced("return", seen)


@case
def finalizer_while_unwinding():
    """What lies on the stack of an expression dies when an exception leaves it."""
    class Thing:
        def __del__(self):
            park()

    def fail():
        raise KeyError
    with contextlib.suppress(KeyError):
        _ = [Thing(), fail()]


# --- blocked in other ways -----------------------------------------------------------------------

@case
def blocked_in_sleep():
    time.sleep(note(_frame(), 1000000))


@case
def blocked_in_lock():
    mine = threading.Lock()
    mine.acquire()
    mine.acquire(True, note(_frame(), 1000000))


@case
def blocked_in_condition():
    condition = threading.Condition()
    condition.acquire()
    # threading.Condition.wait() is Python: it stands in a lock of its own.
    park()


@case
def blocked_in_select():
    import select
    select.select([], [], [], note(_frame(), 1000000))


# --- made at run time ----------------------------------------------------------------------------

@case
def exec_text():
    exec("\n\nx = (\n  park())", {"park": park})


@case
def exec_function():
    scope = {"park": park}
    exec(compile("def made(a):\n\n  return [\n    park()\n    for _ in a]\n", "made at run time", "exec"), scope)
    scope["made"]([1])


@case
def eval_text():
    eval("[\n1,\npark()]", {"park": park})


@case
def far_lines():
    """Lines so far apart that one entry of a line table does not reach, forwards and backwards."""
    text = "def far():\n" + "\n" * 300 + " x = max(park(),\n" + "\n" * 200000 + "  1)\n"
    scope = {"park": park}
    exec(compile(text, "far.py", "exec"), scope)
    scope["far"]()


@case
def long_code():
    """Bytecode and line table of more than 64 KB."""
    text = "def long(x):\n" + " x = (x + 1) * 1\n" * 20000 + " park()\n" + " x = 1\n" * 1000
    scope = {"park": park}
    exec(compile(text, "long.py", "exec"), scope)
    scope["long"](1)


@case
def long_line():
    """Many bytes of code for one line."""
    text = "def long(x):\n x = [" + "x, " * 3000 + "\n park()]\n"
    scope = {"park": park}
    exec(compile(text, "long_line.py", "exec"), scope)
    scope["long"](1)


@case
def line_zero_and_high():
    scope = {"park": park}
    exec(compile("\n" * 1000000 + "def high(): park()", "high.py", "exec"), scope)
    scope["high"]()


@case
def module_being_imported():
    folder = tempfile.mkdtemp()
    try:
        name = "imported_by_parked"
        with open(os.path.join(folder, name + ".py"), "w") as f:
            f.write("import threading\n\nclass Body:\n    value = threading.park()\n")
        threading.park = park
        sys.path.insert(0, folder)
        __import__(name)
    finally:
        sys.path.remove(folder)


def deep(n):
    if n:
        return deep(n - 1)
    return park()


def deep_and_wide(n, a=1, b=2, c=3, d=4):
    (e, f, g, h) = (a, b, c, d)
    if n:
        return deep_and_wide(n - 1, e, f, g, h) + [
            n][0]
    return park()


@case
def recursion_500():
    deep(500)


@case
def recursion_500_wide():
    deep_and_wide(500)


@case
def recursion_3000():
    deep(3000)


@case
def recursion_through_generators():
    def walk(n):
        if n:
            for x in walk(n - 1):
                yield x
        else:
            yield deep(200)
    list(walk(200))


cases_from((3, 7), """
def case_class_getitem():
    class Thing:
        def __class_getitem__(cls, _key):
            return park()
    Thing[
        1]
""")

cases_from((3, 8), """
def case_walrus():
    if (x := [
            y for _ in range(2)
            if (y := park())]):
        return x

def case_positional_only(a=1, /):
    park(
        a)

def case_f_string_equals():
    _ = f"{park()=}"

def case_cached_property():
    class Thing:
        @functools.cached_property
        def value(self):
            return park()
    Thing().value

def case_finally_continue():
    for _ in range(1):
        try:
            pass
        finally:
            park()
            continue
""")

cases_from((3, 9), """
def case_any_decorator():
    @[lambda f: (
        park())][0]
    def function():
        pass
""")

cases_from((3, 10), """
def case_match():
    class Point:
        __match_args__ = ("x",)
        @property
        def x(self):
            return park()
    match Point():
        case 1:
            pass
        case Point(
            2 | 3
        ):
            pass

def case_match_guard():
    match 1:
        case 1 if not cases:
            pass
        case x if (
                park()):
            pass

def case_with_parentheses():
    with (
        Manager(""),
        Manager("enter"),
    ):
        pass
""")

cases_from((3, 11), """
def case_except_star():
    try:
        raise ExceptionGroup("", [KeyError(), ValueError()])
    except* KeyError:
        pass
    except* ValueError:
        park()

def case_task_group():
    async def worker():
        await asyncio.sleep(0)
        park()
    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(worker())
    asyncio.run(main())
""")

cases_from((3, 12), """
def case_type_parameters():
    def generic[T: int](x: T = park()) -> T:
        return x

def case_type_parameter_bound():
    def generic[T: (
            park())]():
        pass
    generic.__type_params__[0].__bound__

def case_type_alias():
    type Alias = (
        park())
    Alias.__value__

def case_generic_class():
    class Generic[T]:
        x = [park() for _ in range(1)]

def case_f_string_nested():
    _ = f"{f"{
        park()}"}"

def case_class_comprehension():
    class C:
        y = [1]
        x = [
            park() for _ in y]
""")

cases_from((3, 14), """
def case_annotations_deferred():
    class Annotated:
        x: park()
    Annotated.__annotations__

def case_template_string():
    _ = t"{
        park()}"

def case_except_without_parentheses():
    try:
        1 / 0
    except ValueError, ZeroDivisionError:
        park()
""")

cases_from((3, 15), """
def case_comprehension_unpacked():
    _ = [
        *[park()]
        for _ in range(1)]
""")


def started(name, function):
    def stand():
        current.case = name
        try:
            function()
        except ImportError as e:
            skipped[name] = str(e)
            noted.release()
        except Exception as e:
            skipped[name] = "FAILED " + repr(e)
            noted.release()
    thread = threading.Thread(target=stand, name=name, daemon=True)
    thread.start()


def main():
    sys.setrecursionlimit(20000)
    threading.stack_size(64 << 20)
    wanted = sys.argv[1:]
    chosen = [c for c in cases if not wanted or c[0] in wanted]
    for name, function in chosen:
        started(name, function)
        noted.acquire()
    current.case = "signal_handler"
    signal.signal(signal.SIGUSR1, lambda number, frame: say_ready_and_park())
    os.kill(os.getpid(), signal.SIGUSR1)


def say_ready_and_park():
    def ready(frame):
        note(frame)
        say({"ready": len(cases) + 1, "skipped": skipped})
        return 1
    os.read(PARKED_FD, ready(_frame()))
    os._exit(0)


main()
