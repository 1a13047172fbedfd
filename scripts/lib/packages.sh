# SPDX-License-Identifier: MIT
# Packages: what is missing here, by its name in the distribution, and how it is installed.
# Needs common.sh.
# shellcheck shell=sh

# Each row: what shows that it is there, then the package in apt, dnf, apk, pacman ("-": none).
# cmd:NAME a command, pc:NAME a module of pkg-config, lib:HEADER a header that the compiler finds.
packages_build='
cmd:gcc             gcc                  gcc             gcc              gcc
cmd:make            make                 make            make             make
lib:stdio.h         libc6-dev            glibc-devel     musl-dev         glibc
lib:linux/futex.h   linux-libc-dev       kernel-headers  linux-headers    linux-api-headers
cmd:autoconf        autoconf             autoconf        autoconf         autoconf
cmd:automake        automake             automake        automake         automake
cmd:pkg-config      pkg-config           pkgconf         pkgconf          pkgconf
pc:libelf           libelf-dev           elfutils-devel  elfutils-dev     libelf
pc:libdw            libdw-dev            elfutils-devel  elfutils-dev     libelf
pc:jansson          libjansson-dev       jansson-devel   jansson-dev      jansson
pc:zlib             zlib1g-dev           zlib-devel      zlib-dev         zlib
pc:libunwind-generic libunwind-dev        libunwind-devel libunwind-dev    libunwind
pc:libcurl          libcurl4-openssl-dev libcurl-devel   curl-dev         curl
cmd:python3         python3              python3         python3          python
'
# Without these some tests are skipped, and say so.
packages_test='
cmd:clang           clang                clang           clang            clang
cmd:shellcheck      shellcheck           ShellCheck      shellcheck       shellcheck
cmd:mandoc          mandoc               mandoc          mandoc           mandoc
cmd:bash            bash                 bash            bash             bash
cmd:zsh             zsh                  zsh             zsh              zsh
cmd:fish            fish                 fish            fish             fish
cmd:xz              xz-utils             xz              xz               xz
cmd:git             git                  git             git              git
cmd:gdb             gdb                  gdb             gdb              gdb
cmd:ld.lld          lld                  lld             lld              lld
cmd:dwz             dwz                  dwz             dwz              -
cmd:strace          strace               strace          strace           strace
cmd:debootstrap     debootstrap          debootstrap     debootstrap      debootstrap
cmd:node            nodejs               nodejs          nodejs           nodejs
cmd:npm             npm                  npm             npm              npm
browser:            chromium             chromium        chromium         chromium
'

# The package manager here: apt-get, dnf, apk, pacman, or nothing.
packages_manager() {
	for manager in apt-get dnf apk pacman; do
		have $manager && { echo $manager; return; }
	done
}

packages_is_there() {
	case $1 in
	cmd:*) have "${1#cmd:}" ;;
	pc:*) have pkg-config && pkg-config --exists "${1#pc:}" ;;
	lib:*) have gcc && echo "#include <${1#lib:}>" | gcc -E -o /dev/null -xc - 2> /dev/null ;;
	browser:) have chromium || have chromium-browser || have google-chrome ;;
	esac
}

# packages_missing TABLE: the names of what is not there, once each.
packages_missing() {
	case $(packages_manager) in
	apt-get) column=2 ;;
	dnf) column=3 ;;
	apk) column=4 ;;
	pacman) column=5 ;;
	*) column=2 ;;
	esac
	printf '%s' "$1" | while read -r row; do
		[ -n "$row" ] || continue
		packages_is_there "${row%% *}" || echo "$row" | awk -v c=$column '$c != "-" { print $c }'
	done | sort -u | tr '\n' ' '
}

packages_update_done=no

# packages_add PACKAGE…: one run of the package manager.
packages_add() {
	case $(packages_manager) in
	apt-get)
		[ $packages_update_done = yes ] || as_root apt-get update -q >&2 ||
			say "apt-get update failed; trying with the lists that are there"
		packages_update_done=yes
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
			--no-install-recommends "$@" >&2 < /dev/null ;;
	dnf) as_root dnf install -q -y "$@" >&2 ;;
	apk) as_root apk add -q "$@" >&2 ;;
	pacman) as_root pacman -S --noconfirm --needed "$@" >&2 ;;
	*) say "no package manager that this script knows (apt-get, dnf, apk, pacman)"; return 1 ;;
	esac
}

# Installs what the build needs; ends the script when that is impossible.
packages_need_build() {
	missing=$(packages_missing "$packages_build")
	[ -n "$missing" ] || return 0
	say "installing: $missing"
	# shellcheck disable=SC2086 # a list of names
	packages_add $missing || die "these are needed and could not be installed: $missing"
}

# Installs what the tests like to have, one by one when together fails: a name may be unknown.
packages_want_test() {
	missing=$(packages_missing "$packages_test")
	[ -z "$missing" ] || say "installing for the tests: $missing"
	# shellcheck disable=SC2086 # a list of names
	[ -z "$missing" ] || packages_add $missing || for package in $missing; do
		packages_add "$package" || say "without $package: what needs it is skipped"
	done
	packages_want_sanitizers
}

# clang's run-time libraries are a package of their own in Debian, with clang's number in its name.
packages_want_sanitizers() {
	have clang || return 0
	sanitizers_work clang && return 0
	number=$(clang -dumpversion | cut -d. -f1)
	case $(packages_manager) in
	apt-get) packages_add "libclang-rt-$number-dev" ;;
	dnf | apk | pacman) packages_add compiler-rt ;;
	esac || say "without clang's sanitizers: that build is skipped"
}

# sanitizers_work COMPILER: it can link with ASan and UBSan.
sanitizers_work() {
	probe=$(mktemp)
	echo 'int main(void) { return 0; }' |
		"$1" -fsanitize=address,undefined -o "$probe" -xc - 2> /dev/null
	worked=$?
	rm -f "$probe"
	return $worked
}
