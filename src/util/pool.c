/* SPDX-License-Identifier: MIT
 * An append-only array in chunks that never move. */
#include "util/pool.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

void pool_init(struct pool *p, size_t item_size)
{
	p->item_size = item_size;
	atomic_init(&p->count, 0);
	p->chunks = xcalloc(POOL_CHUNKS_MAX, sizeof(p->chunks[0]));
}

void pool_release(struct pool *p)
{
	if (!p->chunks)
		return;
	for (size_t i = 0; i < POOL_CHUNKS_MAX && p->chunks[i]; i++)
		free(p->chunks[i]);
	free(p->chunks);
	p->chunks = NULL;
}

void pool_clear(struct pool *p)
{
	atomic_store_explicit(&p->count, 0, memory_order_release);
}

uint32_t pool_add(struct pool *p, const void *item)
{
	uint32_t index = atomic_load_explicit(&p->count, memory_order_relaxed);
	uint32_t chunk = index / POOL_CHUNK_ITEMS;

	if (chunk >= POOL_CHUNKS_MAX)
		return UINT32_MAX;
	if (!p->chunks[chunk])
		atomic_store_explicit(&p->chunks[chunk], xmalloc(p->item_size * POOL_CHUNK_ITEMS),
				      memory_order_release);
	memcpy(pool_at(p, index), item, p->item_size);
	atomic_store_explicit(&p->count, index + 1, memory_order_release);
	return index;
}
