/* SPDX-License-Identifier: MIT
 * Ways to keep a thread from running while it is read. */
#ifndef SAMPLER_HOLD_H
#define SAMPLER_HOLD_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mem/registers.h"
#include "mem/task.h"

enum hold_result {
	HOLD_FROZEN,   /* it does not run now */
	HOLD_MOVED,    /* we are on another CPU now: look where it is once more */
	HOLD_LOOSE,    /* it may be running: what is read is only checked */
	HOLD_GONE,     /* it has ended */
};

struct hold {
	const struct hold_ops *ops;
	cpu_set_t allowed;     /* CPUs we may run on */
	int cpu;               /* where we are pinned; -1: nowhere */
	uint64_t hops;
	const _Atomic bool *stop; /* set when the sampler is to end: sleep() returns */
	bool listening;        /* tracer: SIGCHLD has a handler */
	pid_t reaped;          /* tracer: a child of ours whose end the tracer saw, and its status; */
	int reaped_status;     /* the parent's waitpid() will not see it again */
};

struct hold_ops {
	const char *how;       /* in words, for titles and summaries */
	bool tracer;           /* uses ptrace: attach() and detach() are called, and idle() waits */
	/* The thread was seen ready to run on CPU `where->processor`. */
	enum hold_result (*acquire)(struct hold *h, struct task *task, const struct proc_stat *where);
	void (*release)(struct hold *h, struct task *task);
	/* The registers of the thread that was acquired; NULL: this way has none. 0 or -errno. */
	int (*registers)(struct hold *h, struct task *task, struct registers *ret);
	/* Called when a thread is found and when it is let go; NULL for nothing to do. */
	int (*attach)(struct hold *h, struct task *task);
	void (*detach)(struct hold *h, struct task *task);
	/* Sleeps until `due_ns` (CLOCK_MONOTONIC) or a signal. */
	void (*sleep)(struct hold *h, uint64_t due_ns);
};

extern const struct hold_ops hold_on_cpu, hold_off_cpu, hold_ptrace;

void hold_init(struct hold *h, const struct hold_ops *ops);
/* Moves the calling thread to a CPU; false when that CPU is not ours to use. */
bool hold_pin(struct hold *h, int cpu);
void hold_unpin(struct hold *h);
/* Plain clock_nanosleep(): what the non-tracing ways sleep with. */
void hold_nap(struct hold *h, uint64_t due_ns);

#endif
