/* SPDX-License-Identifier: MIT
 * Private to py/: the processes below one that look like Python, for a hint. */
#ifndef SRC_PY_DESCENDANTS_H
#define SRC_PY_DESCENDANTS_H

#include <stddef.h>
#include <sys/types.h>

/* Up to `max` PIDs, lowest first; returns how many. A guess by file names, not a look inside. */
size_t descendants_python(pid_t pid, pid_t *out, size_t max);

#endif
