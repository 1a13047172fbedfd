/* SPDX-License-Identifier: MIT
 * The inlined calls of a function: read when they are first needed, and kept. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <string.h>

#include "lines_internal.h"

/* Version 5 counts files from 0, the others from 1: libdw's has "???" as number 0 then. */
static const char *call_file(const struct unit *u, Dwarf_Die *die)
{
	size_t number = (size_t)lines_entry_number(die, DW_AT_call_file);
	const char *name = u->files && dwarf_hasattr(die, DW_AT_call_file) ?
		dwarf_filesrc(u->files, number, NULL, NULL) : NULL;

	return name && strcmp(name, "???") != 0 ? name : NULL;
}

/* One for each piece of the call's code. */
static bool add_call(struct lines *l, const struct unit *u, struct function *f, size_t *room,
		     Dwarf_Die *die, int depth)
{
	struct pieces code = { 0 };
	bool good = lines_pieces_add(l, &code, LINES_FUNCTIONS_MAX, die, 0);

	for (size_t i = 0; i < code.count && good; i++) {
		good = lines_memory_grow(l, &f->calls, f->call_count, room, sizeof(*f->calls),
					 LINES_FUNCTIONS_MAX);
		if (!good)
			break;
		f->calls[f->call_count++] = (struct call){
			.lo = code.list[i].lo, .hi = code.list[i].hi, .depth = (uint16_t)depth,
			.entry = dwarf_dieoffset(die), .file = call_file(u, die),
			.line = lines_entry_number(die, DW_AT_call_line),
		};
	}
	lines_pieces_free(l, &code);
	return good;
}

static bool read_calls(struct lines *l, const struct unit *u, struct function *f, size_t *room,
		       Dwarf_Die *parent, int depth)
{
	Dwarf_Die die;

	if (depth == LINES_DEPTH_MAX || lines_entry_tired(l) || dwarf_child(parent, &die) != 0)
		return true;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_inlined_subroutine && !add_call(l, u, f, room, &die, depth))
			return false;
		if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
		     tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
		    !read_calls(l, u, f, room, &die, depth + 1))
			return false;
	} while (lines_entry_next(l, &die));
	return !lines_entry_tired(l);
}

static void read_function(struct lines *l, const struct unit *u, struct function *f)
{
	size_t room = 0;
	Dwarf_Die die;

	f->read = true;
	lines_entry_begin(l);
	if (lines_entry_at(l, f->entry, &die))
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

static const char *call_name(struct lines *l, struct call *call)
{
	if (!call->named)
		call->name = lines_entry_name(l, call->entry);
	call->named = true;
	return call->name;
}

static const char *function_name(struct lines *l, struct function *f)
{
	if (!f->named)
		f->name = lines_entry_name(l, f->entry);
	f->named = true;
	return f->name;
}

/* out[0] has the line. Each call's name goes to the frame at hand, its place to the one around. Too
 * many: the outermost ones are left out, but for the function. */
size_t lines_calls_find(struct lines *l, struct unit *u, struct function *f, uint64_t addr,
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
