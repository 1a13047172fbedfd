/* SPDX-License-Identifier: MIT
 * DWARF's entries: their strings, numbers and names, and the way from one to the next. References
 * to another file are followed only after libdw was given that file (altfile.h). */
#include <dwarf.h>
#include <elfutils/libdw.h>

#include "lines_internal.h"

static const struct part *part_of(const struct lines *l, Dwarf_CU *unit)
{
	return l->alt.dwarf && dwarf_cu_getdwarf(unit) == l->alt.dwarf ? &l->alt : &l->main;
}

static uint64_t unit_key(const struct lines *l, const struct part *p, Dwarf_Off offset)
{
	return offset << 1 | (p == &l->alt);
}

/* Before entries of the unit are read, other than the first one. */
bool lines_entry_check_unit(struct lines *l, const struct part *p, Dwarf_Off offset)
{
	uint32_t *good = idmap_put(&l->checked, unit_key(l, p, offset));
	size_t cost;

	if (*good != IDMAP_NONE)
		return *good;
	*good = p->units_good && lines_check_unit(&p->sections, offset, &cost) &&
		lines_memory_fits(l, cost);
	if (*good)
		lines_memory_hold(l, cost);
	return *good;
}

/* Whether libdw may follow a reference of that entry to the other file: only from the first one. */
static bool may_follow(const struct lines *l, const Dwarf_Die *die)
{
	return l->alt.dwarf && part_of(l, die->cu) == &l->main;
}

bool lines_entry_at(struct lines *l, Dwarf_Off offset, Dwarf_Die *ret)
{
	return dwarf_offdie(l->main.dwarf, offset, ret) != NULL;
}

const char *lines_entry_string(const struct lines *l, Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	const char *text;

	if (!dwarf_attr(die, name, &attr))
		return NULL;
	switch (attr.form) {
	case DW_FORM_GNU_strp_alt:
	case DW_FORM_strp_sup:
		if (!may_follow(l, die))
			return NULL;
	}
	text = dwarf_formstring(&attr);
	return text && (lines_check_string(&l->main.sections, text) ||
			lines_check_string(&l->alt.sections, text)) ? text : NULL;
}

int32_t lines_entry_number(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attr) || dwarf_formudata(&attr, &value) != 0 ||
	    value > INT32_MAX)
		return 0;
	return (int32_t)value;
}

static bool follow(struct lines *l, const Dwarf_Die *die, Dwarf_Attribute *attr, Dwarf_Die *ret)
{
	switch (attr->form) {
	case DW_FORM_ref1:
	case DW_FORM_ref2:
	case DW_FORM_ref4:
	case DW_FORM_ref8:
	case DW_FORM_ref_udata:
	case DW_FORM_ref_addr: break;
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_ref_sup4:
	case DW_FORM_ref_sup8:
		if (!may_follow(l, die) || !l->alt.units_good)
			return false;
		break;
	default: return false; /* by signature: types */
	}
	return dwarf_formref_die(attr, ret) &&
	       lines_entry_check_unit(l, part_of(l, ret->cu),
				      dwarf_dieoffset(ret) - dwarf_cuoffset(ret));
}

void lines_entry_begin(struct lines *l)
{
	l->passed = 0;
	l->skipped = 0;
}

bool lines_entry_tired(const struct lines *l)
{
	return l->passed >= LINES_ENTRIES_MAX || l->skipped >= LINES_SKIPPED_MAX ||
	       l->skipped_in_all >= LINES_SKIPPED_IN_ALL_MAX;
}

/* The entry behind this one and all that is in it, which libdw reads for that once more. */
bool lines_entry_next(struct lines *l, Dwarf_Die *die)
{
	Dwarf_Die next = { .addr = die->addr };
	bool found = dwarf_siblingof(die, &next) == 0;
	const uint8_t *from = die->addr, *to = next.addr; /* set at the end of a list, too */

	if (to > from) {
		l->skipped += (size_t)(to - from);
		l->skipped_in_all += (size_t)(to - from);
	}
	l->passed++;
	*die = next;
	return found && to > from && !lines_entry_tired(l);
}

/* What a concrete function, or a call of one, is an instance of. */
static bool origin_of(struct lines *l, Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attr;

	if (!dwarf_attr(die, DW_AT_abstract_origin, &attr) &&
	    !dwarf_attr(die, DW_AT_specification, &attr))
		return false;
	return follow(l, die, &attr, ret);
}

static const char *name_along(struct lines *l, Dwarf_Die die, unsigned int name)
{
	for (int i = 0; i < LINES_ORIGIN_MAX; i++) {
		const char *text = lines_entry_string(l, &die, name);
		Dwarf_Die origin;

		if (text)
			return text;
		if (!origin_of(l, &die, &origin))
			return NULL;
		die = origin;
	}
	return NULL;
}

const char *lines_entry_name(struct lines *l, Dwarf_Off entry)
{
	const char *name;
	Dwarf_Die die;

	if (!lines_entry_at(l, entry, &die))
		return NULL;
	name = name_along(l, die, DW_AT_linkage_name);
	if (!name)
		name = name_along(l, die, DW_AT_MIPS_linkage_name); /* up to DWARF 3 */
	return name ? name : name_along(l, die, DW_AT_name);
}
