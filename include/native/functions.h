/* SPDX-License-Identifier: MIT
 * Where the functions of one module begin, by its unwind information: for code that no symbol covers,
 * so that all addresses of a function are one. Stripping takes symbols; unwind information stays.
 *
 * From the entries (FDEs) of .eh_frame, each of which says where its function begins and how long it
 * is. The table of .eh_frame_hdr (LSB 5.0, 10.6.2) says the first of the two only, and is left out by
 * some linkers: it is asked where .eh_frame lies when the file has no sections. A part that the
 * compiler moved away (".cold") has an entry of its own, as has the .plt, for all of it.
 *
 * The file may be hostile: see the constants. What makes no sense is not there. */
#ifndef NATIVE_FUNCTIONS_H
#define NATIVE_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attr.h"

enum {
	FUNCTIONS_MAX = 4 << 20,           /* functions of a module; the rest is not there */
	FUNCTIONS_FRAME_MAX = 256 << 20,   /* bytes of .eh_frame, read once and let go */
};

struct function_row {
	uint64_t start;      /* the file's own address */
	uint64_t size;
};

/* Read-only once loaded: any thread may search. */
struct functions {
	struct function_row *rows;   /* ascending */
	size_t count;
	size_t bytes;                /* memory of the above */
};

/* Reads the file, 3 ms a megabyte of .eh_frame; fd stays the caller's. 0; -ENOEXEC: no ELF file we can
 * read; -ENOENT: it has no .eh_frame, or one that cannot be trusted. Release only after 0. */
int functions_load(struct functions *f, int fd) _must_check_;
void functions_release(struct functions *f);

/* The start of the function that `addr` (of the file, without load bias) is in; false: none. */
bool functions_start(const struct functions *f, uint64_t addr, uint64_t *ret);
/* What lies between two functions, and `addr` with it: assembler without unwind information. */
bool functions_gap(const struct functions *f, uint64_t addr, uint64_t *ret_start, uint64_t *ret_end);

#endif
