/* SPDX-License-Identifier: MIT
 * What a file's lines take: counted, and refused where there is no room. */
#include "lines_internal.h"
#include "util/xalloc.h"

void lines_memory_hold(struct lines *l, size_t bytes)
{
	l->bytes += bytes;
	if (l->budget)
		l->budget->held += bytes;
}

void lines_memory_let_go(struct lines *l, size_t bytes)
{
	l->bytes -= bytes;
	if (l->budget)
		l->budget->held -= bytes;
}

bool lines_memory_fits(struct lines *l, size_t more)
{
	if (more <= LINES_BYTES_MAX && l->bytes <= LINES_BYTES_MAX - more &&
	    (!l->budget || (l->budget->held <= l->budget->max &&
			    more <= l->budget->max - l->budget->held)))
		return true;
	l->cut = true;
	return false;
}

/* Room for one more item; false: there must be no more. */
bool lines_memory_grow(struct lines *l, void *list, size_t count, size_t *room, size_t size,
		       size_t max)
{
	void **items = list;
	size_t more = *room ? *room : 16;

	if (count < *room)
		return true;
	if (count >= max || !lines_memory_fits(l, more * size))
		return false;
	*room += more;
	*items = xreallocarray(*items, *room, size);
	lines_memory_hold(l, more * size);
	return true;
}
