/* SPDX-License-Identifier: MIT
 * Opening the file behind a mapping. */
#include "elf/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(const char *path)
{
	/* Not blocking: it may be a pipe by now. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

/* The device is not compared: btrfs and overlayfs state another one in maps than in stat(2). */
static int check_inode(int fd, const struct map *m)
{
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_ino == m->inode)
		return fd;
	close(fd);
	return -ESTALE;
}

int mapped_file_open(pid_t pid, const struct map *m)
{
	char path[PATH_MAX];
	int fd, n;

	snprintf(path, sizeof(path), "%s/%d/map_files/%" PRIx64 "-%" PRIx64, procfs_root, (int)pid,
		 m->start, m->end);
	fd = open_file(path);
	if (fd >= 0)
		return fd;
	if (!m->deleted && m->path[0] == '/') {
		n = snprintf(path, sizeof(path), "%s/%d/root%s", procfs_root, (int)pid, m->path);
		fd = n < (int)sizeof(path) ? check_inode(open_file(path), m) : -ENAMETOOLONG;
		if (fd >= 0)
			return fd;
		/* After a plain chroot(2) maps states paths as we see them. */
		fd = check_inode(open_file(m->path), m);
		if (fd >= 0)
			return fd;
	}
	snprintf(path, sizeof(path), "%s/%d/exe", procfs_root, (int)pid);
	return check_inode(open_file(path), m);
}
