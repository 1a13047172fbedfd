/* SPDX-License-Identifier: MIT
 * Descendants of a process that look like Python. */
#include "descendants.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mem/processes.h"
#include "mem/procfs.h"
#include "util/xalloc.h"

static bool looks_like_python(pid_t pid)
{
	char exe[PATH_MAX];
	struct maps m;
	bool found = false;

	if (procfs_readlink(pid, "exe", exe, sizeof(exe)) == 0 && strstr(exe, "python"))
		return true;
	if (maps_read(&m, pid, NULL) < 0)
		return false;
	for (size_t i = 0; i < m.count && !found; i++)
		found = strstr(m.list[i].path, "/libpython") != NULL;
	maps_release(&m);
	return found;
}

size_t descendants_python(pid_t pid, pid_t *out, size_t max)
{
	struct process_id *list = xcalloc(PROCESSES_MAX, sizeof(*list));
	size_t n = processes_below(pid, list, PROCESSES_MAX), found = 0;

	for (size_t i = 0; i < n && found < max; i++)
		if (list[i].pid != pid && looks_like_python(list[i].pid))
			out[found++] = list[i].pid;
	free(list);
	return found;
}
