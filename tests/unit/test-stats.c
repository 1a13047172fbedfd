/* SPDX-License-Identifier: MIT
 * Counters: sums, differences, and words for them. */
#include "sampler/stats.h"
#include "tap.h"

static void says(const struct sampler_stats *s, const char *want, const char *what)
{
	struct buf b = BUF_INIT;

	stats_stops(s, &b);
	is_str(b.len ? b.data : "", want, what);
	buf_release(&b);
}

static void words(void)
{
	struct sampler_stats s = { 0 };

	says(&s, "", "no word where nobody was to be stopped");
	s.stops_traced = 7;
	says(&s, "stopped 0 times; 7 left out for another tracer", "another tracer");
	s = (struct sampler_stats){ .stops = 4, .stopped_ns = 50000, .stopped_max_ns = 20500 };
	says(&s, "stopped 4 times, 12.5 us each with the wait for it, longest 20.5 us", "stops");
	s.stops_late = 1;
	s.restarted = 2;
	says(&s, "stopped 4 times, 12.5 us each with the wait for it, longest 20.5 us; 1 came too late, "
	     "2 waits made anew", "and what there was besides");
}

static void sums(void)
{
	struct sampler_stats sum = { .stops = 3, .stopped_max_ns = 30, .wake_max_ns = 5 };
	const struct sampler_stats more = { .stops = 2, .stopped_max_ns = 20, .wake_max_ns = 9 };

	stats_add(&sum, &more);
	ok(sum.stops == 5 && sum.stopped_max_ns == 30 && sum.wake_max_ns == 9, "the larger maximum");
	stats_subtract(&sum, &more);
	ok(sum.stops == 3 && sum.stopped_max_ns == 30 && sum.wake_max_ns == 9, "which stays");
}

int main(void)
{
	words();
	sums();
	return tap_done();
}
