/* SPDX-License-Identifier: MIT
 * Looks on their way from the sampling thread to the mixer's: one writer, one reader, neither waits.
 *
 * Records lie in one piece, one after the other. A writer that finds the ring empty, and itself beyond
 * the usual part, begins at its start again: the rest of the memory stays untouched. */
#ifndef MIX_RING_H
#define MIX_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sampler/sampler.h"

#define RING_BYTES (8u << 20)      /* at 1000 Hz and 16 KiB a stack: half a second */
enum {
	RING_USUAL = 8,                /* part of it that is used as long as the reader keeps up */
	RING_RESERVE = 256 << 10,      /* bytes for looks without a native part: they are small */
};

struct ring {
	uint8_t *bytes;
	_Atomic uint64_t head, tail;   /* bytes written and read since the beginning */
};

/* A look as it lies in the ring; pointers of `look` and `native` lead into it. */
struct ring_look {
	uint32_t size;                 /* of the whole record */
	bool skip;                     /* no look: goes to the ring's end */
	bool lost_native;              /* there was no room for its native part */
	bool after_loss;               /* of looks before it nothing is here */
	struct look look;
	struct look_native native;
};

void ring_init(struct ring *r);
void ring_release(struct ring *r);

/* Copies a look and everything it points at; false: no room. */
bool ring_put(struct ring *r, const struct look *look, bool lost_native, bool after_loss);
/* The oldest look, NULL when there is none; stays until ring_next(). */
struct ring_look *ring_get(struct ring *r);
void ring_next(struct ring *r);

static inline uint64_t ring_used(const struct ring *r)
{
	return atomic_load(&r->head) - atomic_load(&r->tail);
}

#endif
