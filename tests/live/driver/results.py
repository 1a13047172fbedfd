# SPDX-License-Identifier: MIT
"""Counts of what held, and the table at the end."""
import collections
import threading


NOTE_MAX = 600  # characters of a note shown


class Check:
    """The results of one test on one interpreter."""

    def __init__(self):
        self.cases = []  # (True, False or None for skipped, what, notes)

    def ok(self, good, what, *notes):
        self.cases.append((bool(good), what, notes))
        return good

    def equal(self, got, want, what):
        return self.ok(got == want, what, "got:  %r" % (got,), "want: %r" % (want,))

    def skip(self, what, why):
        self.cases.append((None, what, (why,)))

    def count(self, result):
        return sum(c[0] is result for c in self.cases)


class Results:
    def __init__(self, quiet=False):
        self.quiet = quiet  # what passed is not listed
        self.lock = threading.Lock()
        self.checks = collections.OrderedDict()  # (row name, test) -> Check
        self.reasons = []
        self.number = self.passed = self.failed = self.skipped = 0

    def add(self, row, test, check):
        with self.lock:
            if (row, test) in self.checks:
                self.checks[row, test].cases += check.cases
            else:
                self.checks[row, test] = check
            for result, what, notes in check.cases:
                self._case(result, "%s %s: %s" % (row, test, what), notes)

    def _case(self, result, what, notes):
        self.number += 1
        self.passed += result is True
        self.failed += result is False
        self.skipped += result is None
        if result is None:
            self.reasons.append("SKIP %s: %s" % (what, notes[0]))
            print("ok %d - %s # SKIP %s" % (self.number, what, notes[0]), flush=True)
            return
        if result and self.quiet:
            return
        print("%sok %d - %s" % ("" if result else "not ", self.number, what), flush=True)
        for note in () if result else notes:
            print("# " + str(note)[:NOTE_MAX].replace("\n", "\n# "), flush=True)

    def alone(self, result, what, *notes):
        with self.lock:
            self._case(result, what, notes)

    def table(self, rows, tests):
        def cell(row, test):
            check = self.checks.get((row, test))
            if check is None:
                return "-"
            if check.count(False):
                return "FAIL"
            return "pass" if check.count(True) else "skip"

        wide = max([len(r) for r, _ in rows] + [4]) + 1
        what = max([len(w) for _, w in rows] + [4]) + 1
        print("\n%-*s%-*s" % (wide, "on", what, "") + "".join(" %*s" % (len(t), t) for t in tests))
        for row, flavour in rows:
            cells = "".join(" %*s" % (max(len(t), 4), cell(row, t)) for t in tests)
            print("%-*s%-*s%s" % (wide, row, what, flavour, cells))
        print()
        for reason in self.reasons:
            print(reason)
        print("%d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped), flush=True)
