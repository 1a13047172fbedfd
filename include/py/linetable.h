/* SPDX-License-Identifier: MIT
 * From a code object's line table to the line of an instruction.
 *
 * Three formats: co_lnotab (3.6-3.9, Objects/lnotab_notes.txt at v3.9), co_linetable of PEP 626
 * (3.10, Objects/lnotab_notes.txt at v3.10) and the location table of PEP 657 (3.11+,
 * Objects/locations.md at v3.13). A table is decoded once into ranges; a look-up is a binary
 * search and allocates nothing. The bytes come from the target: every length is checked. */
#ifndef PY_LINETABLE_H
#define PY_LINETABLE_H

#include <stddef.h>
#include <stdint.h>

#include "util/attr.h"

#define LINETABLE_BYTES_MAX (4u << 20) /* longest table read from a target */

enum linetable_format {
	LINES_LNOTAB,   /* 3.6-3.9 */
	LINES_PEP626,   /* 3.10 */
	LINES_PEP657,   /* 3.11+ */
};

struct linetable_range {
	uint32_t start;   /* first byte offset of the stretch of code */
	int32_t line;     /* 0: no line (artificial instructions) */
};

struct linetable {
	struct linetable_range *ranges; /* ordered by start; owned */
	uint32_t count;
	uint32_t end;                   /* byte offset where the last range ends */
	int32_t first_line;             /* co_firstlineno: the line of a frame not started */
};

/* Decodes `len` bytes. A truncated or malformed table gives what was decoded before the fault and
 * -EINVAL; the table must be released either way. Offsets are in bytes of code: one code unit is
 * 2 bytes. lnotab tables do not say where the code ends: `code_len` (bytes) bounds the last range;
 * it is ignored for the others. Neighbouring ranges have different lines. */
int linetable_decode(struct linetable *t, enum linetable_format format, const uint8_t *bytes,
		     size_t len, int32_t first_line, uint32_t code_len) _must_check_;
void linetable_release(struct linetable *t);

/* The line of the instruction at byte `offset`, as frame.f_lineno gives it: 0 when the
 * instruction has no line or is outside the code. A negative offset is a frame not started, which
 * stands on co_firstlineno in every version (PyCode_Addr2Line). */
int32_t linetable_line(const struct linetable *t, int64_t offset);

#endif
