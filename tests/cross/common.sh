# SPDX-License-Identifier: MIT
# aarch64 roots on a machine of another kind: Debian's packages, unpacked below the cache folder. Nothing of the
# machine itself is changed, no root is needed. Sourced, after scripts/lib/common.sh.
# shellcheck shell=sh disable=SC2034

cross_cache=${PYSTOKER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pystoker}/cross
cross_mirror=${PYSTOKER_DEBIAN_MIRROR:-http://deb.debian.org/debian}
# Each row: Debian's suite, what its root holds. The first one has what the build needs.
# shellcheck disable=SC2034 # the scripts that read this file use it
cross_suites='
bookworm libc6-dev libelf-dev libdw-dev libjansson-dev zlib1g-dev libcurl4-openssl-dev libunwind-dev liblzma-dev python3.11
bullseye python3.9
trixie   python3.13
sid      python3.14 python3.15
'

cross_qemu() { command -v qemu-aarch64-static || command -v qemu-aarch64; }

cross_keyring() {
	for keyring in /usr/share/keyrings/debian-archive-keyring.gpg \
		/usr/share/keyrings/debian-archive-keyring.pgp; do
		[ ! -r "$keyring" ] || { echo "$keyring"; return; }
	done
	return 1
}

# cross_apt FOLDER ARGUMENTS…: apt-get for aarch64 with everything it keeps in the folder; it believes that
# nothing is installed yet.
cross_apt() {
	apt=$1
	shift
	apt-get -q -y --no-install-recommends -o Dir::Etc="$apt" -o Dir::Etc::sourceparts=- \
		-o Dir::State="$apt" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt" \
		-o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Acquire::Languages=none \
		-o APT::Sandbox::User= -o Acquire::Check-Valid-Until=false \
		-o APT::Update::Error-Mode=any "$@"
}

# cross_root SUITE PACKAGE…: unpacks the packages and what they depend on; the root appears when complete.
cross_root() {
	root=$cross_cache/$1
	[ "$(cat "$root/.packages" 2> /dev/null)" != "$*" ] || return 0
	wanted=$*
	keys=$(cross_keyring) || { say "no debian-archive-keyring"; return 1; }
	rm -rf "$root.partial"
	apt=$root.partial/apt
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/preferences.d" "$apt/apt.conf.d"
	: > "$apt/status"
	echo "deb [arch=arm64 signed-by=$keys] $cross_mirror $1 main" > "$apt/sources.list"
	shift
	cross_apt "$apt" update && cross_apt "$apt" -d install "$@" || return 1
	for package in "$apt"/archives/*.deb; do
		dpkg-deb -x "$package" "$root.partial/root" || return 1
	done
	# The links that merge /lib into /usr/lib are made when packages are installed.
	[ -e "$root.partial/root/lib" ] || ln -s usr/lib "$root.partial/root/lib"
	rm -rf "$apt" "$root.partial/root/usr/share/doc" "$root.partial/root/usr/share/man" \
		"$root.partial/root/usr/share/locale" "$root.partial/root/usr/lib/aarch64-linux-gnu/gconv"
	echo "$wanted" > "$root.partial/root/.packages"
	rm -rf "$root" && mv "$root.partial/root" "$root" && rmdir "$root.partial"
}
