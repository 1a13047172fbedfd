/* SPDX-License-Identifier: MIT
 * From a thread state to its chain of frames, checked on the way.
 *
 * The walk reads through a snapshot and is the same for every version: it follows the layout. It
 * accepts a chain only when each frame is one that is being executed and the chain reaches the
 * thread's root; anything else has a name of its own in enum walk. */
#ifndef PY_FRAMES_H
#define PY_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "py/snapshot.h"
#include "py/target.h"

#define FRAMES_MAX 4096u        /* frames kept of one stack, from the leaf on */
#define FRAMES_WALK_MAX (4 * FRAMES_MAX) /* links followed before a chain is called endless */
#define CHUNK_BYTES_MAX (1u << 20) /* of one chunk of the data stack copied */
#define CHUNKS_MAX 1024u        /* chunks of one data stack */

enum walk {
	WALK_OK = 0,
	WALK_EMPTY,     /* the thread runs no Python code: not an error */
	WALK_TORN,      /* a frame that is not executing, out of order, or no code object */
	WALK_UNROOTED,  /* the chain ends before the thread's root (a generator being entered) */
	WALK_UNREADABLE,/* a piece of it is not mapped */
	WALK_ENDLESS,   /* FRAMES_WALK_MAX links */
	WALK_GONE,      /* the process is gone or closed to us */
	WALK_RESULTS
};

/* One frame as it lies in memory. */
struct raw_frame {
	remote_addr code;      /* PyCodeObject */
	uint64_t instr;        /* layout.instr tells what it holds */
	int32_t tlbc_index;    /* free-threaded 3.14+: which copy of the bytecode; else 0 */
	bool generator;        /* owned by a generator or coroutine */
};

/* One call of the eval loop: it runs the frames from the end of the entry before (nearer to the leaf)
 * to its own end. Each has frames, but for the first of 3.10, which may not be as far yet. The last
 * one's end is `count`, unless frames are skipped. */
struct raw_entry {
	remote_addr anchor;    /* of what this call keeps on the C stack as long as it runs: CFrame
				* (3.10, 3.11), entry frame (3.12+); 0: nothing (up to 3.9), or it
				* could not be told. Not checked to be on the stack. */
	uint32_t end;          /* index in frames[] behind its last frame */
};

struct raw_stack {
	bool entries_wanted;   /* set by the caller: fill in entries[] */
	uint32_t entry_count;
	struct raw_entry entries[FRAMES_MAX]; /* leaf first */
	struct raw_frame frames[FRAMES_MAX]; /* leaf first */
	uint32_t count;
	uint32_t skipped;      /* not 0: at least so many more follow, nearer to the root */
	uint32_t repaired;     /* dead frames left out at the leaf end */
	remote_addr interp;    /* of the thread state */
	uint64_t thread_id;    /* for checking that it is still the same thread */
	int32_t state;         /* tstate.state (3.13+): 1 attached; -1 unknown */
	bool gil_requested;    /* 3.15: waiting for the GIL */
};

/* Walks the thread at `tstate`. `frozen`: the thread cannot run meanwhile, so a dead frame is a
 * fault; otherwise dead frames at the leaf end are what a running thread leaves behind, and are
 * taken away and counted. */
enum walk frames_walk(const struct py_target *t, struct snapshot *s, remote_addr tstate,
		      bool frozen, struct raw_stack *out);

/* For who leaves frames out: call it with index + 1 and the number kept so far after each frame, in
 * order, and entries[].end count what was kept. *entry: 0 at first. */
static inline void entries_renumber(struct raw_stack *r, uint32_t *entry, uint32_t behind,
				    uint32_t kept)
{
	for (; *entry < r->entry_count && r->entries[*entry].end <= behind; ++*entry)
		if (r->entries[*entry].end)
			r->entries[*entry].end = kept;
}

/* Words for enum walk in summaries: "torn", "unrooted". */
const char *walk_text(enum walk w);

#endif
