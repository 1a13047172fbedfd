/* SPDX-License-Identifier: MIT
 * Finding a part of an ELF file that libelf has open. */
#ifndef ELF_ELF_FIND_H
#define ELF_ELF_FIND_H

#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>

/* The first section of that name, and its header. NULL: none. It belongs to `elf`. */
Elf_Scn *elf_find_section(Elf *elf, const char *name, GElf_Shdr *ret);
/* The first program header of that type (PT_…); false: none. */
bool elf_find_program_header(Elf *elf, uint32_t type, GElf_Phdr *ret);

#endif
