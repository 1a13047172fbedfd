/* SPDX-License-Identifier: MIT
 * Output that appears whole or not at all. */
#include "export/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/json.h"
#include "util/xalloc.h"

enum {
	FLUSH_AT = 64 * 1024,
	LINKS_MAX = 40,       /* as the kernel's */
	TEMP_TRIES = 100,
	TEMP_NAME_KEPT = 200, /* bytes of the name kept in the temporary one; NAME_MAX is 255 */
};

/* "/dev/stdout", "/dev/fd/7", "/proc/self/fd/7": the number; -1 for any other path. */
static int fd_of_path(const char *path)
{
	static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/" };
	char *end;

	if (!strcmp(path, "/dev/stdout"))
		return STDOUT_FILENO;
	if (!strcmp(path, "/dev/stderr"))
		return STDERR_FILENO;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		size_t len = strlen(folders[i]);
		unsigned long fd;

		if (strncmp(path, folders[i], len) || path[len] < '0' || path[len] > '9')
			continue;
		fd = strtoul(path + len, &end, 10);
		return *end || fd > INT_MAX ? -1 : (int)fd;
	}
	return -1;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

/* One link further: a relative target is meant from the link's folder. NULL: not a link. */
static char *follow(const char *path)
{
	char target[PATH_MAX], *folder, *next;
	ssize_t len = readlink(path, target, sizeof(target) - 1);

	if (len <= 0)
		return NULL;
	target[len] = '\0';
	if (target[0] == '/')
		return xstrdup(target);
	folder = folder_of(path);
	next = xasprintf("%s/%s", folder, target);
	free(folder);
	return next;
}

/* The file behind all links, which need not exist; stops at names of open files. NULL: ELOOP. */
static char *follow_all(const char *path)
{
	char *at = xstrdup(path);

	for (int i = 0; i < LINKS_MAX; i++) {
		char *next = fd_of_path(at) >= 0 ? NULL : follow(at);

		if (!next)
			return at;
		free(at);
		at = next;
	}
	free(at);
	errno = ELOOP;
	return NULL;
}

static int open_error(struct sink *s, struct err *err)
{
	int error = errno;
	char *folder = folder_of(s->path ? s->path : s->shown);
	struct stat st;

	if (error == ENOENT && stat(folder, &st) < 0)
		err_set(err, 0, EXIT_OUTPUT, "cannot write %s: the folder %s does not exist",
			s->shown, folder);
	else
		err_set(err, 0, EXIT_OUTPUT, "cannot write %s: %s", s->shown, strerror(error));
	free(folder);
	sink_abort(s);
	return -error;
}

static void temp_name(struct sink *s)
{
	const char *slash = strrchr(s->path, '/');
	const char *name = slash ? slash + 1 : s->path;
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = (uint32_t)getpid();
	free(s->temp);
	s->temp = xasprintf("%.*s.%.*s.%08x", (int)(name - s->path), s->path, TEMP_NAME_KEPT, name,
			    random);
}

static int open_named(struct sink *s)
{
	for (int i = 0; i < TEMP_TRIES; i++) {
		temp_name(s);
		s->fd = open(s->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (s->fd >= 0 || errno != EEXIST)
			break;
	}
	s->named = s->fd >= 0;
	return s->fd < 0 ? -errno : 0;
}

/* A file that will replace another keeps its mode and, where we may, its owner. */
static void copy_mode(int fd, const struct stat *old)
{
	/* What is not ours to give away becomes ours, as after an editor's save; and some file systems
	 * have no modes: neither is a reason to refuse. */
	_unused_ int ret = fchown(fd, old->st_uid, old->st_gid);

	ret = fchmod(fd, old->st_mode & 0777);
}

static int open_temp(struct sink *s, const struct stat *old)
{
	char *folder;

	if (old && access(s->path, W_OK) < 0)
		return -errno;
	folder = folder_of(s->path);
	s->fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	free(folder);
	if (s->fd < 0 && open_named(s) < 0)
		return -errno;
	if (old)
		copy_mode(s->fd, old);
	return 0;
}

static int open_path(struct sink *s)
{
	struct stat st;
	int fd;

	s->path = follow_all(s->shown);
	if (!s->path)
		return -errno;
	fd = fd_of_path(s->path);
	s->in_place = true;
	if (fd >= 0) {
		s->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		return s->fd < 0 ? -errno : 0;
	}
	if (stat(s->path, &st) == 0 && !S_ISREG(st.st_mode)) {
		s->fd = open(s->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return s->fd < 0 ? -errno : 0;
	}
	if (s->path[0] == '\0' || s->path[strlen(s->path) - 1] == '/') {
		errno = s->path[0] ? EISDIR : ENOENT;
		return -errno;
	}
	s->in_place = false;
	return open_temp(s, stat(s->path, &st) == 0 ? &st : NULL);
}

int sink_open(struct sink *s, const char *path, struct err *err)
{
	*s = (struct sink){ .fd = -1, .shown = xstrdup(strcmp(path, "-") ? path : "/dev/stdout") };
	return open_path(s) < 0 ? open_error(s, err) : 0;
}

void sink_open_memory(struct sink *s)
{
	*s = (struct sink){ .fd = -1 };
}

/* A pipe set to O_NONBLOCK by whoever shares it with us is waited for. */
static ssize_t write_patiently(int fd, const char *data, size_t len)
{
	for (;;) {
		ssize_t n = write(fd, data, len);
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		if (n >= 0 || (errno != EINTR && errno != EAGAIN))
			return n;
		if (errno == EAGAIN)
			poll(&p, 1, -1);
	}
}

static void flush(struct sink *s)
{
	const char *p = s->pending.data;
	size_t len = s->pending.len;

	while (len && !s->error) {
		ssize_t n = write_patiently(s->fd, p, len);

		if (n < 0) {
			s->error = errno;
			break;
		}
		p += n;
		len -= (size_t)n;
	}
	buf_clear(&s->pending);
}

static void flush_some(struct sink *s)
{
	if (s->fd >= 0 && s->pending.len >= FLUSH_AT)
		flush(s);
}

void sink_write(struct sink *s, const void *data, size_t len)
{
	if (s->error)
		return;
	buf_add(&s->pending, data, len);
	flush_some(s);
}

void sink_puts(struct sink *s, const char *text)
{
	sink_write(s, text, strlen(text));
}

void sink_printf(struct sink *s, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(text)) {
		sink_write(s, text, (size_t)n);
		return;
	}
	sink_fail(s, EOVERFLOW, "a line of the output"); /* long text goes through sink_puts() */
}

static void add_json(struct sink *s, const char *text, bool in_markup)
{
	if (s->error)
		return;
	json_add_string(&s->pending, text, strlen(text), in_markup);
	flush_some(s);
}

void sink_json(struct sink *s, const char *text)
{
	add_json(s, text, false);
}

void sink_json_in_markup(struct sink *s, const char *text)
{
	add_json(s, text, true);
}

void sink_fail(struct sink *s, int error, const char *what)
{
	if (s->error)
		return;
	s->error = error;
	s->culprit = what;
}

static void set_error(struct sink *s)
{
	if (!s->error)
		s->error = errno;
}

static void sync_data(struct sink *s)
{
	/* EINVAL, EROFS: a file that cannot be synced, as some FUSE ones. */
	if (!s->error && fsync(s->fd) < 0 && errno != EINVAL && errno != EROFS && errno != ENOSYS)
		set_error(s);
}

/* Gives the nameless file a temporary name, since linkat() cannot replace one. */
static void give_name(struct sink *s)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", s->fd);
	for (int i = 0; i < TEMP_TRIES && !s->error && !s->named; i++) {
		temp_name(s);
		if (linkat(AT_FDCWD, self, AT_FDCWD, s->temp, AT_SYMLINK_FOLLOW) == 0)
			s->named = true;
		else if (errno != EEXIST)
			set_error(s);
	}
	if (!s->named && !s->error)
		s->error = EEXIST;
}

static void finish_file(struct sink *s)
{
	sync_data(s);
	give_name(s);
	if (close(s->fd) < 0 && errno != EINTR)
		set_error(s);
	s->fd = -1;
	if (s->error)
		return;
	if (rename(s->temp, s->path) < 0)
		set_error(s);
	else
		s->named = false;
}

int sink_commit(struct sink *s, struct err *err)
{
	int error;

	if (s->fd >= 0) {
		flush(s);
		if (!s->in_place)
			finish_file(s);
		else if (close(s->fd) < 0 && errno != EINTR)
			set_error(s);
		if (s->in_place)
			s->fd = -1;
	}
	error = s->error;
	if (error && s->culprit)
		err_set(err, 0, EXIT_OUTPUT, "cannot write %s: %s: %s", s->shown, s->culprit,
			strerror(error));
	else if (error)
		err_set(err, 0, EXIT_OUTPUT, "cannot write %s: %s", s->shown, strerror(error));
	sink_abort(s);
	return -error;
}

void sink_abort(struct sink *s)
{
	if (s->named)
		unlink(s->temp);
	if (s->fd >= 0)
		close(s->fd);
	free(s->shown);
	free(s->path);
	free(s->temp);
	buf_release(&s->pending);
	*s = (struct sink){ .fd = -1 };
}
