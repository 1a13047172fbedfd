/* SPDX-License-Identifier: MIT
 * Local copies of the pieces of a target's memory that one look at a thread needs.
 *
 * The pieces that a look used are the plan of the next one: they are all fetched in one vectored
 * read, and only what was not foreseen costs another. Nothing here allocates after init. */
#ifndef PY_SNAPSHOT_H
#define PY_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "mem/remote.h"

#define SNAPSHOT_BYTES (2u << 20)   /* most that one look may copy */
#define SNAPSHOT_PIECES 16384u      /* most pieces of one look */

struct piece {
	remote_addr addr;
	uint32_t len;
	uint32_t at;       /* offset in snapshot.bytes */
	bool used;
};

/* The pieces foreseen for a thread's next look. */
struct plan {
	struct { remote_addr addr; uint32_t len; } *pieces; /* owned; grows when a look needs more */
	uint32_t count, cap;
};

struct snapshot {
	const struct remote *remote;
	uint8_t *bytes;
	struct piece *pieces;
	uint32_t count;       /* pieces */
	uint32_t used;        /* bytes */
	uint32_t cursor;      /* piece found last */
	uint32_t extra;       /* first pieces that no plan learns */
	uint32_t reads;       /* system calls of this look */
	int error;            /* -ESRCH or -EPERM when the target is gone or closed to us */
};

void snapshot_init(struct snapshot *s, const struct remote *remote);
void snapshot_release(struct snapshot *s);

/* Starts a look: forgets all pieces and fetches the planned ones in one read. */
void snapshot_begin(struct snapshot *s, const struct plan *plan);
/* The same, and a piece that is wanted this time only, in the same read; len 0: none. */
void snapshot_begin_with(struct snapshot *s, const struct plan *plan, remote_addr addr, uint32_t len);

/* The bytes at addr: from a piece, else by a read of their own. NULL when they cannot be read or
 * the look is too large. Valid until the next snapshot_begin(). */
const uint8_t *snapshot_get(struct snapshot *s, remote_addr addr, uint32_t len);
/* The same without a read: NULL when no piece holds them. */
const uint8_t *snapshot_find(struct snapshot *s, remote_addr addr, uint32_t len);
/* The piece at exactly this address need not be longer than `len` in the next look. */
void snapshot_trim(struct snapshot *s, remote_addr addr, uint32_t len);

/* Makes the used pieces the plan of the next look. `plan_release` frees it. */
void plan_learn(struct plan *plan, const struct snapshot *s);
void plan_release(struct plan *plan);

/* Unaligned loads from a piece. */
static inline uint64_t load_u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t load_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline int32_t load_i32(const uint8_t *p)
{
	return (int32_t)load_u32(p);
}

#endif
