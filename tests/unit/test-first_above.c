/* SPDX-License-Identifier: MIT
 * The first above, compared with looking at one after the other. */
#include "util/first_above.h"

#include <stdint.h>

#include "tap.h"

enum { ITEMS_MAX = 17 };

struct item {
	uint64_t addr;
};

static size_t one_by_one(const struct item *items, size_t count, uint64_t wanted)
{
	size_t i = 0;

	while (i < count && items[i].addr <= wanted)
		i++;
	return i;
}

/* Keys 10, 10, 12, 12, 14 …: equal ones, gaps, before the first and after the last. */
static void every_length(void)
{
	struct item items[ITEMS_MAX];
	bool good = true;

	for (size_t i = 0; i < ITEMS_MAX; i++)
		items[i].addr = 10 + i / 2 * 2;
	for (size_t count = 0; count <= ITEMS_MAX; count++)
		for (uint64_t wanted = 0; wanted < 40; wanted++)
			good = good && FIRST_ABOVE(count, n, items[n].addr, wanted) ==
				       one_by_one(items, count, wanted);
	ok(good, "lists of 0 to %d items", ITEMS_MAX);
}

static void the_ends(void)
{
	static const struct item items[] = { { 0 }, { UINT64_MAX } };
	static const int64_t offsets[] = { -5, 0, 5 };

	is_int((long long)FIRST_ABOVE(2, i, items[i].addr, 0), 1, "at the least key");
	is_int((long long)FIRST_ABOVE(2, i, items[i].addr, UINT64_MAX), 2, "at the greatest");
	is_int((long long)FIRST_ABOVE(3, i, offsets[i], -1), 1, "signed keys");
}

int main(void)
{
	every_length();
	the_ends();
	return tap_done();
}
