#!/bin/sh
# Includes point only downwards: a file of one layer may include headers of its own layer and of
# those before it in the list. Fails with the offending lines.
layers="util mem elf sym py native sampler mix profile export ship ui cmd"
cd "$(dirname "$0")/.." || exit 1
below=""
bad=0
for layer in $layers; do
	below="$below $layer"
	for file in src/"$layer"/*.[ch] include/"$layer"/*.h; do
		[ -f "$file" ] || continue
		for dep in $(sed -n 's|^[[:space:]]*#[[:space:]]*include "\([a-z]*\)/.*|\1|p' "$file" | sort -u); do
			case " $below " in
			*" $dep "*) ;;
			*) echo "$file ($layer) includes \"$dep/…\", which lies above it"; bad=1 ;;
			esac
		done
	done
done
exit $bad
