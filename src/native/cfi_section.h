/* SPDX-License-Identifier: MIT
 * Private to native/: the call frame information of one section by itself, given to libdw as a file
 * that has no other.
 *
 * .debug_frame: because libdw reads all of a file's debug sections to get at one of them, gigabytes
 * perhaps. .eh_frame: because libdw believes an .eh_frame_hdr, which may be broken or of a kind that
 * it (or cfi_check()) does not know; without one it reads through the entries. */
#ifndef SRC_NATIVE_CFI_SECTION_H
#define SRC_NATIVE_CFI_SECTION_H

#include <elfutils/libdw.h>
#include <libelf.h>

enum { CFI_SECTION_COPY_MAX = 64 << 20 }; /* bytes, unpacked; libpython's .debug_frame has 1 MB */

struct cfi_section {
	void *image;     /* owned: a small ELF file */
	Elf *elf;
	Dwarf *dwarf;    /* NULL for .eh_frame */
	Dwarf_CFI *cfi;  /* NULL: there is none, or none that is sound */
};

/* What they need of `elf` is copied. */
void cfi_section_debug_frame(struct cfi_section *s, Elf *elf);
void cfi_section_eh_frame(struct cfi_section *s, Elf *elf);
void cfi_section_close(struct cfi_section *s); /* all zeros is fine */

#endif
