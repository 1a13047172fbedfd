/* SPDX-License-Identifier: MIT
 * Private to cmd/: one process that is profiled for as long as it lives, and the window that what is
 * seen of it is added up in. */
#ifndef CMD_WATCH_H
#define CMD_WATCH_H

#include "mem/processes.h"
#include "profile/merge.h"
#include "profile/recorder.h"

/* A stretch of time in the making: from a border of the clock, or a process's first sample, to the
 * next border, or its end. Its names are its own, so that memory is free again after it. */
struct window {
	struct symtab symtab;
	struct profile profile;
	uint64_t start_ns;           /* CLOCK_MONOTONIC */
	struct sampler_stats stats;  /* of looks in this window */
	struct mixer_stats mixed;    /* of their native frames */
};

void window_open(struct window *w, uint64_t start_ns);
/* Says in the profile what it is: from when to when, and of whom. */
void window_close(struct window *w, uint64_t end_ns);
void window_release(struct window *w);

struct watch {
	struct watch *next;
	struct process_id id;
	int pidfd;                   /* -1: the kernel has none */
	struct attached attached;
	struct recorder recorder;
	struct sampler_config config;
	struct mixer *mixer;         /* not owned; NULL: no native frames */
	struct sampler_stats counted; /* already added to a window */
	struct mixer_stats counted_mixed;
	struct window window;        /* unused where processes are merged */
	char *program;               /* its command line, cut; owned */
	char *interpreter;           /* path of its executable; owned */
};

/* Attaches and starts sampling at `now_ns`. NULL and err: EXIT_GONE, EXIT_NOT_PYTHON (maybe not yet),
 * EXIT_DENIED … */
struct watch *watch_open(const struct process_id *id, const struct sampler_config *config,
			 struct mixer *mixer, struct err *err);
void watch_close(struct watch *w); /* ends sampling */

/* What was sampled since the last call goes to `window`; a recorder that has become too full begins
 * anew. */
void watch_collect(struct watch *w, struct window *window, enum merge_threads threads,
		   bool at_border);
/* Whether there is nothing more to sample: the process has ended or become another program. */
bool watch_is_over(const struct watch *w);

#endif
