#!/bin/sh
# Prints the version: .tarball-version in a release tarball, else git describe, else the base.
# usage: version.sh SOURCE_DIR
base=0.1.0
cd "$1" || exit 1
if [ -f .tarball-version ]; then
	tr -d '\n' < .tarball-version
elif v=$(git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null); then
	printf '%s' "${v#v}"
elif v=$(git rev-parse --short HEAD 2>/dev/null); then
	printf '%s' "$base.dev-$v"
else
	printf '%s' "$base.dev"
fi
