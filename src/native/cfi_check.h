/* SPDX-License-Identifier: MIT
 * Whether CFI may be handed to libdw, which trusts some of its numbers (elfutils 0.188, libdw/cfi.c):
 * a register's number is the size of an allocation (up to 2 GiB), each remember_state one more. */
#ifndef NATIVE_CFI_CHECK_H
#define NATIVE_CFI_CHECK_H

#include <libelf.h>
#include <stdbool.h>

enum {
	CFI_REGISTER_MAX = 255,   /* x86-64 numbers end at 125 */
	CFI_REMEMBER_MAX = 64,    /* remembered states within one program; compilers nest 1 or 2 */
	CFI_PROGRAM_MAX = 1 << 18, /* bytes of one program, run again for each address in it */
};

/* False also when there is none. */
bool cfi_check_eh_frame(Elf *elf);
bool cfi_check_debug_frame(Elf *elf);

#endif
