/* SPDX-License-Identifier: MIT
 * Where a walk finds no way on, the next eval frame above is looked for by its anchor: compilers give
 * a function's frame one size, so that anchor - sp and cfa - anchor are as in the frames seen before.
 * A frame found that way is believed when all of it fits: the word below its SP returns into code of
 * the eval loop, behind a call; the CFI there says the same CFA; and above that is a return address
 * again. Before anything was learned, each place below the anchor is tried that way. */
#include "native/stack.h"

#include <string.h>

#include "search.h"

_Static_assert((int)REGISTERS == RULE_REGISTERS && (int)REGISTER_PC == RULE_RA &&
	       (int)REGISTER_SP == RULE_SP && (int)REGISTER_FP == RULE_FP,
	       "registers have the same numbers everywhere");

struct stack_walk {
	const struct native_ops *ops;
	struct unwind_ops unwind;
	const struct unwind_stack *stack;
	const uint64_t *anchors;
	uint32_t n_anchors;
	struct native_learned *learned;
	struct native_walk *ret;
	struct unwind_registers regs;
	uint64_t used;      /* anchors up to here had their turn */
};

static bool read_word(const struct unwind_stack *s, uint64_t addr, uint64_t *ret)
{
	if (addr < s->lo || addr >= s->hi || s->hi - addr < 8)
		return false;
	memcpy(ret, s->bytes + (addr - s->lo), 8);
	return true;
}

/* --- learning -------------------------------------------------------------------------------- */

/* Hot and cold part of a function lie apart, and have a range each. */
static bool is_near(const struct native_eval *e, uint64_t pc)
{
	return pc - (e->hi - NATIVE_EVAL_MAX) <= 2 * NATIVE_EVAL_MAX - (e->hi - e->lo);
}

static void learn(struct native_learned *l, uint64_t pc, uint64_t below, uint64_t above)
{
	struct native_eval *e;

	for (uint32_t i = 0; i < l->count; i++) {
		e = &l->evals[i];
		if (e->below != below || e->above != above || !is_near(e, pc))
			continue;
		e->lo = pc < e->lo ? pc : e->lo;
		e->hi = pc > e->hi ? pc : e->hi;
		return;
	}
	e = &l->evals[l->next];
	l->next = (l->next + 1) % NATIVE_LEARNED_MAX;
	l->count += l->count < NATIVE_LEARNED_MAX;
	*e = (struct native_eval){ pc, pc, below, above };
}

/* Found by exact means, and left by its CFI: its range of the stack is right. */
static bool is_sure(const struct unwind_frame *f)
{
	return f->how == UNWIND_CFI && f->at_return && f->cfa > f->sp && f[1].how == UNWIND_CFI;
}

static bool is_guess(const struct unwind_frame *f)
{
	return f->how == UNWIND_FP || f->how == UNWIND_LEAF || f->how == UNWIND_PUSHED ||
	       f->how == UNWIND_PROLOGUE;
}

static bool is_found(const struct unwind_frame *f)
{
	return f->how == UNWIND_RESYNC || f->how == UNWIND_SCAN;
}

/* Up to the first guess that may have been a wrong one. */
static void learn_from(struct stack_walk *w)
{
	const struct unwind_frame *frames = w->ret->frames;
	uint32_t a = 0;

	for (uint32_t i = 0; i + 1 < w->ret->count && a < w->n_anchors; i++) {
		const struct unwind_frame *f = &frames[i];

		if (is_guess(f) || (is_found(f) && w->ret->end != UNWIND_COMPLETE))
			return;
		while (a < w->n_anchors && w->anchors[a] < f->sp)
			a++;
		if (a < w->n_anchors && w->anchors[a] < f->cfa && is_sure(f))
			learn(w->learned, f->pc, w->anchors[a] - f->sp, f->cfa - w->anchors[a]);
	}
}

/* --- resync ---------------------------------------------------------------------------------- */

/* The registers in the eval frame at `sp` that returns to pc; false: no such frame is there. */
static bool eval_registers(struct stack_walk *w, uint64_t sp, uint64_t pc, uint64_t cfa,
			   struct unwind_registers *ret)
{
	const struct rule *rule = w->unwind.rule(w->unwind.arg, pc - 1);
	uint64_t above;

	if (!rule || rule->kind != RULE_FRAME || rule->signal || rule->cfa.form != RULE_SUM)
		return false;
	*ret = (struct unwind_registers){ .at_return = true };
	unwind_set(ret, RULE_SP, sp);
	unwind_set(ret, RULE_RA, pc);
	if (rule->cfa.base == RULE_FP)
		unwind_set(ret, RULE_FP, cfa - (uint64_t)(int64_t)rule->cfa.offset);
	else if (rule->cfa.base != RULE_SP || sp + (uint64_t)(int64_t)rule->cfa.offset != cfa)
		return false;
	return read_word(w->stack, cfa - 8, &above) && unwind_is_return(&w->unwind, above);
}

/* The frame the walk ended in is the anchor's: only registers were missing. */
static bool repair(struct stack_walk *w, const struct native_eval *e, uint64_t anchor)
{
	const struct unwind_frame *last = &w->ret->frames[w->ret->count - 1];
	struct unwind_registers regs;

	if (w->ret->end != UNWIND_UNKNOWN || last->sp != anchor - e->below ||
	    !is_near(e, last->pc) || !last->at_return ||
	    !eval_registers(w, last->sp, last->pc, anchor + e->above, &regs))
		return false;
	/* What it knows stays known. */
	for (unsigned int r = 0; r < RULE_REGISTERS; r++)
		if (!(regs.known >> r & 1) && w->regs.known >> r & 1)
			unwind_set(&regs, r, w->regs.value[r]);
	w->regs = regs;
	return true;
}

static bool find_eval(struct stack_walk *w, const struct native_eval *e, uint64_t anchor,
		      uint64_t above_sp, struct unwind_registers *ret)
{
	uint64_t sp = anchor - e->below, pc;

	return sp > above_sp && sp % 8 == 0 && read_word(w->stack, sp - 8, &pc) &&
	       is_near(e, pc) && unwind_is_return(&w->unwind, pc) &&
	       eval_registers(w, sp, pc, anchor + e->above, ret);
}

/* --- before anything was learned --------------------------------------------------------------- */

/* An eval frame that there may be. */
struct candidate {
	enum unwind_belief belief;
	struct unwind_registers regs;
	uint64_t cfa;
};

static void weigh(struct stack_walk *w, uint64_t sp, uint64_t pc, uint64_t cfa, struct candidate *c)
{
	uint64_t above = 0;

	c->cfa = cfa;
	c->belief = UNWIND_REFUTED;
	if (read_word(w->stack, cfa - 8, &above))
		c->belief = unwind_believe(&w->unwind, above, pc - 1);
	if (c->belief != UNWIND_REFUTED && !eval_registers(w, sp, pc, cfa, &c->regs))
		c->belief = UNWIND_REFUTED;
}

/* The frame of the call that returns to pc, if it holds the anchor. Only where its CFA is by SP: FP is
 * not known, and looking for it finds other calls of the same function. */
static bool hold_anchor(struct stack_walk *w, uint64_t sp, uint64_t pc, uint64_t anchor,
			struct candidate *c)
{
	const struct rule *rule = w->unwind.rule(w->unwind.arg, pc - 1);
	uint64_t cfa;

	if (!rule || rule->kind != RULE_FRAME || rule->cfa.form != RULE_SUM ||
	    rule->cfa.base != RULE_SP)
		return false;
	cfa = sp + (uint64_t)(int64_t)rule->cfa.offset;
	if (cfa > anchor && cfa - anchor <= NATIVE_EVAL_FRAME)
		weigh(w, sp, pc, cfa, c);
	return c->belief != UNWIND_REFUTED;
}

/* Looks at each place where the frame may begin. One that is confirmed is taken; of those that are
 * only possible, there must be no two that end apart. */
static bool discover(struct stack_walk *w, uint64_t anchor, uint64_t above_sp)
{
	struct candidate best = { .belief = UNWIND_REFUTED };
	uint64_t sp = above_sp / 8 * 8 + 8, pc;

	if (anchor - sp > NATIVE_EVAL_FRAME)
		sp = anchor / 8 * 8 - NATIVE_EVAL_FRAME;
	for (; sp <= anchor && best.belief != UNWIND_CONFIRMED; sp += 8) {
		struct candidate c = { .belief = UNWIND_REFUTED };

		if (!read_word(w->stack, sp - 8, &pc) || !unwind_is_return(&w->unwind, pc) ||
		    !hold_anchor(w, sp, pc, anchor, &c))
			continue;
		if (c.belief < UNWIND_CONFIRMED && best.belief && best.cfa != c.cfa)
			return false;
		if (c.belief > best.belief)
			best = c;
	}
	w->regs = best.belief != UNWIND_REFUTED ? best.regs : w->regs;
	return best.belief != UNWIND_REFUTED;
}

enum resync { RESYNC_NONE, RESYNC_GAP, RESYNC_REPAIR, RESYNC_FOUND_FP };

static enum resync resync_at(struct stack_walk *w, uint64_t anchor, uint64_t above_sp)
{
	for (uint32_t i = 0; i < w->learned->count; i++) {
		const struct native_eval *e = &w->learned->evals[i];

		if (repair(w, e, anchor))
			return RESYNC_REPAIR;
		if (find_eval(w, e, anchor, above_sp, &w->regs))
			return RESYNC_GAP;
	}
	return RESYNC_NONE;
}

/* Each anchor has one turn, so that this ends. */
static enum resync resync(struct stack_walk *w)
{
	uint64_t sp = w->ret->frames[w->ret->count - 1].sp;
	enum resync done = RESYNC_NONE;

	for (uint32_t i = 0, tries = 0; i < w->n_anchors && tries < NATIVE_RESYNC_TRIES; i++) {
		uint64_t anchor = w->anchors[i];

		if (anchor <= w->used || anchor <= sp || anchor >= w->stack->hi)
			continue;
		done = resync_at(w, anchor, sp);
		/* Without the code's bytes there is no telling. */
		if (done == RESYNC_NONE && tries++ == 0 && w->learned->count == 0 && w->ops->code &&
		    discover(w, anchor, sp))
			done = RESYNC_GAP;
		if (done != RESYNC_NONE) {
			w->used = anchor;
			break;
		}
	}
	return done;
}

/* --- a sleeping thread's FP ------------------------------------------------------------------- */

/* The first anchor above the frame the walk ended in, or in it. */
static uint32_t next_anchor(const struct stack_walk *w)
{
	uint64_t sp = w->ret->frames[w->ret->count - 1].sp;
	uint32_t a = 0;

	while (a < w->n_anchors && w->anchors[a] <= sp)
		a++;
	return a;
}

/* That frame may be an eval frame, of known shape. */
static bool repair_last(struct stack_walk *w)
{
	uint32_t a = next_anchor(w);

	for (uint32_t i = 0; a < w->n_anchors && i < w->learned->count; i++)
		if (repair(w, &w->learned->evals[i], w->anchors[a]))
			return true;
	return false;
}

/* Below the next anchor: so no eval frame is left out. */
static bool find_fp(struct stack_walk *w)
{
	struct search s = {
		.unwind = &w->unwind, .stack = w->stack,
		.room = w->ret->frames + w->ret->count,
		.max = NATIVE_FRAMES_MAX - w->ret->count,
	};
	uint32_t a = next_anchor(w);
	uint64_t end = a < w->n_anchors ? w->anchors[a] : UINT64_MAX;
	struct unwind_registers regs;

	if (w->ret->end != UNWIND_UNKNOWN || w->ops->engine || !w->ops->code ||
	    !search_fp(&s, &w->regs, end, &regs))
		return false;
	w->regs = regs;
	return true;
}

/* --- guesses that lie ------------------------------------------------------------------------ */

static bool is_eval(const struct native_learned *l, uint64_t pc)
{
	for (uint32_t i = 0; i < l->count; i++)
		if (is_near(&l->evals[i], pc))
			return true;
	return false;
}

/* The first frame from `from` on that was left by a guess and holds an anchor, but is not the eval
 * loop's: frames were passed over. */
static uint32_t passed_over(const struct stack_walk *w, uint32_t from)
{
	const struct unwind_frame *frames = w->ret->frames;
	uint32_t a = 0;

	for (uint32_t i = from; i + 1 < w->ret->count; i++) {
		while (a < w->n_anchors && w->anchors[a] < frames[i].sp)
			a++;
		if (a == w->n_anchors)
			break;
		if ((is_guess(&frames[i + 1]) || frames[i + 1].how == UNWIND_SCAN) &&
		    w->anchors[a] < frames[i].cfa &&
		    !is_eval(w->learned, frames[i].pc))
			return i;
	}
	return w->ret->count;
}

/* An eval frame that is found between proves the guess wrong: the stack is cut there. */
static enum resync distrust(struct stack_walk *w, uint32_t from)
{
	uint32_t count = w->ret->count, at = passed_over(w, from);
	enum resync done;

	if (w->ret->guessed == 0 || at == count)
		return RESYNC_NONE;
	w->ret->count = at + 1;
	done = resync(w);
	if (done == RESYNC_NONE)
		w->ret->count = count;
	else
		w->ret->frames[at].cfa = 0;
	return done;
}

/* --------------------------------------------------------------------------------------------- */

static struct unwind_result run(struct stack_walk *w)
{
	struct unwind_frame *frames = w->ret->frames + w->ret->count;
	size_t room = NATIVE_FRAMES_MAX - w->ret->count;

	if (w->ops->engine)
		return w->ops->engine(w->ops->engine_arg, &w->regs, w->stack, frames, room);
	return unwind_walk(&w->regs, w->stack, &w->unwind, frames, room);
}

/* `how` the first of the new frames was found. */
static void take(struct stack_walk *w, enum resync how)
{
	struct unwind_frame *first = &w->ret->frames[w->ret->count];
	uint8_t before = first->how;
	struct unwind_result r = run(w);

	if (how == RESYNC_GAP)
		first->how = UNWIND_RESYNC;
	else if (how == RESYNC_REPAIR || how == RESYNC_FOUND_FP)
		first->how = before;
	if (how == RESYNC_FOUND_FP && r.count > 1)
		first[1].how = UNWIND_FP;
	w->ret->count += (uint32_t)r.count;
	w->ret->guessed += (uint32_t)r.guessed;
	w->ret->end = r.end;
	w->ret->missing = r.missing;
}

/* Not as the walks went: some of their frames were taken back. */
static void count_guesses(struct native_walk *ret)
{
	ret->guessed = 0;
	for (uint32_t i = 0; i < ret->count; i++)
		ret->guessed += ret->frames[i].how > UNWIND_CFI &&
				ret->frames[i].how != UNWIND_RESYNC;
}

static enum resync go_on(struct stack_walk *w, uint32_t from)
{
	enum resync how = RESYNC_NONE;

	if (w->ret->count == 0 || w->ret->count == NATIVE_FRAMES_MAX)
		return how;
	how = distrust(w, from);
	if (how == RESYNC_NONE && repair_last(w))
		how = RESYNC_REPAIR;
	if (how == RESYNC_NONE && find_fp(w))
		how = RESYNC_FOUND_FP;
	if (how == RESYNC_NONE)
		how = resync(w);
	w->ret->resyncs += how == RESYNC_GAP;
	w->ret->repairs += how == RESYNC_REPAIR;
	w->ret->count -= how == RESYNC_REPAIR || how == RESYNC_FOUND_FP;
	return how;
}

void native_stack_walk(const struct native_ops *ops, const struct registers *regs,
		       const struct unwind_stack *stack, const uint64_t *anchors, uint32_t n_anchors,
		       struct native_learned *learned, struct native_walk *ret)
{
	struct stack_walk w = {
		.ops = ops, .stack = stack, .anchors = anchors, .n_anchors = n_anchors,
		.unwind = { ops->rule, ops->code, ops->arg, &learned->code, ops->start },
		.learned = learned, .ret = ret,
	};
	enum resync how = RESYNC_NONE;
	uint32_t from;

	memcpy(w.regs.value, regs->value, sizeof(w.regs.value));
	w.regs.known = regs->known;
	*ret = (struct native_walk){ .frames = ret->frames };
	do {
		from = ret->count;
		take(&w, how);
		how = go_on(&w, from);
	} while (how != RESYNC_NONE);
	count_guesses(ret);
	learn_from(&w);
}
