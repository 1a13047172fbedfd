/* SPDX-License-Identifier: MIT
 * Reading the interpreter's tables of functions out of its memory. */
#include "plumbing.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "elf/elf_file.h"
#include "util/xalloc.h"

/* PyTypeObject (Doc/c-api/typeobj.rst), the same in 3.8 to 3.15. Free-threaded builds have a larger
 * header: their types are not recognised. */
enum { OB_TYPE = 8, TP_NAME = 24, TP_VECTORCALL_OFFSET = 56, TP_CALL = 128, TP_ITERNEXT = 224 };

/* _PyInterpreterFrame, 3.12 to 3.15 (Include/internal/pycore_frame.h, pycore_interpframe_structs.h). */
enum { FRAME_PREVIOUS = 8, FRAME_FUNCOBJ = 16 };

#define TAG_BITS 7u /* of a _PyStackRef (3.14), in a pointer's low bits */

static bool is_inside(const struct plumbing_from *from, remote_addr addr)
{
	return addr >= from->start && addr < from->end;
}

/* Whether a function begins there. */
static bool is_function(const struct plumbing_from *from, remote_addr addr)
{
	uint64_t start;

	return is_inside(from, addr) &&
	       functions_start(from->functions, addr - from->bias, &start) &&
	       start == addr - from->bias;
}

static bool add(struct plumbing *p, const struct plumbing_from *from, remote_addr addr)
{
	if (!is_function(from, addr) || plumbing_has(p, addr) || p->count == PLUMBING_MAX)
		return false;
	p->starts[p->count++] = addr;
	return true;
}

bool plumbing_has(const struct plumbing *p, remote_addr start)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->starts[i] == start)
			return true;
	return false;
}

static bool has_text(const struct plumbing_from *from, remote_addr addr, const char *want, size_t len)
{
	char text[32];

	return len <= sizeof(text) && remote_read(from->remote, addr, text, len) == 0 &&
	       !memcmp(text, want, len);
}

/* --- slotdefs ----------------------------------------------------------------------------------- */

enum { SLOT_WORDS = 7, SLOTS_LEAST = 60, SLOT_OFFSET_MAX = 2048, SLOT_FLAGS_MAX = 255 };

static bool is_slot(const struct plumbing_from *from, const uint64_t *w)
{
	return is_inside(from, w[0]) && w[1] > 0 && w[1] < SLOT_OFFSET_MAX && w[1] % 8 == 0 &&
	       (w[2] == 0 || is_function(from, w[2])) && (w[3] == 0 || is_function(from, w[3])) &&
	       (w[4] == 0 || is_inside(from, w[4])) && (uint32_t)w[5] <= SLOT_FLAGS_MAX;
}

static bool is_slotdefs(const struct plumbing_from *from, const uint64_t *w, size_t slots)
{
	for (size_t i = 0; i < slots; i++)
		if (!has_text(from, w[i * SLOT_WORDS], "__", 2))
			return false;
	return slots >= SLOTS_LEAST;
}

static void scan(struct plumbing *p, const struct plumbing_from *from, const uint64_t *w, size_t n)
{
	for (size_t i = 0, slots; i + SLOT_WORDS <= n; i += slots ? slots * SLOT_WORDS : 1) {
		slots = 0;
		while (i + (slots + 1) * SLOT_WORDS <= n && is_slot(from, w + i + slots * SLOT_WORDS))
			slots++;
		if (!is_slotdefs(from, w + i, slots)) {
			slots = 0;
			continue;
		}
		for (size_t k = 0; k < slots; k++) {
			add(p, from, w[i + k * SLOT_WORDS + 2]);
			add(p, from, w[i + k * SLOT_WORDS + 3]);
		}
	}
}

static void load_slots(struct plumbing *p, const struct plumbing_from *from)
{
	for (size_t i = 0; i < from->maps->count; i++) {
		const struct map *map = &from->maps->list[i];
		size_t len = map->end - map->start;
		uint64_t *words;

		if (!map->write || map->inode == 0 || len > PLUMBING_DATA_MAX ||
		    map->start < from->start || map->end > from->end)
			continue;
		words = xmalloc(len);
		if (remote_read(from->remote, map->start, words, len) == 0)
			scan(p, from, words, len / sizeof(*words));
		free(words);
	}
}

/* --- types -------------------------------------------------------------------------------------- */

static const struct {
	const char *symbol, *name;
	unsigned slot;
} types[] = {
	{ "PyType_Type", "type", TP_CALL },
	{ "PyCFunction_Type", "builtin_function_or_method", TP_CALL },
	{ "PyFunction_Type", "function", TP_CALL },
	{ "PyMethod_Type", "method", TP_CALL },
	{ "PyInstanceMethod_Type", "instancemethod", TP_CALL },
	{ "PyMethodDescr_Type", "method_descriptor", TP_CALL },
	{ "PyClassMethodDescr_Type", "classmethod_descriptor", TP_CALL },
	{ "PyWrapperDescr_Type", "wrapper_descriptor", TP_CALL },
	{ "_PyMethodWrapper_Type", "method-wrapper", TP_CALL },
	{ "PyGen_Type", "generator", TP_ITERNEXT },
};

static bool is_type(const struct plumbing_from *from, remote_addr type, const char *name)
{
	uint64_t text;

	return remote_read_u64(from->remote, type + TP_NAME, &text) == 0 && is_inside(from, text) &&
	       has_text(from, text, name, strlen(name) + 1);
}

static void load_types(struct plumbing *p, const struct plumbing_from *from)
{
	struct elf_symbol want[ARRAY_SIZE(types)] = { { .name = NULL } };
	int fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
	struct elf_file f;

	if (fd < 0 || elf_file_open(&f, fd) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		want[i].name = types[i].symbol;
	elf_file_symbols(&f, ELF_DYNAMIC, want, ARRAY_SIZE(want));
	elf_file_close(&f);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		remote_addr type = want[i].addr + from->bias;
		uint64_t function;

		if (want[i].found && is_type(from, type, types[i].name) &&
		    remote_read_u64(from->remote, type + types[i].slot, &function) == 0)
			add(p, from, function);
	}
}

void plumbing_load(struct plumbing *p, const struct plumbing_from *from)
{
	p->asked = true;
	if (!from->remote || !from->functions)
		return;
	load_slots(p, from);
	load_types(p, from);
}

/* --- Python functions --------------------------------------------------------------------------- */

/* The function object of the Python frame that the entry was called from. */
static bool find_function(const struct plumbing_from *from, remote_addr anchor, uint64_t *function,
			  uint64_t *type)
{
	uint64_t frame;

	if (remote_read_u64(from->remote, anchor + FRAME_PREVIOUS, &frame) < 0 ||
	    remote_read_u64(from->remote, frame + FRAME_FUNCOBJ, function) < 0)
		return false;
	*function &= ~(uint64_t)TAG_BITS;
	return remote_read_u64(from->remote, *function + OB_TYPE, type) == 0 &&
	       is_inside(from, *type) && is_type(from, *type, "function");
}

bool plumbing_learn(struct plumbing *p, const struct plumbing_from *from, remote_addr anchor)
{
	uint64_t function, type, offset, vectorcall;

	if (p->vectorcall || p->tries >= PLUMBING_TRIES_MAX || !from->remote || !from->functions)
		return false;
	p->tries++;
	if (!find_function(from, anchor, &function, &type) ||
	    remote_read_u64(from->remote, type + TP_VECTORCALL_OFFSET, &offset) < 0 ||
	    offset >= 1024 ||
	    remote_read_u64(from->remote, function + offset, &vectorcall) < 0 ||
	    !is_function(from, vectorcall))
		return false;
	p->vectorcall = true;
	return add(p, from, vectorcall);
}
