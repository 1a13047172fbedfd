/* SPDX-License-Identifier: MIT
 * Guessing by names which process runs Python. */
#include "py/guess.h"

#include <limits.h>
#include <string.h>

#include "mem/procfs.h"

/* "/usr/bin/python3.11 app.py": of a process of another user only the command line can be read. */
static bool command_is_python(pid_t pid)
{
	char line[PATH_MAX];
	const char *name;

	if (procfs_cmdline(pid, line, sizeof(line)) < 0)
		return false;
	line[strcspn(line, " ")] = '\0';
	name = strrchr(line, '/');
	return strstr(name ? name + 1 : line, "python") != NULL;
}

bool guess_python(pid_t pid)
{
	char exe[PATH_MAX];
	struct maps m;
	bool found = false;

	if (procfs_readlink(pid, "exe", exe, sizeof(exe)) == 0 && strstr(exe, "python"))
		return true;
	if (maps_read(&m, pid, NULL) < 0)
		return command_is_python(pid);
	for (size_t i = 0; i < m.count && !found; i++)
		found = strstr(m.list[i].path, "/libpython") != NULL;
	maps_release(&m);
	return found;
}
