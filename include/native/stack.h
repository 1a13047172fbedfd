/* SPDX-License-Identifier: MIT
 * The whole native stack of a thread, with all that is known: unwind_walk(), and where it finds no
 * way on, the anchors of Python's eval calls, at which it takes the walk up again. */
#ifndef NATIVE_STACK_H
#define NATIVE_STACK_H

#include "mem/registers.h"
#include "native/unwind.h"

#define NATIVE_EVAL_MAX (256ULL << 10)   /* bytes of the eval loop's code; 100 KB are usual */

enum {
	NATIVE_FRAMES_MAX = 16384,   /* frames kept of one stack, from the leaf on */
	NATIVE_LEARNED_MAX = 64,     /* shapes of eval frames remembered per process */
	NATIVE_RESYNC_TRIES = 64,    /* anchors tried at one dead end */
	NATIVE_EVAL_FRAME = 4096,    /* bytes of the eval loop's frame on either side of its anchor */
};

/* What was learned of one process. All zeros is empty; to be emptied after an exec. Private. */
struct native_learned {
	struct native_eval {
		uint64_t lo, hi;      /* return addresses in the eval loop: the lowest and highest seen */
		uint64_t below, above;/* anchor - sp, cfa - anchor: one shape of its frame */
	} evals[NATIVE_LEARNED_MAX];
	uint32_t count, next;
	struct unwind_code_cache code;
};

/* Another unwinder instead of unwind_walk(), to be called as that is. */
typedef struct unwind_result native_unwinder(void *engine, struct unwind_registers *regs,
					     const struct unwind_stack *stack,
					     struct unwind_frame *frames, size_t max);

/* How the walk asks about the process. */
struct native_ops {
	unwind_lookup *rule;
	unwind_code *code;           /* may be NULL: then guesses are not verified */
	void *arg;
	unwind_start *start;         /* may be NULL */
	native_unwinder *engine;     /* NULL: unwind_walk() */
	void *engine_arg;
};

struct native_walk {
	struct unwind_frame *frames; /* room for NATIVE_FRAMES_MAX; innermost first */
	uint32_t count;
	uint32_t guessed;            /* frames found without CFI */
	uint32_t resyncs;            /* times an anchor helped: frames[i].how == UNWIND_RESYNC, frames
				      * are missing before it */
	uint32_t repairs;            /* times an anchor told a frame its unknown registers: no gap */
	enum unwind_end end;         /* UNWIND_COMPLETE: whole */
	uint64_t missing;            /* as in struct unwind_result: where the copy was too short */
};

/* anchors[]: addresses of the eval calls' structs, innermost first; those not in the copy are
 * skipped. Learns from frames that hold an anchor. ret->frames is the caller's. 40 ns a frame; a dead
 * end costs 1 us where the eval loop's frame is known, 30 us before that. */
void native_stack_walk(const struct native_ops *ops, const struct registers *regs,
		       const struct unwind_stack *stack, const uint64_t *anchors, uint32_t n_anchors,
		       struct native_learned *learned, struct native_walk *ret);

#endif
