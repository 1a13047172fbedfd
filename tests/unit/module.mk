# One program per test file; each prints TAP through tests/lib/tap.h.
# A test is two lines: its name here, its flags below.
UNIT_TESTS =
UNIT_TESTS += tests/unit/test-debug_offsets
UNIT_TESTS += tests/unit/test-dict
UNIT_TESTS += tests/unit/test-elf_file
UNIT_TESTS += tests/unit/test-events
UNIT_TESTS += tests/unit/test-export
UNIT_TESTS += tests/unit/test-fixture
UNIT_TESTS += tests/unit/test-labels
UNIT_TESTS += tests/unit/test-layout
UNIT_TESTS += tests/unit/test-liveness
UNIT_TESTS += tests/unit/test-log
UNIT_TESTS += tests/unit/test-merge
UNIT_TESTS += tests/unit/test-pace
UNIT_TESTS += tests/unit/test-snapshot
UNIT_TESTS += tests/unit/test-label
UNIT_TESTS += tests/unit/test-frames
UNIT_TESTS += tests/unit/test-linetable
UNIT_TESTS += tests/unit/test-option
UNIT_TESTS += tests/unit/test-permission
UNIT_TESTS += tests/unit/test-processes
UNIT_TESTS += tests/unit/test-pprof-series
UNIT_TESTS += tests/unit/test-procfs
UNIT_TESTS += tests/unit/test-profile
UNIT_TESTS += tests/unit/test-sink
UNIT_TESTS += tests/unit/test-spool
UNIT_TESTS += tests/unit/test-symtab
UNIT_TESTS += tests/unit/test-unicode
UNIT_TESTS += tests/unit/test-deliver
UNIT_TESTS += tests/unit/test-http
UNIT_TESTS += tests/unit/test-pusher
UNIT_TESTS += tests/unit/test-verdict
UNIT_TESTS += tests/unit/test-wire
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
UNIT_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/lib -DTESTS_DIR='"$(abs_top_srcdir)/tests"'
LDADD = $(LIBS_ALL)
EXTRA_DIST += tests/lib/tap.h tests/lib/fake_remote.h

tests_unit_test_linetable_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_layout_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_option_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_procfs_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_spool_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_symtab_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_unicode_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_elf_file_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_permission_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_dict_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_fixture_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_debug_offsets_CPPFLAGS = $(UNIT_CPPFLAGS)
EXTRA_DIST += \
	tests/fixtures/debug-offsets-3.13.0.bin tests/fixtures/debug-offsets-3.13.5t.bin \
	tests/fixtures/debug-offsets-3.14.10.bin tests/fixtures/debug-offsets-3.14.10d.bin \
	tests/fixtures/debug-offsets-3.15.2.bin
tests_unit_test_liveness_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_merge_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_log_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_processes_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_pace_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_snapshot_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_events_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_export_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_label_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_profile_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_sink_CPPFLAGS = $(UNIT_CPPFLAGS)
EXTRA_DIST += \
	%D%/golden/empty.folded \
	%D%/golden/empty.pprof.txt \
	%D%/golden/empty.speedscope.json \
	%D%/golden/empty.svg \
	%D%/golden/empty.trace.json \
	%D%/golden/native-full-filenames.folded \
	%D%/golden/native-function.folded \
	%D%/golden/native-nolineno.folded \
	%D%/golden/native.folded \
	%D%/golden/native.pprof.txt \
	%D%/golden/native.speedscope.json \
	%D%/golden/native.svg \
	%D%/golden/native.trace.json \
	%D%/golden/small-full-filenames.folded \
	%D%/golden/small-function.folded \
	%D%/golden/small-nolineno.folded \
	%D%/golden/small-threads-flames.svg \
	%D%/golden/small-threads.folded \
	%D%/golden/small-threads.pprof.txt \
	%D%/golden/small-threads.speedscope.json \
	%D%/golden/small.folded \
	%D%/golden/small.pprof.txt \
	%D%/golden/small.speedscope.json \
	%D%/golden/small.svg \
	%D%/golden/small.trace.json
tests_unit_test_frames_CPPFLAGS = $(UNIT_CPPFLAGS)
EXTRA_DIST += tests/lib/stack_reader.h tests/fixtures/record \
	tests/fixtures/stacks-3.10.13.pages.gz \
	tests/fixtures/stacks-3.11.2-aarch64.pages.gz \
	tests/fixtures/stacks-3.11.7.pages.gz \
	tests/fixtures/stacks-3.12.1.pages.gz \
	tests/fixtures/stacks-3.13.0.pages.gz \
	tests/fixtures/stacks-3.13.5-aarch64.pages.gz \
	tests/fixtures/stacks-3.13.5t.pages.gz \
	tests/fixtures/stacks-3.14.10-aarch64.pages.gz \
	tests/fixtures/stacks-3.14.10.pages.gz \
	tests/fixtures/stacks-3.14.10d.pages.gz \
	tests/fixtures/stacks-3.15.2-aarch64.pages.gz \
	tests/fixtures/stacks-3.15.2.pages.gz \
	tests/fixtures/stacks-3.15.2d.pages.gz \
	tests/fixtures/stacks-3.6.15.pages.gz \
	tests/fixtures/stacks-3.7.16.pages.gz \
	tests/fixtures/stacks-3.8.18.pages.gz \
	tests/fixtures/stacks-3.9.18.pages.gz \
	tests/fixtures/stacks-3.9.2-aarch64.pages.gz
tests_unit_test_verdict_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_http_CPPFLAGS = $(UNIT_CPPFLAGS)
EXTRA_DIST += tests/lib/http_server.h
tests_unit_test_labels_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_pprof_series_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_wire_CPPFLAGS = $(UNIT_CPPFLAGS)
EXTRA_DIST += tests/lib/pprof_walk.h
tests_unit_test_deliver_CPPFLAGS = $(UNIT_CPPFLAGS)
EXTRA_DIST += tests/lib/fake_spool.h
tests_unit_test_pusher_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-arrival tests/unit/test-health tests/unit/test-server
tests_unit_test_arrival_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_health_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_server_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-demangle tests/unit/test-machinery
tests_unit_test_demangle_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_machinery_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-symbols
tests_unit_test_symbols_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-modules
tests_unit_test_modules_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-unwind
tests_unit_test_unwind_SOURCES = tests/unit/test-unwind.c tests/unit/unwind_debug_frame.c
tests_unit_test_unwind_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-prologue
tests_unit_test_prologue_SOURCES = tests/unit/test-prologue.c
tests_unit_test_prologue_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-merge_native
UNIT_TESTS += tests/unit/test-evalscan
UNIT_TESTS += tests/unit/test-crowd
tests_unit_test_merge_native_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_evalscan_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_crowd_CPPFLAGS = $(UNIT_CPPFLAGS)
EXTRA_DIST += tests/lib/self_modules.h
UNIT_TESTS += tests/unit/test-scan
tests_unit_test_scan_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-stack
tests_unit_test_stack_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-hold
tests_unit_test_hold_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-stats
tests_unit_test_stats_CPPFLAGS = $(UNIT_CPPFLAGS)
EXTRA_DIST += tests/lib/hold_target.h tests/lib/process.h
UNIT_TESTS += tests/unit/test-kallsyms
tests_unit_test_kallsyms_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-lines
tests_unit_test_lines_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-engine
tests_unit_test_engine_CPPFLAGS = $(UNIT_CPPFLAGS)
EXTRA_DIST += tests/unit/engine_library.c
UNIT_TESTS += tests/unit/test-switch_log
tests_unit_test_switch_log_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-task
tests_unit_test_task_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-capture
tests_unit_test_capture_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-ring
tests_unit_test_ring_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-mixer
tests_unit_test_mixer_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-functions
tests_unit_test_functions_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-plumbing
tests_unit_test_plumbing_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_plumbing_LDFLAGS = -rdynamic
UNIT_TESTS += tests/unit/test-methods
tests_unit_test_methods_CPPFLAGS = $(UNIT_CPPFLAGS)
UNIT_TESTS += tests/unit/test-first_above
tests_unit_test_first_above_CPPFLAGS = $(UNIT_CPPFLAGS)
