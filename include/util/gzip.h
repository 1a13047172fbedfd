/* SPDX-License-Identifier: MIT
 * gzip from memory to memory. */
#ifndef UTIL_GZIP_H
#define UTIL_GZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "util/attr.h"
#include "util/buf.h"

bool gzip_is(const void *data, size_t len); /* starts with gzip's magic bytes */

/* Appends the gzip'd data; equal data gives equal bytes (no time, no name in the header). */
void gzip_pack(struct buf *out, const void *data, size_t len);

/* Appends the unpacked data, all members of it. -EINVAL: not gzip, or broken; -E2BIG: it would be
 * more than `max` bytes. `out` may have grown all the same. */
int gzip_unpack(struct buf *out, const void *data, size_t len, size_t max) _must_check_;

#endif
