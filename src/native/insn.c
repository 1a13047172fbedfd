/* SPDX-License-Identifier: MIT
 * Tables of the opcode maps, and what is made of them. */
#include "insn.h"

#include <string.h>

struct reader {
	const uint8_t *at, *end;
};

/* What follows the opcode. */
enum shape {
	BAD,
	NONE,
	MODRM,
	IMM8,
	IMM16,
	IMM32,       /* 16 bits with prefix 66 */
	IMM_WIDE,    /* 64 bits with REX.W: MOV r, imm */
	MODRM_8,
	MODRM_32,
	MODRM_TEST,  /* F6, F7: an immediate only for /0 and /1 */
};

static const uint8_t one_byte[256] = {
	[0x63] = MODRM, [0x68] = IMM32, [0x69] = MODRM_32, [0x6a] = IMM8, [0x6b] = MODRM_8,
	[0x50 ... 0x5f] = NONE,
	[0x70 ... 0x7f] = IMM8,
	[0x80] = MODRM_8, [0x81] = MODRM_32, [0x83] = MODRM_8, [0x84 ... 0x8f] = MODRM,
	[0x90 ... 0x99] = NONE, [0x9c ... 0x9f] = NONE,
	[0xa4 ... 0xa7] = NONE, [0xa8] = IMM8, [0xa9] = IMM32, [0xaa ... 0xaf] = NONE,
	[0xb0 ... 0xb7] = IMM8, [0xb8 ... 0xbf] = IMM_WIDE,
	[0xc0 ... 0xc1] = MODRM_8, [0xc2] = IMM16, [0xc3] = NONE,
	[0xc6] = MODRM_8, [0xc7] = MODRM_32, [0xc9] = NONE, [0xcc] = NONE,
	[0xd0 ... 0xd3] = MODRM, [0xd8 ... 0xdf] = MODRM,
	[0xe0 ... 0xe3] = IMM8, [0xe8 ... 0xe9] = IMM32, [0xeb] = IMM8,
	[0xf4 ... 0xf5] = NONE, [0xf6 ... 0xf7] = MODRM_TEST, [0xf8 ... 0xfd] = NONE,
	[0xfe ... 0xff] = MODRM,
};

static const uint8_t after_0f[256] = {
	[0x05] = NONE, [0x0b] = NONE, [0x0d] = MODRM, [0x10 ... 0x19] = MODRM,
	[0x1c ... 0x1f] = MODRM, [0x28 ... 0x2f] = MODRM, [0x31] = NONE,
	[0x40 ... 0x6f] = MODRM, [0x70 ... 0x73] = MODRM_8, [0x74 ... 0x76] = MODRM, [0x77] = NONE,
	[0x7c ... 0x7f] = MODRM, [0x80 ... 0x8f] = IMM32, [0x90 ... 0x9f] = MODRM, [0xa2] = NONE,
	[0xa3] = MODRM, [0xa4] = MODRM_8, [0xa5] = MODRM, [0xab] = MODRM, [0xac] = MODRM_8,
	[0xad ... 0xb1] = MODRM, [0xb3] = MODRM, [0xb6 ... 0xb8] = MODRM, [0xba] = MODRM_8,
	[0xbb ... 0xc1] = MODRM, [0xc2] = MODRM_8, [0xc3] = MODRM, [0xc4 ... 0xc6] = MODRM_8,
	[0xc7] = MODRM, [0xc8 ... 0xcf] = NONE, [0xd0 ... 0xfe] = MODRM,
};

static bool take(struct reader *r, void *to, size_t n)
{
	if ((size_t)(r->end - r->at) < n)
		return false;
	memcpy(to, r->at, n);
	r->at += n;
	return true;
}

static bool number(struct reader *r, size_t n, int64_t *ret)
{
	int64_t wide = 0;
	int32_t dword = 0;
	int16_t word = 0;
	int8_t byte = 0;

	switch (n) {
	case 1: return take(r, &byte, 1) && (*ret = byte, true);
	case 2: return take(r, &word, 2) && (*ret = word, true);
	case 4: return take(r, &dword, 4) && (*ret = dword, true);
	default: return take(r, &wide, 8) && (*ret = wide, true);
	}
}

/* The high bits of a prefix: R, X, B in the places of REX. */
static bool take_modrm(struct reader *r, struct insn *i, uint8_t rex)
{
	uint8_t byte, sib = 0, base;
	int64_t disp = 0;

	if (!take(r, &byte, 1))
		return false;
	i->has_modrm = true;
	i->mod = byte >> 6;
	i->reg = (byte >> 3 & 7) | (rex & 4) << 1;
	base = byte & 7;
	i->has_sib = i->mod != 3 && base == 4;
	if (i->has_sib && !take(r, &sib, 1))
		return false;
	if (i->has_sib) {
		base = sib & 7;
		i->index = (sib >> 3 & 7) | (rex & 2) << 2;
	}
	i->rm = base | (rex & 1) << 3;
	if (i->mod == 1 && !number(r, 1, &disp))
		return false;
	if ((i->mod == 2 || (i->mod == 0 && base == 5)) && !number(r, 4, &disp))
		return false;
	i->disp = (int32_t)disp;
	return true;
}

static enum shape shape_of(const struct insn *i)
{
	uint8_t low = i->op & 7;

	switch (i->map) {
	case INSN_ONE:
		if (i->op < 0x40)
			return low < 4 ? MODRM : low == 4 ? IMM8 : low == 5 ? IMM32 : BAD;
		return one_byte[i->op];
	case INSN_0F:
		if (i->vector && (i->op & 0xf0) == 0x80)
			return BAD;
		/* EVEX has conversions where MMX has none. */
		return i->vector && (i->op == 0x78 || (i->op >= 0x79 && i->op <= 0x7b)) ? MODRM :
		       (enum shape)after_0f[i->op];
	case INSN_0F3A: return MODRM_8;
	default: return MODRM;
	}
}

static bool take_rest(struct reader *r, struct insn *i, uint8_t rex)
{
	enum shape shape = shape_of(i);
	size_t imm = 0;

	if (shape == MODRM || shape >= MODRM_8)
		if (!take_modrm(r, i, rex))
			return false;
	switch (shape) {
	case BAD: return false;
	case IMM8:
	case MODRM_8: imm = 1; break;
	case IMM16: imm = 2; break;
	case IMM32:
	case MODRM_32: imm = i->narrow ? 2 : 4; break;
	case IMM_WIDE: imm = i->wide ? 8 : i->narrow ? 2 : 4; break;
	case MODRM_TEST: imm = (i->reg & 6) ? 0 : i->op == 0xf6 ? 1 : i->narrow ? 2 : 4; break;
	default: break;
	}
	return imm == 0 || number(r, imm, &i->imm);
}

/* C5, C4: VEX (SDM 2.3.5); 62: EVEX (2.7.1). The bits R, X, B, vvvv are inverted. */
static bool take_vector(struct reader *r, struct insn *i, uint8_t first)
{
	uint8_t p[3] = { 0 }, rex;

	i->vector = true;
	if (!take(r, p, first == 0xc5 ? 1 : first == 0xc4 ? 2 : 3) || !take(r, &i->op, 1))
		return false;
	if (first == 0xc5) {
		i->map = INSN_0F;
		rex = p[0] & 0x80 ? 0 : 4;
		i->vvvv = ~p[0] >> 3 & 15;
		return take_rest(r, i, rex);
	}
	i->map = p[0] & (first == 0xc4 ? 0x1f : 0x07);
	rex = ~p[0] >> 5 & 7;
	i->wide = p[1] & 0x80;
	i->vvvv = ~p[1] >> 3 & 15;
	if (i->map < INSN_0F || i->map > INSN_FP16B || i->map == 4 ||
	    (i->map > INSN_0F3A && first == 0xc4) || (first == 0x62 && !(p[1] & 4)))
		return false;
	return take_rest(r, i, rex);
}

static bool is_prefix(uint8_t b)
{
	return b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0x64 || b == 0x65 ||
	       b == 0x66 || b == 0xf0 || b == 0xf2 || b == 0xf3;
}

static bool take_all(struct reader *r, struct insn *i)
{
	uint8_t byte, rex = 0;

	do {
		if (!take(r, &byte, 1))
			return false;
		i->narrow |= byte == 0x66;
	} while (is_prefix(byte));
	if (byte == 0xc4 || byte == 0xc5 || byte == 0x62)
		return take_vector(r, i, byte);
	if ((byte & 0xf0) == 0x40) {
		rex = byte & 15;
		if (!take(r, &byte, 1))
			return false;
	}
	i->wide = rex & 8;
	i->narrow &= !i->wide;
	if (byte == 0x0f) {
		i->map = INSN_0F;
		if (!take(r, &byte, 1))
			return false;
	}
	if (i->map == INSN_0F && (byte == 0x38 || byte == 0x3a)) {
		i->map = byte == 0x38 ? INSN_0F38 : INSN_0F3A;
		if (!take(r, &byte, 1))
			return false;
	}
	i->op = byte;
	if (i->map == INSN_ONE && (byte >= 0x50 && byte <= 0x5f)) /* the register is in the opcode */
		i->rm = (byte & 7) | (rex & 1) << 3;
	if ((i->map == INSN_ONE && (byte & 0xf0) == 0xb0) || (byte & 0xf8) == 0x90 ||
	    (i->map == INSN_0F && (byte & 0xf8) == 0xc8))
		i->rm = (byte & 7) | (rex & 1) << 3;
	return take_rest(r, i, rex);
}

bool insn_decode(const uint8_t *code, size_t len, struct insn *ret)
{
	struct reader r = { code, code + (len < INSN_MAX ? len : INSN_MAX) };

	*ret = (struct insn){ .len = 0 };
	if (!take_all(&r, ret))
		return false;
	ret->len = (uint8_t)(r.at - code);
	return true;
}

/* --- what is written -------------------------------------------------------------------------- */

static uint32_t bit(uint8_t reg)
{
	return 1u << (reg & 15);
}

static uint32_t rm_bit(const struct insn *i)
{
	return i->mod == 3 ? bit(i->rm) : 0;
}

enum { ACCUMULATORS = 1 << 0 | 1 << 2, STRINGS = 1 << 0 | 1 << 1 | 1 << 6 | 1 << 7 };

static uint32_t one_byte_writes(const struct insn *i)
{
	uint8_t op = i->op;

	if (op < 0x40 && (op & 7) < 4) /* CMP writes nothing; bit 1: to the register */
		return op >= 0x38 ? 0 : op & 2 ? bit(i->reg) : rm_bit(i);
	if (op < 0x40)
		return bit(0);
	if (op >= 0x58 && op <= 0x5f)
		return bit(i->rm);
	if (op >= 0x80 && op <= 0x83)
		return i->reg % 8 == 7 ? 0 : rm_bit(i);
	if (op >= 0xb0 && op <= 0xbf)
		return bit(i->rm);
	if (op >= 0xa4 && op <= 0xaf)
		return op == 0xa8 || op == 0xa9 ? 0 : STRINGS;
	if (op >= 0x90 && op <= 0x97)
		return op == 0x90 && i->rm == 0 ? 0 : bit(0) | bit(i->rm);
	switch (op) {
	case 0x63: case 0x69: case 0x6b: case 0x8a: case 0x8b: case 0x8d: return bit(i->reg);
	case 0x86: case 0x87: return bit(i->reg) | rm_bit(i);
	case 0x88: case 0x89: case 0x8c: case 0x8f: case 0xc0: case 0xc1: case 0xc6: case 0xc7:
	case 0xd0: case 0xd1: case 0xd2: case 0xd3: return rm_bit(i);
	case 0x98: case 0x99: case 0x9f: return ACCUMULATORS;
	case 0xe0: case 0xe1: case 0xe2: return bit(1);
	case 0xf6: case 0xf7: /* TEST; NOT, NEG; MUL to IDIV */
		return i->reg % 8 < 2 ? 0 : i->reg % 8 < 4 ? rm_bit(i) : ACCUMULATORS;
	case 0xfe: case 0xff: return i->reg % 8 < 2 ? rm_bit(i) : 0;
	default: return op >= 0xd8 && op <= 0xdf ? bit(0) : 0;
	}
}

static uint32_t after_0f_writes(const struct insn *i)
{
	uint8_t op = i->op;

	if ((op >= 0x40 && op <= 0x4f && !i->vector) || op == 0x2c || op == 0x2d || op == 0x50 ||
	    op == 0xd7 || op == 0xc5 || (i->vector && (op == 0x93 || op == 0x78 || op == 0x79)))
		return bit(i->reg);
	if (op == 0x7e)
		return rm_bit(i);
	if (i->vector)
		return 0;
	if (op >= 0xc8 && op <= 0xcf)
		return bit(i->rm);
	if (op >= 0x90 && op <= 0x9f)
		return rm_bit(i);
	switch (op) {
	case 0xaf: case 0xb6: case 0xb7: case 0xb8: case 0xbc: case 0xbd: case 0xbe: case 0xbf:
		return bit(i->reg);
	case 0xa4: case 0xa5: case 0xab: case 0xac: case 0xad: case 0xae: case 0xb3: case 0xba:
	case 0xbb: case 0xc7: return rm_bit(i);
	case 0xb0: case 0xb1: case 0xc0: case 0xc1: return bit(0) | bit(i->reg) | rm_bit(i);
	case 0x05: case 0x31: case 0xa2: return bit(0) | bit(1) | bit(2) | bit(3) | bit(11);
	default: return 0;
	}
}

uint32_t insn_writes(const struct insn *i)
{
	switch (i->map) {
	case INSN_ONE: return one_byte_writes(i);
	case INSN_0F: return after_0f_writes(i);
	case INSN_0F38: /* MOVBE, CRC32, BMI */
		return i->op < 0xf0 ? 0 : bit(i->reg) | rm_bit(i) | (i->vector ? bit(i->vvvv) : 0);
	case INSN_0F3A: /* extracts; RORX */
		return i->op >= 0xf0 ? bit(i->reg) : i->op >= 0x14 && i->op <= 0x17 ? rm_bit(i) :
		       i->op >= 0x60 && i->op <= 0x63 ? bit(1) : 0;
	default: return 0;
	}
}
