/* SPDX-License-Identifier: MIT
 * Python and native frames of one thread put into one stack, by address: the native frame whose part
 * of the stack holds the struct that an eval call keeps there is that call (native frames [sp, cfa),
 * struct raw_entry's anchor in py/frames.h). No name is asked, so it works for stripped, split and
 * embedded interpreters; only where CPython keeps no such struct (up to 3.9) calls are told by name
 * and must be as many as Python's entries. */
#ifndef NATIVE_MERGE_H
#define NATIVE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A native frame, innermost first in arrays. */
struct merge_native {
	uint64_t sp, cfa;    /* its part of the stack is [sp, cfa); cfa 0: unknown */
	bool eval;           /* known as the eval loop, by name (".cold" parts too) or learned */
	bool gap;            /* frames are missing between this one and the one before it */
};

/* An eval call of Python's, innermost first; as struct raw_entry. May be empty: all its frames are
 * hidden, or (3.10, the first) it is being entered. */
struct merge_entry {
	uint64_t anchor;     /* 0: none */
	uint32_t end;        /* behind its last Python frame */
};

enum merge_kind {
	MERGE_PYTHON,        /* Python frame `index` */
	MERGE_NATIVE,        /* native frame `index` */
	MERGE_EVAL,          /* native frame `index`, which runs the Python frames given before it */
	MERGE_GAP,           /* native frames are missing here, before `index` (which may be behind the
			      * last); Python frames that they run follow without a MERGE_EVAL */
	MERGE_CUT,           /* the native stack ended here; only Python's frames follow */
	MERGE_MISMATCH,      /* from here on the two could not be brought together: Python's follow */
};

struct merge_item {
	uint8_t kind;        /* enum merge_kind */
	uint32_t index;
};

struct merge_input {
	const struct merge_native *native;
	uint32_t native_count;
	bool native_complete;  /* the last one is the outermost there is */
	const struct merge_entry *entries;
	uint32_t entry_count;
	uint32_t python_count;
};

enum merge_result {
	MERGED,              /* every entry has its native frame, or its gap */
	MERGED_PARTLY,       /* the native stack ends before Python's: MERGE_CUT */
	MERGE_FAILED,        /* MERGE_MISMATCH is in it */
};

/* Items that any result has room in. */
static inline size_t merge_room(size_t native_count, size_t python_count)
{
	return 2 * native_count + python_count + 2;
}

/* Every Python frame is in the result once and in order, whatever the result; so are native frames,
 * up to a MERGE_CUT or MERGE_MISMATCH. The leaf comes first. `out`: see merge_room(). */
enum merge_result merge_stacks(const struct merge_input *in, struct merge_item *out,
			       uint32_t *ret_count);

#endif
