/* SPDX-License-Identifier: MIT
 * Reading int objects: Include/longintrepr.h at v3.6.15-v3.11.7, Include/cpython/longintrepr.h at
 * v3.12.1-v3.15.2. Digits of 30 bits, the least first: every 64-bit build has them. */
#include "py/integer.h"

#include <errno.h>
#include <string.h>

enum {
	DIGIT_BITS = 30,
	DIGITS_MAX = 3,            /* of a number of 64 bits */
	TAG_SIGN = 3,              /* 3.12+: 0 positive, 1 zero, 2 negative */
	TAG_NEGATIVE = 2,
	TAG_DIGITS_SHIFT = 3,
};

struct integer {
	uint64_t size;             /* ≤3.11: ob_size, negative for negatives; 3.12+: lv_tag */
	uint32_t digits[DIGITS_MAX];
};

/* How many digits a non-negative int has; 0 for zero. */
static int digit_count(const struct py_target *t, uint64_t size, uint64_t *ret)
{
	*ret = size;
	if (t->layout.version >= PYVER(3, 12)) {
		*ret = size >> TAG_DIGITS_SHIFT;
		if ((size & TAG_SIGN) == TAG_NEGATIVE)
			return -ERANGE;
		if ((size & TAG_SIGN) == TAG_SIGN)
			return -EINVAL;
		if (size & TAG_SIGN) /* zero is stored with a count of 0 or 1 */
			*ret = 0;
	}
	return *ret > DIGITS_MAX ? -ERANGE : 0;
}

int integer_read_u64(const struct py_target *t, remote_addr addr, uint64_t *ret)
{
	remote_addr at = addr + t->layout.object.ob_type + sizeof(uint64_t);
	struct integer i = { 0 };
	uint64_t count, value = 0;
	int err;

	err = remote_read_u64(t->remote, at, &i.size);
	if (err)
		return err;
	err = digit_count(t, i.size, &count);
	if (err)
		return err;
	if (count)
		err = remote_read(t->remote, at + sizeof(i.size), i.digits,
				  count * sizeof(i.digits[0]));
	if (err)
		return err;
	for (uint64_t n = count; n-- > 0;) {
		if (i.digits[n] >> DIGIT_BITS)
			return -EINVAL;
		if (value >> (64 - DIGIT_BITS))
			return -ERANGE;
		value = value << DIGIT_BITS | i.digits[n];
	}
	*ret = value;
	return 0;
}
