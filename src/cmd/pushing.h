/* SPDX-License-Identifier: MIT
 * Private to cmd/: a running `pystoker push`: its loop (pushing.c) and its intervals (interval.c). */
#ifndef CMD_PUSHING_H
#define CMD_PUSHING_H

#include "find.h"
#include "push.h"
#include "pushlog.h"
#include "ship/pusher.h"
#include "ship/spool.h"
#include "watch.h"

/* Our own CPU time at a moment. */
struct own_cpu {
	uint64_t cpu_ns, at_ns;      /* at_ns: CLOCK_MONOTONIC */
};

/* One run of the command; the main thread's alone. */
struct push {
	struct push_options o;
	struct labels labels;        /* of every profile, but for the PID */
	struct log log;
	struct pushlog say;
	struct spool *spool;
	struct pusher *pusher;       /* NULL: profiles are collected in a folder */
	const char *collect_dir;     /* "file:" */
	struct http_config http;
	struct server_secrets secrets;
	struct finder finder;
	struct sampler_config config; /* of every watch */
	struct mixer *mixer;         /* native frames; NULL: none */
	struct watch *watches;
	size_t watch_count;
	struct window merged;        /* with --merge */
	pid_t merged_pid;            /* what stands for all of them as a label */
	int signal_fd, root_fd;      /* root: with --tree, --pid: its end is ours; -1: no pidfd */
	struct process_id root;      /* its PID and start; PID 0: none */
	uint64_t border_ns, checkpoint_ns, find_ns; /* CLOCK_MONOTONIC: when each is due */
	struct own_cpu last, before; /* at the last border, and at the one before */
	struct push_note note;       /* the interval being closed */
	bool noting;                 /* between interval_open() and interval_close() */
	struct err failed;           /* status 0: nothing has */
	bool waiting_told, ever_found, done, once_done;
};

/* Samples from now on until it is told to end, or the root ends; what was sampled is in the spool
 * then. -errno when the process that was asked for by its PID cannot be read. */
int pushing_run(struct push *p, struct err *err) _must_check_;

/* --- intervals: from what the watches have seen to the spool ---------------------------------- */

void interval_start(struct push *p); /* before the first */
/* Profiles are added to the spool between these two; then the interval is told of, and sent. */
void interval_open(struct push *p);
void interval_close(struct push *p); /* nothing when none is open */

/* What one process was seen doing, until `now`, becomes profiles. */
void interval_add(struct push *p, struct watch *w, uint64_t now);
/* The same of all of them; `merged` windows, too. */
void interval_add_all(struct push *p, uint64_t now);
/* Time `border` is where one interval ends and the next begins: not when we come to it, unless that is
 * much later. */
void interval_end(struct push *p, uint64_t border);
/* Writes down what there is so far. */
void interval_checkpoint(struct push *p, uint64_t now);
void interval_stats_file(struct push *p);

#endif
