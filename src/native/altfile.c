/* SPDX-License-Identifier: MIT
 * Finding what dwz made. It has sections only, no segments. */
#include "altfile.h"

#include <elf.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "debugfile.h"
#include "debuginfod.h"

/* libelf allocates for as many sections as are stated: see elf_file.c. */
static bool is_sane(const struct mapping *m)
{
	Elf64_Ehdr eh;

	if (m->size < sizeof(eh))
		return false;
	memcpy(&eh, m->at, sizeof(eh));
	return !memcmp(eh.e_ident, ELFMAG, SELFMAG) && eh.e_ident[EI_CLASS] == ELFCLASS64 &&
	       eh.e_ident[EI_DATA] == ELFDATA2LSB && eh.e_shnum != 0;
}

static bool is_wanted(Elf *elf, const struct altfile_wanted *w)
{
	const void *id;

	return elf && dwelf_elf_gnu_build_id(elf, &id) == (ssize_t)w->len &&
	       !memcmp(id, w->build_id, w->len);
}

/* Closes fd. */
static int try_fd(int fd, const struct altfile_wanted *w, struct mapping *map, Elf **ret)
{
	if (fd < 0)
		return -ENOENT;
	if (mapping_open(map, fd) < 0) {
		close(fd);
		return -ENOENT;
	}
	close(fd);
	*ret = is_sane(map) ? elf_memory((char *)map->at, map->size) : NULL;
	if (is_wanted(*ret, w))
		return 0;
	elf_end(*ret);
	*ret = NULL;
	mapping_close(map);
	return -ENOENT;
}

static int try_path(const char *root, const char *folder, const char *name,
		    const struct altfile_wanted *w, struct mapping *map, Elf **ret)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s%s%s", root, folder, name);

	if (n >= (int)sizeof(path))
		return -ENOENT;
	return try_fd(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), w, map, ret);
}

int altfile_open(const struct altfile_wanted *w, const struct symbols_from *from,
		 struct mapping *ret_map, Elf **ret_elf)
{
	const char *roots[] = { from->root, "" };
	const char *dwz = strstr(w->name, "/.dwz/");
	char hex[DEBUGFILE_ID_PATH_MAX];

	if (w->len < 2 || w->len > ELF_BUILD_ID_MAX)
		return -ENOENT;
	debugfile_id_path(w->build_id, w->len, hex);
	for (size_t i = from->root[0] ? 0 : 1; i < ARRAY_SIZE(roots); i++)
		if (try_path(roots[i], "", hex, w, ret_map, ret_elf) == 0 ||
		    (w->name[0] == '/' &&
		     try_path(roots[i], "", w->name, w, ret_map, ret_elf) == 0) ||
		    (dwz && try_path(roots[i], DEBUGFILE_DIR, dwz, w, ret_map, ret_elf) == 0))
			return 0;
	return from->debuginfod ?
		try_fd(debuginfod_fetch(w->build_id, w->len), w, ret_map, ret_elf) : -ENOENT;
}
