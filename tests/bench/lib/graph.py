# SPDX-License-Identifier: MIT
"""What the stacks of the targets can be, and how far a profile is from that."""
import collections

CALLS = {
    "<module>": {"main"},
    "main": {"hot_a", "hot_b", "fib"},
    "hot_a": {"mid_a", "leaf_a"},
    "hot_b": {"mid_b", "leaf_b"},
    "mid_a": {"leaf_a"},
    "mid_b": {"leaf_b"},
    "fib": {"fib"},
}
GENERATORS = {
    "<module>": {"main"},
    "main": {"use_a", "use_b", "use_c", "use_walk", "run_co"},
    "use_a": {"gen_a"},
    "use_b": {"gen_b"},
    "use_c": {"<genexpr>"},
    "use_walk": {"walk"},
    "run_co": {"co_outer"},
    "gen_a": {"leaf_a"},
    "gen_b": {"leaf_b"},
    "<genexpr>": {"leaf_c"},
    "walk": {"walk", "leaf_d"},
    "co_outer": {"co_inner"},
    "co_inner": {"leaf_e"},
}
# A function that calls itself is on a stack at most so often.
DEEPEST = {"fib": 6, "walk": 4}
OURS = {"report"}  # the targets' signal handler: may stand on anything, and is not judged


def plain(name):
    """use_c.<locals>.<genexpr> and <genexpr> are one function: co_qualname came with 3.11."""
    return name.rsplit(".", 1)[-1]


class Verdict:
    """Counts of stacks: all, impossible, not rooted; and the leaves of them."""

    def __init__(self):
        self.stacks = self.impossible = self.unrooted = 0
        self.leaves = collections.Counter()
        self.worst = collections.Counter()

    def percent(self, count):
        return 100.0 * count / self.stacks if self.stacks else float("nan")

    def complete(self):
        return self.stacks - self.bad

    @property
    def bad(self):
        return self.impossible + self.unrooted

    def shares(self):
        total = sum(self.leaves.values())
        return {name: count / total for name, count in self.leaves.items()} if total else {}


def possible_in(edges):
    """A stack is possible when each pair is a call that the program has."""
    def possible(stack):
        pairs = zip(stack, stack[1:])
        return (all(below in edges.get(above, ()) for above, below in pairs) and
                all(stack.count(name) <= most for name, most in DEEPEST.items()))
    return possible


def possible_at_depth(depth):
    """targets/deep.py: exactly so many frames of known names."""
    whole = ("<module>",) + ("rec",) * (depth - 2) + ("spin",)
    return lambda stack: stack == whole


def judge(stacks, possible):
    """`stacks`: tuples of function names, outermost first, with their counts. A stack that begins
    elsewhere than at the module is `unrooted` and not counted as impossible as well."""
    verdict = Verdict()
    for stack, count in stacks.items():
        stack = tuple(plain(name) for name in stack)
        if OURS & set(stack):
            continue
        verdict.stacks += count
        if not stack or stack[0] != "<module>":
            verdict.unrooted += count
        elif not possible(stack):
            verdict.impossible += count
        else:
            verdict.leaves[stack[-1]] += count
            continue
        verdict.leaves[stack[-1] if stack else ""] += count
        verdict.worst[";".join(stack)] += count
    return verdict


def distance(a, b):
    """(largest difference over the leaves in percentage points, its leaf, total variation)."""
    a, b = a.shares(), b.shares()
    differences = {n: abs(a.get(n, 0) - b.get(n, 0)) for n in set(a) | set(b)}
    if not a or not b:
        return float("nan"), "-", float("nan")
    leaf = max(differences, key=differences.get)
    return 100 * differences[leaf], leaf, sum(differences.values()) / 2
