# Tests: unit/ links the library and needs no live process; live/ profiles real interpreters.
include tests/unit/module.mk
EXTRA_DIST += tests/layers.sh
include tests/live/module.mk
