/* SPDX-License-Identifier: MIT
 * Whether CFI may be handed to libdw, which trusts some of its numbers (elfutils 0.188, cfi.c and
 * fde.c): a register's number is the size of an allocation (up to 2 GiB), each remembered state is
 * one more, and the table of .eh_frame_hdr may point anywhere.
 *
 * Reads all of the section once, about 2 ms per MB. One bad entry condemns the section. What no
 * linker makes is refused too: compressed sections, tables in another encoding than GNU ld's and
 * lld's, DW_CFA_set_loc. */
#ifndef NATIVE_CFI_CHECK_H
#define NATIVE_CFI_CHECK_H

#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	CFI_REGISTER_MAX = 255,    /* x86-64 numbers end at 125 */
	CFI_REMEMBER_MAX = 64,     /* remembered states within one program; compilers nest 1 or 2 */
	CFI_PROGRAM_MAX = 1 << 18, /* bytes of one program: it is run for each new address */
	CFI_SECTION_MAX = 256 << 20, /* bytes of .eh_frame, or of all .debug_*, which libdw reads */
};

/* True when it is there and sound. `file_size`: bytes of the whole file. */
bool cfi_check_eh_frame(Elf *elf, uint64_t file_size);
bool cfi_check_debug_frame(Elf *elf);

/* How a CIE's FDEs encode addresses (LSB 5.0, 10.5.1 and 10.6.1.1.1). False: no way we know. */
bool cfi_address_encoding(const Dwarf_CIE *cie, uint8_t *ret);

#endif
