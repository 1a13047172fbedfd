/* SPDX-License-Identifier: MIT
 * Private to native/: one instruction of x86-64, taken apart as far as a walk has to know: how long it
 * is, where it may go on, and which general register it may write.
 *
 * Facts: Intel SDM volume 2: 2.1 to 2.7 (prefixes, ModR/M, VEX, EVEX), appendix A (opcode maps). What
 * is not in the tables is "no": rare, privileged, or no code at all. */
#ifndef SRC_NATIVE_INSN_H
#define SRC_NATIVE_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INSN_MAX = 15 };

enum insn_map { INSN_ONE, INSN_0F, INSN_0F38, INSN_0F3A, INSN_FP16A = 5, INSN_FP16B = 6 };

struct insn {
	uint8_t len, map, op;
	bool vector;           /* VEX or EVEX */
	bool narrow;           /* 66: operands of 16 bits */
	bool has_modrm, has_sib, wide;
	uint8_t mod, reg, rm;  /* with their high bits; reg and rm by the instruction's numbers */
	uint8_t index, vvvv;
	int32_t disp;
	int64_t imm;
};

/* False: not known, or not all of it is there. */
bool insn_decode(const uint8_t *code, size_t len, struct insn *ret);

/* [RSP + disp]. */
static inline bool insn_at_sp(const struct insn *i)
{
	return i->has_modrm && i->mod != 3 && i->has_sib && i->rm == 4 && i->index == 4;
}

/* General registers it may have written, a bit for each, by the instruction's numbers; calls aside. */
uint32_t insn_writes(const struct insn *i);

#endif
