/* SPDX-License-Identifier: MIT
 * What the scheduler says of one thread of the target, through files that stay open.
 *
 * The count of time slices is the witness of a look: a thread that does not run at the moment and
 * whose count has not grown since has not run in between, so what was read of it meanwhile is one
 * moment's state. Fields: Documentation/scheduler/sched-stats.rst at Linux v6.1 (/proc/PID/schedstat
 * needs CONFIG_SCHED_INFO; without it the count stays 0). */
#ifndef MEM_TASK_H
#define MEM_TASK_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mem/procfs.h"

struct task {
	pid_t pid, tid;       /* in our PID namespace */
	int schedstat_fd;     /* -1: closed */
	int stat_fd, syscall_fd; /* opened when first wanted */
};

int task_open(struct task *t, pid_t pid, pid_t tid); /* 0 or -errno */
void task_close(struct task *t);

/* 0, or -ESRCH when the thread has ended. Neither call allocates or opens (task_where() opens its
 * file at the first call). 0.3 us and 1.2 us. */
int task_run(const struct task *t, struct sched_stat *ret);
int task_where(struct task *t, struct proc_stat *ret);

/* Where a thread that sleeps in a system call will go on in user space: 0; -EAGAIN when it does not
 * sleep there (runs, or sleeps in a page fault), -ESRCH ended, -EPERM. 1.4 us. */
int task_syscall(struct task *t, uint64_t *ret_sp, uint64_t *ret_pc);

/* Takes the text of that file apart: "35 0x7ffd… … SP PC", "-1 SP PC" (a page fault) or "running"
 * (fs/proc/base.c, proc_pid_syscall() at v6.1). 0 or -EAGAIN. */
int task_syscall_parse(const char *text, uint64_t *ret_sp, uint64_t *ret_pc);

/* Our tid of the thread that calls itself `native` in its own PID namespace; 0: none found. Equal
 * when the target shares our namespace (`nspid` == pid). */
pid_t task_find(pid_t pid, pid_t native, bool same_namespace);

/* Whether the process lives in a PID namespace of its own; *ret_nspid is its PID there. */
bool task_foreign_namespace(pid_t pid, pid_t *ret_nspid);

/* All threads of a process, Python's or not. */
struct task_list {
	DIR *dir;             /* /proc/PID/task, open for good: to read needs no more files; NULL: closed */
	uint64_t links;       /* of that folder at the last reading */
	pid_t *tids;          /* ascending as the kernel lists them; owned */
	size_t count, room;
};

enum { TASKS_MAX = 65536 };

void task_list_init(struct task_list *l, pid_t pid);
void task_list_release(struct task_list *l);
/* Whether the number of threads has changed since task_list_read() (fs/proc/base.c,
 * proc_task_getattr(): the folder's link count). 1 us. */
bool task_list_changed(const struct task_list *l);
void task_list_read(struct task_list *l);

#endif
