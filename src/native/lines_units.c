/* SPDX-License-Identifier: MIT
 * The units of a file, and the functions of a unit: read when they are first needed, sorted and
 * kept. No function of libdw's is called that looks for split units (dwarf_cu_info(),
 * dwarf_get_units()): it would open files by names found in this one. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <string.h>

#include "lines_internal.h"

static bool add_unit(struct lines *l, size_t *room, Dwarf_Off offset, Dwarf_Off entry)
{
	Dwarf_Die die;

	if (!lines_entry_at(l, entry, &die))
		return true;
	switch (dwarf_tag(&die)) {
	case DW_TAG_compile_unit:
	case DW_TAG_skeleton_unit: break;
	default: return true;
	}
	if (!lines_memory_grow(l, &l->units, l->unit_count, room, sizeof(*l->units),
			       LINES_UNITS_MAX) ||
	    !lines_pieces_add(l, &l->code, LINES_RANGES_MAX, &die, (uint32_t)l->unit_count))
		return false;
	l->units[l->unit_count++] = (struct unit){ .offset = offset, .entry = entry };
	return true;
}

static bool check_units(struct lines *l, struct part *p)
{
	size_t count;

	p->units_good = lines_check_units(&p->sections, &count) &&
			lines_memory_fits(l, count * LINES_UNIT_COST);
	if (p->units_good)
		lines_memory_hold(l, count * LINES_UNIT_COST);
	return p->units_good;
}

void lines_units_list(struct lines *l)
{
	Dwarf_Off offset = 0, next;
	size_t header, room = 0;

	l->listed = true;
	lines_entry_begin(l);
	if (!check_units(l, &l->main))
		return;
	if (l->alt.dwarf)
		check_units(l, &l->alt);
	for (; dwarf_nextcu(l->main.dwarf, offset, &next, &header, NULL, NULL, NULL) == 0;
	     offset = next)
		if (!add_unit(l, &room, offset, offset + header) || next <= offset)
			break;
	lines_pieces_sort(&l->code);
	mapping_forget(&l->main.map, l->main.sections.info.at, l->main.sections.info.size);
}

static void read_lines(struct lines *l, struct unit *u, Dwarf_Die *die)
{
	const char *folder = lines_entry_string(l, die, DW_AT_comp_dir);
	Dwarf_Attribute attr;
	Dwarf_Word offset;
	size_t cost, n;

	/* libdw reads it, too: not what we would not. */
	if (!folder && dwarf_hasattr(die, DW_AT_comp_dir))
		return;
	if (!dwarf_attr(die, DW_AT_stmt_list, &attr) || dwarf_formudata(&attr, &offset) != 0 ||
	    !lines_check_program(&l->main.sections, offset, folder ? strlen(folder) : 0, &cost) ||
	    !lines_memory_fits(l, 2 * cost)) /* while it reads */
		return;
	lines_memory_hold(l, cost);
	if (dwarf_getsrclines(die, &u->lines, &u->line_count) != 0)
		u->lines = NULL;
	if (dwarf_getsrcfiles(die, &u->files, &n) != 0)
		u->files = NULL;
}

static bool add_function(struct lines *l, struct unit *u, size_t *room, Dwarf_Die *die)
{
	size_t before = u->code.count;

	if (!lines_pieces_add(l, &u->code, LINES_FUNCTIONS_MAX, die, (uint32_t)u->function_count))
		return false;
	if (u->code.count == before) /* a declaration, or always inlined */
		return true;
	if (!lines_memory_grow(l, &u->functions, u->function_count, room, sizeof(*u->functions),
			       LINES_FUNCTIONS_MAX)) {
		u->code.count = before;
		return false;
	}
	u->functions[u->function_count++] = (struct function){ .entry = dwarf_dieoffset(die) };
	return true;
}

static bool is_scope(int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_interface_type:
	case DW_TAG_enumeration_type: return true; /* Rust's have methods */
	default: return false;
	}
}

static bool read_functions(struct lines *l, struct unit *u, size_t *room, Dwarf_Die *parent,
			   int depth)
{
	Dwarf_Die die;

	if (depth == LINES_SCOPE_DEPTH_MAX || lines_entry_tired(l) ||
	    dwarf_child(parent, &die) != 0)
		return true;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram ? !add_function(l, u, room, &die) :
		    is_scope(tag) && !read_functions(l, u, room, &die, depth + 1))
			return false;
	} while (lines_entry_next(l, &die));
	return !lines_entry_tired(l);
}

void lines_units_open(struct lines *l, struct unit *u)
{
	size_t room = 0;
	Dwarf_Die die;

	u->opened = true;
	lines_entry_begin(l);
	if (!lines_entry_check_unit(l, &l->main, u->offset) || !lines_entry_at(l, u->entry, &die))
		return;
	read_lines(l, u, &die);
	read_functions(l, u, &room, &die, 0);
	lines_pieces_sort(&u->code);
}
