# exec beside a plain exec; needs no profiling, so it is part of `make check`.
EXEC_TESTS = %D%/exec.test
TESTS += $(EXEC_TESTS)
EXTRA_DIST += $(EXEC_TESTS) %D%/cases.py %D%/inside.py %D%/procs.py
