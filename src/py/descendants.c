/* SPDX-License-Identifier: MIT
 * Descendants of a process by the parents stated in /proc. */
#include "descendants.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mem/procfs.h"
#include "util/xalloc.h"

enum { PROCESSES_MAX = 65536 };

struct process {
	pid_t pid, ppid;
	bool below;
};

static size_t list_processes(struct process *list)
{
	DIR *dir = opendir(procfs_root);
	struct dirent *entry;
	size_t n = 0;

	if (!dir)
		return 0;
	while (n < PROCESSES_MAX && (entry = readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		struct proc_stat st;

		if (pid > 0 && proc_stat_read(&st, pid) == 0)
			list[n++] = (struct process){ pid, st.ppid, false };
	}
	closedir(dir);
	return n;
}

static bool is_below(const struct process *list, size_t n, pid_t ppid, pid_t root)
{
	if (ppid == root)
		return true;
	for (size_t i = 0; i < n; i++)
		if (list[i].pid == ppid)
			return list[i].below;
	return false;
}

/* A parent may stand after its child (PIDs wrap around): repeated until nothing is added. */
static void mark_below(struct process *list, size_t n, pid_t root)
{
	bool added = true;

	while (added) {
		added = false;
		for (size_t i = 0; i < n; i++) {
			if (list[i].below || !is_below(list, n, list[i].ppid, root))
				continue;
			list[i].below = added = true;
		}
	}
}

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
	struct process *list = xcalloc(PROCESSES_MAX, sizeof(*list));
	size_t n = list_processes(list), found = 0;

	mark_below(list, n, pid);
	for (size_t i = 0; i < n && found < max; i++)
		if (list[i].below && looks_like_python(list[i].pid))
			out[found++] = list[i].pid;
	free(list);
	return found;
}
