# Tests on the interpreters of this machine, and in a browser; each skips loudly what it cannot run. `make check-live`
# runs them all and ends with a table of interpreters and tests.
EXTRA_DIST += tests/live/browser tests/live/browser.js tests/live/layouts tests/live/linetables \
	tests/live/locate tests/live/threadnames
EXTRA_DIST += tests/live/README.md tests/live/run \
	tests/live/cases/__init__.py \
	tests/live/cases/calls.py \
	tests/live/cases/containers.py \
	tests/live/cases/discarded.py \
	tests/live/cases/errors.py \
	tests/live/cases/gdb.py \
	tests/live/cases/harmless.py \
	tests/live/cases/interpreters.py \
	tests/live/cases/lifecycle.py \
	tests/live/cases/mixed.py \
	tests/live/cases/names.py \
	tests/live/cases/nativebad.py \
	tests/live/cases/nativethreads.py \
	tests/live/cases/nativeways.py \
	tests/live/cases/parked.py \
	tests/live/cases/states.py \
	tests/live/cases/unwinding.py \
	tests/live/driver/__init__.py \
	tests/live/driver/build.py \
	tests/live/driver/gdb.py \
	tests/live/driver/native.py \
	tests/live/driver/pystoker.py \
	tests/live/driver/results.py \
	tests/live/driver/rows.py \
	tests/live/driver/symbols.py \
	tests/live/driver/target.py \
	tests/live/driver/wheels.py \
	tests/live/targets/bad.py \
	tests/live/targets/calls.py \
	tests/live/targets/comers.py \
	tests/live/targets/discarded.py \
	tests/live/targets/foreign.py \
	tests/live/targets/harmless.py \
	tests/live/targets/interpreters.py \
	tests/live/targets/mixed.py \
	tests/live/targets/names.py \
	tests/live/targets/native/bad.c \
	tests/live/targets/native/cythonic.pyx \
	tests/live/targets/native/mixed.c \
	tests/live/targets/native/openmp.c \
	tests/live/targets/native/rusty.rs \
	tests/live/targets/native/templates.cc \
	tests/live/targets/native/threads.c \
	tests/live/targets/nativethreads.py \
	tests/live/targets/obey.py \
	tests/live/targets/parked.py \
	tests/live/targets/states.py

.PHONY: check-live
check-live: pystoker$(EXEEXT) $(check_PROGRAMS)
	PYSTOKER=$(abs_top_builddir)/pystoker$(EXEEXT) $(top_srcdir)/tests/live/run
