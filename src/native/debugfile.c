/* SPDX-License-Identifier: MIT
 * Finding debug files the way gdb describes it ("Debugging Information in Separate Files"). */
#include "debugfile.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "debuginfod.h"

struct wanted {
	uint8_t id[ELF_BUILD_ID_MAX];
	size_t id_len;
	char link[NAME_MAX + 1];   /* file name of .gnu_debuglink; "": none */
	uint32_t crc;
};

/* The contents of .gnu_debuglink: name, NUL, padding to 4 bytes, CRC32. */
static void read_link(const struct elf_file *f, struct wanted *w)
{
	size_t names, len;
	Elf_Scn *scn = NULL;

	if (elf_getshdrstrndx(f->elf, &names) != 0)
		return;
	while ((scn = elf_nextscn(f->elf, scn))) {
		char data[NAME_MAX + 1 + 8] = "";
		const char *name;
		GElf_Shdr sh;

		if (!gelf_getshdr(scn, &sh) || sh.sh_size < 8 || sh.sh_size > sizeof(data))
			continue;
		name = elf_strptr(f->elf, names, sh.sh_name);
		if (!name || strcmp(name, ".gnu_debuglink") != 0 || sh.sh_offset > INT64_MAX ||
		    pread(f->fd, data, sh.sh_size, (off_t)sh.sh_offset) != (ssize_t)sh.sh_size)
			continue;
		len = strnlen(data, sh.sh_size - 5);
		/* A name, not a way out of the folder. */
		if (data[len] != '\0' || len > NAME_MAX || memchr(data, '/', len))
			return;
		memcpy(w->link, data, len + 1);
		memcpy(&w->crc, data + sh.sh_size - 4, 4);
		return;
	}
}

static bool same_crc(int fd, uint32_t want)
{
	static const size_t piece = 1 << 16;
	unsigned char data[1 << 16];
	uLong crc = crc32(0, NULL, 0);
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, data, piece, at)) > 0 && at <= DEBUGLINK_CRC_MAX) {
		crc = crc32(crc, data, (uInt)n);
		at += n;
	}
	return n == 0 && crc == want;
}

static bool is_wanted(const struct elf_file *f, const struct wanted *w)
{
	uint8_t id[ELF_BUILD_ID_MAX];
	size_t len = elf_file_build_id(f, id);

	if (w->id_len)
		return len == w->id_len && !memcmp(id, w->id, len);
	return len == 0 && same_crc(f->fd, w->crc);
}

static int try_file(const char *path, const struct wanted *w, struct elf_file *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || elf_file_open(ret, fd) < 0)
		return -ENOENT;
	if (is_wanted(ret, w))
		return 0;
	elf_file_close(ret);
	return -ENOENT;
}

void debugfile_id_path(const uint8_t *id, size_t len, char ret[DEBUGFILE_ID_PATH_MAX])
{
	char hex[2 * ELF_BUILD_ID_MAX + 1] = "";

	for (size_t i = 0; i < len && i < ELF_BUILD_ID_MAX; i++)
		sprintf(hex + 2 * i, "%02x", id[i]);
	snprintf(ret, DEBUGFILE_ID_PATH_MAX, DEBUGFILE_DIR "/.build-id/%.2s/%s.debug", hex,
		 hex + 2);
}

static int try_build_id(const char *root, const struct wanted *w, struct elf_file *ret)
{
	char path[PATH_MAX], name[DEBUGFILE_ID_PATH_MAX];

	if (w->id_len < 2)
		return -ENOENT;
	debugfile_id_path(w->id, w->id_len, name);
	snprintf(path, sizeof(path), "%s%s", root, name);
	return try_file(path, w, ret);
}

static int try_link(const char *root, const char *path, const struct wanted *w,
		    struct elf_file *ret)
{
	static const char *const forms[] = { /* root, folder with its "/", name */
		"%s%.*s%s", "%s%.*s.debug/%s", "%s" DEBUGFILE_DIR "%.*s%s",
	};
	const char *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash + 1 - path) : 0;

	for (size_t i = 0; i < ARRAY_SIZE(forms) && w->link[0] && folder; i++) {
		char full[PATH_MAX];
		int n;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		n = snprintf(full, sizeof(full), forms[i], root, folder, path, w->link);
#pragma GCC diagnostic pop
		if (n < (int)sizeof(full) && try_file(full, w, ret) == 0)
			return 0;
	}
	return -ENOENT;
}

int debugfile_open(const struct elf_file *f, const char *path, const char *root,
		   struct elf_file *ret)
{
	const char *roots[] = { root, "" };
	struct wanted w = { 0 };

	w.id_len = elf_file_build_id(f, w.id);
	read_link(f, &w);
	for (size_t i = root[0] ? 0 : 1; i < ARRAY_SIZE(roots); i++)
		if (try_build_id(roots[i], &w, ret) == 0 ||
		    try_link(roots[i], path, &w, ret) == 0)
			return 0;
	return -ENOENT;
}

int debugfile_find(const struct elf_file *f, const struct symbols_from *from, struct elf_file *ret)
{
	struct wanted w = { 0 };
	int fd;

	if (debugfile_open(f, from->path, from->root, ret) == 0)
		return 0;
	w.id_len = from->debuginfod ? elf_file_build_id(f, w.id) : 0;
	fd = w.id_len ? debuginfod_fetch(w.id, w.id_len) : -1;
	if (fd < 0 || elf_file_open(ret, fd) < 0)
		return -ENOENT;
	if (is_wanted(ret, &w))
		return 0;
	elf_file_close(ret);
	return -ENOENT;
}
