/* SPDX-License-Identifier: MIT
 * How long to wait: after failures, and between profiles. */
#ifndef SRC_SHIP_BACKOFF_H
#define SRC_SHIP_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FLOOR_NS 100000000ull  /* even the luckiest jitter leaves a server so long in peace */

/* A wait after the n-th failure in a row (n from 1): evenly spread up to PUSHER_RETRY_MIN_NS * 2^(n-1),
 * at most `max_ns`. `random` is the state of the jitter, not 0. */
uint64_t backoff_ns(unsigned int failures, uint64_t max_ns, uint64_t *random);

/* A token bucket of bytes. */
struct bucket {
	uint64_t rate;         /* bytes per second */
	uint64_t burst;        /* bytes it holds; full at the start */
	uint64_t bytes;
	uint64_t filled_ns;    /* up to when it was filled */
};

/* Takes `bytes` (more than the burst counts as the burst) and returns 0, or how long it takes until
 * there are so many. */
uint64_t bucket_take(struct bucket *b, uint64_t now_ns, uint64_t bytes);

#endif
