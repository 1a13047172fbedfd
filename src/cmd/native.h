/* SPDX-License-Identifier: MIT
 * Private to cmd/: native frames made ready: which way, and the mixer. */
#ifndef CMD_NATIVE_H
#define CMD_NATIVE_H

#include "native_options.h"

enum { NATIVE_HOW_MAX = 1024 };

/* Chooses the way for `pid` (0: for whoever comes; our own permissions decide), fills in the sampler's
 * config and makes the mixer, which the caller frees. Without --native: nothing, *ret is NULL. `how`
 * says which way it is, and why it is not the better one; empty when the process is gone. 0; an error
 * with EXIT_DENIED when perf was asked for and is not permitted, with EXIT_UNSUPPORTED when this
 * machine has no native frames yet. */
int native_begin(const struct native_options *o, pid_t pid, struct sampler_config *config,
		 struct mixer **ret, char *how, size_t how_size, struct err *err) _must_check_;

/* What perf_event_open(2) said, an errno, in words, with what helps as the hint. */
void native_perf_missing(int no, struct err *err);
/* "from the kernel's switch records, nothing is stopped" */
const char *native_way_text(enum native_way way);
/* "native frames: 288 of 288 stacks merged, 99.3 % of the walks complete, 1.2 us a walk (cut short 2)";
 * nothing when no stack was looked at. */
void native_stats_text(const struct mixer_stats *s, struct buf *out);

#endif
