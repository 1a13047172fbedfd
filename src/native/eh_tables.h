/* SPDX-License-Identifier: MIT
 * Private to native/: the tables that a foreign unwinder searches (.eh_frame_hdr, .eh_frame), as
 * the modules' files have them, and where they lie in the process. What cfi_check() refuses is not
 * there. */
#ifndef SRC_NATIVE_EH_TABLES_H
#define SRC_NATIVE_EH_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "native/modules.h"

enum { EH_PLACED_MAX = 512 };  /* modules of one process that are asked for */

/* Of one module, by the file's addresses. */
struct eh_table {
	bool good;
	uint64_t hdr, entries;     /* address and number of entries of the table */
	uint64_t hdr_len, frame, frame_len;
	uint8_t *hdr_bytes, *frame_bytes; /* owned */
};

struct eh_placed {
	uint64_t lo, hi, bias;     /* all of the module, data too */
	const struct module *module;
	const struct eh_table *table;
};

struct eh_tables {
	struct eh_table **by_id;   /* by module id; owned, NULL: not asked for */
	size_t count;
	struct eh_placed placed[EH_PLACED_MAX];
	size_t placed_count;       /* 0 again when other modules may be there */
};

/* NULL: there is no sound table, or there are too many. Valid until placed_count is reset. */
const struct eh_placed *eh_tables_place(struct eh_tables *ts, const struct module_range *range);
/* The word at an address of a module that was placed: as the file has it, not relocated. False: not
 * in one. */
bool eh_tables_word(const struct eh_tables *ts, uint64_t addr, uint64_t *ret);
void eh_tables_release(struct eh_tables *ts); /* all zeros is fine */

/* The word at `addr` of bytes that lie at `at`; false: not, or not all of it, in there. */
static inline bool eh_tables_piece(const uint8_t *bytes, uint64_t at, uint64_t len, uint64_t addr,
				   uint64_t *ret)
{
	if (addr < at || len < 8 || addr - at > len - 8)
		return false;
	memcpy(ret, bytes + (addr - at), 8);
	return true;
}

#endif
