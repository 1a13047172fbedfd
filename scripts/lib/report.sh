# SPDX-License-Identifier: MIT
# Steps that are run, timed, logged and counted; nothing stops at the first failure.
# Needs common.sh.
# shellcheck shell=sh

report_passed=0 report_failed=0 report_skipped=0

# report_start FOLDER: where the logs go.
report_start() {
	report_folder=$1
	rm -rf "$report_folder"
	mkdir -p "$report_folder" || exit 1
	: > "$report_folder/failed"
	: > "$report_folder/skipped"
}

report_log() { echo "$report_folder/$(echo "$1" | tr -cs 'A-Za-z0-9\n' '-').log"; }

# report_run NAME COMMAND…: runs it into its log, in a subshell, and prints one line.
report_run() {
	report_name=$1
	shift
	log=$(report_log "$report_name")
	begun=$(date +%s)
	("$@") > "$log" 2>&1 < /dev/null
	report_status=$?
	word=ok
	[ $report_status = 0 ] || word=FAILED
	printf '%-32s %-7s %4s s   %s\n' "$report_name" "$word" "$(($(date +%s) - begun))" "$log"
	[ $report_status = 0 ] || { echo "$report_name: $log" >> "$report_folder/failed"; tail -n 15 "$log"; }
}

# A step that is one case.
step() {
	report_run "$@"
	if [ $report_status = 0 ]; then
		report_passed=$((report_passed + 1))
	else
		report_failed=$((report_failed + 1))
	fi
}

skip() {
	printf '%-32s %s\n' "$1" "skipped: $2"
	echo "$1: $2" >> "$report_folder/skipped"
	report_skipped=$((report_skipped + 1))
}

# results KIND FOLDER: the number of results of a kind in automake's .trs files.
results() {
	find "$2" -path "$2/pystoker-*" -prune -o -name '*.trs' -exec cat {} + |
		grep -cE "^:test-result: ($1)"
}

# count_trs NAME FOLDER COMMAND…: counts the cases that the tests under FOLDER left.
count_trs() {
	name=$1 folder=$2
	shift 2
	find "$folder" -name '*.trs' -exec rm -f {} + 2> /dev/null
	report_run "$name" "$@"
	passed=$(results 'PASS|XFAIL' "$folder")
	failed=$(results 'FAIL|ERROR|XPASS' "$folder")
	skipped=$(results SKIP "$folder")
	# Failed before or beside the tests: that counts too. So does a run without any test.
	[ "$failed" != 0 ] || [ $report_status = 0 ] || failed=1
	[ "$((passed + failed + skipped))" != 0 ] || failed=1
	report_add "$name" "$passed" "$failed" "$skipped"
	find "$folder" -path "$folder/pystoker-*" -prune -o -name '*.log' -path '*/tests/*' -exec cat {} + |
		sed -n 's/^ok [0-9]* - \(.*\) # SKIP \(.*\)/\1: \2/p' >> "$report_folder/skipped"
	# automake's .trs files have no names of cases; the logs have.
	find "$folder" -path "$folder/pystoker-*" -prune -o -name '*.log' -path '*/tests/*' -exec \
		grep -H '^not ok' {} + | sed "s|^$folder/|  |" >> "$report_folder/failed"
}

# count_totals NAME FILE COMMAND…: for a runner that writes "PASSED FAILED SKIPPED" into FILE.
count_totals() {
	name=$1 file=$2
	shift 2
	report_run "$name" "$@"
	cat "$(report_log "$name")"
	passed=0 failed=0 skipped=0
	if [ -s "$file" ]; then
		read -r passed failed skipped < "$file"
	fi
	[ "$failed" != 0 ] || [ $report_status = 0 ] || failed=1
	[ "$((passed + failed + skipped))" != 0 ] || failed=1
	report_add "$name" "$passed" "$failed" "$skipped"
}

report_add() {
	printf '%-32s %s passed, %s failed, %s skipped\n' "  $1" "$2" "$3" "$4"
	report_passed=$((report_passed + $2))
	report_failed=$((report_failed + $3))
	report_skipped=$((report_skipped + $4))
}

# Prints what was skipped and what failed, and the sum; ends the script.
report_end() {
	[ ! -s "$report_folder/skipped" ] || { echo; echo "Skipped:"; sort -u "$report_folder/skipped"; }
	[ ! -s "$report_folder/failed" ] || { echo; echo "Failed:"; cat "$report_folder/failed"; }
	echo
	echo "$report_passed passed, $report_failed failed, $report_skipped skipped"
	[ $report_failed = 0 ]
	exit
}
