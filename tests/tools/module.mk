# Helpers of the tests: small programs and scripts that run inside targets.
check_PROGRAMS += tests/tools/check-linetables
EXTRA_DIST += tests/tools/dump-linetables.py
check_PROGRAMS += tests/tools/locate-pid
check_PROGRAMS += tests/tools/threadnames
EXTRA_DIST += tests/tools/named-threads.py
check_PROGRAMS += tests/tools/make-profile
tests_tools_make_profile_CPPFLAGS = $(UNIT_CPPFLAGS)
EXTRA_DIST += tests/lib/sample_profile.h
check_PROGRAMS += tests/tools/embed-python
tests_tools_embed_python_LDADD = -ldl
check_PROGRAMS += tests/tools/record-pages
tests_tools_record_pages_CPPFLAGS = $(UNIT_CPPFLAGS)
check_PROGRAMS += tests/tools/print-layout
check_PROGRAMS += tests/tools/old-kernel
check_PROGRAMS += tests/tools/hold-cost
tests_tools_hold_cost_CPPFLAGS = $(UNIT_CPPFLAGS)
