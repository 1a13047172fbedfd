/* SPDX-License-Identifier: MIT
 * Log lines: whole, tame, and in the file of the day. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "util/log.h"

static char text[8192];

static const char *content(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

/* Behind "2026-01-31 12:00:00 ". */
static const char *words(const char *line)
{
	return strlen(line) > 20 ? line + 20 : line;
}

int main(void)
{
	char dir[] = "/tmp/pystoker-log-XXXXXX", path[64], old[64], wide[2 * LOG_LINE_MAX];
	struct log l;
	struct err err;

	if (!mkdtemp(dir))
		return 99;
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(old, sizeof(old), "%s/log.1", dir);
	is_int(log_open(&l, path, &err), 0, "opened");
	log_line(&l, "a \x1b[31mserver\n%s", "says");
	is_str(words(content(path)), "a  [31mserver says\n", "control characters are blanks");
	rename(path, old);
	log_line(&l, "still the old one");
	ok(strstr(content(old), "still the old one"), "until it is opened anew");
	is_int(log_reopen(&l), 0, "opened anew");
	log_line(&l, "new");
	is_str(words(content(path)), "new\n", "a new file");
	memset(wide, 'x', sizeof(wide));
	wide[sizeof(wide) - 1] = '\0';
	log_line(&l, "%s", wide);
	ok(strlen(content(path)) < LOG_LINE_MAX + 64 && text[strlen(text) - 1] == '\n', "long lines are cut");
	unlink(path);
	unlink(old);
	rmdir(dir);
	ok(log_reopen(&l) < 0, "no folder");
	log_line(&l, "into the old file");
	log_close(&l);
	ok(log_open(&l, path, &err) < 0 && err.status == EXIT_OUTPUT, "%s", err.text);
	log_line(&l, "nowhere");
	log_close(&l);
	return tap_done();
}
