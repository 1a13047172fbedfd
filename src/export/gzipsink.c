/* SPDX-License-Identifier: MIT
 * gzip in front of a sink. */
#include "gzipsink.h"

#include <errno.h>
#include <limits.h>

enum { WINDOW_BITS_GZIP = 15 + 16, MEM_LEVEL = 8 }; /* zlib.h: +16 writes a gzip header */

void gzip_sink_open(struct gzip_sink *g, struct sink *sink)
{
	*g = (struct gzip_sink){ .sink = sink };
	if (deflateInit2(&g->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS_GZIP, MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		sink_fail(sink, ENOMEM, "zlib");
}

static void deflate_all(struct gzip_sink *g, int mode)
{
	unsigned char out[16 * 1024];

	do {
		g->z.next_out = out;
		g->z.avail_out = sizeof(out);
		deflate(&g->z, mode);
		sink_write(g->sink, out, sizeof(out) - g->z.avail_out);
	} while (!g->z.avail_out);
}

void gzip_sink_write(struct gzip_sink *g, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len && !g->sink->error) {
		uInt n = len < INT_MAX ? (uInt)len : INT_MAX;

		g->z.next_in = (unsigned char *)p;
		g->z.avail_in = n;
		deflate_all(g, Z_NO_FLUSH);
		p += n;
		len -= n;
	}
}

void gzip_sink_close(struct gzip_sink *g)
{
	if (!g->sink->error)
		deflate_all(g, Z_FINISH);
	deflateEnd(&g->z);
}
