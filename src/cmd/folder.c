/* SPDX-License-Identifier: MIT
 * Trying a folder. */
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Cuts `path` back to what exists. */
static int nearest(char path[PATH_MAX])
{
	struct stat st;

	while (stat(path, &st)) {
		char *slash = strrchr(path, '/');

		if (errno != ENOENT)
			return -errno;
		if (!slash)
			snprintf(path, PATH_MAX, ".");
		else
			slash[slash == path] = '\0';
	}
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

/* A file without a name where the file system knows such, else one that is removed at once. */
static int open_nameless(const char *dir)
{
	char name[PATH_MAX];
	int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd < 0 ? -errno : fd;
	if (snprintf(name, sizeof(name), "%s/.pystoker-XXXXXX", dir) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(name);
	return fd;
}

static int try_write(const char *dir)
{
	char page[4096] = { 0 };
	int fd = open_nameless(dir), r = 0;

	if (fd < 0)
		return fd;
	if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page))
		r = errno ? -errno : -ENOSPC;
	close(fd);
	return r;
}

int folder_try(struct folder *ret, const char *dir)
{
	struct statvfs fs;
	int r;

	ret->free_bytes = UINT64_MAX;
	if (snprintf(ret->path, sizeof(ret->path), "%s", dir) >= (int)sizeof(ret->path))
		return -ENAMETOOLONG;
	r = nearest(ret->path);
	if (r)
		return r;
	if (!statvfs(ret->path, &fs))
		ret->free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	errno = 0;
	return try_write(ret->path);
}
