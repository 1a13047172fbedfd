/* SPDX-License-Identifier: MIT
 * Processes from /proc. */
#include "mem/processes.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem/procfs.h"
#include "util/xalloc.h"

enum { CMDLINE_BYTES = 4096, LOADAVG_BYTES = 128, LIST_FIRST = 256 };

struct process {
	struct process_id id;
	pid_t ppid;
	bool below;
};

struct process_list {
	struct process *items; /* owned; by PID */
	size_t count, room;
};

static int by_pid(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return (x->id.pid > y->id.pid) - (x->id.pid < y->id.pid);
}

static void list_add(struct process_list *l, pid_t pid)
{
	struct proc_stat st;

	if (proc_stat_read(&st, pid))
		return;
	if (l->count == l->room) {
		l->room = l->room ? l->room * 2 : LIST_FIRST;
		l->items = xreallocarray(l->items, l->room, sizeof(l->items[0]));
	}
	l->items[l->count++] = (struct process){ { pid, st.start_ticks }, st.ppid, false };
}

static void list_read(struct process_list *l)
{
	DIR *dir = opendir(procfs_root);
	struct dirent *entry;

	*l = (struct process_list){ 0 };
	if (!dir)
		return;
	while (l->count < PROCESSES_MAX && (entry = readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0)
			list_add(l, pid);
	}
	closedir(dir);
	if (l->count)
		qsort(l->items, l->count, sizeof(l->items[0]), by_pid);
}

static struct process *list_find(const struct process_list *l, pid_t pid)
{
	struct process key = { .id.pid = pid };

	return l->count ? bsearch(&key, l->items, l->count, sizeof(key), by_pid) : NULL;
}

/* A parent may have the higher PID (they wrap around): repeated until nothing is added. */
static void mark_below(const struct process_list *l, pid_t root)
{
	struct process *top = list_find(l, root), *parent;
	bool added = top != NULL;

	if (top)
		top->below = true;
	while (added) {
		added = false;
		for (size_t i = 0; i < l->count; i++) {
			parent = l->items[i].below ? NULL : list_find(l, l->items[i].ppid);
			if (parent && parent->below)
				l->items[i].below = added = true;
		}
	}
}

size_t processes_below(pid_t root, struct process_id *out, size_t max)
{
	struct process_list list;
	size_t n = 0;

	list_read(&list);
	mark_below(&list, root);
	for (size_t i = 0; i < list.count && n < max; i++)
		if (list.items[i].below)
			out[n++] = list.items[i].id;
	free(list.items);
	return n;
}

static bool is_pystoker(pid_t pid)
{
	char own[PATH_MAX], exe[PATH_MAX];

	return pid == getpid() || (!procfs_readlink(getpid(), "exe", own, sizeof(own)) &&
				   !procfs_readlink(pid, "exe", exe, sizeof(exe)) &&
				   !strcmp(own, exe));
}

size_t processes_matching(const regex_t *re, struct process_id *out, size_t max)
{
	char *cmdline = xmalloc(CMDLINE_BYTES);
	struct process_list list;
	size_t n = 0;

	list_read(&list);
	for (size_t i = 0; i < list.count && n < max; i++) {
		pid_t pid = list.items[i].id.pid;

		if (!procfs_cmdline(pid, cmdline, CMDLINE_BYTES) &&
		    !regexec(re, cmdline, 0, NULL, 0) && !is_pystoker(pid))
			out[n++] = list.items[i].id;
	}
	free(list.items);
	free(cmdline);
	return n;
}

pid_t processes_last(void)
{
	char path[PATH_MAX], text[LOADAVG_BYTES] = "";
	const char *last;
	FILE *f;

	snprintf(path, sizeof(path), "%s/loadavg", procfs_root);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	fclose(f);
	last = strrchr(text, ' '); /* "0.00 0.01 0.05 1/123 4567" */
	return last ? (pid_t)strtol(last + 1, NULL, 10) : 0;
}
