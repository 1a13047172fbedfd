/* SPDX-License-Identifier: MIT
 * A process made ready to be read: its memory open, its CPython found. */
#ifndef PY_ATTACH_H
#define PY_ATTACH_H

#include "py/target.h"

struct attached {
	struct remote remote;
	struct py_target target;   /* reads through `remote` */
};

/* Opens and locates, and waits up to `patience_ns` for an interpreter that is just starting (or a
 * program that is about to start one). `should_stop`, asked between tries, may be NULL. Errors as
 * remote_open_process() and target_locate(). */
int attach_open(struct attached *a, pid_t pid, uint64_t patience_ns, bool (*should_stop)(void *),
		void *arg, struct err *err) _must_check_;
void attach_close(struct attached *a);

#endif
