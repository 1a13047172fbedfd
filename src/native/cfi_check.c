/* SPDX-License-Identifier: MIT
 * A pass over CFI before libdw runs it: each entry's program is read (not run), and where entries
 * begin is noted, because the others and the table may refer to those places only. */
#include "cfi_check.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "elf/elf_find.h"
#include "util/xalloc.h"

/* Which places of a section entries begin at: a bit for each 4 bytes. */
struct starts {
	uint8_t *cie, *fde;
	uint64_t size; /* of the section */
};

struct section {
	Elf_Data *data;
	uint64_t addr;
};

/* --- programs ------------------------------------------------------------------------------- */

/* Operands by opcode (DWARF 5, table 7.29, and binutils' GNU ones). r: the number of a register to
 * be kept; u: a LEB128; b: a block; a digit: so many bytes. NULL: not to be met. */
static const char *const operands[64] = {
	[DW_CFA_nop] = "",
	[DW_CFA_advance_loc1] = "1",
	[DW_CFA_advance_loc2] = "2",
	[DW_CFA_advance_loc4] = "4",
	[DW_CFA_offset_extended] = "ru",
	[DW_CFA_restore_extended] = "r",
	[DW_CFA_undefined] = "r",
	[DW_CFA_same_value] = "r",
	[DW_CFA_register] = "ru",
	[DW_CFA_remember_state] = "",
	[DW_CFA_restore_state] = "",
	[DW_CFA_def_cfa] = "uu",
	[DW_CFA_def_cfa_register] = "u",
	[DW_CFA_def_cfa_offset] = "u",
	[DW_CFA_def_cfa_expression] = "b",
	[DW_CFA_expression] = "rb",
	[DW_CFA_offset_extended_sf] = "ru",
	[DW_CFA_def_cfa_sf] = "uu",
	[DW_CFA_def_cfa_offset_sf] = "u",
	[DW_CFA_val_offset] = "ru",
	[DW_CFA_val_offset_sf] = "ru",
	[DW_CFA_val_expression] = "rb",
	[DW_CFA_GNU_args_size] = "u",
	[DW_CFA_GNU_negative_offset_extended] = "ru",
};

static bool check_operand(struct cursor *b, char kind)
{
	uint64_t n = 0;

	if (kind >= '1' && kind <= '9')
		return cursor_skip(b, (uint64_t)(kind - '0'));
	if (!cursor_leb128(b, &n))
		return false;
	return kind == 'b' ? cursor_skip(b, n) : kind != 'r' || n <= CFI_REGISTER_MAX;
}

static const char *operands_of(uint8_t opcode)
{
	switch (opcode & 0xc0) { /* the primary ones carry a number in their low bits */
	case DW_CFA_advance_loc: return "";
	case DW_CFA_restore: return "";
	case DW_CFA_offset: return "u";
	default: return operands[opcode];
	}
}

static bool check_program(struct cursor b)
{
	int remembered = 0;

	if (b.end - b.at > CFI_PROGRAM_MAX)
		return false;
	while (b.at < b.end) {
		uint8_t opcode = *b.at++;
		const char *kinds = operands_of(opcode);

		if (!kinds)
			return false;
		for (; *kinds; kinds++)
			if (!check_operand(&b, *kinds))
				return false;
		remembered += (opcode == DW_CFA_remember_state) - (opcode == DW_CFA_restore_state);
		if (remembered > CFI_REMEMBER_MAX)
			return false;
	}
	return true;
}

/* --- entries -------------------------------------------------------------------------------- */

bool cfi_address_encoding(const Dwarf_CIE *cie, uint8_t *ret)
{
	struct cursor b = { cie->augmentation_data,
			    cie->augmentation_data + cie->augmentation_data_size };
	const char *a = cie->augmentation;

	*ret = DW_EH_PE_absptr;
	if (*a == '\0')
		return true;
	if (*a++ != 'z' || !cie->augmentation_data)
		return false;
	for (; *a; a++) {
		uint8_t byte = b.at < b.end ? *b.at : DW_EH_PE_omit;

		if (*a == 'R') {
			*ret = byte;
			return true;
		}
		if (*a == 'L' ? !cursor_skip(&b, 1) : *a != 'S' && *a != 'P')
			return false;
		if (*a == 'P') /* of a form with 4 bytes, or 8 */
			cursor_skip(&b, 1 + ((byte & 0x0f) == DW_EH_PE_udata4 ||
					     (byte & 0x0f) == DW_EH_PE_sdata4 ? 4 : 8));
	}
	return true;
}

static uint64_t address_size(uint8_t encoding)
{
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8: return 8;
	case DW_EH_PE_udata4:
	case DW_EH_PE_sdata4: return 4;
	case DW_EH_PE_udata2:
	case DW_EH_PE_sdata2: return 2;
	default: return UINT64_MAX / 2; /* refused by cursor_skip() */
	}
}

static bool check_fde(const Dwarf_FDE *fde, const Dwarf_CIE *cie)
{
	struct cursor b = { fde->start, fde->end };
	uint8_t encoding;
	uint64_t n = 0;

	if (!cfi_address_encoding(cie, &encoding) || !cursor_skip(&b, 2 * address_size(encoding)))
		return false;
	if (cie->augmentation[0] == 'z' && (!cursor_leb128(&b, &n) || !cursor_skip(&b, n)))
		return false;
	return check_program(b);
}

static bool is_start(const uint8_t *bits, const struct starts *s, uint64_t offset)
{
	return offset < s->size && offset % 4 == 0 && (bits[offset / 32] >> (offset / 4 % 8) & 1);
}

static bool note_start(uint8_t *bits, uint64_t offset)
{
	bits[offset / 32] |= (uint8_t)(1u << (offset / 4 % 8));
	return offset % 4 == 0;
}

static bool check_entry(const unsigned char *ident, Elf_Data *data, bool eh, uint64_t offset,
			const Dwarf_CFI_Entry *entry, struct starts *s)
{
	Dwarf_CFI_Entry cie;
	Dwarf_Off next;

	if (dwarf_cfi_cie_p(entry))
		return note_start(s->cie, offset) &&
		       check_program((struct cursor){ entry->cie.initial_instructions,
						      entry->cie.initial_instructions_end });
	/* Assemblers and linkers put the CIE first. */
	return note_start(s->fde, offset) && is_start(s->cie, s, entry->fde.CIE_pointer) &&
	       dwarf_next_cfi(ident, data, eh, entry->fde.CIE_pointer, &next, &cie) == 0 &&
	       dwarf_cfi_cie_p(&cie) && check_fde(&entry->fde, &cie.cie);
}

static bool check_entries(Elf *elf, Elf_Data *data, bool eh, struct starts *s)
{
	const unsigned char *ident = (const unsigned char *)elf_getident(elf, NULL);
	Dwarf_Off offset = 0, next = 0;
	Dwarf_CFI_Entry entry;

	for (; ; offset = next) {
		int ret = dwarf_next_cfi(ident, data, eh, offset, &next, &entry);

		if (ret > 0)
			return true;
		if (ret < 0 || next <= offset || !check_entry(ident, data, eh, offset, &entry, s))
			return false;
	}
}

/* --- the table of .eh_frame_hdr (LSB 5.0, 10.6.2) -------------------------------------------- */

enum {
	TABLE_POINTER = DW_EH_PE_pcrel | DW_EH_PE_sdata4,
	TABLE_ENTRY = DW_EH_PE_datarel | DW_EH_PE_sdata4,
};

/* Of a DW_EH_PE_sdata4. */
static uint64_t displacement(uint64_t read)
{
	return (uint64_t)(int64_t)(int32_t)read;
}

/* The address of .eh_frame, the first thing in there. */
static bool table_frame_addr(const struct section *hdr, struct cursor *b, uint64_t *ret)
{
	uint64_t pointer;

	if (b->end - b->at < 8 || b->at[0] != 1 || b->at[1] != TABLE_POINTER)
		return false;
	b->at += 4;
	if (!cursor_fixed(b, 4, &pointer))
		return false;
	*ret = hdr->addr + 4 + displacement(pointer);
	return true;
}

static bool check_table(const struct section *hdr, uint64_t frame_addr, const struct starts *s)
{
	const uint8_t *data = hdr->data->d_buf;
	struct cursor b = { data, data + hdr->data->d_size };
	uint64_t pointed, count;

	if (!table_frame_addr(hdr, &b, &pointed))
		return false;
	if (data[2] == DW_EH_PE_omit || data[3] == DW_EH_PE_omit)
		return true; /* no table */
	if (data[2] != DW_EH_PE_udata4 || data[3] != TABLE_ENTRY || !cursor_fixed(&b, 4, &count))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t start, fde;

		if (!cursor_fixed(&b, 4, &start) || !cursor_fixed(&b, 4, &fde))
			return false;
		if (!is_start(s->fde, s, hdr->addr + displacement(fde) - frame_addr))
			return false;
	}
	return true;
}

static bool check(Elf *elf, const struct section *frame, const struct section *hdr)
{
	struct starts s = { .size = frame->data->d_size };
	bool good;

	s.cie = xcalloc(2, s.size / 32 + 1);
	s.fde = s.cie + s.size / 32 + 1;
	good = check_entries(elf, frame->data, hdr != NULL, &s) &&
	       (!hdr || !hdr->data || check_table(hdr, frame->addr, &s));
	free(s.cie);
	return good;
}

/* --- where it is: as libdw looks for it (dwarf_getcfi_elf.c) ---------------------------------- */

static bool read_section(Elf *elf, const char *name, struct section *s)
{
	GElf_Shdr sh;
	Elf_Scn *scn = elf_find_section(elf, name, &sh);

	if (!scn || sh.sh_type == SHT_NOBITS || sh.sh_flags & SHF_COMPRESSED ||
	    sh.sh_size > CFI_SECTION_MAX)
		return false;
	*s = (struct section){ elf_rawdata(scn, NULL), sh.sh_addr };
	return s->data && s->data->d_buf;
}

/* Without section headers: the frames lie from where the table says to the end of the file. */
static bool check_by_header(Elf *elf, uint64_t file_size)
{
	struct section frame, hdr;
	struct cursor b;
	uint64_t offset;
	GElf_Phdr ph;

	if (file_size > CFI_SECTION_MAX || !elf_find_program_header(elf, PT_GNU_EH_FRAME, &ph))
		return false;
	hdr.data = elf_getdata_rawchunk(elf, (int64_t)ph.p_offset, ph.p_filesz, ELF_T_BYTE);
	hdr.addr = ph.p_vaddr;
	if (!hdr.data)
		return false;
	b = (struct cursor){ hdr.data->d_buf, (uint8_t *)hdr.data->d_buf + hdr.data->d_size };
	if (!table_frame_addr(&hdr, &b, &frame.addr))
		return false;
	offset = frame.addr - ph.p_vaddr + ph.p_offset;
	if (offset >= file_size)
		return false;
	frame.data = elf_getdata_rawchunk(elf, (int64_t)offset, file_size - offset, ELF_T_BYTE);
	return frame.data && check(elf, &frame, &hdr);
}

bool cfi_check_eh_frame(Elf *elf, uint64_t file_size)
{
	struct section frame, hdr = { NULL, 0 };
	GElf_Shdr sh;

	if (!elf_find_section(elf, ".eh_frame", &sh))
		return check_by_header(elf, file_size);
	if (elf_find_section(elf, ".eh_frame_hdr", &sh) &&
	    !read_section(elf, ".eh_frame_hdr", &hdr))
		return false;
	return read_section(elf, ".eh_frame", &frame) && check(elf, &frame, &hdr);
}

/* All that dwarf_begin_elf() reads. */
static bool debug_is_small(Elf *elf)
{
	uint64_t total = 0;
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return false;
	while ((scn = elf_nextscn(elf, scn)) && total <= CFI_SECTION_MAX) {
		GElf_Shdr sh;
		const char *text = gelf_getshdr(scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;

		if (!text || (strncmp(text, ".debug", 6) != 0 && strncmp(text, ".zdebug", 7) != 0))
			continue;
		if (sh.sh_flags & SHF_COMPRESSED || text[1] == 'z' || sh.sh_size > CFI_SECTION_MAX)
			return false;
		total += sh.sh_size;
	}
	return total <= CFI_SECTION_MAX;
}

bool cfi_check_debug_frame(Elf *elf)
{
	struct section frame;

	return debug_is_small(elf) && read_section(elf, ".debug_frame", &frame) &&
	       check(elf, &frame, NULL);
}
