/* SPDX-License-Identifier: MIT
 * The sampler's own state: shared by its loop, its roster of threads and its looks. */
#ifndef SAMPLER_INTERNAL_H
#define SAMPLER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "capture.h"
#include "hold.h"
#include "mem/task.h"
#include "pace.h"
#include "py/snapshot.h"
#include "sampler/sampler.h"

/* A word of the target whose change says something about its threads. */
struct watch_word {
	remote_addr at;
	uint64_t value;
	bool holder;   /* thread state that holds a GIL: it rests no more; else the head of a list */
};

/* A thread of the target under observation. */
struct sampled {
	struct py_thread py;
	struct task task;
	uint32_t number;         /* what on_thread returned */
	uint64_t last_ns;        /* last look that counted, since the sampler's start */
	uint64_t checked_ns;     /* off-cpu: when it was last seen running */
	uint64_t run_ns, slices; /* scheduler counts at the last look */
	uint64_t pending_ns;     /* CPU time not attributed to a stack yet */
	bool asleep;             /* and nothing has changed since, if the counts have not */
	bool listed;             /* still there at the last listing */
	bool gone;
	uint32_t still;          /* looks in a row that found it asleep and unmoved */
	uint32_t looks;
	struct plan plan;        /* pieces of memory its next look will want */
	struct sym_frame *frames;/* stack of the last look, kept for sleepers (config.idle) */
	uint32_t count, cap, skipped;
	struct capture capture;  /* config.native */
	bool native_only;        /* no thread of Python's: py is empty but for native_id */
	bool turn;               /* in a crowd: it is looked at in this round */
	bool kept;               /* config.native: the last look was proven and delivered */
};

struct sampler {
	const struct py_target *target;
	struct symtab *symtab;
	struct sampler_config config;
	struct sampler_ops ops;
	bool want_asleep;

	struct code_cache codes;
	struct snapshot snap;
	struct raw_stack *raw;
	struct sym_frame *frames;      /* FRAMES_MAX: the look under way */
	uint32_t count;
	struct hold hold;
	struct hold stopped;           /* a dump with native frames: how those in state T are had */
	struct pace pace;
	uint64_t start_ns;             /* CLOCK_MONOTONIC */
	uint64_t verified_ns;          /* start of the code cache's epoch (off-cpu) */

	struct sampled **threads;      /* owned, in the order of the last listing */
	uint32_t thread_count, thread_cap;
	struct py_thread *list;        /* THREADS_MAX: scratch of a listing */
	struct watch_word *words;      /* compared within every look; owned */
	uint32_t word_count, word_cap;
	uint64_t listed_ns;            /* last good listing, since start */
	uint64_t watched_ns;           /* CLOCK_MONOTONIC */
	uint64_t counted_ns;           /* config.native: when threads were counted, since start */
	bool watched;                  /* a look since the last update has compared the words */
	struct plan watch_plan;        /* for when no thread was read */
	bool relist;
	bool foreign;                  /* target lives in a PID namespace of its own */
	struct task process;           /* of the main thread: tells the process's end, PID reuse */

	struct look_native native;     /* config.native: of the look under way */
	struct switch_record record;
	struct stack_maps stacks;
	bool crowded;                  /* see crowd.c */
	uint32_t moved;                /* looks since the last round that found a thread had run */
	uint32_t next_turn;            /* index in threads */
	struct task_list tasks;        /* all threads of the process, Python's or not */

	struct sampler_stats stats;
	_Atomic int end;               /* enum sampler_end */
	_Atomic bool stop;
	_Atomic uint32_t asked, answered; /* sampler_look_now(): rounds wanted, rounds done */
	bool everybody;                /* this round looks at resting threads too */
	uint32_t rest_max;             /* ticks between two looks at a resting thread, at most */
	pthread_t thread;
	bool started;
};

/* A counter that other threads may read meanwhile. */
static inline void stat_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline void stat_set(uint64_t *counter, uint64_t value)
{
	__atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

/* roster.c: who is there. Cold: may allocate and open files. */
void roster_init(struct sampler *s);
void roster_release(struct sampler *s);
/* Lists anew when something says so. SAMPLER_RUNNING, SAMPLER_GONE or SAMPLER_LOST. */
enum sampler_end roster_update(struct sampler *s, uint64_t now_ns);
/* Compares the watched words within the look under way. */
void roster_watch(struct sampler *s);

/* crowd.c: whether the thread waits for its turn; and after each round, who is next. */
bool crowd_waits(const struct sampler *s, const struct sampled *th);
void crowd_round(struct sampler *s);

/* look.c: one look at one thread; `now_ns` since the sampler's start. */
enum look_result {
	LOOK_DONE,      /* delivered, asleep, empty or dropped: counted either way */
	LOOK_ELSEWHERE, /* it is ready on another CPU: come back after the others */
};
enum look_result look_at(struct sampler *s, struct sampled *th, bool may_hop);

/* look_native.c, for config.native. Has the part of the native stack that is wanted come along with
 * this look's read. `by`: what holds threads, NULL when this one may be running; `running`: it is
 * ready or held, else it sleeps. False: it runs, against what was said of it. */
bool look_native_begin(struct sampler *s, struct sampled *th, struct hold *by, bool running,
		       struct stack_part *part);
/* What has come of it, into s->native. Whole: the next look could not see more, unless the thread
 * runs. */
bool look_native_end(struct sampler *s, struct sampled *th, const struct stack_part *part);
/* The thread has not left a CPU since its log was opened: it waited for this one already. It has to
 * run a little and be put aside again. */
bool look_native_lacks_record(const struct sampler *s, const struct sampled *th);

static inline uint64_t sampler_now(const struct sampler *s, uint64_t mono_ns)
{
	return mono_ns - s->start_ns;
}

#endif
