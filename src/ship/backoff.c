/* SPDX-License-Identifier: MIT
 * Full jitter and a token bucket. */
#include "backoff.h"

#include "ship/pusher.h"
#include "util/clock.h"
#include "util/hash.h"

enum { DOUBLINGS_MAX = 20 };

static uint64_t next_random(uint64_t *random)
{
	*random += 0x9e3779b97f4a7c15ULL; /* splitmix64 */
	return hash_u64(*random);
}

uint64_t backoff_ns(unsigned int failures, uint64_t max_ns, uint64_t *random)
{
	unsigned int doublings = failures > 0 ? failures - 1 : 0;
	uint64_t most = PUSHER_RETRY_MIN_NS << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);
	uint64_t wait;

	most = most < max_ns ? most : max_ns;
	wait = (uint64_t)(((unsigned __int128)next_random(random) * most) >> 64);
	return wait > BACKOFF_FLOOR_NS ? wait : BACKOFF_FLOOR_NS;
}

static void fill(struct bucket *b, uint64_t now_ns)
{
	uint64_t gone = now_ns > b->filled_ns ? now_ns - b->filled_ns : 0;
	uint64_t full_ns = (b->burst - b->bytes) * NSEC_PER_SEC / b->rate + 1;

	if (!b->filled_ns || gone >= full_ns)
		b->bytes = b->burst;
	else
		b->bytes += gone * b->rate / NSEC_PER_SEC;
	b->filled_ns = now_ns;
}

uint64_t bucket_take(struct bucket *b, uint64_t now_ns, uint64_t bytes)
{
	fill(b, now_ns);
	bytes = bytes < b->burst ? bytes : b->burst;
	if (bytes <= b->bytes) {
		b->bytes -= bytes;
		return 0;
	}
	return (bytes - b->bytes) * NSEC_PER_SEC / b->rate + 1;
}
