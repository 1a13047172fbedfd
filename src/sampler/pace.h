/* SPDX-License-Identifier: MIT
 * When to look next: one random moment in each interval of a fixed grid, so that the mean rate is
 * exact and no periodic program can hide between the looks. Late intervals are skipped. */
#ifndef SAMPLER_PACE_H
#define SAMPLER_PACE_H

#include <stdint.h>

struct pace {
	uint64_t start_ns, interval_ns;
	uint64_t slot;        /* interval of the next look */
	uint64_t random;      /* state of the generator */
};

void pace_init(struct pace *p, uint64_t now_ns, double rate_hz, uint64_t seed);
/* The moment of the next look, never in an interval that is over at now_ns; *ret_skipped counts
 * the intervals that were. */
uint64_t pace_next(struct pace *p, uint64_t now_ns, uint64_t *ret_skipped);

#endif
