# shellcheck shell=bash
# What fetch, list and run share: where the cache is, what a row of it looks like, how the table of rows is read.
#
#   $cache/roots/SUITE       a Debian root, shared by the rows of that suite
#   $cache/NAME/root         link to the root that holds the interpreter
#   $cache/NAME/executable   its path inside that root; written last, so it marks a finished row

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
cache=$(realpath -m "${PYSTOKER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pystoker}/interpreters")

# Prints the table without its comments: NAME SUITE HOW PACKAGE EXECUTABLE.
rows() {
	grep -v '^#' "$here/rows"
}

# row_is_ready NAME: the row is complete and its interpreter still there.
row_is_ready() {
	[ -f "$cache/$1/executable" ] && [ -x "$cache/$1/root$(cat "$cache/$1/executable")" ]
}

# Words for a human: one line, on stderr, with the program's name.
note() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# As note, and the end of the program; 2 is a wrong command line, 1 anything else.
die() {
	local status=$1
	shift
	note "$@"
	exit "$status"
}
