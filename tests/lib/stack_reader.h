/* SPDX-License-Identifier: MIT
 * All stacks of a target, read once each as the sampler reads a thread that stands still, with the
 * entries that native frames are merged by (their ends count frames[] here). For a live target that
 * is being recorded, and for the recorded pages. */
#ifndef TESTS_STACK_READER_H
#define TESTS_STACK_READER_H

#include <stdlib.h>

#include "py/code.h"
#include "py/frames.h"
#include "py/threads.h"
#include "util/xalloc.h"

struct stack_reader {
	const struct py_target *target;
	struct symtab symtab;
	struct code_cache codes;
	struct snapshot snap;
	struct plan plan;             /* kept empty: each read is the first */
	struct raw_stack *raw;
	struct py_thread *threads;
	ssize_t thread_count;         /* or -errno of the list */
	struct sym_frame *frames;     /* of the stack read last, leaf first */
	uint32_t count;
};

static inline void stack_reader_init(struct stack_reader *r, const struct py_target *t)
{
	*r = (struct stack_reader){ .target = t };
	symtab_init(&r->symtab);
	code_cache_init(&r->codes, t, &r->symtab);
	snapshot_init(&r->snap, t->remote);
	r->raw = xmalloc(sizeof(*r->raw));
	r->raw->entries_wanted = true;
	r->frames = xmalloc(FRAMES_MAX * sizeof(r->frames[0]));
	r->threads = xmalloc(THREADS_MAX * sizeof(r->threads[0]));
	r->thread_count = threads_list(t, r->threads, THREADS_MAX);
}

static inline void stack_reader_release(struct stack_reader *r)
{
	code_cache_release(&r->codes);
	symtab_release(&r->symtab);
	snapshot_release(&r->snap);
	plan_release(&r->plan);
	free(r->raw);
	free(r->frames);
	free(r->threads);
}

/* Reads the i-th thread's stack. *ret_code is what became of its code objects. */
static inline enum walk stack_read(struct stack_reader *r, ssize_t i, bool frozen,
				   enum code_result *ret_code)
{
	enum walk walked;
	bool generator;
	uint32_t entry = 0;

	r->count = 0;
	*ret_code = CODE_OK;
	snapshot_begin(&r->snap, &r->plan);
	walked = frames_walk(r->target, &r->snap, r->threads[i].tstate, frozen, r->raw);
	if (walked != WALK_OK)
		return walked;
	code_cache_look(&r->codes, &r->snap, r->raw->interp, true);
	for (uint32_t n = 0; n < r->raw->count; n++) {
		enum code_result code = code_resolve(&r->codes, &r->snap, &r->raw->frames[n],
						     &r->frames[r->count], &generator);

		r->count += code == CODE_OK;
		entries_renumber(r->raw, &entry, n + 1, r->count);
		if (code != CODE_OK && code != CODE_HIDDEN) {
			*ret_code = code;
			break;
		}
	}
	return walked;
}

#endif
