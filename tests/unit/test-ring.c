/* SPDX-License-Identifier: MIT
 * The ring of looks: what goes in comes out, in order, or is refused as a whole. */
#include "../../src/mix/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "tap.h"

enum { FRAMES = 40, THREADED = 30000, PATTERN = 0x5a };

static struct sym_frame frames[FRAMES_MAX];
static struct raw_entry entries[FRAMES_MAX];
static uint64_t kernel[64];
static uint8_t *stack; /* of the size that is wanted, so that a sanitizer sees a read too far */

/* A look that can be told from others by `n`. */
static struct look look_of(uint32_t n, struct look_native *native, uint32_t stack_len)
{
	struct look l = { .thread = n, .frames = frames, .count = n % FRAMES, .when_ns = n };

	if (!native)
		return l;
	*native = (struct look_native){ .stack_lo = n, .stack = stack, .stack_len = stack_len,
					.entries = entries, .entry_count = n % 7,
					.kernel = kernel, .kernel_count = n % 5 };
	native->registers.known = n;
	l.native = native;
	return l;
}

static bool inside(const struct ring *r, const struct ring_look *rec, const void *p, size_t len)
{
	const uint8_t *from = p, *lo = (const uint8_t *)rec;

	return len == 0 || (from >= lo && from + len <= lo + rec->size &&
			    lo + rec->size <= r->bytes + RING_BYTES);
}

static bool is_look(const struct ring *r, const struct ring_look *rec, uint32_t n, bool native,
		    uint32_t stack_len)
{
	const struct look *l = &rec->look;
	const struct look_native *v = l->native;

	if (l->thread != n || l->count != n % FRAMES || l->when_ns != n ||
	    !inside(r, rec, l->frames, l->count * sizeof(frames[0])) || (uintptr_t)rec % 16 ||
	    memcmp(l->frames, frames, l->count * sizeof(frames[0])))
		return false;
	if (!native)
		return !v;
	return v == &rec->native && v->registers.known == n && v->stack_lo == n &&
	       v->stack_len == stack_len && v->entry_count == n % 7 && v->kernel_count == n % 5 &&
	       inside(r, rec, v->stack, stack_len) && !memcmp(v->stack, stack, stack_len) &&
	       inside(r, rec, v->entries, v->entry_count * sizeof(entries[0])) &&
	       !memcmp(v->entries, entries, v->entry_count * sizeof(entries[0])) &&
	       !memcmp(v->kernel, kernel, v->kernel_count * sizeof(kernel[0]));
}

static void make_stack(uint32_t len)
{
	free(stack);
	stack = malloc(len ? len : 1);
	for (uint32_t i = 0; i < len; i++)
		stack[i] = (uint8_t)(i * 7 + 3);
}

static void one_by_one(void)
{
	static const uint32_t lens[] = { 0, 1, 15, 16, 17, 4096, 70001, NATIVE_STACK_MAX };
	struct look_native native;
	struct ring r;

	ring_init(&r);
	ok(!ring_get(&r) && ring_used(&r) == 0, "empty");
	for (uint32_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct ring_look *rec;
		struct look l;

		make_stack(lens[i]);
		l = look_of(i + 1, i % 3 ? &native : NULL, lens[i]);
		ok(ring_put(&r, &l, i == 2, i == 3), "a look with %u bytes goes in", lens[i]);
		rec = ring_get(&r);
		ok(rec && is_look(&r, rec, i + 1, i % 3 != 0, lens[i]), "and comes out");
		ok(rec && rec->lost_native == (i == 2) && rec->after_loss == (i == 3), "with what was said of it");
		ok(ring_get(&r) == rec, "and stays");
		ring_next(&r);
		ok(!ring_get(&r) && ring_used(&r) == 0, "until the next");
	}
	ring_release(&r);
}

/* Puts a look into an empty ring that stands at `at`, and takes it out. */
static bool goes_through(struct ring *r, uint64_t at, const struct look *l)
{
	struct ring_look *rec;
	bool good;

	atomic_store(&r->head, 7 * (uint64_t)RING_BYTES + at);
	atomic_store(&r->tail, 7 * (uint64_t)RING_BYTES + at);
	if (!ring_put(r, l, false, false))
		return false;
	rec = ring_get(r);
	good = rec && rec->look.count == l->count &&
	       !memcmp(rec->look.native->stack, stack, l->native->stack_len) &&
	       inside(r, rec, rec->look.native->stack, l->native->stack_len);
	ring_next(r);
	return good && !ring_get(r);
}

/* Wherever in the ring it stands: an empty one has room for the biggest look there is. */
static void biggest_anywhere(void)
{
	struct look_native small_native, big_native;
	struct look small, big;
	struct ring r;
	int refused = 0;

	make_stack(NATIVE_STACK_MAX);
	small = look_of(13, &small_native, 5000);
	big = look_of(1, &big_native, NATIVE_STACK_MAX);
	big.count = big_native.entry_count = FRAMES_MAX;
	big_native.kernel_count = 64;
	ring_init(&r);
	/* There is always room for a record that is skipped behind it. */
	for (uint64_t at = 0; at + sizeof(struct ring_look) <= RING_BYTES; at += 8192 + 16) {
		refused += !goes_through(&r, at, &small);
		refused += !goes_through(&r, at, &big);
	}
	refused += !goes_through(&r, RING_BYTES - ((sizeof(struct ring_look) + 15) & ~15ULL), &big);
	is_int(refused, 0, "an empty ring takes every look at every place");
	ring_release(&r);
}

static void full(void)
{
	struct look_native native;
	struct look l;
	struct ring r;
	uint32_t in = 0, out = 0, wrong = 0;

	make_stack(100000);
	ring_init(&r);
	for (int round = 0; round < 50; round++) {
		for (;; in++) {
			l = look_of(in, &native, 100000);
			if (!ring_put(&r, &l, false, false))
				break;
		}
		if (round == 0)
			ok(in >= RING_BYTES / 4 * 3 / 110000, "%u looks of 100 000 bytes fit", in);
		for (uint32_t i = 0; i < 1 + (uint32_t)round % 37 && out < in; i++, out++) {
			struct ring_look *rec = ring_get(&r);

			wrong += !rec || !is_look(&r, rec, out, true, 100000);
			ring_next(&r);
		}
	}
	while (out < in && ring_used(&r) > RING_BYTES / 2) {
		wrong += !is_look(&r, ring_get(&r), out++, true, 100000);
		ring_next(&r);
	}
	for (l = look_of(in, &native, 100000); ring_put(&r, &l, false, false);)
		l = look_of(++in, &native, 100000);
	l = look_of(in, NULL, 0);
	ok(ring_put(&r, &l, true, false), "without native part there is room still");
	ok(ring_used(&r) <= RING_BYTES, "never more in it than there is room");
	for (; out < in; out++) {
		wrong += !is_look(&r, ring_get(&r), out, true, 100000);
		ring_next(&r);
	}
	wrong += !is_look(&r, ring_get(&r), out, false, 0);
	ring_next(&r);
	is_int(ring_used(&r), 0, "everything that went in comes out");
	is_int(wrong, 0, "in order and whole");
	ring_release(&r);
}

static void too_big(void)
{
	static uint8_t byte;
	struct look_native native = { .stack = &byte, .stack_len = UINT32_MAX - 8 };
	struct look l = { .native = &native };
	struct ring r;

	ring_init(&r);
	ok(!ring_put(&r, &l, false, false), "nothing larger than the ring");
	native.stack_len = RING_BYTES / 4 * 3;
	ok(!ring_put(&r, &l, false, false), "or than what looks with a native part may have");
	native.stack_len = UINT32_MAX;
	ok(!ring_put(&r, &l, false, false), "2^32 - 1 bytes and what goes with them are not a few");
	ok(!ring_get(&r), "and nothing of it is left");
	ring_release(&r);
}

static void memory(void)
{
	const uint32_t usual = RING_BYTES / RING_USUAL + 32768;
	struct look_native native;
	struct look l;
	struct ring r;
	bool untouched = true;

	make_stack(16384);
	ring_init(&r);
	memset(r.bytes + usual, PATTERN, RING_BYTES - usual);
	for (uint32_t i = 0; i < 5000; i++) {
		l = look_of(i, &native, 16384);
		ring_put(&r, &l, false, false);
		if (i % 5 == 4)
			while (ring_get(&r))
				ring_next(&r);
	}
	for (uint32_t i = usual + 16384 * 6; i < RING_BYTES; i++)
		untouched = untouched && r.bytes[i] == PATTERN;
	ok(untouched, "with a reader that keeps up the rest stays untouched");
	ring_release(&r);
}

/* --- a writer and a reader ---------------------------------------------------------------------- */

static uint32_t len_of(uint32_t n)
{
	return n % 1000 == 999 ? NATIVE_STACK_MAX : n * 2654435761u % 40000;
}

static void *writes(void *arg)
{
	struct ring *r = arg;
	struct look_native native;

	for (uint32_t n = 0; n < THREADED; n++) {
		struct look l = look_of(n, n % 11 ? &native : NULL, len_of(n));

		while (!ring_put(r, &l, false, false))
			sched_yield();
	}
	return NULL;
}

static void at_once(void)
{
	struct ring r;
	pthread_t writer;
	uint32_t wrong = 0;

	make_stack(NATIVE_STACK_MAX);
	ring_init(&r);
	pthread_create(&writer, NULL, writes, &r);
	for (uint32_t n = 0; n < THREADED; n++) {
		struct ring_look *rec;

		while (!(rec = ring_get(&r)))
			sched_yield();
		wrong += !is_look(&r, rec, n, n % 11 != 0, len_of(n));
		ring_next(&r);
	}
	pthread_join(writer, NULL);
	is_int(wrong, 0, "a writer and a reader at once: whole and in order");
	ok(!ring_get(&r), "and nothing more");
	ring_release(&r);
}

int main(void)
{
	for (uint32_t i = 0; i < FRAMES_MAX; i++) {
		frames[i] = (struct sym_frame){ i, (int32_t)i };
		entries[i] = (struct raw_entry){ i, i };
	}
	for (uint32_t i = 0; i < 64; i++)
		kernel[i] = ~(uint64_t)i;
	one_by_one();
	biggest_anywhere();
	full();
	too_big();
	memory();
	at_once();
	free(stack);
	return tap_done();
}
