/* SPDX-License-Identifier: MIT
 * Whether a process looks like Python from outside. */
#ifndef PY_GUESS_H
#define PY_GUESS_H

#include <stdbool.h>
#include <sys/types.h>

/* By the names of its executable and libraries, or of its command where those may not be seen: not a
 * look inside. */
bool guess_python(pid_t pid);

#endif
