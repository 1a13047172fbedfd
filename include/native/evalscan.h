/* SPDX-License-Identifier: MIT
 * A walk taken up again where CPython keeps no anchors on the stack (up to 3.9): at a return address
 * into the eval loop, from which a walk goes on to the outermost frame and comes by exactly as many
 * calls of the eval loop as Python still has frames. */
#ifndef NATIVE_EVALSCAN_H
#define NATIVE_EVALSCAN_H

#include "native/unwind.h"

enum { EVALSCAN_TRIES = 64 };    /* walks of one search */

struct evalscan {
	const struct unwind_ops *unwind;
	const struct unwind_stack *stack;
	uint64_t lo, hi;         /* the eval loop's code */
	uint32_t missing;        /* its calls that have not been found yet */
};

/* Looks above `sp`. 0, or the number of frames put into frames[] (room for `max`): the first is an
 * eval call's, the last one the outermost there is. */
size_t evalscan(const struct evalscan *s, uint64_t sp, struct unwind_frame *frames, size_t max);

#endif
