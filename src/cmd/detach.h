/* SPDX-License-Identifier: MIT
 * Private to cmd/: a process lets go of what it was started with. */
#ifndef CMD_DETACH_H
#define CMD_DETACH_H

#include <stddef.h>

/* Standard streams: nothing to read; `log` or nothing to write to. One of the three may stay as it
 * is: `keep`, or -1. */
void detach_streams(int log, int keep);

/* Closes every descriptor above the standard ones, except `keep` (n of them, ascending). */
void detach_descriptors(const int *keep, size_t n);

/* Every signal unblocked, with its default effect. */
void detach_signals(void);

#endif
