/* SPDX-License-Identifier: MIT
 * The registers of a thread of the target in user space, by DWARF's numbers (System V ABI x86-64
 * 1.0, figure 3.36). */
#ifndef MEM_REGISTERS_H
#define MEM_REGISTERS_H

#include <stdint.h>

enum {
	REGISTER_FP = 6,
	REGISTER_SP = 7,
	REGISTER_PC = 16,  /* DWARF: the return address column */
	REGISTERS,
};

struct registers {
	uint64_t value[REGISTERS];
	uint32_t known;    /* bit per register; 0: nothing is known */
};

static inline void register_set(struct registers *r, unsigned int number, uint64_t value)
{
	r->value[number] = value;
	r->known |= 1u << number;
}

#endif
