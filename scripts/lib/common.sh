# SPDX-License-Identifier: MIT
# Words and rights, for the scripts beside this folder. Sourced; sets -u.
# shellcheck shell=sh
set -u

say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 1; }
have() { command -v "$1" > /dev/null 2>&1; }

# Runs a command as root: directly, or by sudo, which may ask for a password on a terminal only.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif ! have sudo; then
		say "root is needed and there is no sudo for: $*"
		return 1
	elif [ -t 0 ]; then
		sudo "$@"
	else
		sudo -n "$@"
	fi
}
