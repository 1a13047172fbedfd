/* SPDX-License-Identifier: MIT
 * One thread's recorded stretches as a timeline without holes or overlaps: stack, idle, stack … */
#ifndef EXPORT_TIMELINE_PRIVATE_H
#define EXPORT_TIMELINE_PRIVATE_H

#include "profile/profile.h"

/* The thread did this from start_ns to end_ns; node 0: nothing was seen of it (idle). */
struct stretch {
	uint64_t start_ns, end_ns;
	uint32_t node;
};

/* Calls `each` with stretches that touch, the first from 0, the last to the end of the recording
 * (meta.duration_ns, or the thread's last event if that is later).
 * A thread never seen gives one idle stretch. Returns 0 or a negative errno. */
int timeline_each(const struct profile *p, uint32_t thread,
		  void (*each)(void *arg, const struct stretch *s), void *arg);

#endif
