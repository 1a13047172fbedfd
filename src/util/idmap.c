/* SPDX-License-Identifier: MIT
 * 64-bit keys to 32-bit numbers. */
#include "util/idmap.h"

#include <stdbool.h>
#include <stdlib.h>

#include "util/hash.h"
#include "util/xalloc.h"

enum { IDMAP_FIRST = 256 };

struct idmap_slot {
	uint64_t key;
	uint32_t value;
	bool taken;
};

static void start(struct idmap *m, size_t size)
{
	*m = (struct idmap){ .slots = xcalloc(size, sizeof(m->slots[0])), .mask = size - 1 };
}

void idmap_init(struct idmap *m)
{
	start(m, IDMAP_FIRST);
}

void idmap_release(struct idmap *m)
{
	free(m->slots);
	*m = (struct idmap){ 0 };
}

static struct idmap_slot *slot_of(const struct idmap *m, uint64_t key)
{
	size_t i = hash_u64(key) & m->mask;

	while (m->slots[i].taken && m->slots[i].key != key)
		i = (i + 1) & m->mask;
	return &m->slots[i];
}

static void grow(struct idmap *m)
{
	struct idmap bigger;

	start(&bigger, (m->mask + 1) * 2);
	for (size_t i = 0; i <= m->mask; i++)
		if (m->slots[i].taken)
			*slot_of(&bigger, m->slots[i].key) = m->slots[i];
	bigger.used = m->used;
	free(m->slots);
	*m = bigger;
}

uint32_t *idmap_put(struct idmap *m, uint64_t key)
{
	struct idmap_slot *slot = slot_of(m, key);

	if (slot->taken)
		return &slot->value;
	if (m->used * 2 > m->mask) {
		grow(m);
		slot = slot_of(m, key);
	}
	m->used++;
	*slot = (struct idmap_slot){ .key = key, .value = IDMAP_NONE, .taken = true };
	return &slot->value;
}
