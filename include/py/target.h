/* SPDX-License-Identifier: MIT
 * One CPython found in a process: where its runtime lies, which version and layout it has.
 *
 * py/locate finds it in a live process; py/fixture gives it for recorded pages. */
#ifndef PY_TARGET_H
#define PY_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

#include "mem/remote.h"
#include "py/layout.h"

enum { TARGET_PATH_MAX = 4096 };

struct py_target {
	pid_t pid;
	struct remote *remote;        /* not owned */
	uint32_t version;             /* PY_VERSION_HEX as far as known (patch level may be 0) */
	uint16_t machine;             /* e_machine of its binary; 0: ours */
	bool debug_offsets;           /* layout filled from the target's _Py_DebugOffsets */
	bool version_guessed;         /* newer than PYVER_NEWEST: tried with a warning */
	struct py_layout layout;      /* a copy, possibly filled from the target */
	remote_addr runtime;          /* &_PyRuntime; 3.6: &interp_head */
	remote_addr tstate_current;   /* 3.6: &_PyThreadState_Current; else 0 (see layout.runtime) */
	remote_addr code_type;        /* &PyCode_Type, 0 when the symbol was not found */
	uint32_t pthread_tid_offset;  /* up to 3.10: of the tid in the C library's thread; 0 unknown */
	remote_addr module_start, module_end; /* mapping of the interpreter's binary */
	const char *how;              /* "symbol", "section", "scan": for dump --json and doctor */
	char path[TARGET_PATH_MAX];   /* the binary that holds the interpreter, as the target sees it */
};

/* Finds CPython in process `pid`: libpython or the executable, by symbol, `.PyRuntime` section or
 * scan; works for stripped, static, embedded and deleted binaries. Binaries are opened through
 * /proc/PID/map_files, then /proc/PID/root. `remote` must be open on that process.
 * Errors: EXIT_NOT_PYTHON, EXIT_UNSUPPORTED, EXIT_GONE, EXIT_DENIED in err; -errno returned;
 * -EAGAIN when an interpreter is there but not initialised yet (the caller may retry). */
int target_locate(struct py_target *t, pid_t pid, struct remote *remote, struct err *err)
	_must_check_;

#endif
