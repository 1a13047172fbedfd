/* SPDX-License-Identifier: MIT
 * The order of samples, for the formats that show time (speedscope, chrometrace).
 *
 * The sampling thread appends to blocks in memory; another thread calls events_drain() now and
 * then, which packs them into an unlinked temporary file, so that memory stays flat however long
 * a recording is and the sampling thread never waits for a disk. */
#ifndef PROFILE_EVENTS_H
#define PROFILE_EVENTS_H

#include <stdint.h>

#include "util/err.h"

struct event {
	uint64_t when_ns;   /* end of the stretch, from the start of the recording */
	uint64_t wall_ns;   /* its length */
	uint64_t cpu_ns;
	uint32_t thread;    /* index in the profile's threads */
	uint32_t node;      /* leaf of the stack */
};

struct events;

/* `folder` is where the temporary file goes ("/tmp" when NULL). NULL and a filled err on failure. */
struct events *events_open(const char *folder, struct err *err);
void events_free(struct events *e);

/* Sampling thread: never blocks; when every block is full the event is lost and counted. */
void events_add(struct events *e, const struct event *event);

/* Other thread: packs full blocks into the file (with `all`, the unfinished one too: only after
 * sampling has ended). Returns 0 or -errno of the write, which is remembered. */
int events_drain(struct events *e, int all);

uint64_t events_lost(const struct events *e);

/* Reads all events back in order, after the last drain. Stops at the first non-zero return of
 * `each` and returns it; -EIO when the file cannot be read back. */
int events_each(struct events *e, int (*each)(void *arg, const struct event *event), void *arg);

#endif
