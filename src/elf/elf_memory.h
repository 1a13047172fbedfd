/* SPDX-License-Identifier: MIT
 * Private to elf/: symbols of an ELF image that exists only in a target's memory. */
#ifndef SRC_ELF_ELF_MEMORY_H
#define SRC_ELF_ELF_MEMORY_H

#include "elf/elf_file.h"

size_t elf_memory_symbols(const struct elf_file *f, struct elf_symbol *want, size_t n);

#endif
