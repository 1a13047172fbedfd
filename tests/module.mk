# Tests: unit/ links the library and needs no live process; cli/ runs the program; live/ profiles
# real interpreters; push/ pushes to a test server; tools/ are programs that the others call.
include tests/unit/module.mk
include tests/tools/module.mk
include tests/cli/module.mk
include tests/exec/module.mk
include tests/interpreters/module.mk
include tests/live/module.mk
include tests/push/module.mk
include tests/bench/module.mk
include tests/cross/module.mk

# .test: TAP from a shell script; .t: a transcript; .sh: exit status only; none: TAP.
TEST_EXTENSIONS = .sh .test .t
TEST_LOG_DRIVER = $(LOG_DRIVER)
T_LOG_DRIVER = $(LOG_DRIVER)
T_LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/cli/transcript
SH_LOG_COMPILER = $(SHELL)
TEST_LOG_COMPILER = $(SHELL)

TESTS += tests/layers.sh
EXTRA_DIST += tests/layers.sh

