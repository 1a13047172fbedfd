/* SPDX-License-Identifier: MIT
 * Reading all entries of .eh_frame for where their functions are. */
#include "native/functions.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <unistd.h>

#include "cfi_check.h"
#include "cursor.h"
#include "elf/elf_file.h"
#include "elf/elf_find.h"
#include "util/first_above.h"
#include "util/xalloc.h"

/* .eh_frame: where it is, and its bytes. */
struct frame {
	uint64_t addr, size;
	uint8_t *data;
};

/* The kind of addresses in the FDEs of one CIE; nearly all FDEs of a file have the same one. */
struct cie {
	uint64_t offset;
	uint8_t encoding;
};

struct loading {
	struct functions *f;
	size_t room;
	const struct frame *frame;
	struct cie cie;
	bool cie_known;
};

/* --- where it is -------------------------------------------------------------------------------- */

/* The bytes of the file from an address on, up to the end of what is loaded with it; 0: none. */
static uint64_t bytes_from(const struct elf_file *e, uint64_t addr, uint64_t *ret_offset)
{
	for (size_t i = 0; i < e->segment_count; i++) {
		const struct elf_segment *s = &e->segments[i];

		if (addr < s->vaddr || addr - s->vaddr >= s->file_size)
			continue;
		*ret_offset = s->file_offset + (addr - s->vaddr);
		return s->file_size - (addr - s->vaddr);
	}
	return 0;
}

/* Without sections: the address is the first thing in .eh_frame_hdr, and the size is not known: a
 * zero ends it (LSB 5.0, 10.6.2 and 10.6.1). */
static bool find_by_header(const struct elf_file *e, struct frame *frame)
{
	struct { uint8_t version, pointer, count, table; int32_t frame; } hdr;
	GElf_Phdr ph;

	if (!elf_find_program_header(e->elf, PT_GNU_EH_FRAME, &ph) || ph.p_offset > INT64_MAX ||
	    pread(e->fd, &hdr, sizeof(hdr), (off_t)ph.p_offset) != sizeof(hdr) ||
	    hdr.version != 1 || hdr.pointer != (DW_EH_PE_pcrel | DW_EH_PE_sdata4))
		return false;
	frame->addr = ph.p_vaddr + 4 + (uint64_t)(int64_t)hdr.frame;
	frame->size = UINT64_MAX;
	return true;
}

static int read_frame(const struct elf_file *e, struct frame *frame)
{
	uint64_t offset = 0, room;
	ssize_t n;

	if (elf_file_section(e, ".eh_frame", &frame->addr, &frame->size) < 0 &&
	    !find_by_header(e, frame))
		return -ENOENT;
	room = bytes_from(e, frame->addr, &offset);
	if (frame->size > room)
		frame->size = room;
	if (frame->size == 0 || frame->size > FUNCTIONS_FRAME_MAX || offset > INT64_MAX)
		return -ENOENT;
	frame->data = xmalloc(frame->size);
	n = pread(e->fd, frame->data, frame->size, (off_t)offset);
	if (n == (ssize_t)frame->size)
		return 0;
	free(frame->data);
	return -ENOENT;
}

/* --- its entries (LSB 5.0, 10.6.1) -------------------------------------------------------------- */

/* An address or a length. False: it does not fit, or is written in no way we know. */
static bool read_value(struct cursor *c, uint8_t encoding, uint64_t *ret)
{
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		return cursor_fixed(c, 8, ret);
	case DW_EH_PE_udata4:
		return cursor_fixed(c, 4, ret);
	case DW_EH_PE_sdata4:
		if (!cursor_fixed(c, 4, ret))
			return false;
		*ret = (uint64_t)(int64_t)(int32_t)*ret;
		return true;
	default:
		return false;
	}
}

static bool read_function(const struct frame *frame, uint8_t encoding, const Dwarf_FDE *fde,
			  struct function_row *row)
{
	struct cursor c = { fde->start, fde->end };

	if (!read_value(&c, encoding, &row->start) || !read_value(&c, encoding & 0x07, &row->size))
		return false;
	if ((encoding & 0xf0) == DW_EH_PE_pcrel)
		row->start += frame->addr + (uint64_t)(fde->start - frame->data);
	else if ((encoding & 0xf0) != DW_EH_PE_absptr)
		return false;
	return row->size < REMOTE_ADDR_MAX && row->start < REMOTE_ADDR_MAX;
}

static bool find_cie(struct loading *l, const unsigned char *ident, Elf_Data *data, uint64_t offset)
{
	Dwarf_CFI_Entry entry;
	Dwarf_Off next;

	if (l->cie_known && l->cie.offset == offset)
		return true;
	l->cie.offset = offset;
	l->cie_known = dwarf_next_cfi(ident, data, true, offset, &next, &entry) == 0 &&
		       dwarf_cfi_cie_p(&entry) &&
		       cfi_address_encoding(&entry.cie, &l->cie.encoding);
	return l->cie_known;
}

static void add(struct loading *l, const struct function_row *row)
{
	struct functions *f = l->f;

	if (row->size == 0 || f->count == FUNCTIONS_MAX)
		return;
	if (f->count == l->room) {
		l->room = l->room ? l->room * 2 : 1024;
		f->rows = xreallocarray(f->rows, l->room, sizeof(*f->rows));
	}
	f->rows[f->count++] = *row;
}

/* False: something in there is broken. Then the rest is not to be believed either. */
static bool add_entries(struct loading *l, const unsigned char *ident, Elf_Data *data)
{
	Dwarf_Off offset = 0, next = 0;
	Dwarf_CFI_Entry entry;
	struct function_row row;

	for (; ; offset = next) {
		int ret = dwarf_next_cfi(ident, data, true, offset, &next, &entry);

		if (ret > 0)
			return true;
		if (ret < 0 || next <= offset)
			return false;
		if (dwarf_cfi_cie_p(&entry))
			continue;
		/* Linkers put the CIE first. */
		if (entry.fde.CIE_pointer >= offset ||
		    !find_cie(l, ident, data, entry.fde.CIE_pointer) ||
		    !read_function(l->frame, l->cie.encoding, &entry.fde, &row))
			return false;
		add(l, &row);
	}
}

/* --- order -------------------------------------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
	const struct function_row *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->size < y->size ? -1 : x->size > y->size;
}

static int load(struct functions *f, const struct elf_file *e)
{
	const unsigned char *ident = (const unsigned char *)elf_getident(e->elf, NULL);
	struct frame frame = { 0 };
	struct loading l = { .f = f, .frame = &frame };
	Elf_Data data = { .d_type = ELF_T_BYTE, .d_version = EV_CURRENT };
	int ret = read_frame(e, &frame);
	bool good;

	if (ret < 0)
		return ret;
	data.d_buf = frame.data;
	data.d_size = frame.size;
	good = add_entries(&l, ident, &data);
	free(frame.data);
	if (!good || f->count == 0) {
		functions_release(f);
		return -ENOENT;
	}
	f->rows = xreallocarray(f->rows, f->count, sizeof(*f->rows));
	f->bytes = f->count * sizeof(*f->rows);
	qsort(f->rows, f->count, sizeof(*f->rows), by_start);
	return 0;
}

int functions_load(struct functions *f, int fd)
{
	struct elf_file e;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), ret;

	*f = (struct functions){ .rows = NULL };
	if (copy < 0 || elf_file_open(&e, copy) < 0)
		return -ENOEXEC;
	ret = load(f, &e);
	elf_file_close(&e);
	return ret;
}

void functions_release(struct functions *f)
{
	free(f->rows);
	*f = (struct functions){ .rows = NULL };
}

/* The index of the first function that begins behind addr. */
static size_t behind(const struct functions *f, uint64_t addr)
{
	return FIRST_ABOVE(f->count, i, f->rows[i].start, addr);
}

bool functions_start(const struct functions *f, uint64_t addr, uint64_t *ret)
{
	size_t next = behind(f, addr);

	if (next == 0 || addr - f->rows[next - 1].start >= f->rows[next - 1].size)
		return false;
	*ret = f->rows[next - 1].start;
	return true;
}

bool functions_gap(const struct functions *f, uint64_t addr, uint64_t *ret_start, uint64_t *ret_end)
{
	size_t next = behind(f, addr);

	if (next == 0 || next == f->count ||
	    addr - f->rows[next - 1].start < f->rows[next - 1].size)
		return false;
	*ret_start = f->rows[next - 1].start + f->rows[next - 1].size;
	*ret_end = f->rows[next].start;
	return true;
}
