/* SPDX-License-Identifier: MIT
 * An append-only array of equal items in chunks that never move.
 *
 * One thread appends; others may read any item below pool_count() at the same time without a
 * lock: an item is published after it is complete. Chunks are allocated ahead of need, so an
 * append allocates only once in POOL_CHUNK_ITEMS items. */
#ifndef UTIL_POOL_H
#define UTIL_POOL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { POOL_CHUNK_ITEMS = 1024, POOL_CHUNKS_MAX = 16384 };

struct pool {
	size_t item_size;
	_Atomic uint32_t count;
	_Atomic(char *) *chunks; /* POOL_CHUNKS_MAX slots, untouched pages cost nothing */
};

void pool_init(struct pool *p, size_t item_size);
void pool_release(struct pool *p);
void pool_clear(struct pool *p);  /* empties it, keeps the memory; nobody may be reading */

/* Copies *item to the end; returns its index, or UINT32_MAX when the pool is full. */
uint32_t pool_add(struct pool *p, const void *item);

static inline uint32_t pool_count(const struct pool *p)
{
	return atomic_load_explicit(&p->count, memory_order_acquire);
}

/* The item at index, which must be below pool_count(); stays valid until pool_release(). */
static inline void *pool_at(const struct pool *p, uint32_t index)
{
	char *chunk = atomic_load_explicit(&p->chunks[index / POOL_CHUNK_ITEMS],
					   memory_order_acquire);

	return chunk + (size_t)(index % POOL_CHUNK_ITEMS) * p->item_size;
}

#endif
