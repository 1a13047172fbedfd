/* SPDX-License-Identifier: MIT
 * Copying .debug_frame into an ELF file of its own, in memory. */
#include "debug_frame.h"

#include <gelf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cfi_check.h"
#include "util/xalloc.h"

enum { SECTION_FRAME = 1, SECTION_NAMES, SECTIONS };

static const char names[] = "\0.debug_frame\0.shstrtab";

static Elf_Scn *find(Elf *elf, GElf_Shdr *sh)
{
	Elf_Scn *scn = NULL;
	size_t strings;

	if (elf_getshdrstrndx(elf, &strings) != 0)
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *text = gelf_getshdr(scn, sh) ?
			elf_strptr(elf, strings, sh->sh_name) : NULL;

		if (text && !strcmp(text, ".debug_frame"))
			return scn;
	}
	return NULL;
}

/* Its bytes, unpacked; they belong to `elf`. */
static Elf_Data *section_data(Elf *elf)
{
	GElf_Chdr packed;
	GElf_Shdr sh;
	Elf_Scn *scn = find(elf, &sh);

	if (!scn || sh.sh_type == SHT_NOBITS || sh.sh_size > DEBUG_FRAME_MAX)
		return NULL;
	if (sh.sh_flags & SHF_COMPRESSED &&
	    (!gelf_getchdr(scn, &packed) || packed.ch_size > DEBUG_FRAME_MAX ||
	     elf_compress(scn, 0, 0) < 0))
		return NULL;
	return elf_rawdata(scn, NULL);
}

static void fill_sections(Elf64_Shdr *sh, size_t frame_size)
{
	sh[SECTION_FRAME] = (Elf64_Shdr){ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_addralign = 1,
					  .sh_offset = sizeof(Elf64_Ehdr), .sh_size = frame_size };
	sh[SECTION_NAMES] = (Elf64_Shdr){ .sh_name = 1 + sizeof(".debug_frame"),
					  .sh_type = SHT_STRTAB, .sh_addralign = 1,
					  .sh_offset = sizeof(Elf64_Ehdr) + frame_size,
					  .sh_size = sizeof(names) };
}

/* Header, section, names, table of sections. */
static void *make_file(const GElf_Ehdr *like, const Elf_Data *frame, size_t *ret_size)
{
	size_t table = (sizeof(*like) + frame->d_size + sizeof(names) + 7) / 8 * 8;
	Elf64_Ehdr eh = *like;
	uint8_t *image = xcalloc(1, table + SECTIONS * sizeof(Elf64_Shdr));

	eh.e_phoff = eh.e_phnum = eh.e_phentsize = 0;
	eh.e_shoff = table;
	eh.e_shnum = SECTIONS;
	eh.e_shentsize = sizeof(Elf64_Shdr);
	eh.e_shstrndx = SECTION_NAMES;
	memcpy(image, &eh, sizeof(eh));
	memcpy(image + sizeof(eh), frame->d_buf, frame->d_size);
	memcpy(image + sizeof(eh) + frame->d_size, names, sizeof(names));
	fill_sections((Elf64_Shdr *)(void *)(image + table), frame->d_size);
	*ret_size = table + SECTIONS * sizeof(Elf64_Shdr);
	return image;
}

void debug_frame_open(struct debug_frame *d, Elf *elf)
{
	Elf_Data *frame;
	GElf_Ehdr eh;
	size_t size;

	*d = (struct debug_frame){ .image = NULL };
	/* Not a relocatable file's: its addresses are none yet. */
	if (!gelf_getehdr(elf, &eh) || gelf_getclass(elf) != ELFCLASS64 || eh.e_type == ET_REL)
		return;
	frame = section_data(elf);
	if (!frame || !frame->d_buf || frame->d_size > DEBUG_FRAME_MAX)
		return;
	d->image = make_file(&eh, frame, &size);
	d->elf = elf_memory(d->image, size);
	if (d->elf && cfi_check_debug_frame(d->elf))
		d->dwarf = dwarf_begin_elf(d->elf, DWARF_C_READ, NULL);
	if (d->dwarf)
		d->cfi = dwarf_getcfi(d->dwarf);
	if (!d->cfi)
		debug_frame_close(d);
}

void debug_frame_close(struct debug_frame *d)
{
	if (d->dwarf)
		dwarf_end(d->dwarf);
	if (d->elf)
		elf_end(d->elf);
	free(d->image);
	*d = (struct debug_frame){ .image = NULL };
}
