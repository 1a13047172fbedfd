# SPDX-License-Identifier: MIT
"""Writes the line tables of the interpreter that runs this, and the lines it gives itself.

Runs on CPython 3.6 and later. Compiles hard cases and every file of the standard library and
writes each code object for tests/tools/check-linetables, numbers little-endian:
    "PSLT", u8 format (0 co_lnotab, 1 PEP 626, 2 PEP 657), u8 major, u8 minor, u8 0, then per code object
    i32 co_firstlineno, u32 bytes of code, u32 bytes of table, u32 bytes of label,
    table, label (file:name:line), then i32 line per instruction, 0 for none; then for "not started".
The lines are those of PyCode_Addr2Line() itself, the function behind frame.f_lineno, by ctypes.
co_lines() and co_positions() must agree with it, else the script says so and exits 1.
"""
import array
import os
import struct
import sys
import sysconfig

VERSION = sys.version_info[:2]
FORMAT = 2 if VERSION >= (3, 11) else 1 if VERSION == (3, 10) else 0
NATIVE_MAX = 1 << 14  # PyCode_Addr2Line scans from the start: sampled in longer code
NATIVE_STEP = 509     # a prime
PROBLEMS = []

try:
    import ctypes
    addr2line = ctypes.pythonapi.PyCode_Addr2Line
    addr2line.argtypes = [ctypes.py_object, ctypes.c_int]
    addr2line.restype = ctypes.c_int
except (ImportError, AttributeError):
    addr2line = None


def lines_of_lnotab(code):
    """Objects/lnotab_notes.txt of 3.6-3.9: every pair, in order, negative steps too."""
    lines, line, table = [], code.co_firstlineno, code.co_lnotab
    size = len(code.co_code)
    for i in range(0, len(table), 2):
        lines.extend([line] * min(table[i], size - len(lines)))
        step = table[i + 1]
        line += step - 256 if step >= 128 else step
    return (lines + [line] * (size - len(lines)))[::2]


def lines_of_ranges(code):
    lines = [0] * (len(code.co_code) // 2)
    for start, end, line in code.co_lines():
        for i in range(start // 2, end // 2):
            lines[i] = line or 0
    return lines


def lines_by_interpreter(code, lines):
    """Overwrites `lines` with PyCode_Addr2Line's answers; says where they differed."""
    count = len(lines)
    step = 1 if count <= NATIVE_MAX else NATIVE_STEP
    for i in range(0, count, step):
        line = max(addr2line(code, i * 2), 0)
        if line != lines[i]:
            PROBLEMS.append("%s: PyCode_Addr2Line(%d) = %d, table says %d"
                            % (code.co_name, i * 2, line, lines[i]))
            lines[i] = line


def lines_of(code):
    lines = lines_of_lnotab(code) if FORMAT == 0 else lines_of_ranges(code)
    if VERSION >= (3, 11):
        starts = [position[0] or 0 for position in code.co_positions()]
        if starts != lines:
            PROBLEMS.append("%s: co_positions() and co_lines() differ" % code.co_name)
    if addr2line:
        lines_by_interpreter(code, lines)
    return lines


def write(out, code):
    table = code.co_lnotab if FORMAT == 0 else code.co_linetable
    label = ("%s:%s:%d" % (code.co_filename, code.co_name, code.co_firstlineno)).encode(
        "utf-8", "replace")[-200:]
    lines = array.array("i", lines_of(code))
    lines.append(addr2line(code, -1) if addr2line else code.co_firstlineno)
    out.write(struct.pack("<iIII", code.co_firstlineno, len(code.co_code), len(table), len(label)))
    out.write(table)
    out.write(label)
    out.write(lines.tobytes())
    for const in code.co_consts:
        if isinstance(const, type(code)):
            write(out, const)


HARD = '''
def calls(f, g):
    return f(
        g(1,
          2),
        g(
            3
        ),
    ).method(
        4
    )(
        5)

@decorator(
    lambda x:
        x + 1
)
@second
def decorated(a=lambda: (
        1), *, b: int = 2):
    """doc"""
    try:
        for i in range(
                a,
                b): x = [
            y for y in i
            if y
            ]; z = {k:
                    v
                    for k, v in x}
    except (A,
            B) as e:
        raise
    finally:
        with a() as b, \\
             c() as d:
            return (yield
                    x)

class C(
        Base, metaclass=
        Meta):
    x: int
    def method(self): return super().method(
        self)
    async def m(self):
        async with self as x:
            async for y in x: await \\
                y(
                    1)

def branches(a):
    while True:
        if a:
            continue
        elif not a: break
        else:
            pass
    else:
        return
    assert (a ==
            1), (
        "message")
    del a; a = 1; return a < \\
        2 < \\
        3
f = lambda: (yield); g = (lambda a,
    b: a)(1,
          2)
print(f"""{
   f
 }
  {g}""")
'''


def hard_cases():
    yield "<hard>", HARD
    yield "<empty>", ""
    yield "<one>", "pass"
    yield "<late>", "\n" * 70000 + HARD + "\n" * 300 + HARD
    yield "<back>", "f(\n" + "\n" * 1000 + "g(),\n" * 200 + "\n" * 40000 + "h())\n" + HARD
    yield "<long line>", "x = [" + ", ".join("f(%d)" % i for i in range(4000)) + "]\n"
    # More than 64 KB of table in every format.
    yield "<wide>", "\n".join("x = f(%d,\n\n  g(x))\n" % i for i in range(33000))
    yield "<wide function>", "def wide(x):\n" + "\n".join(
        "    if x: x = f(%d,\n\n  g(x))\n" % i for i in range(9000))


def hard_code():
    for name, source in hard_cases():
        yield compile(source, name, "exec")
    yield compile("f(\n1,\ng())", "<eval>", "eval")
    code = compile(HARD, "<replaced>", "exec")
    if hasattr(code, "replace"):  # 3.8+
        yield code.replace(co_firstlineno=1000000)
        yield code.replace(co_firstlineno=0)
    import ast
    tree = ast.parse("a = b()\n\nc(\nd)\ne()\n")
    for node in ast.walk(tree):  # jumps of many million lines, forward and back
        if hasattr(node, "lineno") and isinstance(node, (ast.Call, ast.Assign)):
            node.lineno += 2000000 * (isinstance(node, ast.Call))
            if hasattr(node, "end_lineno"):
                node.end_lineno = node.lineno + 3
    yield compile(tree, "<far>", "exec")


def library_files(with_tests):
    top = sysconfig.get_paths()["stdlib"]
    skip = {"site-packages", "dist-packages", "__pycache__"}
    if not with_tests:
        skip |= {"test", "tests", "idle_test", "lib2to3"}
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(set(folders) - skip)
        for name in sorted(names):
            if name.endswith(".py"):
                yield os.path.join(folder, name)


def library_code(with_tests):
    for path in library_files(with_tests):
        try:
            with open(path, "rb") as f:
                yield compile(f.read(), path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, OSError):  # files that are bad on purpose
            pass


def main(argv):
    import warnings
    warnings.simplefilter("ignore")
    out = os.fdopen(os.dup(1), "wb")
    out.write(struct.pack("<4sBBBB", b"PSLT", FORMAT, VERSION[0], VERSION[1], 0))
    for code in hard_code():
        write(out, code)
    if "--hard" not in argv:
        for code in library_code("--tests" in argv):
            write(out, code)
    out.close()
    for problem in PROBLEMS[:20]:
        sys.stderr.write("dump-linetables: %s\n" % problem)
    if not addr2line:
        sys.stderr.write("dump-linetables: no ctypes: lines by the documented algorithm only\n")
    return 1 if PROBLEMS else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
