/* SPDX-License-Identifier: MIT
 * Counting what DWARF would have libdw allocate. */
#include "lines_check.h"

#include <dwarf.h>
#include <gelf.h>
#include <string.h>

#include "cursor.h"

static struct cursor from(const struct lines_section *s, uint64_t offset)
{
	if (!s->at || offset >= s->size)
		return (struct cursor){ NULL, NULL };
	return (struct cursor){ s->at + offset, s->at + s->size };
}

/* --- sections ------------------------------------------------------------------------------- */

/* "info" of ".debug_info" and ".zdebug_info"; NULL: another section. */
static const char *debug_name(const char *name, bool *ret_gnu_packed)
{
	*ret_gnu_packed = name && !strncmp(name, ".zdebug_", 8);
	if (*ret_gnu_packed)
		return name + 8;
	return name && !strncmp(name, ".debug_", 7) ? name + 7 : NULL;
}

/* Bytes of a compressed section, unpacked; 0: it is none. False: it is broken. */
static bool unpacked_size(Elf_Scn *scn, const GElf_Shdr *sh, bool gnu_packed, uint64_t *ret)
{
	Elf_Data *data;
	GElf_Chdr ch;

	*ret = 0;
	if (sh->sh_flags & SHF_COMPRESSED) {
		if (!gelf_getchdr(scn, &ch))
			return false;
		*ret = ch.ch_size;
	} else if (gnu_packed) { /* "ZLIB" and the size, big-endian */
		data = elf_rawdata(scn, NULL);
		if (!data || data->d_size < 12 || !data->d_buf)
			return false;
		for (int i = 4; i < 12; i++)
			*ret = *ret << 8 | ((const uint8_t *)data->d_buf)[i];
	}
	return true;
}

bool lines_check_packed(Elf *elf, uint64_t *ret_bytes)
{
	Elf_Scn *scn = NULL;
	uint64_t size;
	size_t names;
	bool gnu;

	*ret_bytes = 0;
	if (elf_getshdrstrndx(elf, &names) != 0)
		return false;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name;
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS)
			continue;
		name = debug_name(elf_strptr(elf, names, sh.sh_name), &gnu);
		if (!name)
			continue;
		if (!unpacked_size(scn, &sh, gnu, &size) || size > LINES_UNPACKED_MAX)
			return false;
		*ret_bytes += size;
		if (*ret_bytes > LINES_UNPACKED_MAX)
			return false;
	}
	return true;
}

static struct lines_section *section_named(struct lines_sections *s, const char *name)
{
	const struct { const char *name; struct lines_section *section; } table[] = {
		{ "info", &s->info }, { "abbrev", &s->abbrev }, { "line", &s->line },
		{ "line_str", &s->line_str }, { "str", &s->str },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(name, table[i].name))
			return table[i].section;
	return NULL;
}

void lines_check_find(Elf *elf, struct lines_sections *s)
{
	Elf_Scn *scn = NULL;
	size_t names;
	bool gnu;

	*s = (struct lines_sections){ 0 };
	if (elf_getshdrstrndx(elf, &names) != 0)
		return;
	while ((scn = elf_nextscn(elf, scn))) {
		struct lines_section *section;
		const char *name;
		Elf_Data *data;
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS)
			continue;
		name = debug_name(elf_strptr(elf, names, sh.sh_name), &gnu);
		section = name ? section_named(s, name) : NULL;
		data = section && !section->at ? elf_rawdata(scn, NULL) : NULL;
		if (data && data->d_buf)
			*section = (struct lines_section){ data->d_buf, data->d_size };
	}
}

bool lines_check_string(const struct lines_sections *s, const char *text)
{
	const struct lines_section *in[] = { &s->str, &s->line_str, &s->info };
	const uint8_t *at = (const uint8_t *)text;

	for (size_t i = 0; i < ARRAY_SIZE(in); i++) {
		size_t left = in[i]->at ? (size_t)(in[i]->at + in[i]->size - at) : 0;

		if (in[i]->at && at >= in[i]->at && at < in[i]->at + in[i]->size)
			return memchr(at, '\0', left < LINES_STRING_MAX ? left : LINES_STRING_MAX);
	}
	return false;
}

/* --- units and abbreviations ----------------------------------------------------------------- */

/* Reads one abbreviation; *ret_code 0: the table's end. */
static bool read_abbrev(struct cursor *c, uint64_t *ret_code)
{
	uint64_t tag, name, form, value;
	int empty = 0;

	if (!cursor_leb128(c, ret_code))
		return false;
	if (*ret_code == 0)
		return true;
	if (!cursor_leb128(c, &tag) || !cursor_skip(c, 1))
		return false;
	for (int i = 0; i < LINES_ATTRIBUTES_MAX; i++) {
		if (!cursor_leb128(c, &name) || !cursor_leb128(c, &form))
			return false;
		if (form == DW_FORM_implicit_const && !cursor_leb128(c, &value))
			return false;
		if (name == 0 && form == 0)
			return empty <= LINES_EMPTY_MAX;
		empty += form == DW_FORM_implicit_const || form == DW_FORM_flag_present;
	}
	return false;
}

/* Reads up to the abbreviation `code`, 0 for all of the table; how many these were. */
static bool count_abbrevs(struct cursor c, uint64_t code, size_t max, size_t *ret)
{
	for (*ret = 1; *ret <= max; (*ret)++) {
		uint64_t got;

		if (!read_abbrev(&c, &got))
			return false;
		if (got == code || got == 0)
			return got == code;
	}
	return false;
}

/* A unit's header, up to its first entry (DWARF 5, 7.5.1; up to 4: 7.5.1.1 there). False: not one
 * that libdw would read. *unit is cut to the unit first. */
static bool read_unit(struct cursor *unit, uint64_t *ret_abbrev)
{
	uint64_t version, type = DW_UT_compile, address;
	unsigned int offset_size;

	if (!cursor_unit(unit, &offset_size) || !cursor_fixed(unit, 2, &version) || version < 2 ||
	    version > 5)
		return false;
	if (version >= 5 && (!cursor_fixed(unit, 1, &type) || !cursor_fixed(unit, 1, &address)))
		return false;
	if (!cursor_fixed(unit, offset_size, ret_abbrev) ||
	    (version < 5 && !cursor_fixed(unit, 1, &address)))
		return false;
	if (type == DW_UT_skeleton || type == DW_UT_split_compile)
		return address == 8 && cursor_skip(unit, 8);
	if (type == DW_UT_type || type == DW_UT_split_type)
		return address == 8 && cursor_skip(unit, 8 + offset_size);
	return address == 8 && (type == DW_UT_compile || type == DW_UT_partial);
}

/* To look at a unit's first entry, libdw reads the table up to that one's abbreviation. */
static bool check_first(const struct lines_sections *s, struct cursor entries, uint64_t abbrev,
			size_t *passed)
{
	size_t count;
	uint64_t code;

	if (entries.at == entries.end)
		return true;
	if (!cursor_leb128(&entries, &code))
		return false;
	if (code == 0)
		return true;
	if (!count_abbrevs(from(&s->abbrev, abbrev), code, LINES_PASSED_MAX - *passed, &count))
		return false;
	*passed += count;
	return true;
}

bool lines_check_units(const struct lines_sections *s, size_t *ret_units)
{
	struct cursor c = from(&s->info, 0);
	size_t passed = 0;

	for (*ret_units = 0; c.at < c.end; (*ret_units)++) {
		struct cursor unit = c;
		uint64_t abbrev;

		if (*ret_units == LINES_UNITS_MAX || !read_unit(&unit, &abbrev) ||
		    !check_first(s, unit, abbrev, &passed))
			return false;
		c.at = unit.end;
	}
	return *ret_units > 0;
}

bool lines_check_unit(const struct lines_sections *s, uint64_t offset, size_t *ret_cost)
{
	struct cursor unit = from(&s->info, offset);
	uint64_t abbrev;
	size_t count;

	if (!unit.at || !read_unit(&unit, &abbrev) || unit.end - unit.at > LINES_UNIT_MAX ||
	    !count_abbrevs(from(&s->abbrev, abbrev), 0, LINES_ABBREVS_MAX, &count))
		return false;
	*ret_cost = count * LINES_ABBREV_COST;
	return true;
}

/* --- line programs (DWARF 5, 6.2.4; DWARF 4, 6.2.4) ------------------------------------------- */

struct program {
	const struct lines_sections *sections;
	uint64_t version;
	unsigned int offset_size;
	uint64_t opcode_base;
	uint8_t lengths[256];            /* of standard opcodes' operands */
	uint64_t folder, longest;        /* bytes of DW_AT_comp_dir, of the longest folder */
	uint64_t names, files, rows;     /* counted */
};

static bool add_file(struct program *p, uint64_t len)
{
	uint64_t whole = p->folder + p->longest + len + 3;

	p->files++;
	p->names += whole;
	return whole <= LINES_STRING_MAX && p->files <= LINES_FILES_MAX &&
	       p->names <= LINES_NAMES_MAX;
}

static bool add_name(struct program *p, bool folders, uint64_t len)
{
	if (!folders)
		return add_file(p, len);
	p->longest = len > p->longest ? len : p->longest;
	return true;
}

/* Versions 2 to 4. */
static bool read_names(struct program *p, struct cursor *c, bool folders)
{
	for (uint64_t i = 0; i < LINES_FILES_MAX; i++) {
		uint64_t len, skip;

		if (!cursor_string(c, &len))
			return false;
		if (len == 0)
			return true;
		if (!add_name(p, folders, len))
			return false;
		for (int k = 0; k < (folders ? 0 : 3); k++) /* folder, time, size */
			if (!cursor_leb128(c, &skip))
				return false;
	}
	return false;
}

/* One value of an entry of version 5; its length when it is a string. */
static bool read_value(const struct program *p, struct cursor *c, uint64_t form, uint64_t *ret_len)
{
	const struct lines_section *in = &p->sections->str;
	struct cursor text;
	uint64_t n;

	*ret_len = 0;
	switch (form) {
	case DW_FORM_string: return cursor_string(c, ret_len);
	case DW_FORM_data1: return cursor_skip(c, 1);
	case DW_FORM_data2: return cursor_skip(c, 2);
	case DW_FORM_data4: return cursor_skip(c, 4);
	case DW_FORM_data8: return cursor_skip(c, 8);
	case DW_FORM_data16: return cursor_skip(c, 16);
	case DW_FORM_udata: return cursor_leb128(c, &n);
	case DW_FORM_block: return cursor_leb128(c, &n) && cursor_skip(c, n);
	case DW_FORM_line_strp: in = &p->sections->line_str; break;
	case DW_FORM_strp: break;
	default: return false; /* no compiler writes others */
	}
	if (!cursor_fixed(c, p->offset_size, &n))
		return false;
	text = from(in, n);
	return text.at && cursor_string(&text, ret_len);
}

/* Version 5: what an entry consists of comes first. */
static bool read_entries(struct program *p, struct cursor *c, bool folders)
{
	uint64_t formats, count, content[16], form[16], len;

	if (!cursor_fixed(c, 1, &formats) || formats > 16)
		return false;
	for (uint64_t i = 0; i < formats; i++)
		if (!cursor_leb128(c, &content[i]) || !cursor_leb128(c, &form[i]))
			return false;
	if (!cursor_leb128(c, &count) || count > LINES_FILES_MAX || (count && !formats))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t name = 0;

		for (uint64_t k = 0; k < formats; k++) {
			if (!read_value(p, c, form[k], &len))
				return false;
			if (content[k] == DW_LNCT_path)
				name = len;
		}
		if (!add_name(p, folders, name))
			return false;
	}
	return true;
}

static bool read_extended(struct program *p, struct cursor *c)
{
	uint64_t len, opcode, name;
	struct cursor body;

	if (!cursor_leb128(c, &len) || len == 0)
		return false;
	body = *c;
	if (!cursor_skip(c, len) || !cursor_fixed(&body, 1, &opcode))
		return false;
	body.end = c->at;
	if (opcode == DW_LNE_define_file)
		return cursor_string(&body, &name) && add_file(p, name);
	p->rows += opcode == DW_LNE_end_sequence;
	return true;
}

static bool read_opcode(struct program *p, struct cursor *c)
{
	uint8_t opcode = *c->at++;
	uint64_t skip;

	if (opcode >= p->opcode_base || opcode == DW_LNS_copy)
		p->rows++;
	if (opcode >= p->opcode_base)
		return true;
	if (opcode == 0)
		return read_extended(p, c);
	if (opcode == DW_LNS_fixed_advance_pc)
		return cursor_skip(c, 2);
	for (uint8_t i = 0; i < p->lengths[opcode]; i++)
		if (!cursor_leb128(c, &skip))
			return false;
	return true;
}

/* The opcodes' operands have to be the standard's: libdw does not ask. */
static bool read_lengths(struct program *p, struct cursor *c)
{
	static const uint8_t standard[] = { 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1 };

	for (uint64_t i = 1; i < p->opcode_base; i++) {
		uint64_t n;

		if (!cursor_fixed(c, 1, &n) || (i < sizeof(standard) && n != standard[i]))
			return false;
		p->lengths[i] = (uint8_t)n;
	}
	return true;
}

/* Up to the names; *c is what the header says is the program behind them. */
static bool read_header(struct program *p, struct cursor *c, struct cursor *names)
{
	uint64_t len, n[5], count;

	if (!cursor_unit(c, &p->offset_size) || !cursor_fixed(c, 2, &p->version) ||
	    p->version < 2 || p->version > 5 || (p->version == 5 && !cursor_skip(c, 2)) ||
	    !cursor_fixed(c, p->offset_size, &len))
		return false;
	*names = *c;
	if (!cursor_skip(c, len))
		return false;
	names->end = c->at;
	/* minimum_instruction_length, maximum_operations_per_instruction, default_is_stmt,
	 * line_base, line_range */
	count = p->version >= 4 ? 5 : 4;
	for (uint64_t i = 0; i < count; i++)
		if (!cursor_fixed(names, 1, &n[i]))
			return false;
	if (n[count - 1] == 0 || (p->version >= 4 && n[1] != 1))
		return false;
	return cursor_fixed(names, 1, &p->opcode_base) && p->opcode_base > 0 &&
	       read_lengths(p, names);
}

bool lines_check_program(const struct lines_sections *s, uint64_t offset, size_t folder,
			 size_t *ret_cost)
{
	struct program p = { .sections = s, .folder = folder };
	struct cursor c = from(&s->line, offset), names;

	if (!c.at || !read_header(&p, &c, &names))
		return false;
	if (p.version < 5 ? !read_names(&p, &names, true) || !read_names(&p, &names, false) :
	    !read_entries(&p, &names, true) || !read_entries(&p, &names, false))
		return false;
	while (c.at < c.end)
		if (!read_opcode(&p, &c) || p.rows > LINES_ROWS_MAX)
			return false;
	*ret_cost = p.rows * LINES_ROW_COST + p.names;
	return true;
}
