/* SPDX-License-Identifier: MIT
 * Where an exporter writes to: a file that appears whole or not at all, a pipe, or a buffer. */
#ifndef EXPORT_SINK_H
#define EXPORT_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/attr.h"
#include "util/buf.h"
#include "util/err.h"

struct sink {
	int fd;              /* -1: memory only */
	int error;           /* first errno, sticky; later writes do nothing */
	const char *culprit; /* what failed when it was not the output; NULL: the output. Static text */
	bool in_place;       /* written through: stdout, devices, pipes */
	bool named;          /* `temp` exists in the folder; else the file has no name yet */
	char *shown;         /* the name as the user gave it, for messages; owned */
	char *path, *temp;   /* final and temporary name, links followed; owned */
	struct buf pending;  /* not written yet; for a memory sink: everything */
};

/* "-" is stdout, as are /dev/stdout and /dev/fd/1; a path that exists and is not a regular file is
 * written through (a FIFO waits for its reader here). Anything else is written to a temporary file
 * in the same folder, where the file system can do it one without a name, so that not even SIGKILL
 * leaves one behind. Links are followed: what they point to is replaced, not they. A bad -o is
 * thus found before the recording. */
int sink_open(struct sink *s, const char *path, struct err *err) _must_check_;
void sink_open_memory(struct sink *s);

void sink_write(struct sink *s, const void *data, size_t len);
void sink_puts(struct sink *s, const char *text);
void sink_printf(struct sink *s, const char *fmt, ...) _printf_(2, 3);
void sink_json(struct sink *s, const char *text); /* as a JSON string, in quotes */
void sink_json_in_markup(struct sink *s, const char *text); /* the same inside XML */

/* The data itself could not be had: `what` (static text) failed with errno `error`. */
void sink_fail(struct sink *s, int error, const char *what);

/* Flushes, fsyncs and renames; on any error removes the temporary file and fills err with the
 * file's name. Releases the sink. (A closed pipe is EPIPE only where SIGPIPE is ignored.) */
int sink_commit(struct sink *s, struct err *err) _must_check_;
/* Gives up: removes the temporary file. Releases the sink. */
void sink_abort(struct sink *s);

#endif
