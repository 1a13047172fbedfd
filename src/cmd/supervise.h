/* SPDX-License-Identifier: MIT
 * Private to cmd/: pystoker as the parent of a program, which is to notice as little of it as
 * possible. */
#ifndef CMD_SUPERVISE_H
#define CMD_SUPERVISE_H

#include <stdint.h>

#include "pushproc.h"
#include "util/err.h"

/* Runs the program, and once it runs the pusher whose command line words_for(arg, its PID) gives.
 * Returns the program's status as waitpid() gives it, at most `grace_ns` (0: no limit) after its end,
 * or -errno when it could not be started. */
int supervise(char *const *program, char **(*words_for)(void *arg, pid_t program), void *arg,
	      uint64_t grace_ns, struct err *err) _must_check_;

#endif
