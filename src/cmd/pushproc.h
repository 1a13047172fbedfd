/* SPDX-License-Identifier: MIT
 * Private to cmd/: the pusher that exec starts, as a process of its own, and started anew after a
 * crash. Its owner waits for its children and for the time, and tells of both. */
#ifndef CMD_PUSHPROC_H
#define CMD_PUSHPROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PUSHPROC_NEVER UINT64_MAX

struct pushproc {
	char **words;       /* owned, each and all; its command line; the last word is the log file, "-" is stderr */
	pid_t pid;          /* 0: does not run */
	uint64_t start_ns;  /* CLOCK_MONOTONIC, of the last start */
	uint64_t next_ns;   /* when it is to be started; PUSHPROC_NEVER: not any more */
	uint64_t pause_ns;  /* before the start after the next crash */
	int crash;          /* status of the last crash as waitpid() gives it, for the log; 0: none */
};

void pushproc_init(struct pushproc *p, char **words); /* takes the words over */
void pushproc_release(struct pushproc *p);             /* leaves the process alone */

/* Whether it logs to the standard error stream it was given. */
bool pushproc_keeps_stderr(const struct pushproc *p);

/* Starts it if it is time to. Its streams: nothing, the log, the log; no other descriptor, a session
 * of its own, "/" as its folder, every signal as it should be. */
void pushproc_tend(struct pushproc *p);

/* Milliseconds until pushproc_tend() has something to do, -1: it waits for an event. */
int pushproc_timeout_ms(const struct pushproc *p);

/* A child has ended, `status` as waitpid() gives it. Does nothing if it was another one. */
void pushproc_ended(struct pushproc *p, pid_t pid, int status);

#endif
