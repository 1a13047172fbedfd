/* SPDX-License-Identifier: MIT
 * .eh_frame first, .debug_frame for what it does not cover: the file's own, or its debug file's. */
#include "cfi.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfi_check.h"
#include "debugfile.h"
#include "native/rules.h"

/* Machines whose registers rules.h knows. */
static bool machine_is_known(const GElf_Ehdr *eh)
{
	return eh->e_ident[EI_CLASS] == ELFCLASS64 && eh->e_ident[EI_DATA] == ELFDATA2LSB &&
	       eh->e_machine == EM_X86_64;
}

static Elf *open_elf(int fd, void *image, uint64_t *size)
{
	struct stat st;

	if (fd < 0)
		return image ? elf_memory(image, *size) : NULL;
	/* A pipe or device under a library's name would block or lie. */
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return NULL;
	*size = (uint64_t)st.st_size;
	/* Not mapped: cutting a mapped file off would kill us with SIGBUS. */
	return elf_begin(fd, ELF_C_READ, NULL);
}

int cfi_open(struct cfi *c, int fd, void *image, uint64_t size)
{
	GElf_Ehdr eh;

	*c = (struct cfi){ .fd = fd };
	if (elf_version(EV_CURRENT) != EV_NONE)
		c->elf = open_elf(fd, image, &size);
	if (!c->elf || elf_kind(c->elf) != ELF_K_ELF || !gelf_getehdr(c->elf, &eh) ||
	    !machine_is_known(&eh)) {
		cfi_close(c);
		return -ENOEXEC;
	}
	if (cfi_check_eh_frame(c->elf, size))
		c->eh = dwarf_getcfi_elf(c->elf);
	if (!c->eh)
		cfi_section_eh_frame(&c->alone, c->elf);
	return 0;
}

void cfi_close(struct cfi *c)
{
	if (c->eh)
		dwarf_cfi_end(c->eh);
	cfi_section_close(&c->alone);
	cfi_section_close(&c->own);
	cfi_section_close(&c->separate);
	free(c->path);
	free(c->root);
	if (c->elf)
		elf_end(c->elf);
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct cfi){ .fd = -1 };
}

/* Once per file, and only when its debug file is asked for. */
static void open_separate(struct cfi *c)
{
	struct elf_file module, debug;
	int fd = c->path && c->fd >= 0 ? fcntl(c->fd, F_DUPFD_CLOEXEC, 0) : -1;

	c->separate_tried = true;
	if (fd < 0 || elf_file_open(&module, fd) < 0)
		return;
	if (debugfile_open(&module, c->path, c->root, &debug) == 0) {
		cfi_section_debug_frame(&c->separate, debug.elf); /* copies what it needs */
		elf_file_close(&debug);
	}
	elf_file_close(&module);
}

Dwarf_Frame *cfi_frame(struct cfi *c, uint64_t addr)
{
	Dwarf_Frame *frame = NULL;

	if (c->eh && dwarf_cfi_addrframe(c->eh, addr, &frame) == 0)
		return frame;
	if (c->alone.cfi && dwarf_cfi_addrframe(c->alone.cfi, addr, &frame) == 0)
		return frame;
	if (!c->own_tried)
		cfi_section_debug_frame(&c->own, c->elf);
	c->own_tried = true;
	if (c->own.cfi)
		return dwarf_cfi_addrframe(c->own.cfi, addr, &frame) == 0 ? frame : NULL;
	if (!c->separate_tried)
		open_separate(c);
	if (c->separate.cfi && dwarf_cfi_addrframe(c->separate.cfi, addr, &frame) == 0)
		return frame;
	return NULL;
}
