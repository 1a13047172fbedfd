/* SPDX-License-Identifier: MIT
 * How to get from a frame to its caller, for each address of one ELF file: the file's call frame
 * information (CFI), compiled by libdw into small rules that need neither libdw nor the file.
 *
 * Addresses here are the file's own (without load bias): a file has one `struct rules`, whichever
 * processes map it. Not thread-safe. x86-64 only: `enum rule_register` holds what another
 * machine changes here.
 *
 * Facts: DWARF 5, 6.4 (CFI); System V ABI x86-64 1.0, figure 3.36 (register numbers); LSB 5.0,
 * 10.6 (.eh_frame); what libdw answers: elfutils 0.188, libdw.h, libdw/dwarf_frame_register.c.
 *
 * The file may be hostile: see the constants. libdw's own reading of it is made safe by
 * cfi_check(), which refuses what would cost it memory or time without bound. */
#ifndef NATIVE_RULES_H
#define NATIVE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attr.h"

enum {
	RULES_RANGES_MAX = 1 << 16,   /* cached per file, 1 MiB; when full, all are forgotten */
	RULES_DISTINCT_MAX = 2048,    /* different rules per file, 0.5 MiB; the most seen is 500 */
};

/* DWARF's numbers: the index of a register in all arrays of this layer. */
enum rule_register {
	RULE_RBX = 3,
	RULE_FP = 6,
	RULE_SP = 7,
	RULE_R12 = 12,
	RULE_R15 = 15,
	RULE_RA = 16,      /* the return address column: the caller's RIP */
	RULE_REGISTERS,    /* general registers and RIP: what a rule can save */
	RULE_CFA = RULE_REGISTERS, /* as a base: the frame's CFA */
};

enum rule_form {
	RULE_SUM,          /* base + offset */
	RULE_DEREF,        /* *(base + offset) + add */
	RULE_PLT,          /* base + offset, 8 more when (RIP & 15) >= add: stubs that push */
};

/* How one value is had from the registers of a frame. */
struct rule_value {
	uint8_t reg;       /* whose value in the caller this is; unused in a rule's `cfa` */
	uint8_t form;      /* enum rule_form */
	uint8_t base;      /* enum rule_register; RULE_CFA is none for `cfa` itself */
	int32_t offset, add;
};

enum rule_kind {
	RULE_NONE,         /* code without (usable) CFI */
	RULE_FRAME,        /* cfa and saved are valid */
	RULE_END,          /* the CFI says: no caller (return address undefined) */
};

/* The caller's registers. What neither `saved` nor `lost` names keeps its value; SP becomes the
 * CFA. */
struct rule {
	uint8_t kind;      /* enum rule_kind */
	bool signal;       /* a signal frame: its caller was interrupted, not calling */
	uint8_t saved_count;
	uint32_t lost;     /* bit per register: not recoverable, as those that a call may change */
	struct rule_value cfa;
	struct rule_value saved[RULE_REGISTERS]; /* RULE_RA first: always there */
};

/* The rule for all code without information. */
extern const struct rule rule_none;

struct rules_stats {
	uint64_t compiled; /* ranges asked of libdw */
	uint64_t none;     /* of these: no CFI covers the address */
	uint64_t odd;      /* of these: CFI in a form that rules cannot express, or broken */
	uint64_t flushes;  /* times the cache was full */
	size_t ranges, distinct; /* held now */
};

struct rules;

/* The rules of a file; takes ownership of fd, also on failure. Reads the file's CFI once: 0.3 ms
 * for libc, 10 ms for libLLVM, more from a disk; not for a sampling thread. A file without any CFI
 * is fine: its rules are all RULE_NONE. 0; -ENOEXEC: no ELF file of a machine we know. */
int rules_open(struct rules **ret, int fd) _must_check_;
/* The same, and where the file's own CFI knows nothing, that of its debug file, which is looked for
 * at the first such address (see native/symbols.h: path as the target states it, root in front). */
int rules_open_module(struct rules **ret, int fd, const char *path, const char *root) _must_check_;
/* The same from a file's bytes, such as the vdso's; they must stay there until rules_free(). */
int rules_open_image(struct rules **ret, void *image, size_t size) _must_check_;
void rules_free(struct rules *r); /* NULL is fine */

/* The rule at an address of the file; never NULL. Compiled when it is not cached (microseconds,
 * allocates). Valid until the next rules_find() on the same file. */
const struct rule *rules_find(struct rules *r, uint64_t addr);
/* Only what is cached: NULL when rules_find() would have to compile. */
const struct rule *rules_cached(const struct rules *r, uint64_t addr);

struct rules_stats rules_stats(const struct rules *r);

#endif
