/* SPDX-License-Identifier: MIT
 * Where an exporter writes to: a file that appears whole or not at all, a pipe, or a buffer. */
#ifndef EXPORT_SINK_H
#define EXPORT_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "util/attr.h"
#include "util/buf.h"
#include "util/err.h"

struct sink {
	int fd;              /* -1: memory only */
	int error;           /* first errno, sticky; later writes do nothing */
	bool in_place;       /* written through: stdout, devices, pipes */
	char *path, *temp;   /* final and temporary name; owned */
	struct buf pending;  /* not written yet; for a memory sink: everything */
};

/* "-" is stdout; a path that exists and is not a regular file is written through. Anything else
 * is written to a temporary file beside it. Checks now what can be checked (folder there and
 * writable), so that a bad -o is found before the recording. */
int sink_open(struct sink *s, const char *path, struct err *err) _must_check_;
void sink_open_memory(struct sink *s);

void sink_write(struct sink *s, const void *data, size_t len);
void sink_puts(struct sink *s, const char *text);
void sink_printf(struct sink *s, const char *fmt, ...) _printf_(2, 3);

/* Flushes, fsyncs and renames; on any error removes the temporary file and fills err with the
 * file's name. Releases the sink. */
int sink_commit(struct sink *s, struct err *err) _must_check_;
/* Gives up: removes the temporary file. Releases the sink. */
void sink_abort(struct sink *s);

#endif
