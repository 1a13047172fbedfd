# Interpreters for the live tests; README.md there.
EXTRA_DIST += \
	tests/interpreters/README.md \
	tests/interpreters/build-free-threaded \
	tests/interpreters/common.sh \
	tests/interpreters/fetch \
	tests/interpreters/list \
	tests/interpreters/rows \
	tests/interpreters/run
