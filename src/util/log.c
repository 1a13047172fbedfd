/* SPDX-License-Identifier: MIT
 * Log lines. */
#include "util/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/xalloc.h"

static int file_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);

	return fd < 0 ? -errno : fd;
}

int log_open(struct log *l, const char *path, struct err *err)
{
	*l = (struct log){ .fd = -1 };
	pthread_mutex_init(&l->lock, NULL);
	if (!strcmp(path, "-")) {
		l->fd = STDERR_FILENO;
		return 0;
	}
	l->path = xstrdup(path);
	l->fd = file_open(path);
	if (l->fd < 0)
		return err_set(err, l->fd, EXIT_OUTPUT, "cannot write the log %s: %s", path,
			       strerror(-l->fd));
	return 0;
}

void log_close(struct log *l)
{
	if (l->path && l->fd >= 0)
		close(l->fd);
	free(l->path);
	pthread_mutex_destroy(&l->lock);
	*l = (struct log){ .fd = -1 };
}

int log_reopen(struct log *l)
{
	int fd = l->path ? file_open(l->path) : l->fd, old;

	if (fd < 0)
		return fd;
	pthread_mutex_lock(&l->lock);
	old = l->fd;
	l->fd = fd;
	pthread_mutex_unlock(&l->lock);
	if (old >= 0 && old != fd)
		close(old);
	return 0;
}

bool log_is(const struct log *l, int fd)
{
	struct stat a, b;

	return l->fd == fd || (l->fd >= 0 && !fstat(l->fd, &a) && !fstat(fd, &b) &&
			       a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

void log_take_streams(struct log *l)
{
	if (l->fd < 0 || l->fd == STDERR_FILENO)
		return;
	dup2(l->fd, STDOUT_FILENO);
	dup2(l->fd, STDERR_FILENO);
}

static void add_time(struct buf *b)
{
	char text[sizeof("2026-01-31 12:00:00 ")] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S ", &tm);
	buf_adds(b, text);
}

static void tame(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = ' ';
}

void log_line(struct log *l, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	add_time(&b);
	buf_adds(&b, text);
	tame(b.data, b.len);
	buf_addc(&b, '\n');
	pthread_mutex_lock(&l->lock);
	if (l->fd >= 0 && write(l->fd, b.data, b.len) < 0) {
		/* a full disk: nobody left to tell */
	}
	pthread_mutex_unlock(&l->lock);
	buf_release(&b);
}
