/* SPDX-License-Identifier: MIT
 * .eh_frame_hdr and .eh_frame of modules: read once, from the file. */
#include "eh_tables.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfi_check.h"
#include "elf/elf_find.h"
#include "util/xalloc.h"

/* --- a module's table ------------------------------------------------------------------------ */

static uint8_t *copy_file(const struct module *m, uint64_t offset, uint64_t len)
{
	uint8_t *bytes = len <= CFI_SECTION_MAX && offset <= INT64_MAX ? malloc(len + 8) : NULL;

	if (bytes && pread(m->fd, bytes, len, (off_t)offset) == (ssize_t)len)
		return bytes;
	free(bytes);
	return NULL;
}

static const struct elf_segment *segment_at(const struct module *m, uint64_t addr)
{
	for (size_t i = 0; i < m->segment_count; i++)
		if (addr >= m->segments[i].vaddr &&
		    addr - m->segments[i].vaddr < m->segments[i].file_size)
			return &m->segments[i];
	return NULL;
}

/* LSB 5.0, 10.6.2, in the one encoding that cfi_check() lets through; 12 bytes before the table. */
static bool read_header(const struct module *m, const GElf_Phdr *ph, struct eh_table *t)
{
	static const uint8_t wanted[] = { 1, 0x1b, 0x03, 0x3b };
	const struct elf_segment *s;
	int32_t pointer;
	uint32_t count;

	if (ph->p_filesz < 12 || ph->p_offset > INT64_MAX)
		return false;
	t->hdr = ph->p_vaddr;
	t->hdr_len = ph->p_filesz;
	t->hdr_bytes = copy_file(m, ph->p_offset, t->hdr_len);
	if (!t->hdr_bytes || memcmp(t->hdr_bytes, wanted, sizeof(wanted)) != 0)
		return false;
	memcpy(&pointer, t->hdr_bytes + 4, 4);
	memcpy(&count, t->hdr_bytes + 8, 4);
	t->entries = count;
	t->frame = t->hdr + 4 + (uint64_t)(int64_t)pointer;
	s = segment_at(m, t->frame);
	if (!s || count == 0 || count > (t->hdr_len - 12) / 8)
		return false;
	t->frame_len = s->file_size - (t->frame - s->vaddr);
	t->frame_bytes = copy_file(m, s->file_offset + (t->frame - s->vaddr), t->frame_len);
	return t->frame_bytes != NULL;
}

static void load_table(const struct module *m, struct eh_table *t)
{
	Elf *elf;
	GElf_Phdr ph;
	int fd;

	fd = m->fd >= 0 && m->segment_count ? fcntl(m->fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (fd < 0 || elf_version(EV_CURRENT) == EV_NONE)
		return;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	t->good = elf && m->machine == EM_X86_64 &&
		  elf_find_program_header(elf, PT_GNU_EH_FRAME, &ph) &&
		  cfi_check_eh_frame(elf, m->size) && read_header(m, &ph, t);
	if (elf)
		elf_end(elf);
	close(fd);
}

static const struct eh_table *table_of(struct eh_tables *ts, const struct module *m)
{
	if (m->id >= ts->count) {
		ts->by_id = xreallocarray(ts->by_id, m->id + 1, sizeof(*ts->by_id));
		memset(ts->by_id + ts->count, 0, (m->id + 1 - ts->count) * sizeof(*ts->by_id));
		ts->count = m->id + 1;
	}
	if (!ts->by_id[m->id]) {
		ts->by_id[m->id] = xcalloc(1, sizeof(struct eh_table));
		load_table(m, ts->by_id[m->id]);
	}
	return ts->by_id[m->id];
}

/* --- where it is in the process --------------------------------------------------------------- */

const struct eh_placed *eh_tables_place(struct eh_tables *ts, const struct module_range *range)
{
	const struct module *m = range->module;
	const struct eh_table *t = table_of(ts, m);
	struct eh_placed *p;

	for (size_t i = 0; i < ts->placed_count; i++)
		if (ts->placed[i].module == m && ts->placed[i].bias == range->bias)
			return &ts->placed[i];
	if (!t->good || ts->placed_count == EH_PLACED_MAX)
		return NULL;
	p = &ts->placed[ts->placed_count++];
	*p = (struct eh_placed){ UINT64_MAX, 0, range->bias, m, t };
	for (size_t i = 0; i < m->segment_count; i++) {
		uint64_t lo = range->bias + m->segments[i].vaddr;
		uint64_t hi = lo + m->segments[i].file_size;

		p->lo = lo < p->lo ? lo : p->lo;
		p->hi = hi > p->hi ? hi : p->hi;
	}
	return p;
}

/* Data as the file has it: not relocated, but nothing of that is followed. */
static bool from_module(const struct eh_placed *p, uint64_t addr, uint64_t *ret)
{
	const struct eh_table *t = p->table;
	const struct elf_segment *s;
	uint64_t in = addr - p->bias;

	if (eh_tables_piece(t->frame_bytes, t->frame, t->frame_len, in, ret) ||
	    eh_tables_piece(t->hdr_bytes, t->hdr, t->hdr_len, in, ret))
		return true;
	*ret = 0;
	s = segment_at(p->module, in);
	return s && s->file_offset + (in - s->vaddr) <= INT64_MAX &&
	       pread(p->module->fd, ret, 8, (off_t)(s->file_offset + (in - s->vaddr))) > 0;
}

bool eh_tables_word(const struct eh_tables *ts, uint64_t addr, uint64_t *ret)
{
	for (size_t i = 0; i < ts->placed_count; i++)
		if (addr >= ts->placed[i].lo && addr < ts->placed[i].hi &&
		    from_module(&ts->placed[i], addr, ret))
			return true;
	return false;
}

void eh_tables_release(struct eh_tables *ts)
{
	for (size_t i = 0; i < ts->count; i++) {
		if (ts->by_id[i]) {
			free(ts->by_id[i]->hdr_bytes);
			free(ts->by_id[i]->frame_bytes);
		}
		free(ts->by_id[i]);
	}
	free(ts->by_id);
	*ts = (struct eh_tables){ .by_id = NULL };
}
