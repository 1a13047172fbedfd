/* SPDX-License-Identifier: MIT
 * gzip in front of a sink. */
#ifndef EXPORT_GZIP_PRIVATE_H
#define EXPORT_GZIP_PRIVATE_H

#include <zlib.h>

#include "export/sink.h"

struct gzip {
	z_stream z;
	struct sink *sink;
};

/* The header carries neither time nor name, so that equal data gives equal bytes. */
void gzip_open(struct gzip *g, struct sink *sink);
void gzip_write(struct gzip *g, const void *data, size_t len);
void gzip_close(struct gzip *g);

#endif
