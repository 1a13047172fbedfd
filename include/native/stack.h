/* SPDX-License-Identifier: MIT
 * The whole native stack of a thread, with all that is known: unwind_walk(), and where it finds no
 * way on, the anchors of Python's eval calls, at which it takes the walk up again. */
#ifndef NATIVE_STACK_H
#define NATIVE_STACK_H

#include "mem/registers.h"
#include "native/unwind.h"

enum {
	NATIVE_FRAMES_MAX = 16384,   /* frames kept of one stack, from the leaf on */
	NATIVE_LEARNED_MAX = 64,     /* eval functions whose frame shape is remembered per process */
};

/* What was learned of the eval loop's frames in one process: private. */
struct native_learned {
	struct native_eval {
		uint64_t pc;         /* return address in the eval loop seen */
		int64_t below, above;/* anchor - sp, cfa - anchor */
	} evals[NATIVE_LEARNED_MAX];
	uint32_t count, next;
};

/* How the walk asks about the process. */
struct native_ops {
	unwind_lookup *rule;
	/* Copies code bytes at `addr`; false: not readable. May be NULL. */
	bool (*code)(void *arg, uint64_t addr, void *buf, size_t len);
	void *arg;
};

struct native_walk {
	struct unwind_frame *frames; /* room for NATIVE_FRAMES_MAX; innermost first */
	uint32_t count;
	uint32_t guessed;            /* frames found without CFI */
	uint32_t resyncs;            /* times an anchor helped: frames[i].how == UNWIND_RESYNC, frames
				      * are missing before it */
	enum unwind_end end;         /* UNWIND_COMPLETE: whole */
};

/* anchors[]: addresses of the eval calls' structs, innermost first; those not in the copy are
 * skipped. Learns from frames that hold an anchor. */
void native_stack_walk(const struct native_ops *ops, const struct registers *regs,
		       const struct unwind_stack *stack, const uint64_t *anchors, uint32_t n_anchors,
		       struct native_learned *learned, struct native_walk *ret);

#endif
