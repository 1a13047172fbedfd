/* SPDX-License-Identifier: MIT
 * Source file and line of an address of one ELF file, and the functions that were inlined there, from
 * DWARF: the file's own, or its debug file's (see native/symbols.h for where that is looked for).
 * Everything is read lazily, a compilation unit at a time. Off the sampling path: the first address
 * in a unit takes milliseconds. One thread at a time. */
#ifndef NATIVE_LINES_H
#define NATIVE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "native/symbols.h"

enum { LINES_INLINE_MAX = 32 };  /* frames of one address */

struct lines;

/* One function at an address. */
struct line_frame {
	const char *name;  /* linkage name, else the plain one, as DWARF has it (mangled); NULL: unknown
			    * (then the symbol table's is right) */
	const char *file;  /* path as the compiler wrote it; NULL unknown */
	int32_t line;      /* 0: unknown */
};

/* NULL when the module has no line information. */
struct lines *lines_open(const struct symbols_from *from);
void lines_free(struct lines *l); /* NULL is fine */
/* What is at `addr` (of the file, without load bias), the innermost inlined function first; the last
 * one is the function itself. Returns how many, 0 when nothing is known. Strings live as long as l. */
size_t lines_find(struct lines *l, uint64_t addr, struct line_frame out[LINES_INLINE_MAX]);
/* Memory held, in bytes: about what libdw allocated, mapped files not counted. */
size_t lines_bytes(const struct lines *l);

#endif
