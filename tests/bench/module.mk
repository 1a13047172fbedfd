# `make bench` measures for an hour and a half and writes doc/BENCHMARKS.md; BENCH_FLAGS=--quick shows in two minutes
# that it works.
# tests/bench/rivals installs the profilers to compare with.
EXTRA_DIST += \
	%D%/BENCHMARKS.in.md %D%/rivals %D%/run \
	%D%/lib/bench.py %D%/lib/cost.py %D%/lib/entry.py %D%/lib/graph.py %D%/lib/machine.py %D%/lib/native.py \
	%D%/lib/process.py %D%/lib/push.py %D%/lib/rates.py %D%/lib/report.py %D%/lib/service.py %D%/lib/settings.py \
	%D%/lib/tools.py %D%/lib/truth.py \
	%D%/targets/calls.py %D%/targets/deep.py %D%/targets/echo.py %D%/targets/generators.py %D%/targets/nativework.py \
	%D%/targets/service.py %D%/targets/sleepers.py %D%/targets/throughput.py \
	doc/BENCHMARKS.md

.PHONY: bench
bench: pystoker$(EXEEXT) tests/bench/wake$(EXEEXT)
	$(top_srcdir)/tests/bench/run --program ./pystoker$(EXEEXT) --out $(top_srcdir)/doc/BENCHMARKS.md $(BENCH_FLAGS)

check_PROGRAMS += tests/bench/wake
check_PROGRAMS += tests/bench/walk
