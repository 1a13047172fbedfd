/* SPDX-License-Identifier: MIT
 * A log file of lines, each in one write, from any thread. */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include <pthread.h>
#include <stdbool.h>

#include "util/attr.h"
#include "util/err.h"

#define LOG_LINE_MAX 2048u /* bytes of one line; longer ones are cut */

struct log {
	int fd;
	char *path;            /* owned; NULL: stderr */
	pthread_mutex_t lock;
};

/* Appends to the file, which is made when missing (mode 0644 & ~umask); "-" is stderr. On failure
 * lines go nowhere, and log_reopen() may mend that. */
int log_open(struct log *l, const char *path, struct err *err) _must_check_;
void log_close(struct log *l);
int log_reopen(struct log *l); /* after logrotate; 0 or -errno, then the old file stays in use */
bool log_is(const struct log *l, int fd);    /* whether fd writes to the same file */
void log_take_streams(struct log *l);        /* stdout and stderr write to it from now on */

/* "2026-01-31 12:00:00 text", local time. Control characters become spaces: what servers and processes
 * say cannot play tricks on a terminal. */
void log_line(struct log *l, const char *fmt, ...) _printf_(2, 3);

#endif
