/* SPDX-License-Identifier: MIT
 * One step: the rule of the frame gives its CFA and where the caller's registers are. Without a
 * rule, three guesses for code as compilers write it, each taken only when it leads to code. */
#include "native/unwind.h"

#include <errno.h>
#include <string.h>

struct walk {
	struct unwind_registers *regs;
	const struct unwind_stack *stack;
	unwind_lookup *lookup;
	void *arg;
	uint64_t floor;     /* the next CFA is above it */
	uint64_t missing;   /* address of the last failed read */
	enum unwind_end end; /* why a step failed */
};

static bool read_word(struct walk *w, uint64_t addr, uint64_t *ret)
{
	const struct unwind_stack *s = w->stack;

	if (addr < s->lo || addr >= s->hi || s->hi - addr < 8) {
		w->missing = addr;
		return false;
	}
	memcpy(ret, s->bytes + (addr - s->lo), 8);
	return true;
}

static bool is_known(const struct walk *w, unsigned int reg)
{
	return w->regs->known >> reg & 1;
}

static bool is_code(struct walk *w, uint64_t addr)
{
	return addr != 0 && w->lookup(w->arg, addr - 1) != NULL;
}

static bool fail(struct walk *w, enum unwind_end end)
{
	w->end = end;
	return false;
}

/* A word of the stack was not in the copy. */
static bool fail_read(struct walk *w)
{
	uint64_t hi = w->stack->hi;
	/* A word may begin in the copy and end above it. */
	bool above = w->missing > hi - 8 && w->missing - (hi - 8) < UNWIND_GROW_MAX;

	return fail(w, above ? UNWIND_TRUNCATED : UNWIND_ELSEWHERE);
}

static bool rule_value(struct walk *w, const struct rule_value *v, uint64_t cfa, uint64_t *ret)
{
	uint64_t value = v->base == RULE_CFA ? cfa : w->regs->value[v->base];

	if (v->base != RULE_CFA && !is_known(w, v->base))
		return fail(w, UNWIND_UNKNOWN);
	value += (uint64_t)(int64_t)v->offset;
	if (v->form == RULE_PLT)
		value += (w->regs->value[RULE_RA] & 15) >= (uint64_t)v->add ? 8 : 0;
	if (v->form != RULE_DEREF) {
		*ret = value;
		return true;
	}
	if (!read_word(w, value, &value))
		return fail_read(w);
	*ret = value + (uint64_t)(int64_t)v->add;
	return true;
}

/* The registers of the caller. One that cannot be had is unknown; only RIP is needed. */
static bool rule_registers(struct walk *w, const struct rule *rule, uint64_t cfa)
{
	struct unwind_registers next = *w->regs;

	next.known &= ~rule->lost;
	unwind_set(&next, RULE_SP, cfa);
	for (size_t i = 0; i < rule->saved_count; i++) {
		const struct rule_value *v = &rule->saved[i];
		uint64_t value;

		if (rule_value(w, v, cfa, &value))
			unwind_set(&next, v->reg, value);
		else if (v->reg == RULE_RA)
			return false;
		else
			next.known &= ~(1u << v->reg);
	}
	next.at_return = !rule->signal;
	*w->regs = next;
	return true;
}

static bool step_rule(struct walk *w, const struct rule *rule, struct unwind_frame *frame)
{
	uint64_t cfa;

	if (!rule_value(w, &rule->cfa, 0, &cfa))
		return false;
	/* A signal may be handled on a stack of its own, above or below the interrupted one. */
	if (cfa % 8 != 0 || (cfa <= w->floor && !rule->signal))
		return fail(w, UNWIND_STUCK);
	if (!rule_registers(w, rule, cfa))
		return false;
	frame->cfa = cfa;
	frame->signal = rule->signal;
	w->floor = rule->signal ? cfa - 1 : cfa;
	return true;
}

/* Goes on to a caller at `pc` above `cfa`; false (untouched) when this is no step. */
static bool guess(struct walk *w, struct unwind_frame *frame, uint64_t cfa, uint64_t pc)
{
	if (cfa <= w->floor || !is_code(w, pc))
		return false;
	unwind_set(w->regs, RULE_SP, cfa);
	unwind_set(w->regs, RULE_RA, pc);
	w->regs->at_return = true;
	frame->cfa = cfa;
	w->floor = cfa;
	return true;
}

/* Before a function has made its frame, or after it has undone it: nothing but FP was pushed. The
 * word at SP is FP then, or the return address; FP first, which may hold a function's address. */
static enum unwind_how guess_leaf(struct walk *w, struct unwind_frame *frame)
{
	uint64_t sp = w->regs->value[RULE_SP], fp = w->regs->value[RULE_FP], top, above;
	bool fp_known = is_known(w, RULE_FP);

	if (w->regs->at_return || !is_known(w, RULE_SP) || !read_word(w, sp, &top))
		return UNWIND_START;
	if (fp_known && fp == sp) /* a frame without contents */
		return UNWIND_START;
	if (fp_known && top == fp && read_word(w, sp + 8, &above) &&
	    guess(w, frame, sp + 16, above))
		return UNWIND_PUSHED;
	return guess(w, frame, sp + 8, top) ? UNWIND_LEAF : UNWIND_START;
}

/* System V ABI x86-64, figure 3.3: the caller's FP at FP, the return address above it. */
static bool guess_fp(struct walk *w, struct unwind_frame *frame)
{
	uint64_t fp = w->regs->value[RULE_FP], saved, pc;

	if (!is_known(w, RULE_FP) || !is_known(w, RULE_SP) || fp % 8 != 0 ||
	    fp < w->regs->value[RULE_SP])
		return fail(w, UNWIND_NO_INFO);
	if (!read_word(w, fp, &saved) || !read_word(w, fp + 8, &pc))
		return fail_read(w) || fail(w, w->end == UNWIND_TRUNCATED ? w->end : UNWIND_NO_INFO);
	if (!guess(w, frame, fp + 16, pc))
		return fail(w, UNWIND_NO_INFO);
	w->regs->known = 1u << RULE_SP | 1u << RULE_RA;
	unwind_set(w->regs, RULE_FP, saved);
	return true;
}

static bool step_guess(struct walk *w, struct unwind_frame *frame, enum unwind_how *how)
{
	*how = guess_leaf(w, frame);
	if (*how != UNWIND_START)
		return true;
	*how = UNWIND_FP;
	return guess_fp(w, frame);
}

/* From a frame to its caller; fills in what is known of the frame only then. */
static bool step(struct walk *w, const struct rule *rule, struct unwind_frame *frame,
		 enum unwind_how *how)
{
	if (!rule || rule->kind == RULE_NONE)
		return step_guess(w, frame, how);
	if (rule->kind == RULE_END)
		return fail(w, UNWIND_COMPLETE);
	*how = UNWIND_CFI;
	return step_rule(w, rule, frame);
}

/* Why a frame whose PC lies in no code ends the walk before it. */
static enum unwind_end no_code(const struct walk *w)
{
	return w->regs->value[RULE_RA] == 0 ? UNWIND_COMPLETE : UNWIND_NO_CODE;
}

struct unwind_result unwind_walk(struct unwind_registers *regs, const struct unwind_stack *stack,
				 unwind_lookup *lookup, void *arg, struct unwind_frame *frames,
				 size_t max)
{
	struct walk w = { regs, stack, lookup, arg, regs->value[RULE_SP] - 1, 0, UNWIND_FULL };
	enum unwind_how how = UNWIND_START;
	struct unwind_result result = { .count = 0 };

	if (!is_known(&w, RULE_RA) || stack->hi < 8)
		return (struct unwind_result){ .end = UNWIND_UNKNOWN };
	while (result.count < max) {
		struct unwind_frame *frame = &frames[result.count];
		const struct rule *rule;

		*frame = (struct unwind_frame){ .pc = regs->value[RULE_RA], .how = (uint8_t)how,
			.sp = regs->value[RULE_SP], .at_return = regs->at_return };
		rule = lookup(arg, unwind_lookup_addr(frame));
		if (!rule && how != UNWIND_START) {
			w.end = no_code(&w);
			break;
		}
		result.count++;
		result.guessed += how > UNWIND_CFI;
		if (!step(&w, rule, frame, &how))
			break;
	}
	result.end = w.end;
	result.missing = w.end == UNWIND_TRUNCATED || w.end == UNWIND_ELSEWHERE ? w.missing : 0;
	return result;
}
