/* SPDX-License-Identifier: MIT
 * What the spool holds, in memory: waiting and sent items, each in the order of their names, so that
 * no question to the spool needs the disk. Knows nothing of files and locks. */
#ifndef SHIP_SPOOL_INDEX_H
#define SHIP_SPOOL_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ship/spool.h"
#include "spool_run.h"

struct spool_entry {
	struct spool_item item;
	bool sent;                 /* which list; item.sent_ns may be 0 by a wrong clock */
	enum spool_place place;    /* where its bytes are; need not agree with `sent` (a rename failed) */
	char *data;                /* SPOOL_MEMORY: the bytes, owned */
	uint64_t known_ns;         /* monotonic time from which age_ns counts */
	uint64_t age_ns;           /* how old it was then (waiting: since its time, sent: since sending) */
};

struct spool_list {
	struct spool_entry **entries; /* [first, first + count) in the order of their names */
	size_t first, count, cap;
	uint64_t bytes;
};

struct spool_slot {
	struct spool_entry *entry; /* NULL: free, and next_free counts */
	uint32_t generation, next_free;
};

struct spool_index {
	struct spool_list waiting, sent;
	struct spool_slot *slots;  /* an id is its slot's number and generation */
	uint32_t slot_count, slot_cap, slot_free;
	size_t memory_count;
	uint64_t memory_bytes;
};

void spool_index_init(struct spool_index *ix);
void spool_index_release(struct spool_index *ix);

/* Takes a copy of *e and its data; the id and in_memory are set here. Its name must be new. */
struct spool_entry *spool_index_add(struct spool_index *ix, const struct spool_entry *e);
void spool_index_remove(struct spool_index *ix, struct spool_entry *e); /* frees it */
/* After these the entry stays where it is. */
void spool_index_turn(struct spool_index *ix, struct spool_entry *e, bool sent);
void spool_index_on_disk(struct spool_index *ix, struct spool_entry *e, enum spool_place place,
			 const struct spool_key *key);

struct spool_entry *spool_index_find(const struct spool_index *ix, uint64_t id); /* NULL: gone */
bool spool_index_has(const struct spool_index *ix, const struct spool_key *key);
/* Puts the key as many milliseconds later as it takes for its name to be new. */
void spool_index_unique(const struct spool_index *ix, struct spool_key *key);

/* The waiting one with the newest time that is not in `except`; NULL: none. */
struct spool_entry *spool_index_newest(const struct spool_index *ix, const uint64_t *except, size_t n);
/* What goes first when there is too much: the oldest that is sent, else the oldest. NULL: none. */
struct spool_entry *spool_index_victim(const struct spool_index *ix, bool in_memory);

static inline struct spool_entry *spool_list_at(const struct spool_list *l, size_t i)
{
	return l->entries[l->first + i];
}

#endif
