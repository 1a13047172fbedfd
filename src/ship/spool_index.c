/* SPDX-License-Identifier: MIT
 * Waiting and sent items in two sorted arrays with room at both ends: the newest are added at one
 * end and the oldest dropped at the other, so both are cheap. */
#include "spool_index.h"

#include <stdlib.h>
#include <string.h>

#include "spool_name.h"
#include "util/clock.h"
#include "util/xalloc.h"

enum { SLOT_NONE = UINT32_MAX, LIST_FIRST = 64, EXCEPT_SCAN = 16 };

void spool_index_init(struct spool_index *ix)
{
	*ix = (struct spool_index){ .slot_free = SLOT_NONE };
}

static void entry_free(struct spool_entry *e)
{
	free(e->data);
	free(e);
}

void spool_index_release(struct spool_index *ix)
{
	for (uint32_t i = 0; i < ix->slot_count; i++)
		if (ix->slots[i].entry)
			entry_free(ix->slots[i].entry);
	free(ix->slots);
	free(ix->waiting.entries);
	free(ix->sent.entries);
	spool_index_init(ix);
}

/* Where the key is, or would be. */
static size_t list_place(const struct spool_list *l, const struct spool_key *key)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (spool_name_order(&spool_list_at(l, mid)->item.key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct spool_entry *list_find(const struct spool_list *l, const struct spool_key *key)
{
	size_t i = list_place(l, key);

	if (i == l->count || !spool_name_same(&spool_list_at(l, i)->item.key, key))
		return NULL;
	return spool_list_at(l, i);
}

/* Twice the memory, with what there is in its middle. */
static void list_grow(struct spool_list *l)
{
	size_t cap = l->cap ? l->cap * 2 : LIST_FIRST, first = (cap - l->count) / 2;
	struct spool_entry **entries = xcalloc(cap, sizeof(struct spool_entry *));

	if (l->count)
		memcpy(entries + first, l->entries + l->first, l->count * sizeof(*entries));
	free(l->entries);
	l->entries = entries;
	l->first = first;
	l->cap = cap;
}

static void list_insert(struct spool_list *l, struct spool_entry *e)
{
	size_t i = list_place(l, &e->item.key);
	struct spool_entry **at;

	if (l->first == 0 || l->first + l->count == l->cap)
		list_grow(l);
	at = l->entries + l->first;
	if (i < l->count / 2) {
		memmove(at - 1, at, i * sizeof(struct spool_entry *));
		l->first--;
	} else {
		memmove(at + i + 1, at + i, (l->count - i) * sizeof(struct spool_entry *));
	}
	l->count++;
	l->entries[l->first + i] = e;
	l->bytes += e->item.bytes;
}

static void list_take(struct spool_list *l, struct spool_entry *e)
{
	size_t i = list_place(l, &e->item.key);
	struct spool_entry **at = l->entries + l->first;

	if (i < l->count / 2) {
		memmove(at + 1, at, i * sizeof(struct spool_entry *));
		l->first++;
	} else {
		memmove(at + i, at + i + 1, (l->count - i - 1) * sizeof(struct spool_entry *));
	}
	l->count--;
	l->bytes -= e->item.bytes;
}

static struct spool_list *list_of(struct spool_index *ix, const struct spool_entry *e)
{
	return e->sent ? &ix->sent : &ix->waiting;
}

static uint32_t slot_take(struct spool_index *ix)
{
	uint32_t i = ix->slot_free;

	if (i != SLOT_NONE) {
		ix->slot_free = ix->slots[i].next_free;
		return i;
	}
	if (ix->slot_count == ix->slot_cap) {
		ix->slot_cap = ix->slot_cap ? ix->slot_cap * 2 : LIST_FIRST;
		ix->slots = xreallocarray(ix->slots, ix->slot_cap, sizeof(*ix->slots));
	}
	ix->slots[ix->slot_count] = (struct spool_slot){ .generation = 1 };
	return ix->slot_count++;
}

struct spool_entry *spool_index_add(struct spool_index *ix, const struct spool_entry *from)
{
	struct spool_entry *e = xmalloc(sizeof(*e));
	uint32_t slot = slot_take(ix);

	*e = *from;
	e->item.id = (uint64_t)ix->slots[slot].generation << 32 | slot;
	e->item.in_memory = e->place == SPOOL_MEMORY;
	ix->slots[slot].entry = e;
	list_insert(list_of(ix, e), e);
	if (e->item.in_memory) {
		ix->memory_count++;
		ix->memory_bytes += e->item.bytes;
	}
	return e;
}

static void forget_memory(struct spool_index *ix, struct spool_entry *e)
{
	if (!e->item.in_memory)
		return;
	ix->memory_count--;
	ix->memory_bytes -= e->item.bytes;
	free(e->data);
	e->data = NULL;
	e->item.in_memory = false;
}

void spool_index_remove(struct spool_index *ix, struct spool_entry *e)
{
	uint32_t slot = (uint32_t)e->item.id;

	list_take(list_of(ix, e), e);
	forget_memory(ix, e);
	ix->slots[slot].entry = NULL;
	ix->slots[slot].generation++;
	ix->slots[slot].next_free = ix->slot_free;
	ix->slot_free = slot;
	entry_free(e);
}

void spool_index_turn(struct spool_index *ix, struct spool_entry *e, bool sent)
{
	list_take(list_of(ix, e), e);
	e->sent = sent;
	list_insert(list_of(ix, e), e);
}

void spool_index_on_disk(struct spool_index *ix, struct spool_entry *e, enum spool_place place,
			 const struct spool_key *key)
{
	list_take(list_of(ix, e), e);
	e->item.key = *key;
	list_insert(list_of(ix, e), e);
	forget_memory(ix, e);
	e->place = place;
}

struct spool_entry *spool_index_find(const struct spool_index *ix, uint64_t id)
{
	uint32_t slot = (uint32_t)id;

	if (slot >= ix->slot_count || ix->slots[slot].generation != id >> 32)
		return NULL;
	return ix->slots[slot].entry;
}

bool spool_index_has(const struct spool_index *ix, const struct spool_key *key)
{
	return list_find(&ix->waiting, key) || list_find(&ix->sent, key);
}

void spool_index_unique(const struct spool_index *ix, struct spool_key *key)
{
	while (spool_index_has(ix, key))
		key->time_ns += NSEC_PER_MSEC;
}

static int order_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool scan(uint64_t id, const uint64_t *ids, size_t n)
{
	while (n > 0)
		if (ids[--n] == id)
			return true;
	return false;
}

static struct spool_entry *newest_not_in(const struct spool_list *l, const uint64_t *ids, size_t n,
					 bool sorted)
{
	for (size_t i = l->count; i-- > 0;) {
		struct spool_entry *e = spool_list_at(l, i);

		if (sorted ? !bsearch(&e->item.id, ids, n, sizeof(*ids), order_ids)
			   : !scan(e->item.id, ids, n))
			return e;
	}
	return NULL;
}

struct spool_entry *spool_index_newest(const struct spool_index *ix, const uint64_t *except, size_t n)
{
	struct spool_entry *e;
	uint64_t *ids;

	if (n <= EXCEPT_SCAN)
		return newest_not_in(&ix->waiting, except, n, false);
	ids = xreallocarray(NULL, n, sizeof(*ids));
	memcpy(ids, except, n * sizeof(*ids));
	qsort(ids, n, sizeof(*ids), order_ids);
	e = newest_not_in(&ix->waiting, ids, n, true);
	free(ids);
	return e;
}

static struct spool_entry *oldest(const struct spool_list *l, bool in_memory)
{
	for (size_t i = 0; i < l->count; i++)
		if (!in_memory || spool_list_at(l, i)->item.in_memory)
			return spool_list_at(l, i);
	return NULL;
}

struct spool_entry *spool_index_victim(const struct spool_index *ix, bool in_memory)
{
	struct spool_entry *e = oldest(&ix->sent, in_memory);

	return e ? e : oldest(&ix->waiting, in_memory);
}
