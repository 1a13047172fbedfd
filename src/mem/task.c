/* SPDX-License-Identifier: MIT
 * A thread's scheduler counts and place. */
#include "mem/task.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/xalloc.h"

enum { STAT_BYTES = 1024, SCHEDSTAT_BYTES = 96, SYSCALL_BYTES = 256, NAME_BYTES = 64, TASKS_FIRST = 32 };

static int task_file(const struct task *t, const char *file)
{
	char name[NAME_BYTES];

	snprintf(name, sizeof(name), "task/%d/%s", (int)t->tid, file);
	return procfs_open(t->pid, name);
}

int task_open(struct task *t, pid_t pid, pid_t tid)
{
	*t = (struct task){ .pid = pid, .tid = tid, .stat_fd = -1, .syscall_fd = -1 };
	t->schedstat_fd = task_file(t, "schedstat");
	return t->schedstat_fd < 0 ? t->schedstat_fd : 0;
}

void task_close(struct task *t)
{
	if (t->schedstat_fd >= 0)
		close(t->schedstat_fd);
	if (t->stat_fd >= 0)
		close(t->stat_fd);
	if (t->syscall_fd >= 0)
		close(t->syscall_fd);
	t->schedstat_fd = t->stat_fd = t->syscall_fd = -1;
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

/* A file that is opened when it is first needed. */
static ssize_t read_late(const struct task *t, int *fd, const char *name, char *text, size_t size)
{
	if (*fd < 0)
		*fd = task_file(t, name);
	if (*fd < 0)
		return *fd == -ENOENT ? -ESRCH : *fd;
	return reread(*fd, text, size);
}

int task_where(struct task *t, struct proc_stat *ret)
{
	char text[STAT_BYTES];
	ssize_t n = read_late(t, &t->stat_fd, "stat", text, sizeof(text));

	return n < 0 ? (int)n : proc_stat_parse(ret, text);
}

int task_syscall_parse(const char *text, uint64_t *ret_sp, uint64_t *ret_pc)
{
	const char *pc = strrchr(text, ' '), *sp = pc ? memrchr(text, ' ', (size_t)(pc - text)) : NULL;
	char *sp_end, *pc_end;

	if (!sp || !strncmp(text, "running", 7))
		return -EAGAIN;
	*ret_sp = strtoull(sp + 1, &sp_end, 16);
	*ret_pc = strtoull(pc + 1, &pc_end, 16);
	return sp_end == pc && (*pc_end == '\n' || !*pc_end) && *ret_pc ? 0 : -EAGAIN;
}

int task_syscall(struct task *t, uint64_t *ret_sp, uint64_t *ret_pc)
{
	char text[SYSCALL_BYTES];
	ssize_t n = read_late(t, &t->syscall_fd, "syscall", text, sizeof(text));

	return n < 0 ? (int)n : task_syscall_parse(text, ret_sp, ret_pc);
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
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
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

void task_list_init(struct task_list *l, pid_t pid)
{
	*l = (struct task_list){ .dir = tasks_open(pid) };
}

void task_list_release(struct task_list *l)
{
	if (l->dir)
		closedir(l->dir);
	free(l->tids);
	*l = (struct task_list){ 0 };
}

static uint64_t links_of(const struct task_list *l)
{
	struct stat st;

	return l->dir && !fstat(dirfd(l->dir), &st) ? st.st_nlink : 0;
}

bool task_list_changed(const struct task_list *l)
{
	return links_of(l) != l->links;
}

static void tid_add(struct task_list *l, pid_t tid)
{
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : TASKS_FIRST;
		l->tids = xreallocarray(l->tids, l->room, sizeof(l->tids[0]));
	}
	l->tids[l->count++] = tid;
}

void task_list_read(struct task_list *l)
{
	DIR *dir = l->dir;
	struct dirent *d;

	l->count = 0;
	l->links = links_of(l);
	if (dir)
		rewinddir(dir);
	while (dir && l->count < TASKS_MAX && (d = readdir(dir))) {
		pid_t tid = (pid_t)atoi(d->d_name);

		if (tid > 0)
			tid_add(l, tid);
	}
}
