/* SPDX-License-Identifier: MIT
 * A growing byte buffer with a cap: text under construction, encoded protobuf, file contents. */
#ifndef UTIL_BUF_H
#define UTIL_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attr.h"

struct buf {
	char *data;     /* NUL-terminated whenever non-NULL; owned */
	size_t len;     /* bytes, without the NUL */
	size_t cap;
	size_t max;     /* never longer than this; 0: no cap */
	bool overflow;  /* something was left out because of max */
};

#define BUF_INIT { 0 }

void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* len = 0, keeps the memory */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
/* The caller owns the returned text (free); the buffer is empty after. */
char *buf_detach(struct buf *b);

#endif
