/* SPDX-License-Identifier: MIT
 * Allocation that cannot fail. */
#include "util/xalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/err.h"

static void *check(void *p, size_t size)
{
	if (!p && size) {
		say("out of memory (%zu bytes asked for)", size);
		_exit(EXIT_FAILED);
	}
	return p;
}

void *xmalloc(size_t size)
{
	return check(malloc(size), size);
}

void *xcalloc(size_t count, size_t size)
{
	return check(calloc(count, size), count * size);
}

void *xreallocarray(void *p, size_t count, size_t size)
{
	return check(reallocarray(p, count, size), count * size);
}

char *xstrdup(const char *s)
{
	return check(strdup(s), 1);
}

char *xstrndup(const char *s, size_t len)
{
	return check(strndup(s, len), 1);
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return check(s, 1);
}
