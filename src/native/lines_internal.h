/* SPDX-License-Identifier: MIT
 * Private to native/lines*.c: what is kept of a file's lines. */
#ifndef SRC_NATIVE_LINES_INTERNAL_H
#define SRC_NATIVE_LINES_INTERNAL_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/elf_file.h"
#include "lines_check.h"
#include "mapping.h"
#include "native/lines.h"
#include "util/idmap.h"

/* A piece of code, and the index of what it belongs to. */
struct piece {
	uint64_t lo, hi;
	uint32_t of;
};

struct pieces {
	struct piece *list;        /* ascending once sorted */
	size_t count, room;
};

/* A call that was inlined; in the order of the file: the outer before the inner. */
struct call {
	uint64_t lo, hi;
	Dwarf_Off entry;
	const char *name;          /* once asked for; NULL: not asked, or none */
	const char *file;
	int32_t line;              /* where it was called */
	uint16_t depth;
	bool named;
};

struct function {
	Dwarf_Off entry;
	const char *name;
	struct call *calls;        /* once `read` */
	size_t call_count;
	bool read, named;
};

struct unit {
	Dwarf_Off offset, entry;   /* of its header, of its first DIE */
	bool opened;
	Dwarf_Lines *lines;        /* libdw's; NULL: none */
	Dwarf_Files *files;
	size_t line_count;
	struct function *functions;
	size_t function_count;
	struct pieces code;        /* of functions */
};

/* A file as libdw has it. */
struct part {
	struct mapping map;
	Elf *elf;
	Dwarf *dwarf;
	struct lines_sections sections;
	bool units_good;           /* libdw may pass them */
};

struct lines {
	struct elf_segment segments[ELF_SEGMENTS_MAX];
	size_t segment_count;
	struct part main, alt;     /* alt: what dwz moved to another file; dwarf NULL: none */
	struct lines_budget *budget;
	size_t bytes;
	bool cut;
	bool listed;               /* units are known */
	struct unit *units;
	size_t unit_count;
	struct pieces code;        /* of units */
	size_t passed;             /* entries and pieces, for this question */
	size_t skipped, skipped_in_all; /* bytes of entries, for this question and for all */
	struct idmap checked;      /* units by unit_key(): 0 bad, 1 good */
};

/* lines_memory.c: what is held, against LINES_BYTES_MAX and the budget. */
void lines_memory_hold(struct lines *l, size_t bytes);
void lines_memory_let_go(struct lines *l, size_t bytes);
/* False also notes that something was cut. */
bool lines_memory_fits(struct lines *l, size_t more);
/* Room for one more item of `size`; `list` is the address of the items' pointer, which is owned by
 * the caller. False: there must be no more. */
bool lines_memory_grow(struct lines *l, void *list, size_t count, size_t *room, size_t size,
		       size_t max);

/* lines_pieces.c: `p` has the pieces of one thing, of at most `max`. */
/* The code of `die`, as that of number `of`; false: too much. */
bool lines_pieces_add(struct lines *l, struct pieces *p, size_t max, Dwarf_Die *die, uint32_t of);
void lines_pieces_sort(struct pieces *p);
/* The innermost piece around addr; NULL: none. */
const struct piece *lines_pieces_find(const struct pieces *p, uint64_t addr);
void lines_pieces_free(struct lines *l, struct pieces *p);

/* lines_entry.c. Before entries of a unit are read, other than the first one: is it sound? */
bool lines_entry_check_unit(struct lines *l, const struct part *p, Dwarf_Off offset);
bool lines_entry_at(struct lines *l, Dwarf_Off offset, Dwarf_Die *ret); /* of the main file */
const char *lines_entry_string(const struct lines *l, Dwarf_Die *die, unsigned int attribute);
int32_t lines_entry_number(Dwarf_Die *die, unsigned int attribute); /* 0: none, or too large */
/* The linkage name, else the plain one, along the entry's origins; libdw's. NULL: none. */
const char *lines_entry_name(struct lines *l, Dwarf_Off entry);
/* Passing entries, for one question: from begin on until next says false, or it is tired. */
void lines_entry_begin(struct lines *l);
bool lines_entry_next(struct lines *l, Dwarf_Die *die);
bool lines_entry_tired(const struct lines *l);

/* lines_units.c: into l->units; once. */
void lines_units_list(struct lines *l);
/* A unit's rows and functions; once. */
void lines_units_open(struct lines *l, struct unit *u);

/* lines_calls.c: a name into out[0], which has the line of addr, and the frames around it. Returns
 * how many there are, f's own being the last. */
size_t lines_calls_find(struct lines *l, struct unit *u, struct function *f, uint64_t addr,
			struct line_frame *out);

#endif
