# SPDX-License-Identifier: MIT
# Building outside the sources. Needs common.sh; `top` is the folder of the sources.
# shellcheck shell=sh
: "${top:?}"

build_jobs() { nproc 2> /dev/null || echo 1; }

# Makes configure where there is none yet, or an old one.
build_autogen() {
	[ ! -e "$top/config.status" ] ||
		{ say "$top holds a build of its own; 'make distclean' there first"; return 1; }
	# shellcheck disable=SC3013 # -nt: dash, bash, busybox have it
	if [ ! -x "$top/configure" ] || [ "$top/configure.ac" -nt "$top/configure" ]; then
		"$top/autogen.sh"
	fi
}

# build_in FOLDER [CONFIGURE ARGUMENTS…]: configures, unless that was done so already, and makes.
build_in() {
	folder=$1
	shift
	build_autogen || return 1
	mkdir -p "$folder" && cd "$folder" || return 1
	if [ "$(cat .configured 2> /dev/null)" != "$*" ] || [ ! -x config.status ]; then
		"$top/configure" -q "$@" || return 1
		echo "$*" > .configured
	fi
	make -j"$(build_jobs)" -s
}
