/* SPDX-License-Identifier: MIT
 * Private to native/: what a walk can read from machine code, x86-64: where a straight run of
 * instructions to a RET leaves the stack, and whether an address follows a call.
 *
 * Both take bytes that were copied; anything they do not know is "no". Facts: Intel SDM volume 2,
 * appendix A (opcode maps) and 2.1.3 (ModR/M). */
#ifndef SRC_NATIVE_CODE_H
#define SRC_NATIVE_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "native/rules.h"

enum {
	CODE_EXIT_BYTES = 48,    /* of code that an exit is looked for in */
	CODE_EXIT_STEPS = 16,    /* instructions; six pops, two moves and a RET are usual at most */
	CODE_CALL_BYTES = 8,     /* before a return address: the longest call has 7, and a prefix */
	CODE_STUB_BYTES = 16,
};

/* What the code from here to its RET does, as a rule: exact, if it is run. False: it branches, calls,
 * or does what is not known, before it returns. */
bool code_exit(const uint8_t *code, size_t len, struct rule *ret);

enum code_call {
	CODE_NO_CALL,
	CODE_INDIRECT,   /* whereto is not known */
	CODE_DIRECT,     /* to *ret_target */
};

/* The call that ends at `end`; `before`: the CODE_CALL_BYTES bytes in front of it. Bytes that look
 * like a call by chance are possible: 1 in 60 of arbitrary places in code (measured on libc). */
enum code_call code_call(const uint8_t before[CODE_CALL_BYTES], uint64_t end,
			 uint64_t *ret_target);

/* Whether that is FF 15, a call through memory at a fixed distance: *ret_slot holds whereto. */
bool code_call_slot(const uint8_t before[CODE_CALL_BYTES], uint64_t end, uint64_t *ret_slot);

/* Code that only jumps on: PLT entries, thunks. What is called through it is elsewhere. */
bool code_is_stub(const uint8_t *code, size_t len);

/* How far a function has come whose first instructions are those of a frame pointer: `before`: the
 * byte in front of pc, `code` from there on. */
enum code_entry {
	CODE_NO_ENTRY,
	CODE_ENTERED,    /* nothing was pushed */
	CODE_PUSHED,     /* the frame pointer was */
};
enum code_entry code_entry(uint8_t before, const uint8_t *code, size_t len);

#endif
