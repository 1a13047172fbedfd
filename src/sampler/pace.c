/* SPDX-License-Identifier: MIT
 * Random moments on a fixed grid. */
#include "pace.h"

#include "util/clock.h"

void pace_init(struct pace *p, uint64_t now_ns, double rate_hz, uint64_t seed)
{
	p->start_ns = now_ns;
	p->interval_ns = (uint64_t)((double)NSEC_PER_SEC / rate_hz);
	if (p->interval_ns == 0)
		p->interval_ns = 1;
	p->slot = 0;
	p->random = seed | 1;
}

/* xorshift64*: plenty for spreading looks. */
static uint64_t next_random(struct pace *p)
{
	p->random ^= p->random >> 12;
	p->random ^= p->random << 25;
	p->random ^= p->random >> 27;
	return p->random * 0x2545f4914f6cdd1dULL;
}

uint64_t pace_next(struct pace *p, uint64_t now_ns, uint64_t *ret_skipped)
{
	uint64_t current = (now_ns - p->start_ns) / p->interval_ns;
	uint64_t offset = (uint64_t)(((unsigned __int128)next_random(p) * p->interval_ns) >> 64);

	*ret_skipped = 0;
	if (p->slot < current) {
		*ret_skipped = current - p->slot;
		p->slot = current;
	}
	/* Looks that were asked for come before they are due, and would each put off the next. */
	if (p->slot > current + 1)
		p->slot = current + 1;
	return p->start_ns + p->slot++ * p->interval_ns + offset;
}
