/* SPDX-License-Identifier: MIT
 * The call frame information of one ELF file, as libdw hands it out. */
#ifndef NATIVE_CFI_H
#define NATIVE_CFI_H

#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

#include "cfi_section.h"
#include "util/attr.h"

struct cfi {
	int fd;             /* owned; -1: an image */
	Elf *elf;
	Dwarf_CFI *eh;      /* .eh_frame; NULL: none that is sound, with its .eh_frame_hdr */
	struct cfi_section alone;    /* then .eh_frame without that */
	/* Opened when .eh_frame does not know an address. */
	struct cfi_section own;      /* the file's .debug_frame */
	struct cfi_section separate; /* its debug file's, looked for if own has none */
	bool own_tried, separate_tried;
	char *path, *root;  /* for finding the debug file; owned, NULL: it is not looked for */
};

/* Takes ownership of fd (-1: `size` bytes at `image`, if not NULL). 0 or -ENOEXEC; without any CFI
 * it is 0 too. */
int cfi_open(struct cfi *c, int fd, void *image, uint64_t size) _must_check_;
void cfi_close(struct cfi *c);
/* The state of the frame at an address of the file, to be freed; NULL: unknown there. */
Dwarf_Frame *cfi_frame(struct cfi *c, uint64_t addr);

#endif
