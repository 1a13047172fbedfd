/* SPDX-License-Identifier: MIT
 * Private to cmd/: one recording: a recorder, and the thread that looks after it, time and signals
 * meanwhile. */
#ifndef CMD_RECORDING_H
#define CMD_RECORDING_H

#include "profile/recorder.h"
#include "progress.h"
#include "record.h"

/* Why a recording ended. */
enum recording_end {
	REC_TIME = 1,    /* -d is over */
	REC_SIGNAL,      /* SIGINT, SIGTERM or SIGHUP to us */
	REC_TARGET,      /* the target ended */
	REC_LOST,        /* it became another program (exec) */
};

struct recording {
	const struct record_options *o;
	pid_t pid;
	struct mixer *mixer;         /* with --native; owned */
	struct sampler_config config;
	struct recorder recorder;
	struct profile *profile;     /* the recorder's */
	struct progress progress;
	uint64_t start_ns, stop_ns;  /* CLOCK_MONOTONIC */
};

/* `events` (may be NULL) becomes the profile's, also on failure: then only recording_release() is left to
 * be called. Says which way native frames are had where it is not the best one. */
int recording_init(struct recording *r, const struct record_options *o, pid_t pid,
		   struct events *events, struct err *err) _must_check_;
/* Samples until something ends it. `end_ns`: CLOCK_MONOTONIC when it is to end, 0 never.
 * `signal_fd` becomes readable for the signals that end it, `target_fd` (pidfd, -1: none) when the
 * target has ended. May be called again after REC_LOST with the process attached anew. */
int recording_run(struct recording *r, struct attached *a, int signal_fd, int target_fd,
		  uint64_t end_ns, enum recording_end *ret_end, struct err *err) _must_check_;
/* Completes the profile for exporting, also when nothing was recorded. */
void recording_finish(struct recording *r);
void recording_release(struct recording *r);

#endif
