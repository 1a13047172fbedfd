/* SPDX-License-Identifier: MIT
 * libdw describes the CFA and each register by a DWARF expression (DWARF 5, 2.5). Those that occur
 * have few forms: the compilers' own, PLT stubs (the linker), realigned stacks (gcc's DRAP), signal
 * frames (libc) and hand-written code that keeps the old SP in memory (OpenSSL). */
#include "rule_compile.h"

#include <dwarf.h>
#include <errno.h>
#include <string.h>

/* An expression as far as it has been read: base + offset, then perhaps *(that) + add. */
struct value {
	bool pushed, deref;
	uint8_t base;
	int64_t offset, add;
};

static bool push(struct value *v, uint64_t reg, uint64_t offset)
{
	*v = (struct value){ .pushed = true, .base = (uint8_t)reg, .offset = (int64_t)offset };
	return reg < RULE_RA;
}

static bool push_cfa(struct value *v)
{
	*v = (struct value){ .pushed = true, .base = RULE_CFA };
	return true;
}

static bool add(struct value *v, uint64_t number)
{
	int64_t *to = v->deref ? &v->add : &v->offset;

	return v->pushed && !__builtin_add_overflow(*to, (int64_t)number, to);
}

static bool deref(struct value *v)
{
	bool first = v->pushed && !v->deref;

	v->deref = true;
	return first;
}

/* A push hides what was pushed before: the CFA, where libdw puts it in front (DWARF 5, 6.4.2.3). */
static bool take_op(struct value *v, const Dwarf_Op *op)
{
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return push(v, op->atom - DW_OP_breg0, op->number);
	switch (op->atom) {
	case DW_OP_bregx: return push(v, op->number, op->number2);
	case DW_OP_regx: return push(v, op->number, 0);
	case DW_OP_call_frame_cfa: return push_cfa(v);
	case DW_OP_plus_uconst: return add(v, op->number);
	case DW_OP_deref: return deref(v);
	default: return false;
	}
}

static bool fits(int64_t n)
{
	return n >= INT32_MIN && n <= INT32_MAX;
}

static bool take_value(struct rule_value *out, const struct value *v)
{
	if (!v->pushed || !fits(v->offset) || !fits(v->add))
		return false;
	out->form = v->deref ? RULE_DEREF : RULE_SUM;
	out->base = v->base;
	out->offset = (int32_t)v->offset;
	out->add = (int32_t)v->add;
	return true;
}

/* CFA = SP + 8 + ((RIP & 15) >= N) * 8: the second half of a lazy stub has pushed its number. */
static bool take_plt(struct rule_value *out, const Dwarf_Op *ops, size_t n)
{
	static const uint8_t shape[] = {
		DW_OP_breg7, DW_OP_breg16, DW_OP_lit15, DW_OP_and, 0 /* DW_OP_litN */,
		DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus,
	};

	if (n != sizeof(shape) || !fits((int64_t)ops[0].number) || ops[1].number != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (shape[i] && ops[i].atom != shape[i])
			return false;
	if (ops[4].atom < DW_OP_lit0 || ops[4].atom > DW_OP_lit15)
		return false;
	out->form = RULE_PLT;
	out->base = RULE_SP;
	out->offset = (int32_t)ops[0].number;
	out->add = ops[4].atom - DW_OP_lit0;
	return true;
}

static bool compile_cfa(struct rule_value *out, Dwarf_Frame *frame)
{
	struct value v = { .pushed = false };
	Dwarf_Op *ops;
	size_t n;

	if (dwarf_frame_cfa(frame, &ops, &n) != 0)
		return false;
	if (take_plt(out, ops, n))
		return true;
	for (size_t i = 0; i < n; i++)
		if (!take_op(&v, &ops[i]))
			return false;
	return v.base != RULE_CFA && take_value(out, &v);
}

enum found { SAME, LOST, SAVED };

/* libdw calls a register that the CFI does not name undefined (elfutils 0.188; DWARF 5, 6.4.1
 * leaves it to the ABI): what a function has to preserve has then not been touched. */
static bool is_preserved(int reg)
{
	return reg == RULE_RBX || reg == RULE_FP || (reg >= RULE_R12 && reg <= RULE_R15);
}

/* Where a register of the caller is. */
static enum found compile_register(struct rule_value *out, Dwarf_Frame *frame, int reg)
{
	struct value v = { .pushed = false };
	Dwarf_Op mem[3], *ops;
	bool is_value;
	size_t n;

	if (dwarf_frame_register(frame, reg, mem, &ops, &n) != 0)
		return LOST;
	if (n == 0)
		return ops && !is_preserved(reg) ? LOST : SAME;
	is_value = ops[n - 1].atom == DW_OP_stack_value || ops[n - 1].atom == DW_OP_regx;
	n -= ops[n - 1].atom == DW_OP_stack_value;
	for (size_t i = 0; i < n; i++)
		if (!take_op(&v, &ops[i]))
			return LOST;
	if (!is_value && !deref(&v)) /* the place of the value */
		return LOST;
	if (!take_value(out, &v))
		return LOST;
	out->reg = (uint8_t)reg;
	return SAVED;
}

static bool is_undefined(Dwarf_Frame *frame, int reg)
{
	Dwarf_Op mem[3], *ops;
	size_t n;

	return dwarf_frame_register(frame, reg, mem, &ops, &n) == 0 && n == 0 && ops;
}

static bool is_cfa(const struct rule_value *v)
{
	return v->form == RULE_SUM && v->base == RULE_CFA && v->offset == 0;
}

static void compile_others(struct rule *rule, Dwarf_Frame *frame)
{
	for (int reg = 0; reg < RULE_RA; reg++) {
		struct rule_value *v = &rule->saved[rule->saved_count];
		enum found found = compile_register(v, frame, reg);

		if (found == SAVED && !(reg == RULE_SP && is_cfa(v)))
			rule->saved_count++;
		else
			memset(v, 0, sizeof(*v));
		if (found == LOST && reg != RULE_SP)
			rule->lost |= 1u << reg;
	}
}

int rule_compile(struct rule *rule, Dwarf_Frame *frame)
{
	bool signal = false;
	int column = dwarf_frame_info(frame, NULL, NULL, &signal);

	memset(rule, 0, sizeof(*rule));
	if (column != RULE_RA)
		return -ENOTSUP;
	if (is_undefined(frame, RULE_RA)) {
		rule->kind = RULE_END;
		return 0;
	}
	if (!compile_cfa(&rule->cfa, frame) ||
	    compile_register(&rule->saved[0], frame, RULE_RA) != SAVED) {
		memset(rule, 0, sizeof(*rule));
		return -ENOTSUP;
	}
	rule->kind = RULE_FRAME;
	rule->signal = signal;
	rule->saved_count = 1;
	compile_others(rule, frame);
	return 0;
}
