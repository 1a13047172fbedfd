/* SPDX-License-Identifier: MIT
 * Instructions are run for what they do to RSP, RBP and the registers that a call keeps; all else is
 * only as long as it is. */
#include "prologue.h"

#include <string.h>

#include "insn.h"

enum { RSP = 4, RBP = 5, REGS = 16, ALIGNED };

/* System V ABI x86-64, figure 3.4: RBX, RBP, R12 to R15 are the caller's. */
enum { KEPT_BY_CALLS = 1 << 3 | 1 << RBP | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15 };

/* By the number that instructions use: rax rcx rdx rbx rsp rbp rsi rdi; DWARF's. */
static const uint8_t dwarf_number[REGS] = {
	0, 2, 1, RULE_RBX, RULE_SP, RULE_FP, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15,
};

/* An address on the stack: what RSP or RBP held at first, and an offset. */
struct place {
	uint8_t base;       /* RSP or RBP; else not known */
	int64_t offset;
};

enum content { FIRST, LOADED, LOST };

struct state {
	struct place sp, fp;
	uint8_t content[REGS];
	struct place from[REGS];      /* LOADED: where from */
	struct place stored[REGS];    /* base 0: was not while it was FIRST */
	bool aligned;                 /* RSP is no more than rounded down */
};

static bool same(struct place a, struct place b)
{
	return a.base == b.base && a.offset == b.offset;
}

static struct place add(struct place p, int64_t n)
{
	p.offset += n;
	return p;
}

static void state_init(struct state *s)
{
	*s = (struct state){ .sp = { .base = RSP }, .fp = { .base = RBP } };
}

/* --- code -------------------------------------------------------------------------------------- */

enum { CHUNK = 1024, CHUNK_PAGE = 4096 };

struct source {
	const struct unwind_ops *ops;
	uint64_t lo, hi;
	uint8_t bytes[CHUNK];
};

static bool load(struct source *s, uint64_t addr)
{
	size_t left = CHUNK_PAGE - addr % CHUNK_PAGE, len = CHUNK;

	s->lo = s->hi = addr;
	if (!s->ops->code(s->ops->arg, addr, s->bytes, len)) {
		len = left < CHUNK ? left : CHUNK;
		if (!s->ops->code(s->ops->arg, addr, s->bytes, len))
			return false;
	}
	s->hi = addr + len;
	return true;
}

static bool fetch(struct source *s, uint64_t addr, struct insn *ret)
{
	if ((addr < s->lo || addr >= s->hi || s->hi - addr < INSN_MAX) && !load(s, addr))
		return false;
	return insn_decode(s->bytes + (addr - s->lo), s->hi - addr, ret);
}

/* --- one instruction --------------------------------------------------------------------------- */

enum flow {
	FLOW_FAIL,     /* RSP is not known any more, or what the instruction is */
	FLOW_ON,
	FLOW_CALL,
	FLOW_BRANCH,   /* either way */
	FLOW_JUMP,
	FLOW_END,      /* nobody knows where; or nowhere */
	FLOW_RET,
};

static void write_reg(struct state *s, unsigned int reg)
{
	s->content[reg] = LOST;
	if (reg == RBP)
		s->fp.base = 0;
}

static void write_all(struct state *s, uint32_t regs)
{
	for (unsigned int r = 0; r < REGS; r++)
		if (regs >> r & 1)
			write_reg(s, r);
}

static void store(struct state *s, uint8_t reg, struct place to)
{
	if (s->content[reg] == FIRST)
		s->stored[reg] = s->aligned ? (struct place){ .base = ALIGNED } : to;
}

static void load_reg(struct state *s, uint8_t reg, struct place from)
{
	write_reg(s, reg);
	s->content[reg] = LOADED;
	s->from[reg] = from;
}

static enum flow pop(struct state *s, uint8_t reg)
{
	if (reg == RSP)
		return FLOW_FAIL;
	load_reg(s, reg, s->sp);
	s->sp.offset += 8;
	return FLOW_ON;
}

static enum flow sp_becomes(struct state *s, struct place to)
{
	s->sp = to;
	s->aligned = false;
	return to.base ? FLOW_ON : FLOW_FAIL;
}

/* ADD, SUB, AND of RSP and a number. */
static enum flow calculate_sp(struct state *s, const struct insn *i)
{
	if (!i->wide)
		return FLOW_FAIL;
	switch (i->reg) {
	case 0: s->sp.offset += i->imm; return FLOW_ON;
	case 5: s->sp.offset -= i->imm; return FLOW_ON;
	case 7: return FLOW_ON;
	case 4: s->aligned = true; return FLOW_ON;
	default: return FLOW_FAIL;
	}
}

/* [RSP + n] or [RBP + n], if that is what it is. */
static bool operand(const struct state *s, const struct insn *i, struct place *ret)
{
	*ret = (struct place){ 0 };
	if (!i->has_modrm || i->mod == 3)
		return false;
	if (insn_at_sp(i) && !s->aligned)
		*ret = add(s->sp, i->disp);
	else if (!i->has_sib && i->rm == RBP && (i->mod == 1 || i->mod == 2))
		*ret = add(s->fp, i->disp);
	return ret->base;
}

static enum flow other(struct state *s, const struct insn *i)
{
	uint32_t writes = insn_writes(i);

	if (writes >> RSP & 1)
		return FLOW_FAIL;
	write_all(s, writes);
	return FLOW_ON;
}

/* 89, 8B, 8D: MOV, LEA. */
static enum flow move(struct state *s, const struct insn *i)
{
	uint8_t from = i->op == 0x89 ? i->reg : i->rm, to = i->op == 0x89 ? i->rm : i->reg;
	bool memory = i->mod != 3;
	struct place at;

	if (!i->wide)
		return other(s, i);
	if (!memory && to == RSP)
		return sp_becomes(s, from == RBP ? s->fp : (struct place){ 0 });
	if (!memory && to == RBP && from == RSP && !s->aligned) {
		write_reg(s, RBP);
		s->fp = s->sp;
		return FLOW_ON;
	}
	if (!memory || !operand(s, i, &at))
		return other(s, i);
	if (i->op == 0x89)
		store(s, i->reg, at);
	else if (i->reg == RSP)
		return i->op == 0x8d ? sp_becomes(s, at) : FLOW_FAIL;
	else if (i->op == 0x8b)
		load_reg(s, i->reg, at);
	else {
		write_reg(s, i->reg);
		s->fp = i->reg == RBP ? at : s->fp;
	}
	return FLOW_ON;
}

/* FE, FF: INC, DEC, CALL, JMP, PUSH. */
static enum flow group_ff(struct state *s, const struct insn *i)
{
	switch (i->op == 0xff ? i->reg & 7 : 0) {
	case 2: return FLOW_CALL;
	case 4: return FLOW_END;
	case 6: s->sp.offset -= 8; return i->narrow ? FLOW_FAIL : FLOW_ON;
	case 3:
	case 5:
	case 7: return FLOW_FAIL;
	default: return other(s, i);
	}
}

static enum flow one_byte(struct state *s, const struct insn *i)
{
	uint8_t op = i->op;

	if (i->narrow && ((op >= 0x50 && op <= 0x5f) || op == 0xe8 || op == 0xe9 || op == 0xc3 ||
			  op == 0x68 || op == 0x6a || op == 0xc9 || op == 0x9c || op == 0x9d))
		return FLOW_FAIL;
	if (op >= 0x50 && op <= 0x57) {
		s->sp.offset -= 8;
		store(s, i->rm, s->sp);
		return FLOW_ON;
	}
	if (op >= 0x58 && op <= 0x5f)
		return s->aligned ? FLOW_FAIL : pop(s, i->rm);
	if ((op & 0xf0) == 0x70 || (op >= 0xe0 && op <= 0xe3))
		return FLOW_BRANCH;
	if ((op == 0x81 || op == 0x83) && i->mod == 3 && i->rm == RSP)
		return calculate_sp(s, i);
	switch (op) {
	case 0x68:
	case 0x6a:
	case 0x9c: s->sp.offset -= 8; return FLOW_ON;
	case 0x9d: s->sp.offset += 8; return FLOW_ON;
	case 0x89:
	case 0x8b:
	case 0x8d: return move(s, i);
	case 0x8f: return FLOW_FAIL;
	case 0xc2: return FLOW_FAIL;
	case 0xc3: return s->aligned ? FLOW_FAIL : FLOW_RET;
	case 0xc9: return sp_becomes(s, s->fp) == FLOW_ON ? pop(s, RBP) : FLOW_FAIL;
	case 0xcc:
	case 0xf4: return FLOW_END;
	case 0xe8: return i->imm ? FLOW_CALL : FLOW_FAIL;
	case 0xe9:
	case 0xeb: return FLOW_JUMP;
	case 0xfe:
	case 0xff: return group_ff(s, i);
	default: return other(s, i);
	}
}

static enum flow run(struct state *s, const struct insn *i)
{
	enum flow flow;

	if (i->map == INSN_0F && !i->vector && i->op >= 0x80 && i->op <= 0x8f)
		return i->narrow ? FLOW_FAIL : FLOW_BRANCH;
	if (i->map == INSN_0F && !i->vector && i->op == 0x0b)
		return FLOW_END;
	flow = i->map == INSN_ONE && !i->vector ? one_byte(s, i) : other(s, i);
	if (flow == FLOW_CALL)
		write_all(s, ~(uint32_t)KEPT_BY_CALLS & ~(1u << RSP) & 0xffff);
	return flow;
}

/* --- rules ------------------------------------------------------------------------------------- */

static bool fits(int64_t n)
{
	return n >= INT32_MIN / 2 && n <= INT32_MAX / 2;
}

static uint8_t base_of(struct place p)
{
	return p.base == RSP ? RULE_SP : RULE_FP;
}

static bool rule_start(struct rule *ret, uint8_t base, int64_t cfa)
{
	memset(ret, 0, sizeof(*ret));
	ret->kind = RULE_FRAME;
	ret->cfa = (struct rule_value){ .form = RULE_SUM, .base = base, .offset = (int32_t)cfa };
	ret->saved[0] = (struct rule_value){ .reg = RULE_RA, .form = RULE_DEREF, .base = RULE_CFA,
					     .offset = -8 };
	ret->saved_count = 1;
	for (unsigned int r = 0; r < REGS; r++)
		if (!(KEPT_BY_CALLS >> r & 1) && r != RSP)
			ret->lost |= 1u << dwarf_number[r];
	return fits(cfa) && (base != RULE_SP || cfa >= 8); /* the return address is above RSP */
}

static void rule_save(struct rule *ret, unsigned int reg, uint8_t base, int64_t offset)
{
	if (!fits(offset)) {
		ret->lost |= 1u << dwarf_number[reg];
		return;
	}
	ret->saved[ret->saved_count++] = (struct rule_value){
		.reg = dwarf_number[reg], .form = RULE_DEREF, .base = base,
		.offset = (int32_t)offset,
	};
}

/* --- from the start ---------------------------------------------------------------------------- */

struct entry {
	bool reached;       /* pc */
	struct state s;     /* bases are RSP and RBP at the start */
};

static bool entry_run(struct source *src, uint64_t start, uint64_t pc, struct entry *e)
{
	uint64_t at = start;

	e->reached = false;
	state_init(&e->s);
	for (int n = 0; n < PROLOGUE_STEPS && at - start < PROLOGUE_BYTES && at < pc; n++) {
		struct state next = e->s;
		enum flow flow;
		struct insn i;

		if (!fetch(src, at, &i))
			return false;
		flow = run(&next, &i);
		if (flow == FLOW_FAIL || flow == FLOW_RET || flow == FLOW_END)
			return false;
		at += i.len;
		if (flow == FLOW_JUMP || flow == FLOW_BRANCH || flow == FLOW_CALL)
			break;
		e->s = next;
	}
	e->reached = at == pc;
	return at <= pc;
}

static bool entry_has_fp(const struct entry *e)
{
	return e->s.fp.base == RSP;
}

/* CFA - RSP, CFA - RBP at pc; false: not to be had that way. */
static bool entry_cfa(const struct entry *e, uint8_t base, int64_t *ret)
{
	struct place p = base == RULE_SP ? e->s.sp : e->s.fp;

	*ret = 8 - p.offset;
	return p.base == RSP && !(base == RULE_SP && e->s.aligned);
}

static bool entry_rule(const struct entry *e, struct rule *ret)
{
	uint8_t base = entry_has_fp(e) && !e->reached ? RULE_FP : RULE_SP;
	int64_t cfa;

	if (e->s.aligned)
		base = RULE_FP;
	if (!entry_cfa(e, base, &cfa) || cfa < 8 || !rule_start(ret, base, cfa))
		return false;
	for (unsigned int r = 0; r < REGS; r++) {
		if (!(KEPT_BY_CALLS >> r & 1))
			continue;
		if (e->s.stored[r].base == RSP)
			rule_save(ret, r, RULE_CFA, e->s.stored[r].offset - 8);
		else if (!e->reached || e->s.content[r] != FIRST)
			ret->lost |= 1u << dwarf_number[r];
	}
	return true;
}

static bool entry_agrees(const struct entry *e, const struct rule *rule)
{
	int64_t cfa;

	return entry_cfa(e, rule->cfa.base, &cfa) && cfa == rule->cfa.offset;
}

/* Behind a call that does not return comes another function's end, which pops other registers: where
 * they were pushed is sure. */
static void entry_amend(const struct entry *e, struct rule *rule)
{
	for (size_t k = 1; k < rule->saved_count; k++)
		for (unsigned int r = 0; r < REGS; r++)
			if (dwarf_number[r] == rule->saved[k].reg && e->s.stored[r].base == RSP &&
			    fits(e->s.stored[r].offset)) {
				rule->saved[k].base = RULE_CFA;
				rule->saved[k].offset = (int32_t)e->s.stored[r].offset - 8;
			}
}

/* --- ahead ------------------------------------------------------------------------------------- */

struct path {
	uint64_t at;
	struct state s;
};

struct ahead {
	struct source *src;
	uint64_t lo;                               /* of what is looked at */
	uint8_t seen[2 * PROLOGUE_REACH];          /* how RSP was at each instruction; 0: none there */
	struct path pending[PROLOGUE_PENDING];
	size_t count;
	int steps;                                 /* left */
	bool found;
	struct rule *rule;
};

/* Before the pushes of pc's own prologue, what the pops take is not there yet. Where RSP was pushed to
 * and RBP popped from, they may be one place. */
static bool is_there(const struct state *s, unsigned int reg)
{
	struct place p = s->from[reg];

	if (!p.base || (p.base == RSP && p.offset < 0))
		return false;
	return !s->stored[reg].base ||
	       (s->stored[reg].base == p.base && !same(p, s->stored[reg]));
}

static bool ahead_rule(const struct state *s, struct rule *ret)
{
	if (!s->sp.base || !rule_start(ret, base_of(s->sp), s->sp.offset + 8))
		return false;
	for (unsigned int r = 0; r < REGS; r++) {
		if (!(KEPT_BY_CALLS >> r & 1) || s->content[r] == FIRST)
			continue;
		if (s->content[r] == LOADED && is_there(s, r))
			rule_save(ret, r, base_of(s->from[r]), s->from[r].offset);
		else
			ret->lost |= 1u << dwarf_number[r];
	}
	return true;
}

static const struct rule_value *saved_in(const struct rule *r, unsigned int reg)
{
	for (size_t k = 1; k < r->saved_count; k++)
		if (r->saved[k].reg == reg)
			return &r->saved[k];
	return NULL;
}

static bool is_saved_alike(const struct rule *a, const struct rule *b, unsigned int reg)
{
	const struct rule_value *x = saved_in(a, reg), *y = saved_in(b, reg);

	return x && y ? x->base == y->base && x->offset == y->offset : !x && !y;
}

/* Only the registers that two ways restore alike are known. */
static void rule_meet(struct rule *to, const struct rule *other)
{
	struct rule both = *to;

	both.saved_count = 1;
	both.lost |= other->lost;
	memset(both.saved + 1, 0, sizeof(both.saved) - sizeof(both.saved[0]));
	for (unsigned int r = 0; r < RULE_RA; r++) {
		const struct rule_value *v = saved_in(to, r);

		if (!is_saved_alike(to, other, r))
			both.lost |= 1u << r;
		else if (v)
			both.saved[both.saved_count++] = *v;
	}
	memcpy(to, &both, sizeof(both));
}

/* All have to end alike. */
static bool take_ret(struct ahead *a, const struct state *s)
{
	struct rule rule;

	if (!ahead_rule(s, &rule))
		return false;
	if (a->found) {
		rule_meet(a->rule, &rule);
		return rule.cfa.base == a->rule->cfa.base && rule.cfa.offset == a->rule->cfa.offset;
	}
	memcpy(a->rule, &rule, sizeof(rule)); /* with its padding */
	a->found = true;
	a->steps = PROLOGUE_MORE_STEPS;
	return true;
}

enum mark { MARK_NEW, MARK_OLD, MARK_DIFFERS };

/* Ways that meet must have RSP alike; what is too far away is not looked at. */
static enum mark mark(struct ahead *a, const struct path *p)
{
	uint64_t n = p->at - a->lo;
	uint8_t how = (uint8_t)(1 + (uint64_t)(p->s.sp.offset / 8 * 2 + (p->s.sp.base == RBP)) % 251);

	if (n >= 2 * PROLOGUE_REACH)
		return MARK_OLD;
	if (a->seen[n])
		return a->seen[n] == how ? MARK_OLD : MARK_DIFFERS;
	a->seen[n] = how;
	return MARK_NEW;
}

static void put_off(struct ahead *a, uint64_t to, const struct state *s)
{
	if (a->count < PROLOGUE_PENDING)
		a->pending[a->count++] = (struct path){ to, *s };
}

/* What lies between functions: NOP, INT3. */
static bool is_padding(const struct insn *i)
{
	return (i->map == INSN_ONE && ((i->op == 0x90 && i->rm == 0) || i->op == 0xcc)) ||
	       (i->map == INSN_0F && !i->vector && i->op == 0x1f);
}

/* To its end; branches are left for later. */
static bool ahead_path(struct ahead *a, struct path p)
{
	enum mark known = MARK_NEW;
	bool called = false;
	struct insn i;

	while (a->steps-- > 0 && (known = mark(a, &p)) == MARK_NEW) {
		if (!fetch(a->src, p.at, &i))
			return false;
		if (called && is_padding(&i)) /* the call does not return */
			return true;
		p.at += i.len;
		called = false;
		switch (run(&p.s, &i)) {
		case FLOW_FAIL: return false;
		case FLOW_CALL: called = true; break;
		case FLOW_RET: return take_ret(a, &p.s);
		case FLOW_END: return true;
		case FLOW_JUMP: p.at += (uint64_t)i.imm; break;
		case FLOW_BRANCH: put_off(a, p.at + (uint64_t)i.imm, &p.s); break;
		default: break;
		}
	}
	return known != MARK_DIFFERS;
}

static bool ahead_find(struct source *src, uint64_t pc, struct rule *ret)
{
	struct ahead a = { .src = src, .lo = pc - PROLOGUE_REACH, .steps = PROLOGUE_AHEAD_STEPS,
			   .rule = ret };
	struct path first = { .at = pc };

	state_init(&first.s);
	if (!ahead_path(&a, first))
		return false;
	while (a.count > 0 && a.steps > 0)
		if (!ahead_path(&a, a.pending[--a.count]))
			return false;
	return a.found;
}

/* ----------------------------------------------------------------------------------------------- */

enum prologue_trust prologue_rule(const struct unwind_ops *ops, uint64_t start, uint64_t pc,
				  struct rule *ret)
{
	struct source src = { .ops = ops };
	struct entry entry;
	bool known = start && entry_run(&src, start, pc, &entry);

	if (known && entry.reached)
		return entry_rule(&entry, ret) ? PROLOGUE_EXACT : PROLOGUE_NONE;
	if (ahead_find(&src, pc, ret)) {
		if (!known)
			return start ? PROLOGUE_NONE : PROLOGUE_AHEAD;
		if (!entry_agrees(&entry, ret))
			return PROLOGUE_NONE;
		entry_amend(&entry, ret);
		return PROLOGUE_AGREED;
	}
	/* What the body does to RSP is not known. */
	return known && entry_has_fp(&entry) && entry_rule(&entry, ret) ? PROLOGUE_ENTRY :
								     PROLOGUE_NONE;
}

bool prologue_fits(const struct unwind_ops *ops, uint64_t start, uint64_t pc,
		   const struct rule *rule)
{
	struct source src = { .ops = ops };
	struct entry entry;

	return entry_run(&src, start, pc, &entry) && entry_agrees(&entry, rule);
}
