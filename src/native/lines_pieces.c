/* SPDX-License-Identifier: MIT
 * Pieces of code by address: gathered, sorted, searched. */
#include <elfutils/libdw.h>
#include <stdlib.h>

#include "lines_internal.h"
#include "util/first_above.h"

static bool is_code(const struct lines *l, uint64_t lo, uint64_t hi)
{
	/* Linkers leave the entries of functions they drop, moved to 0, 1 or -1. */
	for (size_t i = 0; lo < hi && i < l->segment_count; i++) {
		const struct elf_segment *s = &l->segments[i];

		if (s->exec && lo >= s->vaddr && hi - s->vaddr <= s->mem_size)
			return true;
	}
	return false;
}

bool lines_pieces_add(struct lines *l, struct pieces *p, size_t max, Dwarf_Die *die, uint32_t of)
{
	uint64_t base, lo, hi;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &lo, &hi)) > 0) {
		if (l->passed++ >= LINES_ENTRIES_MAX)
			return false;
		if (!is_code(l, lo, hi))
			continue;
		if (!lines_memory_grow(l, &p->list, p->count, &p->room, sizeof(*p->list), max))
			return false;
		p->list[p->count++] = (struct piece){ lo, hi, of };
	}
	return true;
}

void lines_pieces_free(struct lines *l, struct pieces *p)
{
	lines_memory_let_go(l, p->room * sizeof(*p->list));
	free(p->list);
}

/* What is inside of another comes after it. */
static int by_address(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	if (x->hi != y->hi)
		return x->hi > y->hi ? -1 : 1;
	return x->of < y->of ? -1 : x->of > y->of;
}

void lines_pieces_sort(struct pieces *p)
{
	if (p->count > 0)
		qsort(p->list, p->count, sizeof(*p->list), by_address);
}

/* The innermost piece around addr; NULL: none. */
const struct piece *lines_pieces_find(const struct pieces *p, uint64_t addr)
{
	size_t above = FIRST_ABOVE(p->count, n, p->list[n].lo, addr);

	for (size_t i = above; i > 0 && above - i < SYMBOLS_NEST_MAX; i--)
		if (addr < p->list[i - 1].hi)
			return &p->list[i - 1];
	return NULL;
}
