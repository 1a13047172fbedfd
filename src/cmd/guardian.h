/* SPDX-License-Identifier: MIT
 * Private to cmd/: the tiny process between a program and its pusher. It starts the pusher, starts it
 * anew after a crash, and ends with the program, which cannot see it by wait(). */
#ifndef CMD_GUARDIAN_H
#define CMD_GUARDIAN_H

#include <sys/types.h>

/* Starts the guardian of the calling process, which is about to become the program; `words`, taken
 * over, is the pusher's command line, `argc` and `argv` main()'s. Returns its PID, or -errno: then nothing runs
 * beside the program. */
pid_t guardian_start(char **words, int argc, char **argv);

#endif
