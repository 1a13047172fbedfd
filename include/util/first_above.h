/* SPDX-License-Identifier: MIT
 * Binary search in what ascends, by any key. */
#ifndef UTIL_FIRST_ABOVE_H
#define UTIL_FIRST_ABOVE_H

#include <stddef.h>

/* The number of the first of `count` items whose key is more than `wanted`; count: none is. The
 * last at or below it is the one before. `key` is the key of item number `i`, a name of the caller's:
 *
 *	size_t above = FIRST_ABOVE(t->count, i, t->rows[i].addr, addr); */
#define FIRST_ABOVE(count, i, key, wanted) ({ \
	size_t low_ = 0, left_ = (count); \
	while (left_ > 0) { \
		size_t half_ = left_ / 2, i = low_ + half_; \
		if ((key) <= (wanted)) { \
			low_ = i + 1; \
			left_ -= half_ + 1; \
		} else { \
			left_ = half_; \
		} \
	} \
	low_; })

#endif
