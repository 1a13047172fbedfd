/* SPDX-License-Identifier: MIT
 * Where things lie in one CPython's memory: facts as data, one row per version and build flavour.
 *
 * Up to 3.12 the rows of py_layouts[] are all there is. From 3.13 the target describes itself
 * (_Py_DebugOffsets, see py/debug_offsets.h): a copy of the nearest row is filled from it and
 * validated once; what the description lacks stays from the row. The code that walks a target
 * never asks for a version again: it follows offsets and the enums below. */
#ifndef PY_LAYOUT_H
#define PY_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "py/linetable.h"
#include "py/version.h"

#define NO_FIELD UINT32_MAX      /* this version has no such field */

/* Where a thread's newest frame is found, and what frames are. */
enum layout_frames {
	FRAMES_OBJECT,    /* 3.6-3.10: tstate->frame, heap objects linked by f_back */
	FRAMES_CFRAME,    /* 3.11, 3.12: tstate->cframe->current_frame, on the data stack */
	FRAMES_CURRENT,   /* 3.13+: tstate->current_frame */
};

/* What the frame's instruction field holds. */
enum layout_instr {
	INSTR_LASTI_BYTES,  /* 3.6-3.9: int, byte offset of the last instruction; -1 not started */
	INSTR_LASTI_UNITS,  /* 3.10: int, in code units of 2 bytes */
	INSTR_POINTER_LAST, /* 3.11, 3.12: prev_instr, the last instruction executed */
	INSTR_POINTER_NOW,  /* 3.13+: instr_ptr, the instruction being executed */
};

/* How one sees that a frame is not being executed any more. */
enum layout_liveness {
	LIVE_F_EXECUTING,   /* 3.6-3.9: f_executing == 1 */
	LIVE_F_STATE,       /* 3.10: f_state == FRAME_EXECUTING (0) */
	LIVE_STACKTOP,      /* 3.11-3.13: -1 while executing, >= 0 below an inlined call */
	LIVE_EXECUTABLE,    /* 3.14+: f_executable is cleared when the frame is popped */
};

/* PyUnicode state word: see Include/cpython/unicodeobject.h of each version. */
enum layout_unicode_state {
	UNICODE_KIND_BIT_2, /* interned 0-1, kind 2-4, compact 5, ascii 6 */
	UNICODE_KIND_BIT_8, /* free-threaded 3.14+: interned a byte, kind 8-10, compact 11, ascii 12 */
};

struct py_layout {
	uint32_t version;        /* PYVER(major, minor) */
	bool free_threaded;
	bool trace_refs;         /* 3.6/3.7 debug builds: every object 16 bytes longer */
	enum layout_frames frames;
	enum layout_instr instr;
	enum layout_liveness liveness;
	enum linetable_format lines;
	enum layout_unicode_state unicode_state;
	int owner_generator;     /* frame.owner of a generator's frame; -1: no such field */
	int owner_hidden_min;    /* owners from here on are the interpreter's own: never shown; -1 */
	uint64_t executable_mask; /* applied to frame.code: tag bits of _PyStackRef off */

	struct { uint32_t interpreters_head, finalizing, main_thread, tstate_current,
		gil_last_holder, gil_locked; } runtime;
	struct { uint32_t next, id, threads_head, gil, modules, code_generation,
		gc_collecting, gc_frame; } interp;
	struct { uint32_t size, prev, next, interp, frame, thread_id, native_thread_id, id,
		datastack_chunk, datastack_top, state, holds_gil, gil_requested, base_frame,
		cframe; } tstate;
	/* 3.10-3.12: a struct of each call of the eval loop, on the C stack; the outermost one lies in
	 * the thread state. */
	struct { uint32_t size, current_frame, previous; } cframe;
	struct { uint32_t size, previous, code, instr, live, stacktop, owner, is_entry,
		tlbc_index; } frame;
	struct { uint32_t size, flags, firstlineno, filename, name, qualname, linetable, bytecode,
		co_version, firsttraceable, framesize, tlbc; } code;
	struct { uint32_t previous, size, top, data; } chunk;
	struct { uint32_t length, state, ascii_data, compact_data, any_data; } unicode;
	struct { uint32_t length, data; } bytes;
	struct { uint32_t last_holder, locked, cond; } gil; /* inside the struct interp.gil points to */
	struct { uint32_t ob_type; } object;
};

static inline bool has_field(uint32_t field)
{
	return field != NO_FIELD;
}

/* How much of a PyThreadState has to be read for the fields above. */
uint32_t layout_tstate_bytes(const struct py_layout *l);

extern const struct py_layout py_layouts[];
extern const size_t py_layouts_count;

/* The row of a version and flavour; NULL: none. `version` may carry a patch level. */
const struct py_layout *layout_find(uint32_t version, bool free_threaded, bool trace_refs);

/* Moves what lies elsewhere on the machine (ELF e_machine) or in the patch level of `version`. */
void target_layout_arch(struct py_layout *l, uint32_t version, uint16_t machine);

#endif
