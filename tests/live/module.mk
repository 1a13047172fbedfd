# Tests on the interpreters of this machine; each skips loudly what it cannot run.
TESTS += tests/live/linetables
EXTRA_DIST += tests/live/linetables
TESTS += tests/live/threadnames
EXTRA_DIST += tests/live/threadnames
TESTS += tests/live/locate
EXTRA_DIST += tests/live/layouts
EXTRA_DIST += tests/live/locate
TESTS += tests/live/browser
EXTRA_DIST += tests/live/browser tests/live/browser.js
