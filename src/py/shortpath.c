/* SPDX-License-Identifier: MIT
 * The package root of a file, seen with the target's eyes. */
#include "py/shortpath.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mem/procfs.h"

enum { PACKAGE_DEPTH_MAX = 64 };

/* Whether path[0..len) is a package folder. */
static bool is_package(pid_t pid, const char *path, size_t len)
{
	char name[PATH_MAX + 64];
	const char *link = path[0] == '/' ? "root" : "cwd";
	int n = snprintf(name, sizeof(name), "%s/%d/%s/%.*s/__init__.py", procfs_root, (int)pid, link,
			 (int)len, path);

	if (n < 0 || (size_t)n >= sizeof(name))
		return false;
	if (access(name, F_OK) == 0)
		return true;
	snprintf(name, sizeof(name), "%s/%d", procfs_root, (int)pid);
	if (access(name, F_OK) == 0)
		return false;
	snprintf(name, sizeof(name), "%.*s/__init__.py", (int)len, path);
	return access(name, F_OK) == 0;
}

/* Length of the folder part of path[0..len), 0 when there is none. */
static size_t folder_len(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] != '/')
		len--;
	return len > 0 ? len - 1 : 0;
}

const char *shortpath_of(pid_t pid, const char *path)
{
	size_t folder = folder_len(path, strlen(path));

	if (path[0] == '<' || strlen(path) >= PATH_MAX)
		return path;
	for (int depth = 0; depth < PACKAGE_DEPTH_MAX && folder > 0; depth++) {
		if (!is_package(pid, path, folder))
			break;
		folder = folder_len(path, folder);
	}
	return folder > 0 || path[0] == '/' ? path + folder + 1 : path;
}
