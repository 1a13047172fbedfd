/* SPDX-License-Identifier: MIT
 * A few instructions of x86-64, as compilers put them around calls and returns. */
#include "code.h"

#include <string.h>

/* An instruction's place. */
struct insn {
	const uint8_t *at, *end;
	uint8_t rex;        /* its low four bits */
};

enum { REX_B = 1, REX_R = 4, REX_W = 8 };

/* The stack as it will be: SP is base + offset of the frame's first registers. */
struct exit {
	struct rule *rule;
	uint8_t base;
	int64_t offset;
	uint32_t changed;   /* registers that no longer have their first value */
};

/* By the number that instructions use: rax rcx rdx rbx rsp rbp rsi rdi; DWARF's. */
static const uint8_t dwarf_number[8] = { 0, 2, 1, RULE_RBX, RULE_SP, RULE_FP, 4, 5 };

static uint8_t reg_number(unsigned int low, bool high)
{
	return high ? (uint8_t)(low + 8) : dwarf_number[low];
}

static bool take(struct insn *i, size_t n)
{
	if ((size_t)(i->end - i->at) < n)
		return false;
	i->at += n;
	return true;
}

static bool starts(const struct insn *i, const char *bytes, size_t n)
{
	return (size_t)(i->end - i->at) >= n && !memcmp(i->at, bytes, n);
}

static bool take_bytes(struct insn *i, const char *bytes, size_t n)
{
	return starts(i, bytes, n) && take(i, n);
}

static bool take_number(struct insn *i, size_t n, int64_t *ret)
{
	const uint8_t *at = i->at;
	int32_t number = 0;

	if (!take(i, n))
		return false;
	if (n == 4)
		memcpy(&number, at, 4);
	*ret = n == 4 ? number : (int8_t)*at;
	return true;
}

/* A register got another value, which is none of the caller's. */
static bool clobber(struct exit *x, uint8_t reg)
{
	if (reg == RULE_SP)
		return false;
	for (size_t k = 1; k < x->rule->saved_count; k++)
		if (x->rule->saved[k].reg == reg) /* what was popped: not the end of a function */
			return false;
	x->changed |= 1u << reg;
	x->rule->lost |= 1u << reg;
	return true;
}

static bool base_is_good(const struct exit *x, uint8_t base)
{
	return !(x->changed >> base & 1) && x->offset >= INT32_MIN / 2 && x->offset <= INT32_MAX / 2;
}

static bool save(struct exit *x, uint8_t reg)
{
	struct rule_value *v = &x->rule->saved[1];

	if (!base_is_good(x, x->base) || reg == RULE_SP)
		return false;
	for (size_t k = 1; k < x->rule->saved_count; k++, v++)
		if (v->reg == reg)
			break;
	if (v == &x->rule->saved[x->rule->saved_count])
		x->rule->saved_count++;
	*v = (struct rule_value){ .reg = reg, .form = RULE_DEREF, .base = x->base,
				  .offset = (int32_t)x->offset };
	x->changed |= 1u << reg;
	x->rule->lost &= ~(1u << reg);
	x->offset += 8;
	return true;
}

/* SP from FP, which is still the frame's own. */
static bool from_fp(struct exit *x, int64_t offset)
{
	x->base = RULE_FP;
	x->offset = offset;
	return base_is_good(x, RULE_FP);
}

static bool leave(struct exit *x)
{
	return from_fp(x, 0) && save(x, RULE_FP);
}

/* 83 /0 ib, 81 /0 id: ADD RSP. Small areas are also added as SUB RSP of a negative number. */
static bool add_sp(struct exit *x, struct insn *i)
{
	size_t n = i->at[0] == 0x83 ? 1 : 4;
	bool sub = i->at[1] == 0xec;
	int64_t number;

	if (i->rex != REX_W || (i->at[1] != 0xc4 && !sub) || !take(i, 2) ||
	    !take_number(i, n, &number))
		return false;
	x->offset += sub ? -number : number;
	return true;
}

/* 8D /r: LEA RSP, [RBP + n] or [RSP + n]. */
static bool lea_sp(struct exit *x, struct insn *i)
{
	int64_t number;
	size_t n = (i->at[1] & 0xc0) == 0x40 ? 1 : 4;
	uint8_t rm = i->at[1] & 7;

	if (i->rex != REX_W || (i->at[1] & 0x38) != 0x20 || (i->at[1] >> 6) % 3 == 0 ||
	    (rm != 4 && rm != 5) || !take(i, 2))
		return false;
	if (rm == 4 && !take_bytes(i, "\x24", 1))
		return false;
	if (!take_number(i, n, &number))
		return false;
	if (rm == 5)
		return from_fp(x, number);
	x->offset += number;
	return true;
}

/* 89, 8B: MOV; 31, 33: XOR; 85: TEST; between registers. */
static bool between_registers(struct exit *x, struct insn *i)
{
	uint8_t op = i->at[0], reg, rm;

	if (i->at[1] < 0xc0)
		return false;
	reg = reg_number(i->at[1] >> 3 & 7, i->rex & REX_R);
	rm = reg_number(i->at[1] & 7, i->rex & REX_B);
	take(i, 2);
	if (op == 0x85)
		return true;
	if (op == 0x8b || op == 0x33) {
		uint8_t other = reg;

		reg = rm;
		rm = other;
	}
	if ((op == 0x89 || op == 0x8b) && rm == RULE_SP)
		return i->rex & REX_W && reg == RULE_FP && from_fp(x, 0);
	return clobber(x, rm);
}

static bool one(struct exit *x, struct insn *i)
{
	uint8_t op;

	i->rex = 0;
	if (take_bytes(i, "\x66\x90", 2) || take_bytes(i, "\xf3\x0f\x1e\xfa", 4) || /* ENDBR64 */
	    take_bytes(i, "\xc5\xf8\x77", 3))                                    /* VZEROUPPER */
		return true;
	if (i->at < i->end && (*i->at & 0xf0) == 0x40)
		i->rex = *i->at++ & 0x0f;
	if (i->end - i->at < 2)
		return false;
	op = i->at[0];
	switch (op) {
	case 0x83:
	case 0x81: return add_sp(x, i);
	case 0x8d: return lea_sp(x, i);
	case 0x31:
	case 0x33:
	case 0x85:
	case 0x89:
	case 0x8b: return between_registers(x, i);
	case 0x90: return i->rex == 0 && take(i, 1);
	case 0xc9: return i->rex == 0 && take(i, 1) && leave(x);
	default: break;
	}
	if ((op & 0xf8) == 0x58)
		return take(i, 1) && save(x, reg_number(op & 7, i->rex & REX_B));
	if ((op & 0xf8) == 0xb8) /* MOV r32, imm32 */
		return !(i->rex & REX_W) && take(i, 5) &&
		       clobber(x, reg_number(op & 7, i->rex & REX_B));
	return false;
}

static bool is_ret(struct insn *i)
{
	return take_bytes(i, "\xc3", 1) || take_bytes(i, "\xf3\xc3", 2) ||
	       take_bytes(i, "\xf2\xc3", 2);
}

/* The return address is at SP now. */
static bool finish(struct exit *x)
{
	struct rule *rule = x->rule;

	if (!base_is_good(x, x->base == RULE_SP ? RULE_SP : RULE_RA))
		return false;
	rule->kind = RULE_FRAME;
	rule->cfa = (struct rule_value){ .form = RULE_SUM, .base = x->base,
					 .offset = (int32_t)x->offset + 8 };
	rule->saved[0] = (struct rule_value){ .reg = RULE_RA, .form = RULE_DEREF, .base = RULE_CFA,
					      .offset = -8 };
	return true;
}

bool code_exit(const uint8_t *code, size_t len, struct rule *ret)
{
	struct insn i = { code, code + len, 0 };
	struct exit x = { .rule = ret, .base = RULE_SP };

	memset(ret, 0, sizeof(*ret));
	ret->saved_count = 1;
	for (int n = 0; n < CODE_EXIT_STEPS && i.at < i.end; n++) {
		if (is_ret(&i))
			return finish(&x);
		if (!one(&x, &i))
			return false;
	}
	return false;
}

/* E8: near, relative. FF /2: through a register or memory, whose ModR/M byte tells the length:
 * `back` bytes before the end. */
static bool is_indirect(const uint8_t *end, size_t back)
{
	uint8_t modrm = end[1 - (int)back], mod = modrm >> 6, rm = modrm & 7;
	size_t len = 2;

	if (end[-(int)back] != 0xff || (modrm & 0x38) != 0x10)
		return false;
	if (mod != 3) {
		len += rm == 4; /* SIB */
		len += mod == 1 ? 1 : mod == 2 || (mod == 0 && rm == 5) ? 4 : 0;
		if (mod == 0 && rm == 4 && back > 2 && (end[2 - (int)back] & 7) == 5)
			len += 4;
	}
	return len == back;
}

enum code_call code_call(const uint8_t before[CODE_CALL_BYTES], uint64_t end, uint64_t *ret_target)
{
	const uint8_t *at = before + CODE_CALL_BYTES;
	int32_t rel;

	if (at[-5] == 0xe8) {
		memcpy(&rel, at - 4, 4);
		*ret_target = end + (uint64_t)(int64_t)rel;
		return CODE_DIRECT;
	}
	for (size_t back = 2; back <= 7; back++)
		if (is_indirect(at, back))
			return CODE_INDIRECT;
	return CODE_NO_CALL;
}

bool code_call_slot(const uint8_t before[CODE_CALL_BYTES], uint64_t end, uint64_t *ret_slot)
{
	const uint8_t *at = before + CODE_CALL_BYTES;
	int32_t rel;

	if (at[-6] != 0xff || at[-5] != 0x15)
		return false;
	memcpy(&rel, at - 4, 4);
	*ret_slot = end + (uint64_t)(int64_t)rel;
	return true;
}

bool code_is_stub(const uint8_t *code, size_t len)
{
	struct insn i = { code, code + len, 0 };

	take_bytes(&i, "\xf3\x0f\x1e\xfa", 4);
	if (take_bytes(&i, "\x68", 1)) /* PUSH imm32, of lazily bound entries */
		take(&i, 4);
	take_bytes(&i, "\xf2", 1);     /* BND, which older ones have */
	return starts(&i, "\xff\x25", 2) || starts(&i, "\xe9", 1) || starts(&i, "\xeb", 1);
}

/* PUSH RBP; MOV RBP, RSP, in both encodings. */
enum code_entry code_entry(uint8_t before, const uint8_t *code, size_t len)
{
	struct insn i = { code, code + len, 0 };
	bool endbr = take_bytes(&i, "\xf3\x0f\x1e\xfa", 4);

	if (before == 0x55 && (starts(&i, "\x48\x89\xe5", 3) || starts(&i, "\x48\x8b\xec", 3)))
		return CODE_PUSHED;
	if (endbr || starts(&i, "\x55\x48\x89\xe5", 4) || starts(&i, "\x55\x48\x8b\xec", 4))
		return CODE_ENTERED;
	return CODE_NO_ENTRY;
}
