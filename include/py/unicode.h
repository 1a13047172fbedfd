/* SPDX-License-Identifier: MIT
 * Python strings and bytes of a target as UTF-8 and bytes of ours. */
#ifndef PY_UNICODE_H
#define PY_UNICODE_H

#include "py/target.h"
#include "util/buf.h"

#define UNICODE_CHARS_MAX 4096u /* characters read of one string; the rest shows as "…" */

/* Appends the str object at `addr` in UTF-8. All three kinds, compact or not; lone surrogates and
 * NUL show as U+FFFD, so that the text is valid UTF-8 and a C string. One remote read for a short
 * compact str, two at most. 0, or -EFAULT/-ESRCH/-EPERM of the read, -EINVAL when it is no sane str
 * (freed, torn, something else): nothing is appended then. */
int unicode_read(const struct py_target *t, remote_addr addr, struct buf *out) _must_check_;

/* Replaces out's contents by the bytes object at `addr`; -E2BIG beyond `max` bytes. The other
 * errors are those of unicode_read(). */
int bytes_read(const struct py_target *t, remote_addr addr, size_t max, struct buf *out)
	_must_check_;

#endif
