/* SPDX-License-Identifier: MIT
 * Private to cmd/: a program started by us, which stays its own. */
#ifndef CMD_CHILD_H
#define CMD_CHILD_H

#include <signal.h>
#include <sys/types.h>

#include "util/err.h"

struct signalfd_siginfo;

/* What a program gets back of how we were started ourselves. */
struct child_setup {
	sigset_t mask;
	struct sigaction pipe, chld; /* of SIGPIPE and SIGCHLD */
	pid_t ptracer;               /* who, with its descendants, may read the program under Yama; 0 */
};

/* Notes mask and dispositions; from then on SIGPIPE is ignored here, and children wait for us to
 * look at them though we were started with SIGCHLD ignored. */
void child_setup_take(struct child_setup *s);

/* Starts argv[0] (found in PATH) with our standard streams and with what `setup` says. Returns its
 * PID, or -errno with EXIT_NO_PROGRAM or EXIT_NOT_EXECUTABLE in err. */
pid_t child_start(char *const *argv, const struct child_setup *setup, struct err *err) _must_check_;

/* Becomes the program. Only returns when that fails: -errno, err as above. */
int child_become(char *const *argv, struct err *err);

/* Lets Yama (scope 1) allow a process and its descendants to read us; survives exec. */
void child_allow_reading(pid_t ptracer);

/* Passes a signal that we got on to a program, unless the terminal has sent it to both of us. */
void child_forward(pid_t pid, const struct signalfd_siginfo *info);

/* Makes our own end equal to a program's: returns its exit status, or dies of the signal that
 * killed it. `status` is as waitpid() gives it. */
int child_mirror(int status);

#endif
