/* SPDX-License-Identifier: MIT
 * Source file and line of an address of one ELF file, and the functions that were inlined there,
 * from DWARF 2 to 5: the file's own, or its debug file's (see native/symbols.h for where that is
 * looked for). Read by libdw, from a mapped file and a compilation unit at a time: off the sampling
 * path, as the first address in a unit takes milliseconds. A known one takes 1 us. One thread at a
 * time.
 *
 * The file may be hostile: what would cost libdw memory or time without bound is refused before
 * (src/native/lines_check.h), and what is refused is "unknown". Split units (.dwo) are not looked
 * for: there are lines, but no inlined functions. */
#ifndef NATIVE_LINES_H
#define NATIVE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "native/symbols.h"

#define LINES_BYTES_MAX (256u << 20) /* of one file; then no further units are opened */

enum {
	LINES_INLINE_MAX = 32,        /* frames of one address */
	LINES_DEPTH_MAX = 64,         /* nested blocks and inlined functions within a function */
	LINES_SCOPE_DEPTH_MAX = 16,   /* nested namespaces and types around a function */
	LINES_RANGES_MAX = 4 << 20,   /* pieces of code of all units of a file */
	LINES_FUNCTIONS_MAX = 1 << 20, /* pieces of functions of a unit, and inlined calls of one */
	LINES_ENTRIES_MAX = 8 << 20,  /* DWARF entries and pieces passed for one question */
	LINES_SKIPPED_MAX = 128 << 20, /* bytes of DWARF entries passed for one question … */
	LINES_SKIPPED_IN_ALL_MAX = 1 << 30, /* … and for all: then no functions any more */
	LINES_ORIGIN_MAX = 8,         /* references followed to a function's name */
};

struct lines;

/* What all files together may hold; see lines_open(). */
struct lines_budget {
	size_t held, max;  /* bytes */
};

/* One function at an address. */
struct line_frame {
	/* Linkage name (mangled), else the plain one, without what it is in; NULL: unknown. For the
	 * function itself, which comes last, the symbol table's is as good or better. */
	const char *name;
	const char *file;  /* path as the compiler wrote it; NULL unknown */
	int32_t line;      /* 0: unknown */
};

/* NULL when the module has no line information. `budget` is shared by files and outlives them;
 * NULL: LINES_BYTES_MAX is the only limit. */
struct lines *lines_open(const struct symbols_from *from, struct lines_budget *budget);
void lines_free(struct lines *l); /* NULL is fine */
/* What is at `addr` (of the file, without load bias), the innermost inlined function first; the
 * last one is the function itself. Returns how many, 0 when nothing is known. Strings live as long
 * as l. */
size_t lines_find(struct lines *l, uint64_t addr, struct line_frame out[LINES_INLINE_MAX]);
/* Memory held, in bytes: ours and, by estimate, libdw's; mapped files not counted. */
size_t lines_bytes(const struct lines *l);
/* Whether something stayed unknown because of LINES_BYTES_MAX or the budget. */
bool lines_cut(const struct lines *l);

#endif
