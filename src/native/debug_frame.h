/* SPDX-License-Identifier: MIT
 * Private to native/: the .debug_frame of a file by itself. libdw reads all of a file's debug sections
 * to get at one of them, gigabytes perhaps; here it is given a file that has no other. */
#ifndef SRC_NATIVE_DEBUG_FRAME_H
#define SRC_NATIVE_DEBUG_FRAME_H

#include <elfutils/libdw.h>
#include <libelf.h>

enum { DEBUG_FRAME_MAX = 64 << 20 }; /* bytes of the section, unpacked; libpython's has 1 MB */

struct debug_frame {
	void *image;     /* owned: a small ELF file */
	Elf *elf;
	Dwarf *dwarf;
	Dwarf_CFI *cfi;  /* NULL: there is none, or none that is sound */
};

void debug_frame_open(struct debug_frame *d, Elf *elf);
void debug_frame_close(struct debug_frame *d);

#endif
