/* SPDX-License-Identifier: MIT
 * A file as libdw has it, and what is at an address: its unit and function (lines_units.c), its
 * row, its inlined calls (lines_calls.c).
 *
 * libdw opens other files by names found in this one. That is not to be: see lines_units.c for
 * split units, lines_entry.c for references. */
#include "native/lines.h"

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
#include "lines_internal.h"
#include "mapping.h"
#include "util/first_above.h"
#include "util/idmap.h"
#include "util/xalloc.h"

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
	size_t above = FIRST_ABOVE(u->lines ? u->line_count : 0, i, row_addr(u, i), addr);
	Dwarf_Line *row = above ? dwarf_onesrcline(u->lines, above - 1) : NULL;
	bool end;

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

size_t lines_find(struct lines *l, uint64_t addr, struct line_frame out[LINES_INLINE_MAX])
{
	const struct piece *piece;
	struct unit *u;
	bool known;

	if (!l->listed)
		lines_units_list(l);
	piece = lines_pieces_find(&l->code, addr);
	if (!piece)
		return 0;
	u = &l->units[piece->of];
	if (!u->opened)
		lines_units_open(l, u);
	out[0] = (struct line_frame){ 0 };
	known = find_line(u, addr, out);
	piece = lines_pieces_find(&u->code, addr);
	return piece ? lines_calls_find(l, u, &u->functions[piece->of], addr, out) : known;
}

/* --- the file --------------------------------------------------------------------------------- */

/* With p->elf open. */
static bool open_dwarf(struct lines *l, struct part *p)
{
	uint64_t unpacked;

	if (!p->elf || !lines_check_packed(p->elf, &unpacked) || !lines_memory_fits(l, unpacked))
		return false;
	lines_memory_hold(l, unpacked);
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
	lines_memory_hold(l, sizeof(*l));
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
	lines_memory_let_go(l, l->bytes);
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
