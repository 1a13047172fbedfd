/* SPDX-License-Identifier: MIT
 * The call frame information of one ELF file, as libdw hands it out. */
#ifndef NATIVE_CFI_H
#define NATIVE_CFI_H

#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/attr.h"

struct cfi {
	int fd;             /* owned; -1: an image */
	Elf *elf;
	Dwarf_CFI *eh;      /* .eh_frame; NULL: none that is sound */
	Dwarf *dwarf;       /* opened when .eh_frame does not know an address; NULL: not yet or none */
	Dwarf_CFI *debug;   /* .debug_frame, belongs to dwarf */
	bool debug_tried;
};

/* Takes ownership of fd (-1: `size` bytes at `image`, if not NULL). 0 or -ENOEXEC; without any CFI
 * it is 0 too. */
int cfi_open(struct cfi *c, int fd, void *image, uint64_t size) _must_check_;
void cfi_close(struct cfi *c);
/* The state of the frame at an address of the file, to be freed; NULL: unknown there. */
Dwarf_Frame *cfi_frame(struct cfi *c, uint64_t addr);

#endif
