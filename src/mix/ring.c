/* SPDX-License-Identifier: MIT
 * The ring of looks. */
#include "ring.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

enum { ALIGN = 16 };

void ring_init(struct ring *r)
{
	*r = (struct ring){ .bytes = xmalloc(RING_BYTES) };
}

void ring_release(struct ring *r)
{
	free(r->bytes);
	*r = (struct ring){ 0 };
}

static size_t aligned(size_t n)
{
	return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static size_t size_of(const struct look *look)
{
	const struct look_native *n = look->native;
	size_t size = aligned(sizeof(struct ring_look)) +
		      aligned(look->count * sizeof(look->frames[0]));

	if (n)
		size += aligned(n->entry_count * sizeof(n->entries[0])) +
			aligned(n->kernel_count * sizeof(n->kernel[0])) + aligned(n->stack_len);
	return size;
}

static struct ring_look *record_at(const struct ring *r, uint64_t position)
{
	return (struct ring_look *)(r->bytes + position % RING_BYTES);
}

/* Goes to the ring's start with a record that is to be skipped. */
static void wrap(struct ring *r, uint64_t head)
{
	uint32_t left = (uint32_t)(RING_BYTES - head % RING_BYTES);

	*record_at(r, head) = (struct ring_look){ .size = left, .skip = true };
}

static void *append(uint8_t **to, const void *from, size_t len)
{
	void *at = *to;

	if (len)
		memcpy(at, from, len);
	*to += aligned(len);
	return at;
}

static void fill(struct ring_look *rec, uint32_t size, const struct look *look)
{
	uint8_t *to = (uint8_t *)rec + aligned(sizeof(*rec));
	struct look_native *n = &rec->native;

	*rec = (struct ring_look){ .size = size, .look = *look };
	rec->look.frames = append(&to, look->frames, look->count * sizeof(look->frames[0]));
	rec->look.native = NULL;
	if (!look->native)
		return;
	*n = *look->native;
	rec->look.native = n;
	n->entries = append(&to, n->entries, n->entry_count * sizeof(n->entries[0]));
	n->kernel = append(&to, n->kernel, n->kernel_count * sizeof(n->kernel[0]));
	n->stack = append(&to, n->stack, n->stack_len);
}

bool ring_put(struct ring *r, const struct look *look, bool lost_native, bool after_loss)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	uint64_t at = head % RING_BYTES;
	size_t size = size_of(look);
	/* Behind the record there has to be room for one that is skipped. */
	bool full = at + size + sizeof(struct ring_look) > RING_BYTES;
	/* What is skipped counts as used until the reader has passed it. */
	bool wraps = full || (head == tail && at > RING_BYTES / RING_USUAL && size <= at);
	uint64_t begin = wraps ? head + RING_BYTES - at : head;
	struct ring_look *rec;

	if (size > RING_BYTES / 2 ||
	    begin + size - tail > RING_BYTES - (look->native && head != tail ? RING_RESERVE : 0))
		return false;
	if (wraps)
		wrap(r, head);
	rec = record_at(r, begin);
	fill(rec, (uint32_t)size, look);
	rec->lost_native = lost_native;
	rec->after_loss = after_loss;
	atomic_store_explicit(&r->head, begin + size, memory_order_release);
	return true;
}

struct ring_look *ring_get(struct ring *r)
{
	for (;;) {
		uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
		struct ring_look *rec;

		if (tail == atomic_load_explicit(&r->head, memory_order_acquire))
			return NULL;
		rec = record_at(r, tail);
		if (!rec->skip)
			return rec;
		ring_next(r);
	}
}

void ring_next(struct ring *r)
{
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	atomic_store_explicit(&r->tail, tail + record_at(r, tail)->size, memory_order_release);
}
