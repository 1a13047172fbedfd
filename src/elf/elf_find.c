/* SPDX-License-Identifier: MIT
 * Sections by name, program headers by type. */
#include "elf/elf_find.h"

#include <string.h>

Elf_Scn *elf_find_section(Elf *elf, const char *name, GElf_Shdr *ret)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *text = gelf_getshdr(scn, ret) ?
			elf_strptr(elf, names, ret->sh_name) : NULL;

		if (text && !strcmp(text, name))
			return scn;
	}
	return NULL;
}

bool elf_find_program_header(Elf *elf, uint32_t type, GElf_Phdr *ret)
{
	size_t n = 0;

	if (elf_getphdrnum(elf, &n) != 0)
		return false;
	for (size_t i = 0; i < n && i < UINT16_MAX; i++)
		if (gelf_getphdr(elf, (int)i, ret) && ret->p_type == type)
			return true;
	return false;
}
