# Pushing against a server that answers as real ones were measured to; `make check-push`. Against a real one:
# tests/pyroscope/conformance.
EXTRA_DIST += tests/push/README.md tests/push/run tests/push/server tests/push/clockjump.c \
	tests/push/cases/__init__.py \
	tests/push/cases/answers.py \
	tests/push/cases/arrives.py \
	tests/push/cases/contract.py \
	tests/push/cases/doctor.py \
	tests/push/cases/exec.py \
	tests/push/cases/found.py \
	tests/push/cases/freshness.py \
	tests/push/cases/outage.py \
	tests/push/cases/permitted.py \
	tests/push/cases/replay.py \
	tests/push/cases/said.py \
	tests/push/cases/split.py \
	tests/push/cases/spool.py \
	tests/push/cases/tls.py \
	tests/push/lib/__init__.py \
	tests/push/lib/answers.py \
	tests/push/lib/control.py \
	tests/push/lib/httpd.py \
	tests/push/lib/ingest.py \
	tests/push/lib/limits.py \
	tests/push/lib/merge.py \
	tests/push/lib/pprof.py \
	tests/push/lib/protobuf.py \
	tests/push/lib/push.py \
	tests/push/lib/pushing.py \
	tests/push/lib/querier.py \
	tests/push/lib/serving.py \
	tests/push/lib/store.py \
	tests/push/targets/worker.py \
	tests/pyroscope/conformance

.PHONY: check-push
check-push: pystoker$(EXEEXT)
	PYSTOKER=$(abs_top_builddir)/pystoker$(EXEEXT) $(top_srcdir)/tests/push/run
