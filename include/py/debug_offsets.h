/* SPDX-License-Identifier: MIT
 * _Py_DebugOffsets: from 3.13 on a CPython describes its own layout at the start of _PyRuntime
 * (Include/internal/pycore_debug_offsets.h; 3.13: pycore_runtime.h). */
#ifndef PY_DEBUG_OFFSETS_H
#define PY_DEBUG_OFFSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "py/layout.h"
#include "util/attr.h"

#define DEBUG_OFFSETS_COOKIE "xdebugpy"

enum {
	DEBUG_OFFSETS_COOKIE_LEN = 8,
	DEBUG_OFFSETS_MAX = 888,  /* bytes: the size in 3.15, the largest known */
};

struct debug_offsets {
	uint32_t version;       /* PY_VERSION_HEX */
	bool free_threaded;
	bool guessed;           /* read with the positions of another version, or a pre-release */
	/* tstate member that points to the root frame (3.15), else NO_FIELD. The frame itself lies in
	 * _PyThreadStateImpl behind PyThreadState: layout.tstate.base_frame. */
	uint32_t base_frame_pointer;
	struct py_layout layout; /* the nearest row with all that the target states put in */
};

/* Reads and validates `len` bytes from the start of _PyRuntime: every offset must lie inside its
 * structure, be aligned, and every size be sane. 0; -ENOENT no cookie (3.12 or older, or no
 * _PyRuntime); -ENOTSUP a cookie with a version it cannot have; -EINVAL nonsense. out->version is
 * set for -EINVAL and -ENOTSUP too. */
int debug_offsets_parse(struct debug_offsets *out, const uint8_t *bytes, size_t len) _must_check_;

#endif
