/* SPDX-License-Identifier: MIT
 * Return addresses into the eval loop, from the inside out. */
#include "native/evalscan.h"

#include <string.h>

static bool is_eval(const struct evalscan *s, uint64_t pc)
{
	return pc > s->lo && pc <= s->hi;
}

static uint32_t count_evals(const struct evalscan *s, const struct unwind_frame *frames, size_t n)
{
	uint32_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += is_eval(s, frames[i].pc);
	return found;
}

static size_t try_at(const struct evalscan *s, uint64_t sp, uint64_t pc, struct unwind_frame *frames,
		     size_t max)
{
	struct unwind_registers regs = { .at_return = true };
	struct unwind_result r;

	unwind_set(&regs, RULE_SP, sp);
	unwind_set(&regs, RULE_RA, pc);
	r = unwind_walk(&regs, s->stack, s->unwind, frames, max);
	return r.end == UNWIND_COMPLETE && count_evals(s, frames, r.count) == s->missing ? r.count : 0;
}

size_t evalscan(const struct evalscan *s, uint64_t sp, struct unwind_frame *frames, size_t max)
{
	int tries = 0;

	for (uint64_t at = (sp + 7) & ~7ULL; at >= s->stack->lo && at + 8 <= s->stack->hi; at += 8) {
		uint64_t pc;
		size_t n;

		memcpy(&pc, s->stack->bytes + (at - s->stack->lo), 8);
		if (!is_eval(s, pc) || !unwind_is_return(s->unwind, pc))
			continue;
		n = try_at(s, at + 8, pc, frames, max);
		if (n)
			return n;
		if (++tries == EVALSCAN_TRIES)
			break;
	}
	return 0;
}
