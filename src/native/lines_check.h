/* SPDX-License-Identifier: MIT
 * Private to native/: whether DWARF may be handed to libdw, which takes what it states for granted
 * (elfutils 0.188): dwarf_begin_elf() unpacks each compressed section; each unit it passes costs it
 * 1 KB, and each abbreviation up to the one it looks for 60 bytes; a row of a line program costs it
 * 100 bytes, and each file name there is copied with its folder in front, however long that is.
 *
 * Reads little, and nothing twice: unit headers and the beginnings of abbreviation tables for the
 * file, one table and one line program for each unit that is opened. */
#ifndef SRC_NATIVE_LINES_CHECK_H
#define SRC_NATIVE_LINES_CHECK_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attr.h"

enum {
	LINES_UNPACKED_MAX = 256 << 20,  /* bytes of a file's compressed sections, unpacked */
	LINES_UNITS_MAX = 1 << 17,       /* of a file; Chromium has 40 000 */
	LINES_UNIT_MAX = 32 << 20,       /* bytes of .debug_info of a unit that is read */
	LINES_PASSED_MAX = 2 << 20,      /* abbreviations read to get at all units' first entries */
	LINES_ABBREVS_MAX = 1 << 16,     /* of a unit; usual is 200 */
	LINES_ATTRIBUTES_MAX = 64,       /* of an abbreviation; usual is 10 */
	LINES_EMPTY_MAX = 16,            /* of these without a byte in .debug_info; usual is 5 */
	LINES_ROWS_MAX = 1 << 20,        /* of a unit; SQLite in one file has 250 000 */
	LINES_FILES_MAX = 1 << 16,       /* files, and folders, of a unit; usual is 100 */
	LINES_NAMES_MAX = 16 << 20,      /* bytes of a unit's file names */
	LINES_STRING_MAX = 64 << 10,     /* bytes of a name of any kind, with its folder */
};

/* What libdw is to hold, by our estimate, for a unit passed, a row, an abbreviation. */
enum { LINES_UNIT_COST = 1200, LINES_ROW_COST = 48, LINES_ABBREV_COST = 64 };

struct lines_section {
	const uint8_t *at;               /* NULL: not there */
	uint64_t size;
};

struct lines_sections {
	struct lines_section info, abbrev, line, line_str, str;
};

/* Before dwarf_begin_elf(): what unpacking takes. */
bool lines_check_packed(Elf *elf, uint64_t *ret_bytes) _must_check_;
/* After it: where the sections are now. */
void lines_check_find(Elf *elf, struct lines_sections *s);
/* All units, before libdw passes the first one. */
bool lines_check_units(const struct lines_sections *s, size_t *ret_units) _must_check_;
/* The unit's abbreviations, before more than its first entry is read; `offset` is the unit's. */
bool lines_check_unit(const struct lines_sections *s, uint64_t offset, size_t *ret_cost)
	_must_check_;
/* A unit's line program, before dwarf_getsrclines(); `folder` is the length of DW_AT_comp_dir. */
bool lines_check_program(const struct lines_sections *s, uint64_t offset, size_t folder,
			 size_t *ret_cost) _must_check_;
/* Whether a string of libdw's ends within its section, and soon. */
bool lines_check_string(const struct lines_sections *s, const char *text);

#endif
