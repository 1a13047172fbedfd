/* SPDX-License-Identifier: MIT
 * Moments of looks: one in each interval, spread, never catching up. */
#include "../../src/sampler/pace.h"

#include "tap.h"
#include "util/clock.h"

enum { LOOKS = 10000 };
#define MS NSEC_PER_MSEC

/* One look per interval, each in its own. */
static void one_per_interval(void)
{
	struct pace p;
	uint64_t skipped, now = 5 * MS, late = 0, quarters[4] = { 0 };
	bool inside = true;

	pace_init(&p, now, 1000, 42);
	for (uint64_t i = 0; i < LOOKS; i++) {
		uint64_t due = pace_next(&p, now, &skipped);
		uint64_t offset = due - (5 * MS + i * MS);

		inside = inside && offset < MS;
		quarters[offset * 4 / MS & 3]++;
		late += skipped;
		now = due;
	}
	ok(inside, "each look is in its own interval");
	is_int((long long)late, 0, "nothing is skipped on time");
	for (int i = 0; i < 4; i++)
		ok(quarters[i] > LOOKS / 5 && quarters[i] < LOOKS * 3 / 10,
		   "a quarter of the looks is in quarter %d of the interval: %llu", i,
		   (unsigned long long)quarters[i]);
}

/* After 100 ms away, 100 intervals of 1 ms are over: they are skipped, not made up for. */
static void late_intervals_are_skipped(void)
{
	struct pace p;
	uint64_t skipped, due;

	pace_init(&p, 0, 1000, 7);
	due = pace_next(&p, 0, &skipped);
	due = pace_next(&p, due + 100 * MS, &skipped);
	ok(skipped >= 99 && skipped <= 100, "skipped: %llu", (unsigned long long)skipped);
	ok(due >= 100 * MS, "the next look is not in the past's intervals");
	due = pace_next(&p, due, &skipped);
	is_int((long long)skipped, 0, "and then all is on time again");
	ok(due < 103 * MS, "at the usual pace");
}

/* Who is woken before the time, and often, has the next look in the next interval, not far ahead. */
static void early_looks_put_nothing_off(void)
{
	struct pace p;
	uint64_t skipped, due = 0;

	pace_init(&p, 0, 1000, 7);
	for (int i = 0; i < 50; i++)
		due = pace_next(&p, 10, &skipped);
	ok(due >= MS && due < 2 * MS, "due after fifty: %llu ns", (unsigned long long)due);
}

static void odd_rates(void)
{
	struct pace p;
	uint64_t skipped;

	pace_init(&p, 1, 0.01, 1);
	ok(pace_next(&p, 1, &skipped) <= 100 * NSEC_PER_SEC + 1, "one look in 100 s");
	pace_init(&p, 1, 1e12, 0);
	ok(pace_next(&p, 1, &skipped) >= 1, "a rate beyond the clock's step does not divide by zero");
}

int main(void)
{
	one_per_interval();
	late_intervals_are_skipped();
	early_looks_put_nothing_off();
	odd_rates();
	return tap_done();
}
