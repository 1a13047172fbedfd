/* SPDX-License-Identifier: MIT
 * /proc of one process: memory mappings, threads, scheduler counts.
 * Field meanings: proc(5), Documentation/filesystems/proc.rst at Linux v6.1. */
#ifndef MEM_PROCFS_H
#define MEM_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mem/remote.h"
#include "util/err.h"

#define PROCFS_MAPS_MAX (1u << 20)  /* vm.max_map_count is 65530, raised tenfold on some hosts */
#define PROCFS_TEXT_MAX (128u << 20)

/* Where /proc is; tests point it at a folder. Not thread-safe: set once at start. */
extern const char *procfs_root;

/* open(2) of /proc/PID/NAME, O_RDONLY|O_CLOEXEC; fd or -errno. */
int procfs_open(pid_t pid, const char *name);
/* Whole small text file, NUL-terminated, owned by the caller; NULL and errno on failure. */
char *procfs_read(pid_t pid, const char *name, size_t *ret_len);
/* Target of a symlink such as "exe"; 0 or -errno. Cut at size-1. */
int procfs_readlink(pid_t pid, const char *name, char *out, size_t size);
/* Command line, arguments joined by spaces, cut at size-1; "[comm]" when empty. 0 or -errno. */
int procfs_cmdline(pid_t pid, char *out, size_t size);
/* The number in /proc/sys/NAME ("kernel/pid_max"), the first if there are several. 0, -errno, or
 * -EINVAL: no number. */
int procfs_sysctl(const char *name, long *ret);

/* One line of /proc/PID/maps. */
struct map {
	remote_addr start, end;
	uint64_t offset;      /* of the file */
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	bool read, write, exec;
	bool deleted;         /* path ended in " (deleted)", which is cut off */
	char *path;           /* "" for anonymous; "[heap]"; escapes (\012) resolved; owned */
};

struct maps {
	struct map *list;
	size_t count;
};

int maps_read(struct maps *m, pid_t pid, struct err *err) _must_check_;
/* Takes text apart in place; 0, -EINVAL (a line that is none, or out of order) or -E2BIG: then
 * *m is empty. */
int maps_parse(struct maps *m, char *text);
void maps_release(struct maps *m);
const struct map *maps_find(const struct maps *m, remote_addr addr); /* NULL: none */

/* What /proc/PID/stat says of a process or thread. */
struct proc_stat {
	char state;           /* R S D T t Z X I */
	pid_t ppid;
	uint64_t start_ticks; /* field 22: with the pid it identifies a process for good */
	int processor;        /* field 39: CPU last run on */
};

/* What /proc/PID/schedstat says of a thread (Documentation/scheduler/sched-stats.rst at v6.1). */
struct sched_stat {
	uint64_t run_ns;      /* time on a CPU */
	uint64_t slices;      /* times it was put on a CPU; 0: the kernel does not count */
};

int sched_stat_parse(struct sched_stat *st, const char *text); /* 0 or -EINVAL */

/* Parses one stat line; survives spaces and parentheses in comm. 0 or -EINVAL. */
int proc_stat_parse(struct proc_stat *st, const char *text);
int proc_stat_read(struct proc_stat *st, pid_t pid);  /* /proc/PID/stat; 0 or -errno */

/* Value of a "Name:\t123" line in /proc/PID/status text; false when absent. */
bool status_field(const char *status, const char *name, uint64_t *ret);
/* Value of a "CapEff:\t000001ffffffffff" line: hexadecimal. */
bool status_mask(const char *status, const char *name, uint64_t *ret);
/* Innermost id of the NSpid line of /proc/PID/task/TID/status: the tid the target itself knows. */
pid_t status_nspid(const char *status);

#endif
