/* SPDX-License-Identifier: MIT
 * One step: the rule of the frame gives its CFA and where the caller's registers are. Without a
 * rule: what the code does up to its RET, else guesses for code as compilers write it, each taken
 * only when it leads to where a call returns to. */
#include "native/unwind.h"

#include <string.h>

#include "code.h"
#include "prologue.h"

struct walk {
	struct unwind_registers *regs;
	const struct unwind_stack *stack;
	const struct unwind_ops *ops;
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

/* --- code without CFI ------------------------------------------------------------------------ */

enum { PAGE = 4096, EXIT_UNKNOWN = 0, EXIT_NONE, EXIT_FIRST };

enum seen_call { CALL_UNKNOWN, CALL_NONE, CALL_INDIRECT, CALL_STUB, CALL_DIRECT, CALL_SIGNAL };

static const struct rule *lookup(const struct unwind_ops *ops, uint64_t addr)
{
	return ops->rule(ops->arg, addr);
}

/* As many bytes as there are: code may end with its page. */
static size_t read_code(const struct unwind_ops *ops, uint64_t addr, uint8_t *buf, size_t len)
{
	size_t left = PAGE - addr % PAGE;

	if (ops->code(ops->arg, addr, buf, len))
		return len;
	return left < len && ops->code(ops->arg, addr, buf, left) ? left : 0;
}

static void forget_code(struct unwind_code_cache *c)
{
	memset(c->seen, 0, sizeof(c->seen));
	c->exit_count = 0;
	c->walks = 0;
}

/* The place for what is known of pc, one of two; `spare` when nothing is kept. */
static struct unwind_code_seen *seen_at(const struct unwind_ops *ops, uint64_t pc,
					struct unwind_code_seen *spare)
{
	struct unwind_code_seen *s = spare;
	/* Fibonacci hashing; 9 bits */
	size_t slot = pc * 0x9e3779b97f4a7c15u >> 55;

	_Static_assert(UNWIND_CODE_SLOTS == 1 << (64 - 55), "a slot for each hash");
	if (ops->cache) {
		s = &ops->cache->seen[slot];
		if (s->pc != pc && s->pc != 0)
			s = &ops->cache->seen[slot ^ 1];
	}
	if (s->pc != pc)
		*s = (struct unwind_code_seen){ .pc = pc };
	return s;
}

static enum seen_call call_to(const struct unwind_ops *ops, uint64_t target)
{
	uint8_t bytes[CODE_STUB_BYTES];
	size_t len = read_code(ops, target, bytes, sizeof(bytes));

	if (len == 0)
		return CALL_NONE;
	return code_is_stub(bytes, len) ? CALL_STUB : CALL_DIRECT;
}

/* Code made at run time calls through constants of its own, which lie with it: as good as a direct
 * call. */
static bool is_constant(const struct unwind_ops *ops, uint64_t slot, uint64_t *ret_target)
{
	const struct rule *at = lookup(ops, slot);

	return at && at->kind == RULE_NONE && ops->code(ops->arg, slot, ret_target, 8) &&
	       *ret_target >= PAGE && lookup(ops, *ret_target);
}

static enum seen_call read_call(const struct unwind_ops *ops, uint64_t pc, uint64_t *ret_target)
{
	uint8_t bytes[CODE_CALL_BYTES];
	const struct rule *at;
	uint64_t slot;

	if (ops->code(ops->arg, pc - CODE_CALL_BYTES, bytes, CODE_CALL_BYTES)) {
		switch (code_call(bytes, pc, ret_target)) {
		case CODE_INDIRECT:
			if (!code_call_slot(bytes, pc, &slot) || !is_constant(ops, slot, ret_target))
				return CALL_INDIRECT;
			return call_to(ops, *ret_target);
		case CODE_DIRECT:
			return call_to(ops, *ret_target);
		default:
			break;
		}
	}
	at = lookup(ops, pc);
	return at && at->signal ? CALL_SIGNAL : CALL_NONE;
}

static enum seen_call find_call(const struct unwind_ops *ops, uint64_t pc, uint64_t *ret_target)
{
	struct unwind_code_seen spare = { .pc = 0 }, *seen = seen_at(ops, pc, &spare);

	if (seen->call == CALL_UNKNOWN)
		seen->call = read_call(ops, pc, &seen->target);
	*ret_target = seen->target;
	return seen->call;
}

/* Functions that were tail-called are refuted too: better a gap than a wrong caller. */
enum unwind_belief unwind_believe(const struct unwind_ops *ops, uint64_t pc, uint64_t callee)
{
	uint64_t target = 0;

	if (pc < PAGE || !lookup(ops, pc - 1))
		return UNWIND_REFUTED;
	if (!ops->code)
		return UNWIND_POSSIBLE;
	switch (find_call(ops, pc, &target)) {
	case CALL_NONE: return UNWIND_REFUTED;
	case CALL_DIRECT: return callee - target < UNWIND_NEAR ? UNWIND_CONFIRMED : UNWIND_REFUTED;
	default: return UNWIND_POSSIBLE;
	}
}

bool unwind_is_return(const struct unwind_ops *ops, uint64_t pc)
{
	uint64_t target;

	if (pc < PAGE || !lookup(ops, pc - 1))
		return false;
	return !ops->code || find_call(ops, pc, &target) != CALL_NONE;
}

/* The index of an equal rule among the remembered; UNWIND_CODE_RULES: there is no room. */
static uint32_t intern_exit(struct unwind_code_cache *c, const struct rule *rule)
{
	uint32_t i = 0;

	while (i < c->exit_count && memcmp(&c->exits[i], rule, sizeof(*rule)) != 0)
		i++;
	if (i == c->exit_count && i < UNWIND_CODE_RULES)
		memcpy(&c->exits[c->exit_count++], rule, sizeof(*rule)); /* with its padding */
	return i;
}

/* What the code at pc does up to its RET; NULL: not known. */
static const struct rule *exit_rule(const struct unwind_ops *ops, uint64_t pc, struct rule *spare)
{
	struct unwind_code_seen other = { .pc = 0 }, *seen = seen_at(ops, pc, &other);
	uint8_t code[CODE_EXIT_BYTES];
	uint32_t i;

	if (seen->exit == EXIT_NONE)
		return NULL;
	if (seen->exit >= EXIT_FIRST)
		return &ops->cache->exits[seen->exit - EXIT_FIRST];
	if (!code_exit(code, read_code(ops, pc, code, sizeof(code)), spare)) {
		seen->exit = EXIT_NONE;
		return NULL;
	}
	i = ops->cache ? intern_exit(ops->cache, spare) : UNWIND_CODE_RULES;
	if (i < UNWIND_CODE_RULES)
		seen->exit = (uint8_t)(EXIT_FIRST + i);
	return spare;
}

/* What the function does around pc; NULL: not known. */
static const struct rule *frame_rule(const struct unwind_ops *ops, uint64_t pc, uint64_t start,
				     struct rule *spare, uint8_t *ret_trust)
{
	struct unwind_code_seen other = { .pc = 0 }, *seen = seen_at(ops, pc, &other);
	uint32_t i;

	*ret_trust = seen->trust;
	if (seen->frame == EXIT_NONE)
		return NULL;
	if (seen->frame >= EXIT_FIRST)
		return &ops->cache->exits[seen->frame - EXIT_FIRST];
	*ret_trust = seen->trust = (uint8_t)prologue_rule(ops, start, pc, spare);
	if (seen->trust == PROLOGUE_NONE) {
		seen->frame = EXIT_NONE;
		return NULL;
	}
	i = ops->cache ? intern_exit(ops->cache, spare) : UNWIND_CODE_RULES;
	if (i < UNWIND_CODE_RULES)
		seen->frame = (uint8_t)(EXIT_FIRST + i);
	return spare;
}

/* A function that is found. */
struct found {
	uint64_t pc, start;          /* start 0: not known */
	const struct rule *rule;
	uint8_t trust;               /* enum prologue_trust */
};

/* A direct call has to be this function's. Of another it has to be known by both its ends where it
 * leaves the stack, or to lead to code with CFI. */
static bool is_caller(const struct unwind_ops *ops, const struct found *f, uint64_t pc)
{
	const struct rule *rule;
	uint64_t target;

	rule = pc >= PAGE ? lookup(ops, pc - 1) : NULL;
	if (!rule)
		return false;
	switch (find_call(ops, pc, &target)) {
	case CALL_DIRECT:
		if (f->start)
			return target == f->start;
		return f->pc - target < UNWIND_NEAR && prologue_fits(ops, target, f->pc, f->rule);
	case CALL_STUB:
	case CALL_INDIRECT:
		rule = lookup(ops, pc - 1);
		return f->trust >= PROLOGUE_AGREED ||
		       (f->trust == PROLOGUE_AHEAD && rule && rule->kind == RULE_FRAME);
	default: return false;
	}
}

static bool step_prologue(struct walk *w, struct unwind_frame *frame)
{
	struct unwind_registers before = *w->regs;
	uint64_t floor = w->floor;
	enum unwind_end end = w->end;
	struct found f = { .pc = frame->pc };
	struct rule spare;

	if (!w->ops->code || !w->ops->start ||
	    !w->ops->start(w->ops->arg, unwind_lookup_addr(frame), &f.start))
		return false;
	f.rule = frame_rule(w->ops, frame->pc, f.start, &spare, &f.trust);
	if (f.rule && step_rule(w, f.rule, frame) &&
	    is_caller(w->ops, &f, w->regs->value[RULE_RA]))
		return true;
	*w->regs = before;
	w->floor = floor;
	w->end = end;
	frame->cfa = 0;
	return false;
}

/* Taken only when it leads to a call's return address; else nothing has happened. Which function that
 * call was to is not asked: it may have jumped here (as CPython's perf trampolines are reached). */
static bool step_exit(struct walk *w, struct unwind_frame *frame)
{
	struct unwind_registers before = *w->regs;
	uint64_t floor = w->floor;
	enum unwind_end end = w->end;
	const struct rule *rule;
	struct rule spare;

	if (!w->ops->code)
		return false;
	rule = exit_rule(w->ops, frame->pc, &spare);
	if (rule && step_rule(w, rule, frame) &&
	    unwind_is_return(w->ops, w->regs->value[RULE_RA]))
		return true;
	*w->regs = before;
	w->floor = floor;
	w->end = end;
	frame->cfa = 0;
	return false;
}

/* --- guesses --------------------------------------------------------------------------------- */

/* A caller that there may be. */
struct guess {
	enum unwind_how how;
	enum unwind_belief belief;
	uint64_t cfa, pc;
	uint64_t fp;        /* the caller's; UNWIND_FP only */
};

static void weigh(struct walk *w, const struct unwind_frame *frame, struct guess *g)
{
	g->belief = g->cfa > w->floor ?
		unwind_believe(w->ops, g->pc, unwind_lookup_addr(frame)) : UNWIND_REFUTED;
}

/* Before a function has made its frame, or after it has undone it: nothing but FP was pushed. The
 * word at SP is FP then, or the return address; FP first, which may hold a function's address. */
static struct guess guess_leaf(struct walk *w, const struct unwind_frame *frame)
{
	uint64_t sp = w->regs->value[RULE_SP], fp = w->regs->value[RULE_FP], top;
	struct guess g = { .how = UNWIND_PUSHED, .cfa = sp + 16 };
	bool fp_known = is_known(w, RULE_FP);

	if (w->regs->at_return || !is_known(w, RULE_SP) || !read_word(w, sp, &top))
		return g;
	if (fp_known && fp == sp) /* a frame without contents */
		return g;
	if (fp_known && top == fp && read_word(w, sp + 8, &g.pc))
		weigh(w, frame, &g);
	if (g.belief != UNWIND_REFUTED)
		return g;
	g = (struct guess){ .how = UNWIND_LEAF, .cfa = sp + 8, .pc = top };
	weigh(w, frame, &g);
	return g;
}

/* The call at g->pc was to `target`. If FP is of a frame further up, the return addresses of those
 * below it are on the stack, and one of them follows a call to where the code that runs is: nearer
 * to it than `target`. A function whose FP this is has no such word: its own code holds no target of
 * its calls. */
static bool is_passed_over(struct walk *w, const struct guess *g, uint64_t callee, uint64_t target)
{
	uint64_t sp = w->regs->value[RULE_SP], fp = g->cfa - 16, word, to;

	for (int i = 0; i < UNWIND_SCAN_MAX && sp < fp && read_word(w, sp, &word); i++, sp += 8)
		if (word >= PAGE && lookup(w->ops, word - 1) &&
		    find_call(w->ops, word, &to) == CALL_DIRECT && to > target && to <= callee)
			return true;
	return false;
}

static void doubt(struct walk *w, const struct unwind_frame *frame, struct guess *g)
{
	uint64_t target;

	if (w->ops->code && g->belief == UNWIND_CONFIRMED &&
	    find_call(w->ops, g->pc, &target) == CALL_DIRECT &&
	    is_passed_over(w, g, unwind_lookup_addr(frame), target))
		g->belief = UNWIND_REFUTED;
}

/* System V ABI x86-64, figure 3.3: the caller's FP at FP, the return address above it. */
static struct guess guess_fp(struct walk *w, const struct unwind_frame *frame)
{
	uint64_t fp = w->regs->value[RULE_FP];
	struct guess g = { .how = UNWIND_FP, .cfa = fp + 16 };

	w->end = UNWIND_NO_INFO;
	if (!is_known(w, RULE_FP) || !is_known(w, RULE_SP) || fp % 8 != 0 ||
	    fp < w->regs->value[RULE_SP])
		return g;
	if (read_word(w, fp, &g.fp) && read_word(w, fp + 8, &g.pc)) {
		weigh(w, frame, &g);
		doubt(w, frame, &g);
		return g;
	}
	fail_read(w);
	w->end = w->end == UNWIND_TRUNCATED ? w->end : UNWIND_NO_INFO;
	return g;
}

/* Within its first instructions a function with a frame pointer is known by them. */
static bool is_entry(struct walk *w, const struct unwind_frame *frame)
{
	uint8_t bytes[1 + CODE_STUB_BYTES];

	return !frame->at_return && w->ops->code &&
	       w->ops->code(w->ops->arg, frame->pc - 1, bytes, sizeof(bytes)) &&
	       code_entry(bytes[0], bytes + 1, sizeof(bytes) - 1) != CODE_NO_ENTRY;
}

/* What lies at SP by chance may look like a return address, and FP may be another function's. */
static const struct guess *better(struct walk *w, const struct unwind_frame *frame,
				  const struct guess *leaf, const struct guess *fp)
{
	if (leaf->belief == UNWIND_CONFIRMED || fp->belief == UNWIND_REFUTED)
		return leaf;
	if (leaf->belief == UNWIND_REFUTED || fp->belief == UNWIND_CONFIRMED)
		return fp;
	return !w->ops->code || is_entry(w, frame) ? leaf : fp;
}

/* --- code that returns past what it has on the stack ---------------------------------------- */

/* A return address above the frame of code without CFI: registers as they are after that return. */
struct landing {
	uint64_t from;      /* SP of the frame; below the return address lies what it has saved */
	uint64_t sp, pc, fp;
};

/* Where the function that pc returns into has its own return address, if its CFA hangs on FP. */
static bool fp_frame(struct walk *w, uint64_t pc, uint64_t sp, uint64_t fp, uint64_t *ret_above)
{
	const struct rule *rule = lookup(w->ops, pc - 1);
	uint64_t cfa;

	if (!rule || rule->kind != RULE_FRAME || rule->signal || rule->cfa.form != RULE_SUM ||
	    rule->cfa.base != RULE_FP)
		return false;
	cfa = fp + (uint64_t)(int64_t)rule->cfa.offset;
	return cfa % 8 == 0 && cfa > sp && read_word(w, cfa - 8, ret_above);
}

/* The call in front of `above` was to the function that pc returns into; it may have been through a
 * variable, as in CPython's debug builds. */
static bool is_call_to(struct walk *w, uint64_t above, uint64_t pc)
{
	uint8_t bytes[CODE_CALL_BYTES];
	uint64_t slot, target;

	switch (unwind_believe(w->ops, above, pc - 1)) {
	case UNWIND_REFUTED: return false;
	case UNWIND_CONFIRMED: return true;
	default: break;
	}
	return find_call(w->ops, above, &target) == CALL_INDIRECT &&
	       w->ops->code(w->ops->arg, above - CODE_CALL_BYTES, bytes, sizeof(bytes)) &&
	       code_call_slot(bytes, above, &slot) &&
	       w->ops->code(w->ops->arg, slot, &target, sizeof(target)) &&
	       pc - 1 - target < UNWIND_FP_FRAME;
}

/* CPython 3.15: JIT code leaves FP to _PyJIT_Entry(), which called it. So above FP is the return
 * address of a call to just that function. */
static bool fits_fp(struct walk *w, const struct landing *l)
{
	uint64_t above;

	return is_known(w, RULE_FP) && fp_frame(w, l->pc, l->sp, l->fp, &above) &&
	       is_call_to(w, above, l->pc);
}

/* FP of the function that is returned to: as it is, or as it was saved. Two that fit: not known. */
static bool find_saved_fp(struct walk *w, struct landing *l, uint64_t outer, uint64_t outer_sp)
{
	uint64_t fp, above, found = 0;

	if (is_known(w, RULE_FP) && l->fp - outer_sp <= UNWIND_FP_FRAME &&
	    fp_frame(w, outer, outer_sp, l->fp, &above) && unwind_is_return(w->ops, above))
		return true;
	for (uint64_t at = l->from; at + 8 < l->sp && read_word(w, at, &fp); at += 8) {
		if (fp == found || fp - outer_sp > UNWIND_FP_FRAME ||
		    !fp_frame(w, outer, outer_sp, fp, &above) || !unwind_is_return(w->ops, above))
			continue;
		if (found)
			return false;
		found = fp;
	}
	l->fp = found;
	return found != 0;
}

/* CPython 3.13, 3.14: each trace has a piece of code in front that pushes registers, calls the
 * trace, pops them and returns to the eval loop, behind a call through a register. The trace may use
 * FP, and saves it then. */
static bool fits_exit(struct walk *w, struct landing *l)
{
	const struct rule *exit, *rule = lookup(w->ops, l->pc - 1);
	struct rule spare;
	uint64_t outer, sp, target;

	exit = rule && rule->kind == RULE_NONE ? exit_rule(w->ops, l->pc, &spare) : NULL;
	if (!exit || exit->cfa.base != RULE_SP || exit->lost >> RULE_FP & 1)
		return false;
	for (size_t i = 1; i < exit->saved_count; i++)
		if (exit->saved[i].reg == RULE_FP)
			return false;
	sp = l->sp + (uint64_t)(int64_t)exit->cfa.offset;
	return sp > l->sp && read_word(w, sp - 8, &outer) && outer >= PAGE &&
	       lookup(w->ops, outer - 1) &&
	       find_call(w->ops, outer, &target) == CALL_INDIRECT && find_saved_fp(w, l, outer, sp);
}

/* Behind a call of a trace, which may have gone on in another. */
static bool is_entered(const struct walk *w, uint64_t pc)
{
	const struct rule *from = pc < PAGE ? NULL : lookup(w->ops, pc - 1), *to;
	uint64_t target;

	if (!from || from->kind != RULE_NONE || find_call(w->ops, pc, &target) != CALL_DIRECT)
		return false;
	to = lookup(w->ops, target);
	return to && to->kind == RULE_NONE;
}

/* There is a return address, or what is there was not copied. */
static bool may_return_at(struct walk *w, uint64_t addr)
{
	uint64_t pc;

	if (read_word(w, addr, &pc))
		return unwind_is_return(w->ops, pc);
	return addr > w->stack->hi - 8 && addr - w->stack->hi < UNWIND_FP_FRAME;
}

/* The function that pc returns into, whose CFA is FP + offset, has its return address by FP as it
 * is, or as it was saved below pc. */
static bool has_fp(struct walk *w, const struct landing *l, uint64_t offset)
{
	uint64_t fp;

	if (!is_known(w, RULE_FP) || (l->fp > l->sp - offset && may_return_at(w, l->fp + offset - 8)))
		return true;
	for (uint64_t at = l->from; at + 8 < l->sp && read_word(w, at, &fp); at += 8)
		if (fp > l->sp - offset && may_return_at(w, fp + offset - 8))
			return true;
	return false;
}

/* A return address of a frame that is none: where that would have its own there is no such thing. */
static bool is_left_over(struct walk *w, const struct landing *l)
{
	const struct rule *rule = lookup(w->ops, l->pc - 1);
	uint64_t offset;

	if (!rule || rule->kind != RULE_FRAME || rule->signal || rule->cfa.form != RULE_SUM)
		return false;
	offset = (uint64_t)(int64_t)rule->cfa.offset;
	if (rule->cfa.base == RULE_FP)
		return !has_fp(w, l, offset);
	return rule->cfa.base == RULE_SP && !may_return_at(w, l->sp + offset - 8);
}

/* The lowest word that may return from the frame. Behind a call of something else it does not: it
 * was left over from before. */
static bool find_landing(struct walk *w, const struct unwind_frame *frame, struct landing *l)
{
	for (int i = 0; i < UNWIND_SPILL_MAX && read_word(w, l->sp, &l->pc); i++) {
		l->sp += 8;
		if (unwind_believe(w->ops, l->pc, unwind_lookup_addr(frame)) == UNWIND_REFUTED &&
		    !is_entered(w, l->pc))
			continue;
		if (!is_left_over(w, l))
			return true;
	}
	return false;
}

/* What is on the stack is not known; but the lowest return address is the frame's, if it is not left
 * over. That is so when all above it fits. Else nothing further up is tried: frames may be
 * between. */
static bool step_scan(struct walk *w, struct unwind_frame *frame)
{
	uint64_t sp = w->regs->value[RULE_SP];
	struct landing l = { .from = sp, .sp = sp, .fp = w->regs->value[RULE_FP] };

	if (!w->ops->code || !is_known(w, RULE_SP) || sp % 8 != 0 || !find_landing(w, frame, &l) ||
	    l.sp <= w->floor || (!fits_fp(w, &l) && !fits_exit(w, &l)))
		return false;
	w->regs->known = 0;
	unwind_set(w->regs, RULE_FP, l.fp);
	unwind_set(w->regs, RULE_SP, l.sp);
	unwind_set(w->regs, RULE_RA, l.pc);
	w->regs->at_return = true;
	frame->cfa = w->floor = l.sp;
	return true;
}

/* --------------------------------------------------------------------------------------------- */

static bool step_guess(struct walk *w, struct unwind_frame *frame, enum unwind_how *how)
{
	struct guess leaf = guess_leaf(w, frame), fp = guess_fp(w, frame);
	const struct guess *g = better(w, frame, &leaf, &fp);

	/* FP may be the caller's, too. */
	if ((g->belief == UNWIND_REFUTED || (g->how == UNWIND_FP && g->belief == UNWIND_POSSIBLE)) &&
	    step_scan(w, frame)) {
		*how = UNWIND_SCAN;
		return true;
	}
	if (g->belief == UNWIND_REFUTED)
		return false;
	*how = g->how;
	unwind_set(w->regs, RULE_SP, g->cfa);
	unwind_set(w->regs, RULE_RA, g->pc);
	if (g->how == UNWIND_FP) {
		w->regs->known = 1u << RULE_SP | 1u << RULE_RA;
		unwind_set(w->regs, RULE_FP, g->fp);
	}
	w->regs->at_return = true;
	frame->cfa = g->cfa;
	w->floor = g->cfa;
	return true;
}

/* From a frame to its caller; fills in what is known of the frame only then. */
static bool step(struct walk *w, const struct rule *rule, struct unwind_frame *frame,
		 enum unwind_how *how)
{
	if (rule && rule->kind == RULE_END)
		return fail(w, UNWIND_COMPLETE);
	if (rule && rule->kind == RULE_FRAME) {
		*how = UNWIND_CFI;
		if (step_rule(w, rule, frame))
			return true;
		if (w->end != UNWIND_UNKNOWN) /* else the code may do without that register */
			return false;
	}
	*how = UNWIND_EXIT;
	if (step_exit(w, frame))
		return true;
	if (rule && rule->kind == RULE_FRAME)
		return false;
	*how = UNWIND_PROLOGUE;
	return step_prologue(w, frame) || step_guess(w, frame, how);
}

/* Why a frame whose PC lies in no code ends the walk before it. */
static enum unwind_end no_code(const struct walk *w)
{
	return w->regs->value[RULE_RA] == 0 ? UNWIND_COMPLETE : UNWIND_NO_CODE;
}

static void start_cache(struct unwind_code_cache *c)
{
	if (c && c->walks++ >= UNWIND_CODE_WALKS)
		forget_code(c);
}

struct unwind_result unwind_walk(struct unwind_registers *regs, const struct unwind_stack *stack,
				 const struct unwind_ops *ops, struct unwind_frame *frames,
				 size_t max)
{
	struct walk w = { regs, stack, ops, regs->value[RULE_SP] - 1, 0, UNWIND_FULL };
	enum unwind_how how = UNWIND_START;
	struct unwind_result result = { .count = 0 };

	if (!is_known(&w, RULE_RA) || stack->hi < 8)
		return (struct unwind_result){ .end = UNWIND_UNKNOWN };
	start_cache(ops->cache);
	while (result.count < max) {
		struct unwind_frame *frame = &frames[result.count];
		const struct rule *rule;

		*frame = (struct unwind_frame){ .pc = regs->value[RULE_RA], .how = (uint8_t)how,
			.sp = regs->value[RULE_SP], .at_return = regs->at_return };
		rule = lookup(ops, unwind_lookup_addr(frame));
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
