/* SPDX-License-Identifier: MIT
 * Ways to keep a thread from running while it is read. */
#ifndef SAMPLER_HOLD_H
#define SAMPLER_HOLD_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "mem/registers.h"
#include "mem/task.h"

enum hold_result {
	HOLD_FROZEN,   /* it does not run now */
	HOLD_MOVED,    /* we are on another CPU now: look where it is once more */
	HOLD_LOOSE,    /* it may be running: what is read is only checked */
	HOLD_GONE,     /* it has ended */
};

/* What stopping threads came to: for the tracer. */
struct hold_counts {
	uint64_t stops;        /* threads stopped for a look */
	uint64_t in_syscall;   /* of these: inside a system call */
	uint64_t restarted;    /* of these: its wait was cut short, and made anew */
	uint64_t interrupted;  /* of these: it returns EINTR, maybe because of us */
	uint64_t signals;      /* of the stops: for a signal that came at the same time; passed on */
	uint64_t traced;       /* not stopped: another tracer is there */
	uint64_t denied;       /* not stopped: not permitted */
	uint64_t late;         /* not stopped in time: it slept deep, or its CPU was busy */
	uint64_t stopped_ns;   /* from asking for a stop to letting go: at least as long as it stood */
	uint64_t stopped_max_ns;
};

struct hold {
	const struct hold_ops *ops;
	cpu_set_t allowed;     /* CPUs we may run on */
	int cpu;               /* where we are pinned; -1: nowhere */
	uint64_t hops;

	/* hold_ptrace: */
	struct hold_counts counts;
	pid_t held;            /* the thread that is stopped now; 0: none */
	struct registers registers; /* its */
	int registers_error;   /* 0 or -errno: why they are not known */
	int signal;            /* that the held thread was stopped for; 0: none */
	uint64_t asked_ns;     /* when it was told to stop */
	bool owed;             /* some thread may still be attached: its stop has not come yet */
	bool armed;            /* `watchdog` exists, for `watched` */
	bool watching;         /* and is set */
	timer_t watchdog;      /* ends a wait for a stop */
	pthread_t watched;
};

struct hold_ops {
	const char *how;       /* in words, for titles and summaries */
	bool tracer;           /* uses ptrace: being stopped is itself a turn on the CPU */
	/* The thread was seen ready to run on CPU `where->processor`. */
	enum hold_result (*acquire)(struct hold *h, struct task *task, const struct proc_stat *where);
	void (*release)(struct hold *h, struct task *task);
	/* Of a thread that acquire() has frozen: 0 or -errno. NULL where they cannot be had. */
	int (*registers)(struct hold *h, struct task *task, struct registers *ret);
	/* The thread is looked at no more; NULL for nothing to do. */
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
