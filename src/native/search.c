/* SPDX-License-Identifier: MIT
 * Slot by slot: what could be the return address above the frame. */
#include "search.h"

#include <string.h>

static bool read_word(const struct unwind_stack *s, uint64_t addr, uint64_t *ret)
{
	if (addr < s->lo || addr >= s->hi || s->hi - addr < 8)
		return false;
	memcpy(ret, s->bytes + (addr - s->lo), 8);
	return true;
}

/* A trial: the walk from these registers comes out where threads begin. */
static bool is_right(struct search *s, const struct unwind_registers *regs)
{
	struct unwind_registers copy = *regs;
	struct unwind_result r;

	s->tries++;
	r = unwind_walk(&copy, s->stack, s->unwind, s->room, s->max);
	return r.count > 1 && r.end == UNWIND_COMPLETE;
}

static const struct rule *frame_rule(const struct search *s, const struct unwind_registers *regs)
{
	const struct rule *rule = s->unwind->rule(s->unwind->arg,
						  regs->value[RULE_RA] - regs->at_return);

	if (!rule || rule->kind != RULE_FRAME || rule->signal || rule->cfa.form != RULE_SUM)
		return NULL;
	return rule->cfa.base == RULE_FP ? rule : NULL;
}

/* The lowest place that is right: whatever is further up would leave out frames. */
static bool find_fp(struct search *s, const struct rule *rule, uint64_t end,
		    struct unwind_registers *regs)
{
	uint64_t callee = regs->value[RULE_RA] - regs->at_return, pc;
	uint64_t from = (regs->value[RULE_SP] + 7) & ~7ULL, offset = (uint64_t)(int64_t)rule->cfa.offset;

	for (uint64_t fp = from; fp < end && fp - from < SEARCH_FRAME_MAX; fp += 8) {
		if (s->tries == SEARCH_TRIES || !read_word(s->stack, fp + offset - 8, &pc))
			return false;
		if (unwind_believe(s->unwind, pc, callee) == UNWIND_REFUTED)
			continue;
		unwind_set(regs, RULE_FP, fp);
		if (is_right(s, regs))
			return true;
	}
	return false;
}

bool search_fp(struct search *s, const struct unwind_registers *regs, uint64_t end,
	       struct unwind_registers *ret)
{
	const struct rule *rule = frame_rule(s, regs);

	*ret = *regs;
	return rule && !(regs->known >> RULE_FP & 1) && find_fp(s, rule, end, ret);
}
