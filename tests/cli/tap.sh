# SPDX-License-Identifier: MIT
# TAP for shell tests: ok STATUS WHAT, is GOT WANT WHAT, skip WHAT REASON, and tap_done at the end.
# shellcheck shell=sh
tap_count=0 tap_failed=0

ok() {
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		echo "not ok $tap_count - $2"
		tap_failed=$((tap_failed + 1))
	fi
}

is() {
	[ "$1" = "$2" ]
	ok $? "$3"
	[ "$1" = "$2" ] || printf '# got: %s\n# want: %s\n' "$1" "$2" | sed 's/^[^#]/# &/'
}

# What cannot run here, and what would make it run.
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

tap_done() {
	echo "1..$tap_count"
	[ $tap_failed = 0 ]
	exit
}
