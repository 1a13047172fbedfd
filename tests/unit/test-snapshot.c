/* SPDX-License-Identifier: MIT
 * Looks: one read for what is planned, one more for what is not, and nothing beyond the limits. */
#include "py/snapshot.h"

#include <errno.h>

#include "fake_remote.h"
#include "tap.h"

static void plan_makes_one_read(void)
{
	struct fake_remote fake = { 0 };
	struct remote remote = fake_remote(&fake);
	uint8_t *a = fake_map(&fake, 0x10000, 256), *b = fake_map(&fake, 0x20000, 256);
	struct plan plan = { 0 };
	struct snapshot s;

	fake_put_u64(a, 8, 11);
	fake_put_u64(b, 16, 22);
	snapshot_init(&s, &remote);
	snapshot_begin(&s, &plan);
	is_int((long long)load_u64(snapshot_get(&s, 0x10008, 8)), 11, "unforeseen: read");
	is_int((long long)load_u64(snapshot_get(&s, 0x20010, 8)), 22, "and the next");
	is_int(s.reads, 2, "in two reads");
	plan_learn(&plan, &s);

	fake_put_u64(a, 8, 33);
	snapshot_begin(&s, &plan);
	is_int((long long)load_u64(snapshot_get(&s, 0x10008, 8)), 33, "foreseen, and fresh");
	is_int(s.reads, 1, "in one read");
	plan_learn(&plan, &s);
	is_int(plan.count, 1, "what was not used is not foreseen again");

	plan_release(&plan);
	snapshot_release(&s);
	fake_release(&fake);
}

static void unmapped_pieces_do_not_hide_others(void)
{
	struct fake_remote fake = { 0 };
	struct remote remote = fake_remote(&fake);
	struct plan plan = { 0 };
	struct snapshot s;
	uint8_t *c;

	fake_map(&fake, 0x10000, 64);
	fake_map(&fake, 0x20000, 64);
	c = fake_map(&fake, 0x30000, 64);
	fake_put_u64(c, 0, 3);
	snapshot_init(&s, &remote);
	snapshot_begin(&s, &plan);
	snapshot_get(&s, 0x10000, 8);
	snapshot_get(&s, 0x20000, 8);
	snapshot_get(&s, 0x30000, 8);
	plan_learn(&plan, &s);

	fake.ranges[1].addr = 0x90000; /* the middle one is unmapped meanwhile */
	snapshot_begin(&s, &plan);
	ok(snapshot_find(&s, 0x10000, 8) != NULL, "the one before is there");
	ok(snapshot_get(&s, 0x20000, 8) == NULL, "the one that is gone is not");
	is_int((long long)load_u64(snapshot_get(&s, 0x30000, 8)), 3, "the one behind is there");
	is_int(s.error, 0, "which is no error of the process");

	plan_release(&plan);
	snapshot_release(&s);
	fake_release(&fake);
}

/* A piece that is wanted this time only. */
static void an_extra_piece(void)
{
	struct fake_remote fake = { 0 };
	struct remote remote = fake_remote(&fake);
	struct plan plan = { 0 };
	struct snapshot s;

	fake_map(&fake, 0x10000, 64);
	fake_map(&fake, 0x20000, 256);
	snapshot_init(&s, &remote);
	snapshot_begin(&s, &plan);
	snapshot_get(&s, 0x10000, 8);
	plan_learn(&plan, &s);
	snapshot_begin_with(&s, &plan, 0x20000, 256);
	ok(snapshot_find(&s, 0x20000, 256) && snapshot_find(&s, 0x20080, 8) &&
	   snapshot_get(&s, 0x10000, 8), "the extra piece comes with the planned ones");
	is_int(s.reads, 1, "in one read");
	plan_learn(&plan, &s);
	is_int(plan.count, 1, "and is not learned, used or not");
	snapshot_begin_with(&s, &plan, 0x90000, 256);
	ok(!snapshot_find(&s, 0x90000, 256) && !snapshot_find(&s, 0x90000, 1),
	   "one that cannot be read is not there");
	ok(snapshot_find(&s, 0x10000, 8) && !s.error, "and costs the others nothing");
	snapshot_begin_with(&s, &plan, UINT64_MAX - 8, 256);
	ok(snapshot_find(&s, 0x10000, 8) != NULL, "nor does an impossible one");
	plan_learn(&plan, &s);
	is_int(plan.count, 1, "the plan stays");
	plan_release(&plan);
	snapshot_release(&s);
	fake_release(&fake);
}

static void limits(void)
{
	struct fake_remote fake = { 0 };
	struct remote remote = fake_remote(&fake);
	struct plan none = { 0 };
	struct snapshot s;
	uint32_t n = 0;

	fake_map(&fake, 0x100000, SNAPSHOT_PIECES * 8 + 64);
	snapshot_init(&s, &remote);
	snapshot_begin(&s, &none);
	ok(!snapshot_get(&s, 0, 8), "address 0");
	ok(!snapshot_get(&s, UINT64_MAX - 4, 8), "an address that wraps");
	ok(!snapshot_get(&s, REMOTE_ADDR_MAX - 4, 8), "an address beyond user space");
	ok(!snapshot_get(&s, 0x100000, SNAPSHOT_BYTES + 1), "more bytes than a look may have");
	while (n <= SNAPSHOT_PIECES && snapshot_get(&s, 0x100000 + n * 8, 8))
		n++;
	ok(n == SNAPSHOT_PIECES, "pieces end at the limit: %u", n);

	fake.error = -ESRCH;
	snapshot_begin(&s, &none);
	ok(!snapshot_get(&s, 0x100000, 8), "a process that is gone");
	is_int(s.error, -ESRCH, "is an error");

	snapshot_release(&s);
	fake_release(&fake);
}

int main(void)
{
	plan_makes_one_read();
	unmapped_pieces_do_not_hide_others();
	an_extra_piece();
	limits();
	return tap_done();
}
