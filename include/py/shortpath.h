/* SPDX-License-Identifier: MIT
 * File names as people read them: relative to the package root. */
#ifndef PY_SHORTPATH_H
#define PY_SHORTPATH_H

#include <stddef.h>
#include <sys/types.h>

/* Cuts `path` (co_filename) down to the part from its top package on, as py-spy does: upwards while
 * the folder holds an __init__.py, in the target's own file system (/proc/PID/root, and
 * /proc/PID/cwd for relative paths; ours when the target has ended). "<string>" and the like stay.
 * Returns a pointer into `path`. */
const char *shortpath_of(pid_t pid, const char *path);

#endif
