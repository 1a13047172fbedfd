/* SPDX-License-Identifier: MIT
 * A thread's scheduler counts and place. */
#include "mem/task.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STAT_BYTES = 1024, SCHEDSTAT_BYTES = 96, NAME_BYTES = 64, TASKS_MAX = 65536 };

static int task_file(const struct task *t, const char *file)
{
	char name[NAME_BYTES];

	snprintf(name, sizeof(name), "task/%d/%s", (int)t->tid, file);
	return procfs_open(t->pid, name);
}

int task_open(struct task *t, pid_t pid, pid_t tid)
{
	*t = (struct task){ .pid = pid, .tid = tid, .stat_fd = -1 };
	t->schedstat_fd = task_file(t, "schedstat");
	return t->schedstat_fd < 0 ? t->schedstat_fd : 0;
}

void task_close(struct task *t)
{
	if (t->schedstat_fd >= 0)
		close(t->schedstat_fd);
	if (t->stat_fd >= 0)
		close(t->stat_fd);
	t->schedstat_fd = t->stat_fd = -1;
}

/* Text of an open /proc file from its start; the length or -ESRCH. */
static ssize_t reread(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	if (n <= 0)
		return -ESRCH; /* the kernel's answer for a thread that has ended */
	text[n] = '\0';
	return n;
}

int task_run(const struct task *t, struct sched_stat *ret)
{
	char text[SCHEDSTAT_BYTES];
	ssize_t n = reread(t->schedstat_fd, text, sizeof(text));

	return n < 0 ? (int)n : sched_stat_parse(ret, text);
}

int task_where(struct task *t, struct proc_stat *ret)
{
	char text[STAT_BYTES];
	ssize_t n;

	if (t->stat_fd < 0)
		t->stat_fd = task_file(t, "stat");
	if (t->stat_fd < 0)
		return t->stat_fd == -ENOENT ? -ESRCH : t->stat_fd;
	n = reread(t->stat_fd, text, sizeof(text));
	return n < 0 ? (int)n : proc_stat_parse(ret, text);
}

static pid_t nspid_of(pid_t pid, pid_t tid)
{
	char name[NAME_BYTES];
	char *status;
	pid_t nspid;

	snprintf(name, sizeof(name), "task/%d/status", (int)tid);
	status = procfs_read(pid, name, NULL);
	if (!status)
		return 0;
	nspid = status_nspid(status);
	free(status);
	return nspid;
}

bool task_foreign_namespace(pid_t pid, pid_t *ret_nspid)
{
	pid_t nspid = nspid_of(pid, pid);

	*ret_nspid = nspid ? nspid : pid;
	return *ret_nspid != pid;
}

static DIR *tasks_open(pid_t pid)
{
	int fd = procfs_open(pid, "task");

	return fd < 0 ? NULL : fdopendir(fd);
}

pid_t task_find(pid_t pid, pid_t native, bool same_namespace)
{
	DIR *dir;
	struct dirent *d;
	pid_t found = 0;

	if (same_namespace)
		return native;
	dir = tasks_open(pid);
	if (!dir)
		return 0;
	for (int i = 0; !found && i < TASKS_MAX && (d = readdir(dir)); i++) {
		pid_t tid = (pid_t)atoi(d->d_name);

		if (tid > 0 && nspid_of(pid, tid) == native)
			found = tid;
	}
	closedir(dir);
	return found;
}
