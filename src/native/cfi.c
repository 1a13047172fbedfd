/* SPDX-License-Identifier: MIT
 * .eh_frame first, .debug_frame for what it does not cover. */
#include "cfi.h"

#include <errno.h>
#include <gelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfi_check.h"
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
	return 0;
}

void cfi_close(struct cfi *c)
{
	if (c->eh)
		dwarf_cfi_end(c->eh);
	if (c->dwarf)
		dwarf_end(c->dwarf);
	if (c->elf)
		elf_end(c->elf);
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct cfi){ .fd = -1 };
}

/* Once per file, and only when there is a .debug_frame: opening makes libdw read all of the file's
 * debug sections. */
static void open_debug(struct cfi *c)
{
	c->debug_tried = true;
	if (!cfi_check_debug_frame(c->elf))
		return;
	c->dwarf = dwarf_begin_elf(c->elf, DWARF_C_READ, NULL);
	if (c->dwarf)
		c->debug = dwarf_getcfi(c->dwarf);
}

Dwarf_Frame *cfi_frame(struct cfi *c, uint64_t addr)
{
	Dwarf_Frame *frame = NULL;

	if (c->eh && dwarf_cfi_addrframe(c->eh, addr, &frame) == 0)
		return frame;
	if (!c->debug_tried)
		open_debug(c);
	if (c->debug && dwarf_cfi_addrframe(c->debug, addr, &frame) == 0)
		return frame;
	return NULL;
}
