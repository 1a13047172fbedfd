/* SPDX-License-Identifier: MIT
 * Sums and words for the counters. */
#include "sampler/stats.h"

#include "util/counters.h"

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

static void add_count(struct buf *out, uint64_t n, const char *what)
{
	if (n)
		buf_addf(out, "%s%llu %s", out->len ? ", " : "", (unsigned long long)n, what);
}

void stats_stops(const struct sampler_stats *s, struct buf *out)
{
	struct buf rest = BUF_INIT;

	add_count(&rest, s->stops_late, "came too late");
	add_count(&rest, s->stops_traced, "left out for another tracer");
	add_count(&rest, s->stops_denied, "not permitted");
	add_count(&rest, s->restarted, "waits made anew");
	if (s->stops || rest.len)
		buf_addf(out, "stopped %llu times", (unsigned long long)s->stops);
	if (s->stops)
		buf_addf(out, ", %.1f us each with the wait for it, longest %.1f us",
			 (double)s->stopped_ns / 1e3 / (double)s->stops,
			 (double)s->stopped_max_ns / 1e3);
	if (rest.len)
		buf_addf(out, "; %s", rest.data);
	buf_release(&rest);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Counters and nothing else, so that one walker does for all. */
void stats_add(struct sampler_stats *sum, const struct sampler_stats *add)
{
	uint64_t wake = larger(sum->wake_max_ns, add->wake_max_ns);
	uint64_t stopped = larger(sum->stopped_max_ns, add->stopped_max_ns);

	counters_add((uint64_t *)sum, (const uint64_t *)add, sizeof(*sum));
	sum->wake_max_ns = wake;
	sum->stopped_max_ns = stopped;
}

void stats_subtract(struct sampler_stats *from, const struct sampler_stats *what)
{
	uint64_t wake = from->wake_max_ns, stopped = from->stopped_max_ns;

	counters_subtract((uint64_t *)from, (const uint64_t *)what, sizeof(*from));
	from->wake_max_ns = wake;
	from->stopped_max_ns = stopped;
}
