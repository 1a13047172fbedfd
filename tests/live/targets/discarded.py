# SPDX-License-Identifier: MIT
"""A target that makes functions at run time, one after another, works in each for a while and throws it away.

Each has its own name, file and first line; memory of the old ones is taken by the new ones at once. Prints
{"functions": [[name, file, first line, last line], …]} at the end.
usage: discarded.py COUNT SECONDS
"""
import gc
import json
import sys
import time

count, seconds = int(sys.argv[1]), float(sys.argv[2])
TEXT = """def made_{0:03}(end, now):
    x = 0
    while now() < end:
        for i in range(200):
            x += helper_{0:03}(i)
    return x


def helper_{0:03}(i):
    i += 1
    return i
"""
made = []
for n in range(count):
    scope = {}
    file = "/made/up/file_%03d.py" % n
    exec(compile("\n" * n + TEXT.format(n), file, "exec"), scope)
    function = scope["made_%03d" % n]
    function(time.time() + seconds, time.time)
    for name, last in (("made_%03d" % n, 5), ("helper_%03d" % n, 2)):
        first = scope[name].__code__.co_firstlineno
        made.append([name, file, first, first + last])
    del function
    scope.clear()
    gc.collect()
print(json.dumps({"functions": made}))
