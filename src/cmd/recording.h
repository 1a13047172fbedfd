/* SPDX-License-Identifier: MIT
 * Private to cmd/: one recording: a sampler that fills a profile, and the thread that looks after
 * names, time and signals meanwhile. */
#ifndef CMD_RECORDING_H
#define CMD_RECORDING_H

#include "profile/profile.h"
#include "progress.h"
#include "py/attach.h"
#include "record.h"
#include "sampler/sampler.h"

/* Why a recording ended. */
enum recording_end {
	REC_TIME = 1,    /* -d is over */
	REC_SIGNAL,      /* SIGINT, SIGTERM or SIGHUP to us */
	REC_TARGET,      /* the target ended */
	REC_LOST,        /* it became another program (exec) */
};

/* A thread whose name is still to be found. */
struct naming {
	remote_addr interp;
	uint64_t thread_id;
	pid_t tid;
	uint32_t number;     /* in the profile */
};

struct recording {
	const struct record_options *o;
	pid_t pid;
	struct remote names_remote;  /* of the looking-after thread: handles are not shared */
	struct py_target names_target;
	struct symtab symtab;
	struct profile profile;
	struct sampler *sampler;
	struct pool namings;         /* struct naming, added by the sampling thread */
	uint32_t named;              /* of them have been asked for */
	uint32_t files_done;         /* files whose short path is known */
	struct progress progress;
	uint64_t start_ns, stop_ns;  /* CLOCK_MONOTONIC */
	struct sampler_stats stats;  /* at the end; summed over an exec */
	bool proves;                 /* samples were meant to be proven */
	bool reaped;                 /* the sampler took the child's wait status */
	int reaped_status;
};

/* `events` (may be NULL) becomes the profile's. */
int recording_init(struct recording *r, const struct record_options *o, pid_t pid,
		   struct events *events);
/* Samples until something ends it. `end_ns`: CLOCK_MONOTONIC when it is to end, 0 never.
 * `signal_fd` becomes readable for the signals that end it, `target_fd` (pidfd, -1: none) when the
 * target has ended. May be called again after REC_LOST with the process attached anew. */
int recording_run(struct recording *r, struct attached *a, int signal_fd, int target_fd,
		  uint64_t end_ns, enum recording_end *ret_end, struct err *err) _must_check_;
/* Completes the profile for exporting, also when nothing was recorded. */
void recording_finish(struct recording *r);
void recording_release(struct recording *r);

#endif
