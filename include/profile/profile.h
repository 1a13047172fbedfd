/* SPDX-License-Identifier: MIT
 * What was seen, added up: stacks as paths in one tree, and per thread and stack the number of
 * samples, wall-clock time and CPU time. With events on, also the order in which it happened.
 *
 * profile_add() runs once per sample in the sampling thread: it allocates only when a stack is
 * new. Reading starts when sampling has ended. */
#ifndef PROFILE_PROFILE_H
#define PROFILE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "profile/events.h"
#include "sym/symtab.h"
#include "util/err.h"
#include "util/pool.h"

#define PROFILE_DEPTH_MAX 4096u      /* frames kept of one stack; deeper ones lose their root end */
#define PROFILE_NODES_MAX (4u << 20) /* nodes kept; later new stacks are one "[stacks full]" */
#define PROFILE_THREADS_MAX (1u << 20) /* threads kept apart; later ones share the last place */

enum profile_lines {
	PROFILE_LINE = 0,    /* the line being executed */
	PROFILE_FUNCTION,    /* -F: the function's first line instead */
	PROFILE_NO_LINE,     /* --nolineno: none (0) */
};

/* A thread of the target. Index 0 is the first one seen. */
struct profile_thread {
	uint64_t thread_id;  /* threading.get_ident(), pthread_t */
	pid_t tid;           /* native id in our PID namespace; 0 unknown */
	uint64_t interp_id;  /* subinterpreter; 0 is the main one */
	char *name;          /* threading name, else the OS name, else NULL; owned */
};

/* A node is a frame below its parent; a stack is known by the node of its leaf. */
struct profile_node {
	uint32_t parent;     /* node index; node 0 is the root and no frame */
	uint32_t func;
	int32_t line;
	uint32_t depth;      /* root 0, outermost frame 1 */
};

struct profile_value {
	uint64_t samples;    /* looks that found this stack */
	uint64_t wall_ns;    /* elapsed time these looks stand for */
	uint64_t cpu_ns;     /* CPU time (schedstat) of the thread since its last look */
};

/* Frames of our own making; their functions are profile.marks[]. The sampler may use them too. */
enum profile_mark {
	PROFILE_TRUNCATED,   /* "[truncated]": outer frames are missing above this one */
	PROFILE_STACKS_FULL, /* "[stacks full]": a stack that came after PROFILE_NODES_MAX */
	PROFILE_NO_FRAMES,   /* "[no frames]": a look without a single frame */
	PROFILE_MARKS
};

/* What is said about the recording, in titles and comments. Strings are owned. */
struct profile_meta {
	pid_t pid;
	char *program;            /* command line, cut */
	char *python_version;     /* "3.13.0", "3.14.0 free-threading" */
	char *mode;               /* how samples were taken: "nonblocking, on the target's CPU" */
	double rate_hz;           /* asked for */
	uint64_t start_real_ns;   /* since the epoch */
	uint64_t duration_ns;     /* wall time from first to last look */
	uint64_t samples;         /* stacks added; counted by profile_add() */
	uint64_t dropped;         /* looks that gave no true stack */
	uint64_t repaired;        /* stacks shown after dead frames were removed */
	char *reasons;            /* "torn 3, gone 1", or NULL */
	char *native;             /* what is to be said of native frames, or NULL */
};

struct profile {
	struct symtab *symtab;        /* not owned */
	enum profile_lines lines;
	struct profile_meta meta;
	struct pool nodes;            /* struct profile_node */
	struct pool threads;          /* struct profile_thread */
	struct pool values;           /* struct profile_cell */
	uint32_t *node_index, *value_index; /* private: open addressing */
	size_t node_mask, value_mask;
	struct profile_last *last;          /* private: the last stack, which the next one resembles */
	uint32_t nodes_max;           /* PROFILE_NODES_MAX; tests lower it */
	uint32_t marks[PROFILE_MARKS]; /* functions in the symtab */
	uint64_t cut;                 /* stacks cut because a limit was reached */
	struct events *events;        /* NULL: order is not kept; owned */
};

/* One (thread, stack) pair with its sums. */
struct profile_cell {
	uint32_t thread;              /* index in threads */
	uint32_t node;                /* leaf */
	struct profile_value value;
};

/* Adds the marks to the symtab, so call it before another thread adds names there.
 * With `events` the order of samples is kept too (owned by the profile from then on). */
void profile_init(struct profile *p, struct symtab *symtab, enum profile_lines lines,
		  struct events *events);
void profile_release(struct profile *p);

/* Adds a thread; returns its index. Copies the name, which may be NULL. Adding and naming belong to
 * the sampling thread. */
uint32_t profile_add_thread(struct profile *p, const struct profile_thread *thread);
void profile_name_thread(struct profile *p, uint32_t thread, const char *name);

/* Adds one look: frames[0] is the leaf; with `skipped` not 0, at least so many more lie between the
 * last one and the root, and the stack is shown as cut. `when_ns` is when the look was taken, from
 * the start of the recording; the value's wall_ns ends there. */
void profile_add(struct profile *p, uint32_t thread, const struct sym_frame *frames, size_t n,
		 uint32_t skipped, uint64_t when_ns, const struct profile_value *value);

/* The two steps of profile_add(), for stacks that come as paths (merging): the node of a frame below
 * `parent` (0: the root), found or new, 0 when there is no room; and a value for a stack. */
uint32_t profile_child(struct profile *p, uint32_t parent, uint32_t func, int32_t line);
void profile_add_value(struct profile *p, uint32_t thread, uint32_t node, uint64_t when_ns,
		       const struct profile_value *value);

/* Forgets the stacks and their values; threads, marks and what is said of the process stay. */
void profile_clear(struct profile *p);

static inline const struct profile_node *profile_node_at(const struct profile *p, uint32_t i)
{
	return pool_at(&p->nodes, i);
}

static inline const struct profile_thread *profile_thread_at(const struct profile *p, uint32_t i)
{
	return pool_at(&p->threads, i);
}

static inline size_t profile_cell_count(const struct profile *p)
{
	return pool_count(&p->values);
}

static inline const struct profile_cell *profile_cell_at(const struct profile *p, uint32_t i)
{
	return pool_at(&p->values, i);
}

/* The nodes of a stack from the outermost frame to the leaf, at most PROFILE_DEPTH_MAX of them
 * into path[]; returns how many. */
size_t profile_path(const struct profile *p, uint32_t leaf, uint32_t *path);

#endif
