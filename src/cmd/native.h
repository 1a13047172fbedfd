/* SPDX-License-Identifier: MIT
 * Private to cmd/: native frames made ready: which way, and the mixer. */
#ifndef CMD_NATIVE_H
#define CMD_NATIVE_H

#include "native_options.h"

enum { NATIVE_WHY_MAX = 512 };

/* Chooses the way for `pid` (0: for whoever comes; our own permissions decide), fills in the sampler's
 * config and makes the mixer, which the caller frees. Without --native: nothing, *ret is NULL. `why`
 * says, empty when there is nothing to say, why it is not the better way. EXIT_DENIED when perf was
 * asked for and is not permitted; EXIT_UNSUPPORTED when this machine has no native frames yet. */
int native_begin(const struct native_options *o, pid_t pid, struct sampler_config *config,
		 struct mixer **ret, char *why, size_t why_size, struct err *err) _must_check_;

#endif
