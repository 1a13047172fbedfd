/* SPDX-License-Identifier: MIT
 * The native part of one look: registers, and the piece of the stack that comes along with the
 * Python state in the look's one read. */
#include "internal.h"

bool look_native_begin(struct sampler *s, struct sampled *th, struct hold *by, bool running,
		       struct stack_part *part)
{
	struct look_native *n = &s->native;
	enum captured captured = CAPTURE_NONE;

	*n = (struct look_native){ 0 };
	*part = (struct stack_part){ 0 };
	s->raw->entries_wanted = true;
	s->raw->count = s->raw->entry_count = s->raw->skipped = s->raw->repaired = 0;
	if (by) /* else the record is of another moment */
		captured = capture_registers(&th->capture, by, &th->task, running, &s->record);
	if (captured != CAPTURED)
		return captured != CAPTURE_AWAKE;
	*part = capture_stack(&th->capture, &s->stacks, s->record.registers.value[REGISTER_SP],
			      th->py.thread_id);
	n->registers = s->record.registers;
	n->kernel = s->record.kernel;
	n->kernel_count = s->record.kernel_count;
	return true;
}

bool look_native_end(struct sampler *s, struct sampled *th, const struct stack_part *part)
{
	struct look_native *n = &s->native;

	n->entries = s->raw->entries;
	n->entry_count = s->count ? s->raw->entry_count : 0;
	n->stack = part->len ? snapshot_find(&s->snap, part->addr, part->len) : NULL;
	if (!n->stack) { /* not where it was: look for it anew */
		n->registers.known = 0;
		capture_failed(&th->capture, part);
		s->stacks.stale = s->stacks.stale || part->len;
		return false;
	}
	n->stack_lo = part->addr;
	n->stack_len = part->len;
	n->stack_cut = part->cut;
	return !part->guess;
}

bool look_native_lacks_record(const struct sampler *s, const struct sampled *th)
{
	return s->config.native == NATIVE_PERF && !s->record.registers.known &&
	       th->capture.log.fd >= 0;
}
