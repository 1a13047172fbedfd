/* SPDX-License-Identifier: MIT
 * Private to cmd/: a program started by us, which stays its own. */
#ifndef CMD_CHILD_H
#define CMD_CHILD_H

#include <signal.h>
#include <sys/types.h>

#include "util/err.h"

/* Starts argv[0] (found in PATH) with our standard streams, the signal mask `mask` and the given
 * disposition of SIGPIPE (SIG_DFL or SIG_IGN), as we were started with. Returns its
 * PID, or -errno with EXIT_NO_PROGRAM or EXIT_NOT_EXECUTABLE in err. */
pid_t child_start(char *const *argv, const sigset_t *mask, void (*sigpipe)(int),
		  struct err *err) _must_check_;

/* Makes our own end equal to a program's: returns its exit status, or dies of the signal that
 * killed it. `status` is as waitpid() gives it. */
int child_mirror(int status);

#endif
