/* SPDX-License-Identifier: MIT
 * Which processes there are: below one, or with a command line like this. */
#ifndef MEM_PROCESSES_H
#define MEM_PROCESSES_H

#include <regex.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESSES_MAX 65536u

/* A process for good: PIDs are used again, this pair is not. */
struct process_id {
	pid_t pid;
	uint64_t start_ticks;  /* field 22 of /proc/PID/stat */
};

/* `root` (when it is there) and everything that descends from it by the parents stated in /proc,
 * lowest PID first; returns how many, at most `max`. */
size_t processes_below(pid_t root, struct process_id *out, size_t max);

/* Every process whose command line, arguments joined by blanks, matches; not ourselves, nor another
 * pystoker, whose arguments may hold the very expression. */
size_t processes_matching(const regex_t *re, struct process_id *out, size_t max);

/* The last PID given out in our PID namespace (proc(5), /proc/loadavg): as long as it stays the same
 * there is no new process, nor thread. 0: unknown. */
pid_t processes_last(void);

#endif
