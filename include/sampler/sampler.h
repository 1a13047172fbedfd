/* SPDX-License-Identifier: MIT
 * The sampling loop: when to look, at which threads, and which looks to believe.
 *
 * A look is believed when its thread could not run while it was read: it slept, or it waits for the
 * very CPU the sampler runs on, or ptrace holds it; and when the kernel's count of its time slices
 * shows that it did not run in between. What is read is then one moment's state. Looks that fail
 * are retried and, if they keep failing, counted with their reason; nothing is shortened silently.
 *
 * Weights are elapsed time; CPU time is what the scheduler counted. */
#ifndef SAMPLER_SAMPLER_H
#define SAMPLER_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "mem/registers.h"
#include "py/code.h"
#include "py/frames.h"
#include "py/threads.h"
#include "sampler/stats.h"
#include "util/err.h"

enum placement {
	PLACE_AUTO,      /* on-cpu up to PLACE_ON_CPU_MAX_HZ, off-cpu above */
	PLACE_ON_CPU,    /* woken on the target's CPU, in its place */
	PLACE_OFF_CPU,   /* beside it: checked only, not proven */
	PLACE_BLOCKING,  /* the running thread is stopped by ptrace for each look */
};

#define PLACE_ON_CPU_MAX_HZ 20000.0

/* Native frames: how a thread's registers are had. */
enum native_way {
	NATIVE_NONE,     /* Python frames only */
	NATIVE_PERF,     /* from the kernel's record of its last switch (mem/switch_log.h) */
	NATIVE_PTRACE,   /* the running thread is stopped by ptrace for each look */
};

struct sampler_config {
	double rate_hz;
	enum placement placement;
	bool idle;            /* look at sleeping threads too */
	bool gil;             /* find out who holds the GIL */
	bool gil_only;        /* deliver only the holder of the GIL; implies `gil` */
	enum native_way native; /* also looks at threads that have nothing to do with Python */
	bool native_kernel;   /* the kernel's own stack too; NATIVE_PERF only */
};

/* A thread as it is announced once, before its first look. */
struct sampler_thread_info {
	struct py_thread py;
	pid_t tid;            /* in our PID namespace; 0 unknown */
};

/* What is needed to unwind a thread's native stack after it went on: taken while it did not run. */
struct look_native {
	struct registers registers;  /* known == 0: they could not be had */
	uint64_t stack_lo;           /* address of stack[0] */
	const uint8_t *stack;
	uint32_t stack_len;
	bool stack_cut;              /* the stack goes on above: NATIVE_STACK_MAX */
	const struct raw_entry *entries; /* `end` counts look.frames; leaf first */
	uint32_t entry_count;
	const uint64_t *kernel;      /* addresses, innermost first */
	uint32_t kernel_count;
};

#define NATIVE_STACK_MAX (1u << 20)  /* bytes of a stack that are copied */

/* One believed look. Pointers are valid during the call only. */
struct look {
	uint32_t thread;      /* what on_thread returned */
	const struct sym_frame *frames; /* leaf first */
	uint32_t count;
	uint32_t skipped;     /* not 0: at least so many more follow, nearer to the root */
	uint64_t when_ns;     /* end of the stretch, since the sampler's start */
	uint64_t wall_ns;     /* time since the thread's last look */
	uint64_t cpu_ns;      /* CPU time of it not yet attributed */
	char state;           /* of the thread: R running or ready, S sleeping, D … */
	bool holds_gil;       /* known with config.gil */
	bool same;            /* with config.native: the stack is that of the thread's last look, which
			       * it has not run since; nothing of it is given again */
	const struct look_native *native; /* with config.native, unless `same`; else NULL */
	bool *refused;        /* may be NULL; to be set by who could not keep all of it: the next look
			       * is not `same` then */
};

struct sampler_ops {
	/* Announces a thread; returns the number its looks will carry. */
	uint32_t (*on_thread)(void *arg, const struct sampler_thread_info *info);
	/* The sampling thread's hot path: must not block; may allocate only for what is new. */
	void (*on_look)(void *arg, const struct look *look);
	void *arg;
};

enum sampler_end {
	SAMPLER_RUNNING = 0,
	SAMPLER_STOPPED,      /* sampler_stop() */
	SAMPLER_GONE,         /* the process ended */
	SAMPLER_LOST,         /* its memory is another program's: exec */
};

struct sampler;

/* The way that native frames can be had of the process: `asked`, or with NATIVE_NONE NATIVE_PERF where
 * that is permitted, else NATIVE_PTRACE; then *why is the errno that stood against perf, else 0. */
enum native_way sampler_native_way(pid_t pid, enum native_way asked, int *why);

/* Prepares; `t` and `symtab` stay the caller's and must outlive it. */
struct sampler *sampler_new(const struct py_target *t, struct symtab *symtab,
			    const struct sampler_config *config, const struct sampler_ops *ops);
void sampler_free(struct sampler *s);

/* Lists the threads and looks at each of them once, sleeping or not, in the calling thread. Returns
 * the number of threads, or -errno. */
ssize_t sampler_once(struct sampler *s);

/* Samples in a thread of its own until told to stop or the target ends. Times of looks count from
 * `start_ns` (CLOCK_MONOTONIC, not in the future). */
int sampler_start(struct sampler *s, uint64_t start_ns, struct err *err) _must_check_;
void sampler_stop(struct sampler *s);      /* asks, does not wait; signal-safe */
/* Has everybody looked at once more, now, threads at rest included, so that what was delivered reaches
 * up to this moment. Waits for it, `patience_ns` at most; nothing when sampling has ended. */
void sampler_look_now(struct sampler *s, uint64_t patience_ns);
enum sampler_end sampler_join(struct sampler *s);
enum sampler_end sampler_state(const struct sampler *s); /* any thread, any time */

/* Counters so far; any thread, any time. */
void sampler_stats(const struct sampler *s, struct sampler_stats *ret);
/* How looks are made, in words: "on the target's CPU, without stopping it". */
const char *sampler_how(const struct sampler *s);
/* Whether samples taken this way are meant to be proven: all but off-cpu. */
bool sampler_proves(const struct sampler *s);

#endif
