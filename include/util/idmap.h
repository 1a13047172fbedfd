/* SPDX-License-Identifier: MIT
 * 64-bit keys to 32-bit numbers, open addressing, doubling. */
#ifndef UTIL_IDMAP_H
#define UTIL_IDMAP_H

#include <stddef.h>
#include <stdint.h>

#define IDMAP_NONE UINT32_MAX

struct idmap {
	struct idmap_slot *slots;  /* private */
	size_t mask, used;
};

void idmap_init(struct idmap *m);
void idmap_release(struct idmap *m);

/* The number's place for the key, IDMAP_NONE there when the key is new: the caller fills it in.
 * Valid until the next idmap_put(). */
uint32_t *idmap_put(struct idmap *m, uint64_t key);

/* Two 32-bit numbers as one key. */
static inline uint64_t idmap_key(uint32_t a, uint32_t b)
{
	return (uint64_t)a << 32 | b;
}

#endif
