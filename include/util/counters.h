/* SPDX-License-Identifier: MIT
 * Structs that hold uint64_t counters and nothing else, taken as arrays. `size` is sizeof the struct. */
#ifndef UTIL_COUNTERS_H
#define UTIL_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

static inline void counters_add(uint64_t *sum, const uint64_t *add, size_t size)
{
	for (size_t i = 0; i < size / sizeof(*sum); i++)
		sum[i] += add[i];
}

static inline void counters_subtract(uint64_t *from, const uint64_t *what, size_t size)
{
	for (size_t i = 0; i < size / sizeof(*from); i++)
		from[i] -= what[i];
}

/* Of counters that another thread goes on counting meanwhile. */
static inline void counters_load(uint64_t *ret, const uint64_t *from, size_t size)
{
	for (size_t i = 0; i < size / sizeof(*ret); i++)
		ret[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

#endif
