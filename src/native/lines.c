/* SPDX-License-Identifier: MIT
 * Units by their code, functions of a unit, inlined calls of a function: each read when it is first
 * needed, sorted and kept.
 *
 * libdw opens other files by names found in this one. That is not to be: no function is called that
 * looks for split units (dwarf_cu_info(), dwarf_get_units()), and references to another file only
 * after we gave it that file (altfile.h). */
#include "native/lines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "altfile.h"
#include "debugfile.h"
#include "elf/elf_file.h"
#include "lines_check.h"
#include "mapping.h"
#include "util/idmap.h"
#include "util/xalloc.h"

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

/* --- memory ---------------------------------------------------------------------------------- */

static void hold(struct lines *l, size_t bytes)
{
	l->bytes += bytes;
	if (l->budget)
		l->budget->held += bytes;
}

static void let_go(struct lines *l, size_t bytes)
{
	l->bytes -= bytes;
	if (l->budget)
		l->budget->held -= bytes;
}

static bool has_room(struct lines *l, size_t more)
{
	if (more <= LINES_BYTES_MAX && l->bytes <= LINES_BYTES_MAX - more &&
	    (!l->budget || (l->budget->held <= l->budget->max &&
			    more <= l->budget->max - l->budget->held)))
		return true;
	l->cut = true;
	return false;
}

/* Room for one more item; false: there must be no more. */
static bool grow(struct lines *l, void *list, size_t count, size_t *room, size_t size, size_t max)
{
	void **items = list;
	size_t more = *room ? *room : 16;

	if (count < *room)
		return true;
	if (count >= max || !has_room(l, more * size))
		return false;
	*room += more;
	*items = xreallocarray(*items, *room, size);
	hold(l, more * size);
	return true;
}

/* --- pieces of code -------------------------------------------------------------------------- */

static bool is_code(const struct lines *l, uint64_t lo, uint64_t hi)
{
	/* Linkers leave the entries of functions they drop, moved to 0, 1 or -1. */
	for (size_t i = 0; lo < hi && i < l->segment_count; i++) {
		const struct elf_segment *s = &l->segments[i];

		if (s->exec && lo >= s->vaddr && hi - s->vaddr <= s->mem_size)
			return true;
	}
	return false;
}

static bool pieces_add(struct lines *l, struct pieces *p, size_t max, Dwarf_Die *die, uint32_t of)
{
	uint64_t base, lo, hi;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &lo, &hi)) > 0) {
		if (l->passed++ >= LINES_ENTRIES_MAX)
			return false;
		if (!is_code(l, lo, hi))
			continue;
		if (!grow(l, &p->list, p->count, &p->room, sizeof(*p->list), max))
			return false;
		p->list[p->count++] = (struct piece){ lo, hi, of };
	}
	return true;
}

static void pieces_free(struct lines *l, struct pieces *p)
{
	let_go(l, p->room * sizeof(*p->list));
	free(p->list);
}

/* What is inside of another comes after it. */
static int by_address(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->lo != y->lo)
		return x->lo < y->lo ? -1 : 1;
	if (x->hi != y->hi)
		return x->hi > y->hi ? -1 : 1;
	return x->of < y->of ? -1 : x->of > y->of;
}

static void pieces_sort(struct pieces *p)
{
	if (p->count > 0)
		qsort(p->list, p->count, sizeof(*p->list), by_address);
}

/* The innermost piece around addr; NULL: none. */
static const struct piece *pieces_find(const struct pieces *p, uint64_t addr)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->list[middle].lo <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i > 0 && low - i < SYMBOLS_NEST_MAX; i--)
		if (addr < p->list[i - 1].hi)
			return &p->list[i - 1];
	return NULL;
}

/* --- values of entries ------------------------------------------------------------------------ */

static const struct part *part_of(const struct lines *l, Dwarf_CU *unit)
{
	return l->alt.dwarf && dwarf_cu_getdwarf(unit) == l->alt.dwarf ? &l->alt : &l->main;
}

static uint64_t unit_key(const struct lines *l, const struct part *p, Dwarf_Off offset)
{
	return offset << 1 | (p == &l->alt);
}

/* Before entries of the unit are read, other than the first one. */
static bool check_unit(struct lines *l, const struct part *p, Dwarf_Off offset)
{
	uint32_t *good = idmap_put(&l->checked, unit_key(l, p, offset));
	size_t cost;

	if (*good != IDMAP_NONE)
		return *good;
	*good = p->units_good && lines_check_unit(&p->sections, offset, &cost) &&
		has_room(l, cost);
	if (*good)
		hold(l, cost);
	return *good;
}

/* Whether libdw may follow a reference of that entry to the other file: only from the first one. */
static bool may_follow(const struct lines *l, const Dwarf_Die *die)
{
	return l->alt.dwarf && part_of(l, die->cu) == &l->main;
}

static bool entry_at(struct lines *l, Dwarf_Off offset, Dwarf_Die *ret)
{
	return dwarf_offdie(l->main.dwarf, offset, ret) != NULL;
}

static const char *string_of(const struct lines *l, Dwarf_Die *die, unsigned int name)
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

static int32_t number_of(Dwarf_Die *die, unsigned int name)
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
	       check_unit(l, part_of(l, ret->cu), dwarf_dieoffset(ret) - dwarf_cuoffset(ret));
}

static void begin_question(struct lines *l)
{
	l->passed = 0;
	l->skipped = 0;
}

static bool is_tired(const struct lines *l)
{
	return l->passed >= LINES_ENTRIES_MAX || l->skipped >= LINES_SKIPPED_MAX ||
	       l->skipped_in_all >= LINES_SKIPPED_IN_ALL_MAX;
}

/* The entry behind this one and all that is in it, which libdw reads for that once more. */
static bool next_entry(struct lines *l, Dwarf_Die *die)
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
	return found && to > from && !is_tired(l);
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
		const char *text = string_of(l, &die, name);
		Dwarf_Die origin;

		if (text)
			return text;
		if (!origin_of(l, &die, &origin))
			return NULL;
		die = origin;
	}
	return NULL;
}

static const char *name_of(struct lines *l, Dwarf_Off entry)
{
	const char *name;
	Dwarf_Die die;

	if (!entry_at(l, entry, &die))
		return NULL;
	name = name_along(l, die, DW_AT_linkage_name);
	if (!name)
		name = name_along(l, die, DW_AT_MIPS_linkage_name); /* up to DWARF 3 */
	return name ? name : name_along(l, die, DW_AT_name);
}

/* --- units ------------------------------------------------------------------------------------ */

static bool add_unit(struct lines *l, size_t *room, Dwarf_Off offset, Dwarf_Off entry)
{
	Dwarf_Die die;

	if (!entry_at(l, entry, &die))
		return true;
	switch (dwarf_tag(&die)) {
	case DW_TAG_compile_unit:
	case DW_TAG_skeleton_unit: break;
	default: return true;
	}
	if (!grow(l, &l->units, l->unit_count, room, sizeof(*l->units), LINES_UNITS_MAX) ||
	    !pieces_add(l, &l->code, LINES_RANGES_MAX, &die, (uint32_t)l->unit_count))
		return false;
	l->units[l->unit_count++] = (struct unit){ .offset = offset, .entry = entry };
	return true;
}

static bool check_units(struct lines *l, struct part *p)
{
	size_t count;

	p->units_good = lines_check_units(&p->sections, &count) &&
			has_room(l, count * LINES_UNIT_COST);
	if (p->units_good)
		hold(l, count * LINES_UNIT_COST);
	return p->units_good;
}

static void list_units(struct lines *l)
{
	Dwarf_Off offset = 0, next;
	size_t header, room = 0;

	l->listed = true;
	begin_question(l);
	if (!check_units(l, &l->main))
		return;
	if (l->alt.dwarf)
		check_units(l, &l->alt);
	for (; dwarf_nextcu(l->main.dwarf, offset, &next, &header, NULL, NULL, NULL) == 0;
	     offset = next)
		if (!add_unit(l, &room, offset, offset + header) || next <= offset)
			break;
	pieces_sort(&l->code);
	mapping_forget(&l->main.map, l->main.sections.info.at, l->main.sections.info.size);
}

static void read_lines(struct lines *l, struct unit *u, Dwarf_Die *die)
{
	const char *folder = string_of(l, die, DW_AT_comp_dir);
	Dwarf_Attribute attr;
	Dwarf_Word offset;
	size_t cost, n;

	/* libdw reads it, too: not what we would not. */
	if (!folder && dwarf_hasattr(die, DW_AT_comp_dir))
		return;
	if (!dwarf_attr(die, DW_AT_stmt_list, &attr) || dwarf_formudata(&attr, &offset) != 0 ||
	    !lines_check_program(&l->main.sections, offset, folder ? strlen(folder) : 0, &cost) ||
	    !has_room(l, 2 * cost)) /* while it reads */
		return;
	hold(l, cost);
	if (dwarf_getsrclines(die, &u->lines, &u->line_count) != 0)
		u->lines = NULL;
	if (dwarf_getsrcfiles(die, &u->files, &n) != 0)
		u->files = NULL;
}

static bool add_function(struct lines *l, struct unit *u, size_t *room, Dwarf_Die *die)
{
	size_t before = u->code.count;

	if (!pieces_add(l, &u->code, LINES_FUNCTIONS_MAX, die, (uint32_t)u->function_count))
		return false;
	if (u->code.count == before) /* a declaration, or always inlined */
		return true;
	if (!grow(l, &u->functions, u->function_count, room, sizeof(*u->functions),
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

	if (depth == LINES_SCOPE_DEPTH_MAX || is_tired(l) || dwarf_child(parent, &die) != 0)
		return true;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram ? !add_function(l, u, room, &die) :
		    is_scope(tag) && !read_functions(l, u, room, &die, depth + 1))
			return false;
	} while (next_entry(l, &die));
	return !is_tired(l);
}

static void open_unit(struct lines *l, struct unit *u)
{
	size_t room = 0;
	Dwarf_Die die;

	u->opened = true;
	begin_question(l);
	if (!check_unit(l, &l->main, u->offset) || !entry_at(l, u->entry, &die))
		return;
	read_lines(l, u, &die);
	read_functions(l, u, &room, &die, 0);
	pieces_sort(&u->code);
}

/* --- inlined calls ---------------------------------------------------------------------------- */

/* Version 5 counts files from 0, the others from 1: libdw's has "???" as number 0 then. */
static const char *call_file(const struct unit *u, Dwarf_Die *die)
{
	const char *name = u->files && dwarf_hasattr(die, DW_AT_call_file) ?
		dwarf_filesrc(u->files, (size_t)number_of(die, DW_AT_call_file), NULL, NULL) : NULL;

	return name && strcmp(name, "???") != 0 ? name : NULL;
}

/* One for each piece of the call's code. */
static bool add_call(struct lines *l, const struct unit *u, struct function *f, size_t *room,
		     Dwarf_Die *die, int depth)
{
	struct pieces code = { 0 };
	bool good = pieces_add(l, &code, LINES_FUNCTIONS_MAX, die, 0);

	for (size_t i = 0; i < code.count && good; i++) {
		good = grow(l, &f->calls, f->call_count, room, sizeof(*f->calls),
			    LINES_FUNCTIONS_MAX);
		if (!good)
			break;
		f->calls[f->call_count++] = (struct call){
			.lo = code.list[i].lo, .hi = code.list[i].hi, .depth = (uint16_t)depth,
			.entry = dwarf_dieoffset(die), .line = number_of(die, DW_AT_call_line),
			.file = call_file(u, die),
		};
	}
	pieces_free(l, &code);
	return good;
}

static bool read_calls(struct lines *l, const struct unit *u, struct function *f, size_t *room,
		       Dwarf_Die *parent, int depth)
{
	Dwarf_Die die;

	if (depth == LINES_DEPTH_MAX || is_tired(l) || dwarf_child(parent, &die) != 0)
		return true;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_inlined_subroutine && !add_call(l, u, f, room, &die, depth))
			return false;
		if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
		     tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
		    !read_calls(l, u, f, room, &die, depth + 1))
			return false;
	} while (next_entry(l, &die));
	return !is_tired(l);
}

static void read_function(struct lines *l, const struct unit *u, struct function *f)
{
	size_t room = 0;
	Dwarf_Die die;

	f->read = true;
	begin_question(l);
	if (entry_at(l, f->entry, &die))
		read_calls(l, u, f, &room, &die, 0);
}

/* The calls around addr, the outermost first. */
static size_t calls_at(const struct function *f, uint64_t addr, struct call **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < f->call_count; i++) {
		struct call *call = &f->calls[i];

		if (addr < call->lo || addr >= call->hi || n == LINES_DEPTH_MAX ||
		    (n && call->depth <= ret[n - 1]->depth))
			continue;
		ret[n++] = call;
	}
	return n;
}

/* --- the answer ------------------------------------------------------------------------------- */

static uint64_t row_addr(const struct unit *u, size_t index)
{
	Dwarf_Addr addr = 0;

	dwarf_lineaddr(dwarf_onesrcline(u->lines, index), &addr);
	return addr;
}

/* The last row at or before addr; NULL: none, or a sequence has ended there. */
static Dwarf_Line *row_at(const struct unit *u, uint64_t addr)
{
	size_t low = 0, high = u->lines ? u->line_count : 0;
	Dwarf_Line *row;
	bool end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (row_addr(u, middle) <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	row = low ? dwarf_onesrcline(u->lines, low - 1) : NULL;
	return row && dwarf_lineendsequence(row, &end) == 0 && !end ? row : NULL;
}

static bool find_line(const struct unit *u, uint64_t addr, struct line_frame *out)
{
	Dwarf_Line *row = row_at(u, addr);
	int line = 0;

	if (!row)
		return false;
	out->file = dwarf_linesrc(row, NULL, NULL);
	if (dwarf_lineno(row, &line) == 0 && line > 0)
		out->line = line;
	return out->file != NULL;
}

static const char *call_name(struct lines *l, struct call *call)
{
	if (!call->named)
		call->name = name_of(l, call->entry);
	call->named = true;
	return call->name;
}

static const char *function_name(struct lines *l, struct function *f)
{
	if (!f->named)
		f->name = name_of(l, f->entry);
	f->named = true;
	return f->name;
}

/* out[0] has the line. Each call's name goes to the frame at hand, its place to the one around. Too
 * many: the outermost ones are left out, but for the function. */
static size_t find_calls(struct lines *l, struct unit *u, struct function *f, uint64_t addr,
			 struct line_frame *out)
{
	struct call *calls[LINES_DEPTH_MAX];
	size_t count, n = 0;

	if (!f->read)
		read_function(l, u, f);
	count = calls_at(f, addr, calls);
	for (; count > 0 && n < LINES_INLINE_MAX - 1; count--, n++) {
		out[n].name = call_name(l, calls[count - 1]);
		out[n + 1] = (struct line_frame){ .file = calls[count - 1]->file,
						  .line = calls[count - 1]->line };
	}
	if (count > 0)
		out[n] = (struct line_frame){ .file = calls[0]->file, .line = calls[0]->line };
	out[n].name = function_name(l, f);
	return n + 1;
}

size_t lines_find(struct lines *l, uint64_t addr, struct line_frame out[LINES_INLINE_MAX])
{
	const struct piece *piece;
	struct unit *u;
	bool known;

	if (!l->listed)
		list_units(l);
	piece = pieces_find(&l->code, addr);
	if (!piece)
		return 0;
	u = &l->units[piece->of];
	if (!u->opened)
		open_unit(l, u);
	out[0] = (struct line_frame){ 0 };
	known = find_line(u, addr, out);
	piece = pieces_find(&u->code, addr);
	return piece ? find_calls(l, u, &u->functions[piece->of], addr, out) : known;
}

/* --- the file --------------------------------------------------------------------------------- */

/* With p->elf open. */
static bool open_dwarf(struct lines *l, struct part *p)
{
	uint64_t unpacked;

	if (!p->elf || !lines_check_packed(p->elf, &unpacked) || !has_room(l, unpacked))
		return false;
	hold(l, unpacked);
	p->dwarf = dwarf_begin_elf(p->elf, DWARF_C_READ, NULL);
	if (p->dwarf)
		lines_check_find(p->elf, &p->sections);
	return p->dwarf != NULL;
}

static void close_part(struct part *p)
{
	if (p->dwarf)
		dwarf_end(p->dwarf);
	if (p->elf)
		elf_end(p->elf);
	if (p->map.at)
		mapping_close(&p->map);
	*p = (struct part){ 0 };
}

/* Of f only what it says of segments is kept. */
static bool open_main(struct lines *l, const struct elf_file *f)
{
	struct part *p = &l->main;

	memcpy(l->segments, f->segments, sizeof(l->segments));
	l->segment_count = f->segment_count;
	if (mapping_open(&p->map, f->fd) < 0)
		return false;
	p->elf = elf_memory((char *)p->map.at, p->map.size);
	return open_dwarf(l, p) && p->sections.info.at && p->sections.line.at;
}

static void open_alt(struct lines *l, const struct symbols_from *from)
{
	struct altfile_wanted w;
	const void *id;
	ssize_t len = dwelf_dwarf_gnu_debugaltlink(l->main.dwarf, &w.name, &id);

	if (len <= 0)
		return;
	w.build_id = id;
	w.len = (size_t)len;
	if (altfile_open(&w, from, &l->alt.map, &l->alt.elf) < 0)
		return;
	if (open_dwarf(l, &l->alt))
		dwarf_setalt(l->main.dwarf, l->alt.dwarf);
	else
		close_part(&l->alt);
}

static bool has_section(const struct elf_file *f, const char *name)
{
	uint64_t addr, size;

	return elf_file_section(f, name, &addr, &size) == 0;
}

static bool has_lines(const struct elf_file *f)
{
	return (has_section(f, ".debug_info") && has_section(f, ".debug_line")) ||
	       (has_section(f, ".zdebug_info") && has_section(f, ".zdebug_line"));
}

static int find_file(const struct symbols_from *from, struct elf_file *ret)
{
	int fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
	struct elf_file module;
	int error;

	if (fd < 0 || elf_file_open(&module, fd) < 0)
		return -ENOEXEC;
	if (has_lines(&module)) {
		*ret = module;
		return 0;
	}
	error = debugfile_find(&module, from, ret);
	elf_file_close(&module);
	return error;
}

struct lines *lines_open(const struct symbols_from *from, struct lines_budget *budget)
{
	struct elf_file file;
	struct lines *l;
	bool good;

	if (find_file(from, &file) < 0)
		return NULL;
	l = xcalloc(1, sizeof(*l));
	l->budget = budget;
	idmap_init(&l->checked);
	hold(l, sizeof(*l));
	good = open_main(l, &file);
	elf_file_close(&file);
	if (good) {
		open_alt(l, from);
		return l;
	}
	lines_free(l);
	return NULL;
}

void lines_free(struct lines *l)
{
	if (!l)
		return;
	close_part(&l->main);
	close_part(&l->alt);
	let_go(l, l->bytes);
	for (size_t i = 0; i < l->unit_count; i++) {
		for (size_t k = 0; k < l->units[i].function_count; k++)
			free(l->units[i].functions[k].calls);
		free(l->units[i].functions);
		free(l->units[i].code.list);
	}
	free(l->units);
	free(l->code.list);
	idmap_release(&l->checked);
	free(l);
}

size_t lines_bytes(const struct lines *l)
{
	return l->bytes;
}

bool lines_cut(const struct lines *l)
{
	return l->cut;
}
