/* SPDX-License-Identifier: MIT
 * gzip in front of a sink. */
#ifndef EXPORT_GZIPSINK_H
#define EXPORT_GZIPSINK_H

#include <zlib.h>

#include "export/sink.h"

struct gzip_sink {
	z_stream z;
	struct sink *sink;
};

/* The header carries neither time nor name, so that equal data gives equal bytes. */
void gzip_sink_open(struct gzip_sink *g, struct sink *sink);
void gzip_sink_write(struct gzip_sink *g, const void *data, size_t len);
void gzip_sink_close(struct gzip_sink *g);

#endif
