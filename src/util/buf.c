/* SPDX-License-Identifier: MIT
 * A growing byte buffer. */
#include "util/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

enum { BUF_FIRST = 64 };

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
	if (b->data)
		b->data[0] = '\0';
}

/* Makes room for `len` more bytes and the NUL; returns how many of them fit. */
static size_t grow(struct buf *b, size_t len)
{
	size_t need;

	if (b->max && len > b->max - b->len) {
		len = b->max - b->len;
		b->overflow = true;
	}
	need = b->len + len + 1;
	if (need > b->cap) {
		b->cap = b->cap ? b->cap : BUF_FIRST;
		while (b->cap < need)
			b->cap *= 2;
		b->data = xreallocarray(b->data, b->cap, 1);
	}
	return len;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	len = grow(b, len);
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof(small)) {
		buf_add(b, small, (size_t)n);
	} else {
		char *big = xmalloc((size_t)n + 1);

		va_start(ap, fmt);
		vsnprintf(big, (size_t)n + 1, fmt, ap);
		va_end(ap);
		buf_add(b, big, (size_t)n);
		free(big);
	}
}

char *buf_detach(struct buf *b)
{
	char *data;

	grow(b, 0);
	b->data[b->len] = '\0';
	data = b->data;
	*b = (struct buf){ .max = b->max };
	return data;
}
