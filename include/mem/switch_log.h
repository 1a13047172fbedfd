/* SPDX-License-Identifier: MIT
 * The registers with which a thread last left its CPU.
 *
 * The kernel writes a record each time it takes the thread off a CPU, be it that it blocks or that
 * another one takes its place: perf's software event "context switches", period 1, with the user
 * registers, into a ring that overwrites its oldest record and wakes nobody (perf_event_open(2),
 * Linux 4.7+: write_backward). As long as a thread does not run, the newest record is its state; no
 * instruction lies between. The kernel's part counts as kernel mode, hence CAP_PERFMON (or
 * CAP_SYS_ADMIN), or /proc/sys/kernel/perf_event_paranoid <= 1.
 *
 * Costs the target about 1 us per switch, and 8 KiB of locked memory of ours a thread. */
#ifndef MEM_SWITCH_LOG_H
#define MEM_SWITCH_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mem/registers.h"
#include "util/attr.h"

enum { SWITCH_KERNEL_MAX = 64 };  /* kernel frames of one record */

struct switch_log {
	int fd;                                  /* -1: closed */
	bool kernel;                             /* private */
	struct perf_event_mmap_page *page;       /* private */
};

struct switch_record {
	struct registers registers;
	uint64_t when_ns;                        /* CLOCK_MONOTONIC */
	uint32_t kernel_count;
	uint64_t kernel[SWITCH_KERNEL_MAX];      /* innermost first; with `kernel` only */
};

/* Opens the log of one thread. With `kernel` records hold the kernel's own stack too. 0 or -errno:
 * -EACCES or -EPERM not permitted, -ESRCH no such thread, -ENOSYS or -ENOENT a kernel without perf
 * events, -EMFILE, -ENOTSUP another machine than x86-64, … */
int switch_log_open(struct switch_log *log, pid_t tid, bool kernel) _must_check_;
void switch_log_close(struct switch_log *log);
/* The newest record: 0; -ENODATA when the thread has not left a CPU since the log was opened, or
 * when what is there is no record. No system call. */
int switch_log_last(const struct switch_log *log, struct switch_record *ret);

#endif
