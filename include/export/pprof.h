/* SPDX-License-Identifier: MIT
 * profile.proto for servers: one sample type at a time, within their limits. */
#ifndef EXPORT_PPROF_H
#define EXPORT_PPROF_H

#include <stdbool.h>
#include <stddef.h>

#include "profile/profile.h"
#include "util/buf.h"

enum pprof_kind {
	PPROF_CPU = 0,   /* process_cpu: cpu/nanoseconds, period cpu/nanoseconds */
	PPROF_WALL,      /* wall: wall/nanoseconds, period wall/nanoseconds */
	PPROF_KINDS
};

extern const char *const pprof_metric[PPROF_KINDS]; /* "process_cpu", "wall": Pyroscope's __name__ */

struct pprof_series {
	enum pprof_kind kind;
	bool thread_label;            /* sample label thread_name; threads of one name are one */
	const char *const *comments;  /* added to the usual ones; NULL-terminated, or NULL */
	const char *mapping;          /* file name of the only mapping: the interpreter; NULL: the
				       * command line */
	size_t bytes_max;             /* of one chunk, uncompressed; this and the next two: 0 no limit */
	size_t samples_max;
	size_t frames_max;            /* the leaf is kept, the root end becomes "[truncated]"; fewer
				       * where one stack alone is more than bytes_max */
	uint64_t chunk_step_ns;       /* chunk k has the time start_real_ns + k * step */
};

/* Encodes the profile in chunks, uncompressed, and hands each to `emit` (which stops at non-zero, and
 * that is returned). Stacks whose value is 0 are left out; stacks that differ only in their thread
 * are one unless thread_label. Function names are qualified by their module ("pkg.mod.Class.f"),
 * derived from the file's short path. With nothing to show emit() is not called. The time covered
 * is meta.start_real_ns and meta.duration_ns. */
int pprof_series(const struct profile *p, const struct pprof_series *o,
		 int (*emit)(void *arg, const struct buf *pb, uint64_t time_ns, size_t samples),
		 void *arg) _must_check_;

#endif
