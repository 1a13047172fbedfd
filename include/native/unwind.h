/* SPDX-License-Identifier: MIT
 * The native frames of a thread from a copy of its stack: a walk over rules (native/rules.h) that
 * touches nothing but the copy, so that the thread may go on meanwhile.
 *
 * Registers and stack must be of one moment. Both are hostile: each step is checked, the CFA has
 * to grow, and the caller's array bounds the walk. Nothing is allocated here. */
#ifndef NATIVE_UNWIND_H
#define NATIVE_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "native/rules.h"

/* Stack below SP that may still be in use (System V ABI x86-64, 3.2.2: the red zone): to be
 * copied too, because in epilogues saved registers are said to lie there. */
enum { UNWIND_RED_ZONE = 128 };

/* By DWARF number. A blocked thread's are known only in part (SP and RIP). */
struct unwind_registers {
	uint64_t value[RULE_REGISTERS]; /* RULE_RA: the program counter */
	uint32_t known;                 /* bit per register */
	bool at_return;                 /* RULE_RA is a return address: its call is what to look up */
};

static inline void unwind_set(struct unwind_registers *r, unsigned int reg, uint64_t value)
{
	r->value[reg] = value;
	r->known |= 1u << reg;
}

/* Copied memory: addresses [lo, hi) of the target. */
struct unwind_stack {
	uint64_t lo, hi;
	const uint8_t *bytes;
};

/* The rule for `addr`, an address of the target, which the callback brings to a file's (bias). It
 * may compile. NULL: no code is mapped there; &rule_none: code of unknown shape. */
typedef const struct rule *unwind_lookup(void *arg, uint64_t addr);

/* Whether `addr` is in code that came from a file, as assemblers and compilers wrote it; *ret: where
 * its function begins, 0 when that is not known. */
typedef bool unwind_start(void *arg, uint64_t addr, uint64_t *ret);

/* Copies `len` bytes of code at `addr` of the target; false: not readable. */
typedef bool unwind_code(void *arg, uint64_t addr, void *buf, size_t len);

enum {
	UNWIND_CODE_SLOTS = 512,   /* return addresses remembered, by hash */
	UNWIND_CODE_RULES = 64,    /* different shapes of code without CFI; the most seen is 12 */
	UNWIND_CODE_WALKS = 1024,  /* then all is read again: code made at run time changes */
	UNWIND_NEAR = 1 << 20,     /* bytes; a function is no longer */
	UNWIND_SPILL_MAX = 64,     /* words of a frame without CFI; the most seen in JIT code is 19 */
	UNWIND_FP_FRAME = 4096,    /* bytes of a frame below its FP that is found by it */
	UNWIND_SCAN_MAX = 512,     /* words of a frame looked at for what contradicts a guess */
};

/* What was read of code at return addresses without CFI, so that it need not be copied for each
 * stack. One per process; all zeros is empty, and emptied when code is unmapped. */
struct unwind_code_cache {
	struct unwind_code_seen {
		uint64_t pc, target; /* pc 0: none; target of the call in front of it */
		uint8_t call, exit;  /* private */
		uint8_t frame, trust;
	} seen[UNWIND_CODE_SLOTS];
	struct rule exits[UNWIND_CODE_RULES];
	uint32_t exit_count, walks;
};

/* How a walk asks about the process. */
struct unwind_ops {
	unwind_lookup *rule;
	unwind_code *code;         /* NULL: guesses are made without reading code */
	void *arg;
	struct unwind_code_cache *cache; /* NULL: none */
	unwind_start *start;       /* NULL: functions are not read, only what comes before a near RET */
};

/* How a frame was found from the one it called. Guesses are made where there is no CFI. With
 * unwind_code, each has to lead behind a call that may have been the frame's own. */
enum unwind_how {
	UNWIND_START,      /* the first: the registers */
	UNWIND_CFI,
	UNWIND_FP,         /* guess: the chain of frame pointers */
	UNWIND_LEAF,       /* guess: the return address is at SP */
	UNWIND_PUSHED,     /* guess: the frame pointer has just been pushed at SP */
	UNWIND_EXIT,       /* by the code from there to its RET; exact if it was run that way */
	UNWIND_SCAN,       /* the lowest return address on the stack, which fits what is above it */
	UNWIND_PROLOGUE,   /* guess: by the function's first instructions, and those up to its RETs */
	UNWIND_RESYNC,     /* at an anchor of Python's: frames are missing before it (native/stack.h) */
};

struct unwind_frame {
	uint64_t pc;
	uint64_t sp;       /* the frame is [sp, cfa) */
	uint64_t cfa;      /* 0 in the last frame of a walk that ended there */
	uint8_t how;       /* enum unwind_how */
	bool at_return;    /* pc is a return address: what runs is the call at pc - 1 */
	bool signal;       /* a signal frame (__restore_rt) */
};

/* What to look up for a frame: rules, symbols, lines. */
static inline uint64_t unwind_lookup_addr(const struct unwind_frame *f)
{
	return f->pc - f->at_return;
}

enum unwind_end {
	UNWIND_COMPLETE,   /* the outermost frame, as its CFI says */
	UNWIND_TRUNCATED,  /* the stack goes on above the copy: `missing` */
	UNWIND_ELSEWHERE,  /* on another stack (sigaltstack, greenlet): `missing` */
	UNWIND_FULL,       /* the array is full */
	UNWIND_NO_INFO,    /* no CFI, and no guess that fits */
	UNWIND_NO_CODE,    /* the return address is in no code */
	UNWIND_UNKNOWN,    /* needs a register that is not known */
	UNWIND_STUCK,      /* the CFA does not grow, or is none */
};

/* How far above the copy a stack may still go on; more is another stack. The usual stack is 8 MiB,
 * the largest seen in use 64. */
#define UNWIND_GROW_MAX (64u << 20)

struct unwind_result {
	size_t count;      /* frames filled, innermost first */
	size_t guessed;    /* of these: by UNWIND_FP, _LEAF, _PUSHED, _EXIT, _SCAN, _PROLOGUE */
	enum unwind_end end;
	uint64_t missing;  /* TRUNCATED: the copy has to reach beyond this address (its 8 bytes) */
};

/* Walks from `regs` up to `max` frames; the first is that of the registers (if RIP is known). On
 * return `regs` are those of the last frame, where a walk can be taken up again. */
struct unwind_result unwind_walk(struct unwind_registers *regs, const struct unwind_stack *stack,
				 const struct unwind_ops *ops, struct unwind_frame *frames,
				 size_t max);

/* Whether pc is in code, and where that can be read, follows a call; or is where a signal handler
 * returns to. */
bool unwind_is_return(const struct unwind_ops *ops, uint64_t pc);

/* How sure it is that the call in front of a return address was the one of the frame below. */
enum unwind_belief {
	UNWIND_REFUTED,    /* no call, or one of something else */
	UNWIND_POSSIBLE,   /* whom it called is not known */
	UNWIND_CONFIRMED,  /* it called what runs at `callee`, or close before */
};
enum unwind_belief unwind_believe(const struct unwind_ops *ops, uint64_t pc, uint64_t callee);

#endif
