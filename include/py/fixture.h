/* SPDX-License-Identifier: MIT
 * A CPython in a recorded fixture (mem/fixture.h). Keys:
 *
 *	version 3.13.0         free_threaded 0   trace_refs 0
 *	machine x86_64         or aarch64
 *	pid 4711
 *	runtime 0x7f3c5a2294c0      code_type …   tstate_current …   (addresses; 0: none)
 *	pthread_tid_offset 720
 *	base_frame 888         only with _Py_DebugOffsets, when the layout has one
 *	debug_offsets 1        the layout is in the recorded memory, as in the live target
 *
 * Every other key is the test's: "expect" lines state what must be read from the fixture. */
#ifndef PY_FIXTURE_H
#define PY_FIXTURE_H

#include "mem/fixture.h"
#include "py/target.h"

/* Appends the lines above. `recorder` reads the target: the description that 3.13+ has of itself
 * is read through it, so that it is in the fixture. 0 or the error of that read. */
int target_to_fixture(const struct py_target *t, const struct remote *recorder, struct buf *header)
	_must_check_;
/* Fills a target from a loaded fixture; `remote` (not owned) plays it back. -EINVAL with err. */
int target_from_fixture(struct py_target *t, const struct fixture *f, struct remote *remote,
			struct err *err) _must_check_;

#endif
