# aarch64 on other machines; not part of make check: it downloads.
EXTRA_DIST += \
	tests/cross/aarch64 \
	tests/cross/common.sh \
	tests/cross/guest-maps.c \
	tests/cross/guests
