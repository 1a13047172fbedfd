/* SPDX-License-Identifier: MIT
 * Sums and words for the counters. */
#include "sampler/stats.h"

static const char *drop_text(unsigned int reason)
{
	switch (reason) {
	case DROP_UNPROVEN: return "unproven";
	case DROP_NO_CODE: return "no code object";
	case DROP_NO_FILES: return "too many open files";
	default: return walk_text((enum walk)reason);
	}
}

uint64_t stats_dropped(const struct sampler_stats *s)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < DROP_REASONS; i++)
		sum += s->dropped[i];
	return sum;
}

void stats_reasons(const struct sampler_stats *s, struct buf *out)
{
	for (unsigned int i = 0; i < DROP_REASONS; i++)
		if (s->dropped[i])
			buf_addf(out, "%s%s %llu", out->len ? ", " : "", drop_text(i),
				 (unsigned long long)s->dropped[i]);
}

uint64_t stats_looks(const struct sampler_stats *s)
{
	return s->samples + s->asleep + s->empty + stats_dropped(s);
}

/* Counters and nothing else, so that one walker does for all. */
void stats_add(struct sampler_stats *sum, const struct sampler_stats *add)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)add;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

void stats_subtract(struct sampler_stats *from, const struct sampler_stats *what)
{
	uint64_t *to = (uint64_t *)from;
	const uint64_t *by = (const uint64_t *)what;

	for (size_t i = 0; i < sizeof(*from) / sizeof(*to); i++)
		to[i] -= by[i];
}
