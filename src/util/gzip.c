/* SPDX-License-Identifier: MIT
 * gzip by zlib, from memory to memory. */
#include "util/gzip.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "util/xalloc.h"

enum { GZIP_WINDOW = 15 + 16, STEP = 64 * 1024 }; /* + 16: gzip, not zlib (zlib.h, deflateInit2) */

bool gzip_is(const void *data, size_t len)
{
	const uint8_t *p = data;

	return len >= 2 && p[0] == 0x1f && p[1] == 0x8b;
}

void gzip_pack(struct buf *out, const void *data, size_t len)
{
	z_stream z = { .next_in = (Bytef *)data, .avail_in = (uInt)len };
	Bytef *step = xmalloc(STEP);
	int r = deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8,
			     Z_DEFAULT_STRATEGY);

	while (r == Z_OK) {
		z.next_out = step;
		z.avail_out = STEP;
		r = deflate(&z, Z_FINISH);
		buf_add(out, step, STEP - z.avail_out);
	}
	deflateEnd(&z);
	free(step);
}

/* Unpacks what z has left; whole members one behind the other. */
static int unpack_members(z_stream *z, struct buf *out, Bytef *step, size_t room)
{
	int r = Z_OK;

	while (r == Z_OK || (r == Z_STREAM_END && z->avail_in)) {
		size_t got;

		if (r == Z_STREAM_END && inflateReset(z) != Z_OK)
			return -EINVAL;
		z->next_out = step;
		z->avail_out = STEP;
		r = inflate(z, Z_NO_FLUSH);
		got = STEP - z->avail_out;
		if (got > room)
			return -E2BIG;
		room -= got;
		buf_add(out, step, got);
	}
	return r == Z_STREAM_END ? 0 : -EINVAL;
}

int gzip_unpack(struct buf *out, const void *data, size_t len, size_t max)
{
	z_stream z = { .next_in = (Bytef *)data, .avail_in = (uInt)len };
	Bytef *step;
	int r;

	if (!gzip_is(data, len) || len > UINT32_MAX || inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return -EINVAL;
	step = xmalloc(STEP);
	r = unpack_members(&z, out, step, max);
	free(step);
	inflateEnd(&z);
	return r;
}
