/* SPDX-License-Identifier: MIT
 * Sums and words for the counters. */
#include "sampler/stats.h"

static const char *drop_text(unsigned int reason)
{
	switch (reason) {
	case DROP_UNPROVEN: return "unproven";
	case DROP_NO_CODE: return "no code object";
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
