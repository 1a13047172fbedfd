/* SPDX-License-Identifier: MIT
 * Private to native/: where the frame of a function without unwind information is, from its code:
 * hand-written kernels are long, so that their RET is out of code_exit()'s reach.
 *
 * Two ways, each of which can be wrong alone. From the function's start: what its first instructions
 * do to RSP, up to the first branch. From pc ahead: to every RET that can be reached, over branches;
 * each has to find the stack alike. Either gives up at an instruction that is not known, and at one that
 * makes RSP what cannot be told. */
#ifndef SRC_NATIVE_PROLOGUE_H
#define SRC_NATIVE_PROLOGUE_H

#include "native/unwind.h"

enum {
	PROLOGUE_BYTES = 128,
	PROLOGUE_STEPS = 32,
	PROLOGUE_AHEAD_STEPS = 6144, /* instructions to the first RET; the longest kernels seen have 3000 */
	PROLOGUE_MORE_STEPS = 1024,  /* to the RETs after it */
	PROLOGUE_PENDING = 32,       /* branches not yet taken */
	PROLOGUE_REACH = 32 << 10,   /* bytes on either side of pc that are looked at */
};

enum prologue_trust {
	PROLOGUE_NONE,
	PROLOGUE_AHEAD,    /* only the ways to RET are known */
	PROLOGUE_ENTRY,    /* only the first instructions are, which set up a frame pointer */
	PROLOGUE_AGREED,   /* both, and they agree */
	PROLOGUE_EXACT,    /* pc is among the first instructions */
};

/* The rule at pc; `start` of its function, 0: not known. Up to 0.1 ms: to be cached. */
enum prologue_trust prologue_rule(const struct unwind_ops *ops, uint64_t start, uint64_t pc,
				  struct rule *ret);

/* Whether a function that begins at `start` could have made the frame that `rule` leaves. */
bool prologue_fits(const struct unwind_ops *ops, uint64_t start, uint64_t pc,
		   const struct rule *rule);

#endif
