/* SPDX-License-Identifier: MIT
 * Errors carried upwards, and messages in one write each. */
#include "util/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int err_set(struct err *err, int ret, int status, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return ret;
	err->status = status;
	err->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return ret;
}

void err_hint(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
}

void err_prefix(struct err *err, const char *fmt, ...)
{
	char old[ERR_TEXT_MAX];
	va_list ap;
	size_t len;

	if (!err)
		return;
	memcpy(old, err->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", old);
}

static void write_all(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, text, len);

		if (n <= 0)
			return; /* nobody left to tell */
		text += n;
		len -= (size_t)n;
	}
}

void err_print(const struct err *err)
{
	char line[2 * ERR_TEXT_MAX + 32];
	int n;

	if (err->hint[0])
		n = snprintf(line, sizeof(line), "pystoker: %s\n  %s\n", err->text, err->hint);
	else
		n = snprintf(line, sizeof(line), "pystoker: %s\n", err->text);
	write_all(line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

void say(const char *fmt, ...)
{
	char line[2 * ERR_TEXT_MAX];
	va_list ap;
	size_t len;

	len = (size_t)snprintf(line, sizeof(line), "pystoker: ");
	va_start(ap, fmt);
	vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	va_end(ap);
	len = strlen(line);
	line[len++] = '\n';
	write_all(line, len);
}
