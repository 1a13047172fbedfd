/* SPDX-License-Identifier: MIT
 * Reading tables of functions out of the memory of a module. */
#include "methods.h"

#include <stdlib.h>
#include <string.h>

#include "type_slots.h"
#include "util/first_above.h"
#include "util/attr.h"
#include "util/xalloc.h"

struct method_row {
	uint64_t start;
	uint32_t text;
};

enum {
	PAGE = 4096, PAGES = 256,         /* of text, at hand; direct-mapped */
	TYPES_MAX = 1 << 12,              /* what looks like one by its first word; 3.14 has 260 */
	PAGES_MAX = 1 << 13,              /* read */
	SLOTS_MAX = 128,                  /* of a type's PyType_Slot; there are 110 numbers */
	OBJECT_MAX = 1 << 20,             /* bytes of an object, as its type says */
	NAMES_MAX = 4,                    /* of one function */
	NOTHING = 0,                      /* text: "" */
};

enum { METHOD_WORDS = 4, GETSET_WORDS = 5, SPEC_WORDS = 4, SLOT_WORDS = 2 };

/* Relative to m_methods of PyModuleDef (Include/moduleobject.h). */
enum { DEF_OB_TYPE = -7, DEF_NAME = -3, DEF_DOC = -2, DEF_SIZE = -1, DEF_SLOTS = 1, DEF_WORDS = 8 };

/* Data of the module, copied. */
struct piece {
	remote_addr addr;
	uint64_t *words;
	size_t count;
};

struct page {
	remote_addr addr;                 /* 0: none; a failed one is not kept */
	char bytes[PAGE];
};

/* A table of PyMethodDef. */
struct table {
	remote_addr addr;
	size_t rows;
	uint32_t owner;                   /* in text; NOTHING: none yet */
	bool several;                     /* owners, of different names */
};

/* One thing said of one function. */
struct said {
	uint64_t start;
	uint32_t owner, name;
};

struct scan {
	const struct methods_from *from;
	remote_addr low, high;            /* of the module */
	struct piece pieces[ELF_SEGMENTS_MAX];
	size_t piece_count;
	struct page *pages;
	struct table *tables;             /* ascending */
	size_t table_count, table_room;
	struct said *said;
	size_t said_count, said_room;
	char *text;
	size_t text_len, text_room;
	size_t steps, types, pages_read, rows;
};

/* --- memory ------------------------------------------------------------------------------------- */

static bool is_inside(const struct scan *s, remote_addr addr)
{
	return addr >= s->low && addr < s->high;
}

/* `n` words of the module's data; NULL: not there. */
static const uint64_t *words_at(const struct scan *s, remote_addr addr, size_t n)
{
	for (size_t i = 0; i < s->piece_count; i++) {
		const struct piece *p = &s->pieces[i];
		size_t at = (size_t)(addr - p->addr) / 8;

		if (addr >= p->addr && (addr - p->addr) % 8 == 0 && at < p->count)
			return n <= p->count - at ? p->words + at : NULL;
	}
	return NULL;
}

static bool step(struct scan *s)
{
	return s->steps++ < METHODS_STEPS_MAX;
}

static const char *page_at(struct scan *s, remote_addr addr)
{
	struct page *page = &s->pages[addr / PAGE % PAGES];

	if (page->addr == addr)
		return page->bytes;
	page->addr = 0;
	if (s->pages_read++ >= PAGES_MAX ||
	    remote_read(s->from->remote, addr, page->bytes, PAGE) < 0)
		return NULL;
	page->addr = addr;
	return page->bytes;
}

/* 1: it has ended; 0: more; -1: it is no name. */
static int add_char(char *out, size_t *len, char c, const char *more)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
	bool digit = c >= '0' && c <= '9';

	if (!c)
		return *len ? 1 : -1;
	if (*len == METHODS_NAME_MAX || !(letter || (*len && (digit || strchr(more, c)))))
		return -1;
	out[(*len)++] = c;
	return 0;
}

/* A name at an address of the module: letters, digits, "_", and `more` but for the first. */
static bool read_name(struct scan *s, remote_addr addr, const char *more,
		      char out[METHODS_NAME_MAX + 1])
{
	size_t len = 0;
	int end = 0;

	for (; !end && is_inside(s, addr); addr++) {
		const char *page = page_at(s, addr - addr % PAGE);

		end = page ? add_char(out, &len, page[addr % PAGE], more) : -1;
	}
	out[len] = '\0';
	return end == 1;
}

/* --- text --------------------------------------------------------------------------------------- */

static uint32_t add_text(struct scan *s, const char *text)
{
	size_t len = strlen(text) + 1;

	if (s->text_len + len > METHODS_TEXT_MAX)
		return NOTHING;
	if (s->text_len + len > s->text_room) {
		s->text_room = 2 * s->text_room + len + PAGE;
		s->text = xreallocarray(s->text, s->text_room, 1);
	}
	memcpy(s->text + s->text_len, text, len);
	s->text_len += len;
	return (uint32_t)(s->text_len - len);
}

/* "builtins" says nothing: Python's own names have no owner in Python either. */
static uint32_t add_owner(struct scan *s, const char *name)
{
	static const char builtins[] = "builtins";
	size_t len = sizeof(builtins) - 1;

	if (!strcmp(name, builtins))
		return NOTHING;
	if (!strncmp(name, builtins, len) && name[len] == '.')
		name += len + 1;
	return add_text(s, name);
}

static void claim(struct scan *s, remote_addr function, uint32_t owner, uint32_t name)
{
	if (name == NOTHING || s->said_count == METHODS_MAX)
		return;
	if (s->said_count == s->said_room) {
		s->said_room = s->said_room ? 2 * s->said_room : 1024;
		s->said = xreallocarray(s->said, s->said_room, sizeof(*s->said));
	}
	s->said[s->said_count++] = (struct said){ function - s->from->bias, owner, name };
}

/* --- functions ---------------------------------------------------------------------------------- */

enum code { CODE_NO, CODE_NONE, CODE_ELSEWHERE, CODE_HERE };

/* What a pointer to a function is. Tables may hold functions of other modules (Py_GenericAlias). */
static enum code code_at(const struct scan *s, remote_addr addr)
{
	uint64_t start;
	const struct map *map;

	if (!addr)
		return CODE_NONE;
	if (is_inside(s, addr))
		return functions_start(s->from->functions, addr - s->from->bias, &start) &&
		       start == addr - s->from->bias ? CODE_HERE : CODE_NO;
	map = maps_find(s->from->maps, addr);
	return map && map->exec ? CODE_ELSEWHERE : CODE_NO;
}

/* --- tables of methods -------------------------------------------------------------------------- */

/* METH_* of Include/methodobject.h, without METH_CLASS, METH_STATIC, METH_COEXIST: varargs, with
 * keywords, no arguments, one, fast, fast with keywords, the same with the class. */
static bool is_flags(uint64_t flags)
{
	static const uint16_t known[] = { 0x1, 0x3, 0x4, 0x8, 0x80, 0x82, 0x282 };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if ((flags & ~0x70ULL) == known[i])
			return true;
	return false;
}

static bool is_method(struct scan *s, const uint64_t *w)
{
	char name[METHODS_NAME_MAX + 1];

	return is_flags(w[2]) && is_inside(s, w[0]) && (w[3] == 0 || is_inside(s, w[3])) &&
	       code_at(s, w[1]) >= CODE_ELSEWHERE && read_name(s, w[0], "", name);
}

static void add_table(struct scan *s, remote_addr addr, size_t rows)
{
	if (s->table_count == METHODS_MAX)
		return;
	if (s->table_count == s->table_room) {
		s->table_room = s->table_room ? 2 * s->table_room : 64;
		s->tables = xreallocarray(s->tables, s->table_room, sizeof(*s->tables));
	}
	s->tables[s->table_count++] = (struct table){ .addr = addr, .rows = rows };
}

/* Those that a zero row ends. A run that is none is passed over: no part of it is one. */
static void find_tables(struct scan *s, const struct piece *p)
{
	size_t rows;

	for (size_t i = 0; i + 2 * METHOD_WORDS <= p->count; i += rows ? rows * METHOD_WORDS : 1) {
		const uint64_t *w = p->words + i;
		size_t room = (p->count - i) / METHOD_WORDS;

		for (rows = 0; rows + 1 < room && s->rows < METHODS_MAX &&
			       is_method(s, w + rows * METHOD_WORDS); s->rows++)
			rows++;
		if (rows && w[rows * METHOD_WORDS] == 0 && w[rows * METHOD_WORDS + 1] == 0)
			add_table(s, p->addr + i * 8, rows);
	}
}

static int by_address(const void *a, const void *b)
{
	const struct table *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static struct table *table_at(const struct scan *s, remote_addr addr)
{
	struct table key = { .addr = addr };

	return s->table_count ? bsearch(&key, s->tables, s->table_count, sizeof(key), by_address) :
	       NULL;
}

/* Every word that points into the data is asked for. */
static bool is_table(const struct scan *s, remote_addr addr)
{
	return s->table_count && addr >= s->tables[0].addr &&
	       addr <= s->tables[s->table_count - 1].addr && table_at(s, addr);
}

static void own_table(struct scan *s, remote_addr addr, const char *owner)
{
	struct table *t = table_at(s, addr);

	if (!t || t->several)
		return;
	if (t->owner == NOTHING)
		t->owner = add_owner(s, owner);
	else
		t->several = strcmp(s->text + t->owner, owner) != 0;
}

static void claim_table(struct scan *s, const struct table *t)
{
	const uint64_t *w = words_at(s, t->addr, t->rows * METHOD_WORDS);
	char name[METHODS_NAME_MAX + 1];

	for (size_t i = 0; w && i < t->rows; i++, w += METHOD_WORDS)
		if (code_at(s, w[1]) == CODE_HERE && read_name(s, w[0], "", name))
			claim(s, w[1], t->several ? NOTHING : t->owner, add_text(s, name));
}

/* --- modules ------------------------------------------------------------------------------------ */

/* `w`: m_methods of a PyModuleDef, perhaps. */
static void take_module(struct scan *s, const uint64_t *w)
{
	char name[METHODS_NAME_MAX + 1];
	int64_t size = (int64_t)w[DEF_SIZE];

	if (is_inside(s, w[DEF_NAME]) && (w[DEF_DOC] == 0 || is_inside(s, w[DEF_DOC])) &&
	    size >= -1 && size < OBJECT_MAX && (w[DEF_SLOTS] == 0 || words_at(s, w[DEF_SLOTS], 2)) &&
	    read_name(s, w[DEF_NAME], ".", name))
		own_table(s, w[0], name);
}

/* --- attributes --------------------------------------------------------------------------------- */

/* Rows of PyGetSetDef, each of which must fit; 0: there are none. */
static size_t count_getset(struct scan *s, remote_addr addr)
{
	char name[METHODS_NAME_MAX + 1];

	for (size_t rows = 0; step(s); rows++) {
		const uint64_t *w = words_at(s, addr + rows * GETSET_WORDS * 8, GETSET_WORDS);

		if (!w || (w[0] == 0 && w[1] == 0))
			return w ? rows : 0;
		if (code_at(s, w[1]) == CODE_NO || code_at(s, w[2]) == CODE_NO ||
		    (w[3] != 0 && !is_inside(s, w[3])) || !read_name(s, w[0], "", name))
			return 0;
	}
	return 0;
}

static void claim_getset(struct scan *s, remote_addr addr, uint32_t owner)
{
	size_t rows = count_getset(s, addr);
	const uint64_t *w = words_at(s, addr, rows * GETSET_WORDS);
	char name[METHODS_NAME_MAX + 1];

	for (size_t i = 0; w && i < rows; i++, w += GETSET_WORDS) {
		uint32_t text = read_name(s, w[0], "", name) ? add_text(s, name) : NOTHING;

		for (size_t k = 1; k <= 2; k++)
			if (code_at(s, w[k]) == CODE_HERE)
				claim(s, w[k], owner, text);
	}
}

/* --- types -------------------------------------------------------------------------------------- */

/* The function in a slot of the type whose words, from tp_name on, are `w`. */
static remote_addr slot_of(const struct scan *s, const uint64_t *w, const struct type_slot *slot)
{
	const uint64_t *group;

	if (slot->since > s->from->minor)
		return 0;
	if (!slot->group)
		return w[slot->word];
	group = w[slot->group] ? words_at(s, w[slot->group], slot->word + 1u) : NULL;
	return group ? group[slot->word] : 0;
}

static const uint64_t *base_of(const struct scan *s, const uint64_t *w)
{
	return w[TYPE_BASE] ? words_at(s, w[TYPE_BASE] + s->from->ob_type - TYPE_OB_TYPE * 8,
				       TYPE_WORDS) : NULL;
}

/* PyType_Ready() has copied what a type inherits into it: that is its base's. */
static void claim_slots(struct scan *s, const uint64_t *w, uint32_t owner)
{
	const uint64_t *base = base_of(s, w);

	for (size_t i = 0; i < type_slot_count; i++) {
		const struct type_slot *slot = &type_slots[i];
		remote_addr function = slot_of(s, w, slot);

		if (code_at(s, function) == CODE_HERE &&
		    !(base && slot_of(s, base, slot) == function))
			claim(s, function, owner, add_text(s, slot->name));
	}
}

static bool is_type(struct scan *s, const uint64_t *w, char name[METHODS_NAME_MAX + 1])
{
	if (w[TYPE_BASIC_SIZE] >= OBJECT_MAX || w[TYPE_ITEM_SIZE] >= OBJECT_MAX ||
	    !is_inside(s, w[TYPE_NAME]) || !read_name(s, w[TYPE_NAME], ".-", name))
		return false;
	for (size_t i = 0; i < type_slot_count; i++)
		if (code_at(s, slot_of(s, w, &type_slots[i])) == CODE_NO)
			return false;
	return true;
}

/* `w`: tp_name of a PyTypeObject, perhaps. */
static void take_type(struct scan *s, const uint64_t *w)
{
	char name[METHODS_NAME_MAX + 1];
	uint32_t owner;

	if (s->types++ >= TYPES_MAX || !is_type(s, w, name))
		return;
	owner = add_owner(s, name);
	own_table(s, w[TYPE_METHODS], name);
	claim_getset(s, w[TYPE_GETSET], owner);
	claim_slots(s, w, owner);
}

/* --- types made from a specification ------------------------------------------------------------ */

static bool is_data_slot(uint64_t number)
{
	return number == SLOT_BASE || number == SLOT_BASES || number == SLOT_DOC ||
	       number == SLOT_METHODS || number == SLOT_MEMBERS || number == SLOT_GETSET ||
	       (number >= SLOT_TOKEN && !type_slot_by_number(number));
}

/* PyType_Slot {int, pointer}, ended by zeros; 0: it is none. */
static size_t count_slots(struct scan *s, remote_addr addr)
{
	for (size_t i = 0; i < SLOTS_MAX && step(s); i++) {
		const uint64_t *w = words_at(s, addr + i * SLOT_WORDS * 8, SLOT_WORDS);

		if (!w || w[0] == 0)
			return w && w[1] == 0 ? i : 0;
		if (w[0] > SLOT_LAST || (!is_data_slot(w[0]) && code_at(s, w[1]) == CODE_NO))
			return 0;
	}
	return 0;
}

/* PyType_Spec {name, int basicsize, int itemsize, unsigned flags, slots}. */
static void take_spec(struct scan *s, const uint64_t *w)
{
	const uint64_t *slots = words_at(s, w[3], SLOT_WORDS);
	int32_t size = (int32_t)w[1]; /* from 3.12 on: negative when relative to the base's */
	char name[METHODS_NAME_MAX + 1];
	uint32_t owner;
	size_t n;

	if (!slots || slots[0] == 0 || slots[0] > SLOT_LAST || size <= -OBJECT_MAX ||
	    size >= OBJECT_MAX || w[1] >> 32 >= OBJECT_MAX)
		return;
	n = count_slots(s, w[3]);
	if (!n || !read_name(s, w[0], ".-", name))
		return;
	owner = add_owner(s, name);
	for (size_t i = 0; i < n; i++, slots += SLOT_WORDS) {
		const struct type_slot *slot = type_slot_by_number(slots[0]);

		if (slots[0] == SLOT_METHODS)
			own_table(s, slots[1], name);
		else if (slots[0] == SLOT_GETSET)
			claim_getset(s, slots[1], owner);
		else if (slot && code_at(s, slots[1]) == CODE_HERE)
			claim(s, slots[1], owner, add_text(s, slot->name));
	}
}

/* --- all of it ---------------------------------------------------------------------------------- */

/* Who owns what: types, modules, specifications. A type that Python has not seen yet has no type of its
 * own: it is known by the table it points to. */
static void find_owners(struct scan *s, const struct piece *p)
{
	const size_t before = TYPE_METHODS - TYPE_OB_TYPE;

	for (size_t i = 0; i < p->count; i++) {
		const uint64_t *w = p->words + i;
		size_t room = p->count - i;

		if (s->from->type_type && w[0] == s->from->type_type &&
		    room >= TYPE_WORDS - TYPE_OB_TYPE)
			take_type(s, w - TYPE_OB_TYPE);
		if (!is_inside(s, w[0]))
			continue;
		if (room >= SPEC_WORDS && w[2] >> 32 == 0)
			take_spec(s, w);
		if (!is_table(s, w[0]))
			continue;
		if (i >= DEF_WORDS && room > DEF_SLOTS)
			take_module(s, w);
		if (i >= before && room >= TYPE_WORDS - TYPE_METHODS && w[-(int)before] == 0)
			take_type(s, w - TYPE_METHODS);
	}
}

static void read_pieces(struct scan *s)
{
	size_t left = METHODS_DATA_MAX;

	s->low = UINT64_MAX;
	for (size_t i = 0; i < s->from->segment_count; i++) {
		const struct elf_segment *seg = &s->from->segments[i];
		remote_addr start = seg->vaddr + s->from->bias, addr = (start + 7) & ~7ULL;
		size_t size = seg->file_size > 8 ? (seg->file_size - (addr - start)) & ~7ULL : 0;
		struct piece piece = { .addr = addr, .count = size / 8 };

		if (seg->mem_size >= REMOTE_ADDR_MAX || start >= REMOTE_ADDR_MAX)
			continue;
		s->low = start < s->low ? start : s->low;
		s->high = start + seg->mem_size > s->high ? start + seg->mem_size : s->high;
		if (!seg->write || !size || size > left || s->piece_count == ARRAY_SIZE(s->pieces))
			continue;
		/* And a zero: before 3.8 a type is a word shorter. */
		piece.words = xcalloc(piece.count + 1, 8);
		if (remote_read(s->from->remote, addr, piece.words, size) < 0) {
			free(piece.words);
			continue;
		}
		left -= size;
		piece.count++;
		s->pieces[s->piece_count++] = piece;
	}
}

static int by_start(const void *a, const void *b)
{
	const struct said *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name; /* in the order they were said */
}

static bool same_text(const struct scan *s, uint32_t a, uint32_t b)
{
	return !strcmp(s->text + a, s->text + b);
}

/* The different names among the `n` things said of one function. 0: too many. */
static size_t different_names(const struct scan *s, const struct said *said, size_t n,
			      uint32_t ret[NAMES_MAX])
{
	size_t count = 0, at;

	for (size_t i = 0; i < n; i++) {
		for (at = 0; at < count && !same_text(s, ret[at], said[i].name);)
			at++;
		if (at == NAMES_MAX)
			return 0;
		ret[at] = said[i].name;
		count += at == count;
	}
	return count;
}

static bool same_owner(const struct scan *s, const struct said *said, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (!same_text(s, said[i].owner, said[0].owner))
			return false;
	return true;
}

/* One text for the `n` things said of one function, NOTHING where they are too different. Compilers make
 * one function of several that do the same; and "acquire" may be "__enter__" as well. */
static uint32_t add_row(struct scan *s, const struct said *said, size_t n)
{
	char text[(NAMES_MAX + 1) * (METHODS_NAME_MAX + 1)] = "";
	uint32_t names[NAMES_MAX];
	size_t count = different_names(s, said, n, names);
	bool same = same_owner(s, said, n);

	if (!count || (count > 1 && !same))
		return NOTHING;
	if (same && said->owner != NOTHING) {
		strcat(text, s->text + said->owner);
		strcat(text, ".");
	}
	for (size_t i = 0; i < count; i++) {
		strcat(text, i ? "|" : "");
		strcat(text, s->text + names[i]);
	}
	return add_text(s, text);
}

static void take_rows(struct methods *m, struct scan *s)
{
	size_t words;
	uint32_t text;

	if (s->said_count)
		qsort(s->said, s->said_count, sizeof(*s->said), by_start);
	m->rows = xcalloc(s->said_count + 1, sizeof(*m->rows));
	words = s->text_len;
	for (size_t i = 0, n; i < s->said_count; i += n) {
		for (n = 1; i + n < s->said_count && s->said[i + n].start == s->said[i].start;)
			n++;
		text = add_row(s, s->said + i, n);
		if (text != NOTHING)
			m->rows[m->count++] = (struct method_row){ s->said[i].start, text };
	}
	/* What the names were put together from is not needed any more. */
	m->text = xmalloc(s->text_len - words + 1);
	memcpy(m->text, s->text + words, s->text_len - words);
	for (size_t i = 0; i < m->count; i++)
		m->rows[i].text -= (uint32_t)words;
	m->rows = xreallocarray(m->rows, m->count + 1, sizeof(*m->rows));
	m->bytes = (m->count + 1) * sizeof(*m->rows) + s->text_len - words;
}

void methods_load(struct methods *m, const struct methods_from *from)
{
	struct scan s = { .from = from };

	*m = (struct methods){ .rows = NULL };
	if (!from->remote || !from->functions)
		return;
	s.pages = xcalloc(PAGES, sizeof(*s.pages));
	add_text(&s, "");
	read_pieces(&s);
	for (size_t i = 0; i < s.piece_count; i++)
		find_tables(&s, &s.pieces[i]);
	if (s.table_count)
		qsort(s.tables, s.table_count, sizeof(*s.tables), by_address);
	for (size_t i = 0; i < s.piece_count; i++)
		find_owners(&s, &s.pieces[i]);
	for (size_t i = 0; i < s.table_count; i++)
		claim_table(&s, &s.tables[i]);
	take_rows(m, &s);
	for (size_t i = 0; i < s.piece_count; i++)
		free(s.pieces[i].words);
	free(s.pages);
	free(s.tables);
	free(s.said);
	free(s.text);
}

void methods_release(struct methods *m)
{
	free(m->rows);
	free(m->text);
	*m = (struct methods){ .rows = NULL };
}

const char *methods_find(const struct methods *m, uint64_t start)
{
	size_t above = FIRST_ABOVE(m->count, i, m->rows[i].start, start);

	return above && m->rows[above - 1].start == start ? m->text + m->rows[above - 1].text : NULL;
}
