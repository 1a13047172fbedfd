/* SPDX-License-Identifier: MIT
 * The way to the spool's folder, one component at a time. In a folder that is open to all (sticky,
 * like /var/tmp) anybody may have put the next component there before us: it must be ours or root's. */
#include "spool_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/xalloc.h"

static bool is_open_to_all(int fd)
{
	struct stat st;

	return fstat(fd, &st) || ((st.st_mode & S_ISVTX) && (st.st_mode & (S_IWGRP | S_IWOTH)));
}

static bool is_trusted(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

static int open_component(int at, const char *name, int more)
{
	int fd = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC | more);

	return fd < 0 ? -errno : fd;
}

/* A link on the way is followed where nobody else can have put it there. */
static int follow_link(int at, const char *name, bool guarded)
{
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (!S_ISLNK(st.st_mode))
		return -ENOTDIR;
	if (guarded && !is_trusted(&st))
		return -EPERM;
	return open_component(at, name, 0);
}

static int step(int at, const char *name)
{
	bool guarded = is_open_to_all(at);
	int fd = open_component(at, name, O_NOFOLLOW);
	struct stat st;

	if (fd == -ENOENT) {
		if (mkdirat(at, name, 0700) && errno != EEXIST)
			return -errno;
		fd = open_component(at, name, O_NOFOLLOW);
	}
	if (fd == -ENOTDIR || fd == -ELOOP)
		fd = follow_link(at, name, guarded);
	if (fd >= 0 && guarded && (fstat(fd, &st) || !is_trusted(&st))) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

static int walk(const char *path)
{
	char *copy = xstrdup(path), *rest = copy, *name;
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		fd = -errno;
	while (fd >= 0 && (name = strsep(&rest, "/"))) {
		int next;

		if (!name[0] || !strcmp(name, "."))
			continue;
		next = step(fd, name);
		close(fd);
		fd = next;
	}
	free(copy);
	return fd;
}

/* The folder itself must be ours: in another's, whoever owns it could exchange what we write. */
static int open_own(int path_fd)
{
	int fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return fstat(path_fd, &st) == 0 && st.st_uid != geteuid() ? -EPERM : -errno;
	r = fstat(fd, &st) ? -errno : st.st_uid != geteuid() ? -EPERM : 0;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int spool_dir_open(const char *path, struct err *err)
{
	int way = walk(path), fd = way < 0 ? way : open_own(way);

	if (way >= 0)
		close(way);
	if (fd == -ENOTDIR)
		return err_set(err, fd, EXIT_USAGE, "spool folder %s: not a directory", path);
	if (fd == -EPERM) {
		err_set(err, fd, EXIT_OUTPUT, "spool folder %s: belongs to another user, or leads "
			"through another's folder; intervals are kept in memory only", path);
		err_hint(err, "name a folder of your own by --spool, or one that does not exist yet");
		return fd;
	}
	if (fd < 0)
		err_set(err, fd, EXIT_OUTPUT, "spool folder %s: %s; intervals are kept in memory until "
			"it works", path, strerror(-fd));
	return fd;
}
