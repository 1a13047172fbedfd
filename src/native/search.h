/* SPDX-License-Identifier: MIT
 * Private to native/: the frame pointer of a sleeping thread. The kernel tells its SP and PC only; where
 * the CFA of one of its frames hangs on FP, that is looked for on the stack. What is found is believed
 * when the walk from there goes on to the outermost frame. */
#ifndef SRC_NATIVE_SEARCH_H
#define SRC_NATIVE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "native/unwind.h"

enum {
	SEARCH_FRAME_MAX = 4096, /* bytes of one frame; more than a function with a frame pointer has */
	SEARCH_TRIES = 16,       /* walks of one search */
};

struct search {
	const struct unwind_ops *unwind;
	const struct unwind_stack *stack;
	struct unwind_frame *room;   /* for trials */
	size_t max;
	int tries;
};

/* `regs` know SP and PC; `ret`: the same, and FP, which is below `end`. */
bool search_fp(struct search *s, const struct unwind_registers *regs, uint64_t end,
	       struct unwind_registers *ret);

#endif
