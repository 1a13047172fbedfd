/* SPDX-License-Identifier: MIT
 * The order of samples, for the formats that show time (speedscope, chrometrace).
 *
 * The sampling thread puts events into a ring; another thread calls events_drain() now and then,
 * which joins equal neighbours, packs the rest and appends it to an unlinked temporary file, so
 * that memory stays flat however long a recording is and the sampling thread never waits for a
 * disk. The file keeps the events of each thread together, since that is how they are read. */
#ifndef PROFILE_EVENTS_H
#define PROFILE_EVENTS_H

#include <stdint.h>

#include "util/attr.h"
#include "util/err.h"

/* Events between two drains; at 200 000 samples/s a drain every 100 ms keeps up. */
#define EVENTS_RING (1u << 15)
/* Stretches of one stack that are no further apart (or overlap no more) are one. */
#define EVENTS_SLACK_NS 1000u

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

/* Sampling thread: never blocks; when the ring is full the event is lost and counted. */
void events_add(struct events *e, const struct event *event);

/* Other thread, always the same: empties the ring into the file (with `all`, also what waits to be
 * joined with more of its kind: only after sampling has ended). Returns 0 or -errno of the first
 * write that failed; from then on events are thrown away, and events_each() returns it too. */
int events_drain(struct events *e, int all);

uint64_t events_lost(const struct events *e); /* any thread */

/* Reads the events of one thread back, in order, after the last drain. Stops at the first non-zero
 * return of `each` and returns it; a negative errno when the file cannot be read back whole. */
int events_each(struct events *e, uint32_t thread,
		int (*each)(void *arg, const struct event *event), void *arg) _must_check_;

#endif
