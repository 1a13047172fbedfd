/* SPDX-License-Identifier: MIT
 * Output formats: one row per format, one file per row. */
#ifndef EXPORT_EXPORTER_H
#define EXPORT_EXPORTER_H

#include <stdbool.h>

#include "export/sink.h"
#include "profile/profile.h"

struct export_options {
	bool threads;          /* -t: the first frame is the thread */
	bool full_filenames;   /* --full-filenames */
	bool flames;           /* flame graph starts with the root at the bottom, as flames grow;
				* otherwise inverted, root on top, as py-spy draws it */
};

struct exporter {
	const char *name;         /* "flamegraph" */
	const char *const *aliases;  /* NULL-terminated, or NULL */
	const char *const *suffixes; /* of file names that choose it, most usual first: ".svg" */
	const char *summary;      /* for --help */
	bool events;              /* wants profile.events */
	/* Writes the whole profile; errors stay in the sink. An empty profile is a valid file. */
	void (*write)(const struct profile *p, const struct export_options *o, struct sink *sink);
};

extern const struct exporter export_flamegraph, export_raw, export_speedscope, export_pprof,
	export_chrometrace;

extern const struct exporter *const exporters[]; /* NULL-terminated */

const struct exporter *exporter_by_name(const char *name);   /* NULL: unknown; case-insensitive */
const struct exporter *exporter_by_suffix(const char *path); /* longest suffix; NULL: none */

#endif
