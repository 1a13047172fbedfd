/* SPDX-License-Identifier: MIT
 * Copying a section into an ELF file of its own, in memory. */
#include "cfi_section.h"

#include <gelf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cfi_check.h"
#include "elf/elf_find.h"
#include "util/xalloc.h"

enum { SECTION_FRAME = 1, SECTION_NAMES, SECTIONS };

/* Behind each other: a NUL, the section's, the table's own. */
struct names {
	char text[32];
	size_t size, own;
};

static struct names make_names(const char *section)
{
	struct names n = { .size = 0 };

	n.own = 1 + strlen(section) + 1;
	memcpy(n.text + 1, section, n.own - 1);
	memcpy(n.text + n.own, ".shstrtab", sizeof(".shstrtab"));
	n.size = n.own + sizeof(".shstrtab");
	return n;
}

/* Its bytes, unpacked; they belong to `elf`. */
static Elf_Data *section_data(Elf *elf, const char *name, uint64_t *ret_addr)
{
	GElf_Chdr packed;
	GElf_Shdr sh;
	Elf_Scn *scn = elf_find_section(elf, name, &sh);

	if (!scn || sh.sh_type == SHT_NOBITS || sh.sh_size > CFI_SECTION_COPY_MAX)
		return NULL;
	if (sh.sh_flags & SHF_COMPRESSED &&
	    (!gelf_getchdr(scn, &packed) || packed.ch_size > CFI_SECTION_COPY_MAX ||
	     elf_compress(scn, 0, 0) < 0))
		return NULL;
	*ret_addr = sh.sh_addr;
	return elf_rawdata(scn, NULL);
}

static void fill_sections(Elf64_Shdr *sh, const struct names *names, uint64_t addr, size_t size)
{
	sh[SECTION_FRAME] = (Elf64_Shdr){ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_addr = addr,
					  .sh_addralign = 1, .sh_offset = sizeof(Elf64_Ehdr),
					  .sh_size = size };
	sh[SECTION_NAMES] = (Elf64_Shdr){ .sh_name = (Elf64_Word)names->own,
					  .sh_type = SHT_STRTAB, .sh_addralign = 1,
					  .sh_offset = sizeof(Elf64_Ehdr) + size,
					  .sh_size = names->size };
}

/* Header, section, names, table of sections. */
static Elf *make_file(struct cfi_section *s, Elf *elf, const char *name)
{
	const struct names names = make_names(name);
	Elf_Data *data;
	uint64_t addr;
	GElf_Ehdr eh;
	size_t table;

	/* Not a relocatable file's: its addresses are none yet. */
	if (!gelf_getehdr(elf, &eh) || gelf_getclass(elf) != ELFCLASS64 || eh.e_type == ET_REL)
		return NULL;
	data = section_data(elf, name, &addr);
	if (!data || !data->d_buf || data->d_size > CFI_SECTION_COPY_MAX)
		return NULL;
	table = (sizeof(eh) + data->d_size + names.size + 7) / 8 * 8;
	s->image = xcalloc(1, table + SECTIONS * sizeof(Elf64_Shdr));
	eh.e_phoff = eh.e_phnum = eh.e_phentsize = 0;
	eh.e_shoff = table;
	eh.e_shnum = SECTIONS;
	eh.e_shentsize = sizeof(Elf64_Shdr);
	eh.e_shstrndx = SECTION_NAMES;
	memcpy(s->image, &eh, sizeof(eh));
	memcpy((char *)s->image + sizeof(eh), data->d_buf, data->d_size);
	memcpy((char *)s->image + sizeof(eh) + data->d_size, names.text, names.size);
	fill_sections((void *)((char *)s->image + table), &names, addr, data->d_size);
	return elf_memory(s->image, table + SECTIONS * sizeof(Elf64_Shdr));
}

void cfi_section_debug_frame(struct cfi_section *s, Elf *elf)
{
	*s = (struct cfi_section){ .image = NULL };
	s->elf = make_file(s, elf, ".debug_frame");
	if (s->elf && cfi_check_debug_frame(s->elf))
		s->dwarf = dwarf_begin_elf(s->elf, DWARF_C_READ, NULL);
	if (s->dwarf)
		s->cfi = dwarf_getcfi(s->dwarf);
	if (!s->cfi)
		cfi_section_close(s);
}

void cfi_section_eh_frame(struct cfi_section *s, Elf *elf)
{
	*s = (struct cfi_section){ .image = NULL };
	s->elf = make_file(s, elf, ".eh_frame");
	if (s->elf && cfi_check_eh_frame(s->elf, 0))
		s->cfi = dwarf_getcfi_elf(s->elf);
	if (!s->cfi)
		cfi_section_close(s);
}

void cfi_section_close(struct cfi_section *s)
{
	if (s->dwarf)
		dwarf_end(s->dwarf); /* .debug_frame's belongs to it */
	else if (s->cfi)
		dwarf_cfi_end(s->cfi);
	if (s->elf)
		elf_end(s->elf);
	free(s->image);
	*s = (struct cfi_section){ .image = NULL };
}
