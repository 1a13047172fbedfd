# SPDX-License-Identifier: MIT
"""The live tests, one module each: a column of the table that tests/live/run prints.

A module has run(row, check), and may have ROWS: "all" (the default), "spread" (a few interpreters that differ most) or
"once" (row is None); EXCLUSIVE = True when nothing else of ours may run beside it.
"""
