/* SPDX-License-Identifier: MIT
 * Compiled rules by address: sorted ranges that point into a table where each different rule is
 * kept once (a library has some ten thousand ranges, but a few hundred rules). */
#include "native/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cfi.h"
#include "rule_compile.h"
#include "util/first_above.h"
#include "util/hash.h"
#include "util/xalloc.h"

enum {
	SLOTS = 2 * RULES_DISTINCT_MAX, /* of the hash table of rules; a power of two */
	NONE = 0,                       /* index of rule_none */
	RECENT_BITS = 9,
};

struct range {
	uint64_t lo;
	uint32_t size;  /* bytes */
	uint32_t rule;  /* index */
};

/* Stacks repeat: an address asked for again is found without a search. */
struct recent {
	uint64_t addr;
	uint32_t rule;
};

struct rules {
	struct cfi cfi;
	struct recent recent[1 << RECENT_BITS]; /* by hash of the address */
	struct range *ranges;  /* by lo, not overlapping */
	size_t range_count, range_room;
	struct rule *table;
	size_t rule_count, rule_room;
	uint16_t slots[SLOTS]; /* index of a rule; 0: empty, rule 0 is never looked for */
	struct rules_stats stats;
};

const struct rule rule_none = { .kind = RULE_NONE };

static void forget(struct rules *r)
{
	r->range_count = 0;
	r->rule_count = 1;
	memset(r->slots, 0, sizeof(r->slots));
	memset(r->recent, 0xff, sizeof(r->recent)); /* no address */
}

static int rules_new(struct rules **ret, int fd, void *image, size_t size)
{
	struct cfi cfi;
	struct rules *r;
	int err = cfi_open(&cfi, fd, image, size);

	if (err < 0)
		return err;
	r = xcalloc(1, sizeof(*r));
	r->cfi = cfi;
	r->rule_room = 16;
	r->table = xreallocarray(NULL, r->rule_room, sizeof(*r->table));
	r->table[NONE] = rule_none;
	forget(r);
	*ret = r;
	return 0;
}

int rules_open(struct rules **ret, int fd)
{
	return rules_new(ret, fd, NULL, 0);
}

int rules_open_module(struct rules **ret, int fd, const char *path, const char *root)
{
	int err = rules_new(ret, fd, NULL, 0);

	if (err == 0) {
		(*ret)->cfi.path = xstrdup(path);
		(*ret)->cfi.root = xstrdup(root);
	}
	return err;
}

int rules_open_image(struct rules **ret, void *image, size_t size)
{
	return rules_new(ret, -1, image, size);
}

void rules_free(struct rules *r)
{
	if (!r)
		return;
	cfi_close(&r->cfi);
	free(r->ranges);
	free(r->table);
	free(r);
}

/* How many ranges begin at or before addr. */
static size_t range_after(const struct rules *r, uint64_t addr)
{
	return FIRST_ABOVE(r->range_count, i, r->ranges[i].lo, addr);
}

const struct rule *rules_cached(const struct rules *r, uint64_t addr)
{
	size_t i = range_after(r, addr);

	if (i == 0 || addr - r->ranges[i - 1].lo >= r->ranges[i - 1].size)
		return NULL;
	return &r->table[r->ranges[i - 1].rule];
}

static bool is_full(const struct rules *r)
{
	return r->range_count == RULES_RANGES_MAX || r->rule_count == RULES_DISTINCT_MAX;
}

/* The index of an equal rule; added when there is none. There is room. */
static uint32_t intern(struct rules *r, const struct rule *rule)
{
	size_t slot = hash_u64(hash_bytes(rule, sizeof(*rule))) % SLOTS;

	if (rule->kind == RULE_NONE)
		return NONE;
	for (; r->slots[slot]; slot = (slot + 1) % SLOTS)
		if (!memcmp(&r->table[r->slots[slot]], rule, sizeof(*rule)))
			return r->slots[slot];
	if (r->rule_count == r->rule_room) {
		r->rule_room *= 2;
		r->table = xreallocarray(r->table, r->rule_room, sizeof(*r->table));
	}
	memcpy(&r->table[r->rule_count], rule, sizeof(*rule)); /* with its padding: see memcmp */
	r->slots[slot] = (uint16_t)r->rule_count;
	return (uint32_t)r->rule_count++;
}

/* FDEs that overlap are a linker's or an attacker's fault: a range is cut to the gap that addr is
 * in. */
static struct range gap(const struct rules *r, size_t at, uint64_t addr, uint64_t lo,
			uint64_t hi)
{
	const struct range *before = at > 0 ? &r->ranges[at - 1] : NULL;

	if (lo > addr || hi <= addr) {
		lo = addr;
		hi = addr + 1;
	}
	if (before && lo < before->lo + before->size)
		lo = before->lo + before->size;
	if (at < r->range_count && hi > r->ranges[at].lo)
		hi = r->ranges[at].lo;
	if (addr - lo >= UINT32_MAX)
		lo = addr;
	return (struct range){ lo, hi - lo < UINT32_MAX ? (uint32_t)(hi - lo) : UINT32_MAX, NONE };
}

static void insert(struct rules *r, uint64_t addr, uint64_t lo, uint64_t hi, uint32_t rule)
{
	size_t at = range_after(r, addr);
	struct range range = gap(r, at, addr, lo, hi);

	range.rule = rule;
	if (r->range_count == r->range_room) {
		r->range_room = r->range_room ? 2 * r->range_room : 64;
		r->ranges = xreallocarray(r->ranges, r->range_room, sizeof(*r->ranges));
	}
	memmove(&r->ranges[at + 1], &r->ranges[at], (r->range_count - at) * sizeof(*r->ranges));
	r->ranges[at] = range;
	r->range_count++;
}

/* Where the row of the CFI's table that ends at `hi` begins. libdw's own answer for an address
 * after a DW_CFA_restore_state is the begin of the row that was remembered (elfutils 0.188,
 * execute_cfi()): it is believed when the row there ends at `hi` too. */
static uint64_t row_start(struct rules *r, uint64_t claimed, uint64_t addr, uint64_t hi)
{
	Dwarf_Frame *frame = claimed < addr ? cfi_frame(&r->cfi, claimed) : NULL;
	Dwarf_Addr end = 0;

	if (frame)
		dwarf_frame_info(frame, NULL, &end, NULL);
	free(frame);
	return end == hi ? claimed : addr;
}

static const struct rule *compile(struct rules *r, uint64_t addr)
{
	Dwarf_Frame *frame = cfi_frame(&r->cfi, addr);
	Dwarf_Addr lo = addr, hi = addr;
	struct rule rule = rule_none;
	uint32_t index;

	r->stats.compiled++;
	if (!frame) {
		r->stats.none++;
	} else {
		r->stats.odd += rule_compile(&rule, frame) < 0;
		dwarf_frame_info(frame, &lo, &hi, NULL);
		free(frame);
		lo = row_start(r, lo, addr, hi);
	}
	if (is_full(r)) {
		forget(r);
		r->stats.flushes++;
	}
	index = intern(r, &rule);
	insert(r, addr, lo, hi, index);
	return &r->table[index];
}

const struct rule *rules_find(struct rules *r, uint64_t addr)
{
	size_t slot = addr * 0x9e3779b97f4a7c15u >> (64 - RECENT_BITS); /* Fibonacci hashing */
	const struct rule *rule;

	if (likely(r->recent[slot].addr == addr))
		return &r->table[r->recent[slot].rule];
	rule = rules_cached(r, addr);
	if (!rule)
		rule = compile(r, addr);
	r->recent[slot] = (struct recent){ addr, (uint32_t)(rule - r->table) };
	return rule;
}

struct rules_stats rules_stats(const struct rules *r)
{
	struct rules_stats stats = r->stats;

	stats.ranges = r->range_count;
	stats.distinct = r->rule_count;
	return stats;
}
