/* SPDX-License-Identifier: MIT
 * Code objects seen in stacks: read once, known by address, verified whenever they are met again.
 *
 * An address alone proves nothing: a discarded code object's memory is reused at once. Each look
 * compares the fields that make a code object's identity (py/code.c, struct identity), read in the
 * same snapshot as the stack; from 3.14 one counter of the interpreter says that no code object was
 * freed since. */
#ifndef PY_CODE_H
#define PY_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "py/frames.h"
#include "sym/symtab.h"

#define CODE_CACHE_MAX 65536u  /* code objects known at once; then the cache starts anew */

enum code_result {
	CODE_OK,
	CODE_HIDDEN,      /* a shim of the interpreter's own: not shown */
	CODE_INVALID,     /* no code object, or the instruction lies outside it */
	CODE_UNREADABLE,
};

struct code_cache {
	const struct py_target *target;
	struct symtab *symtab;        /* not owned */
	struct code_entry *entries;   /* private */
	uint32_t *index;              /* private: address -> entry + 1 */
	uint32_t count, mask;
	remote_addr code_type;        /* &PyCode_Type, learnt when the symbol is missing */
	uint64_t epoch;               /* entries verified in this epoch are not verified again */
	remote_addr interp;           /* of the look under way */
	uint64_t generation;          /* its count of freed code objects + 1; 0: it has none */
	uint64_t added, replaced, restarts; /* for --stats */
};

void code_cache_init(struct code_cache *c, const struct py_target *t, struct symtab *symtab);
void code_cache_release(struct code_cache *c);

/* Starts a look at a thread of the interpreter at `interp`. With `verify`, what was verified in
 * earlier looks is verified again; without, only code objects met for the first time are: for
 * rates so high that a code object cannot be replaced between two epochs. */
void code_cache_look(struct code_cache *c, struct snapshot *s, remote_addr interp, bool verify);

/* Names and line of one raw frame, in the snapshot it came from. *ret_generator tells whether the
 * code is a generator's or coroutine's. */
enum code_result code_resolve(struct code_cache *c, struct snapshot *s,
			      const struct raw_frame *raw, struct sym_frame *ret,
			      bool *ret_generator);

#endif
