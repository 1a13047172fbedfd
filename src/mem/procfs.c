/* SPDX-License-Identifier: MIT
 * Reading /proc of one process. */
#include "mem/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/attr.h"
#include "util/buf.h"
#include "util/xalloc.h"

const char *procfs_root = "/proc";

/* 0 or -ENAMETOOLONG. */
static int pid_path(char path[PATH_MAX], pid_t pid, const char *name)
{
	int n = snprintf(path, PATH_MAX, "%s/%d/%s", procfs_root, (int)pid, name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int procfs_open(pid_t pid, const char *name)
{
	char path[PATH_MAX];
	int fd, ret = pid_path(path, pid, name);

	if (ret < 0)
		return ret;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* read(2) until the end or `size` bytes; what was read, or -errno. */
static ssize_t read_up_to(int fd, char *out, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = read(fd, out + len, size - len);

		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			len += (size_t)got;
	}
	return (ssize_t)len;
}

int procfs_sysctl(const char *name, long *ret)
{
	char path[PATH_MAX], text[64], *end;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/sys/%s", procfs_root, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read_up_to(fd, text, sizeof(text) - 1);
	close(fd);
	if (len < 0)
		return (int)len;
	text[len] = '\0';
	*ret = strtol(text, &end, 10);
	return end == text ? -EINVAL : 0;
}

/* Appends all of fd; 0 or -errno, -EFBIG beyond PROCFS_TEXT_MAX. */
static int read_all(int fd, struct buf *b)
{
	char piece[16384];

	for (;;) {
		ssize_t got = read_up_to(fd, piece, sizeof(piece));

		if (got <= 0)
			return (int)got;
		buf_add(b, piece, (size_t)got);
		if (b->len > PROCFS_TEXT_MAX)
			return -EFBIG;
	}
}

char *procfs_read(pid_t pid, const char *name, size_t *ret_len)
{
	struct buf b = BUF_INIT;
	int fd = procfs_open(pid, name);
	size_t len;
	int ret;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	ret = read_all(fd, &b);
	close(fd);
	if (ret < 0) {
		buf_release(&b);
		errno = -ret;
		return NULL;
	}
	len = b.len;
	if (ret_len)
		*ret_len = len;
	return len ? buf_detach(&b) : xstrdup("");
}

int procfs_readlink(pid_t pid, const char *name, char *out, size_t size)
{
	char path[PATH_MAX];
	int ret = pid_path(path, pid, name);
	ssize_t n;

	if (ret < 0)
		return ret;
	n = readlink(path, out, size - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	return 0;
}

/* The start of a file, NUL-terminated; bytes before the NUL, or -errno. */
static ssize_t read_start(pid_t pid, const char *name, char *out, size_t size)
{
	int fd = procfs_open(pid, name);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read_up_to(fd, out, size - 1);
	close(fd);
	if (n >= 0)
		out[n] = '\0';
	return n;
}

int procfs_cmdline(pid_t pid, char *out, size_t size)
{
	ssize_t n = read_start(pid, "cmdline", out, size);
	char comm[64];

	if (n < 0)
		return (int)n;
	while (n > 0 && (out[n - 1] == '\0' || out[n - 1] == ' '))
		n--;
	out[n] = '\0';
	/* One line whatever the arguments hold: it goes into messages. */
	for (ssize_t i = 0; i < n; i++)
		if ((unsigned char)out[i] < ' ' || out[i] == 0x7f)
			out[i] = ' ';
	if (n > 0)
		return 0;
	n = read_start(pid, "comm", comm, sizeof(comm));
	if (n < 0)
		return (int)n;
	comm[strcspn(comm, "\n")] = '\0';
	snprintf(out, size, "[%s]", comm);
	return 0;
}

/* Resolves in place the one escape the kernel writes here: "\012" for a newline (show_map_vma()
 * calls seq_path with "\n"; a backslash itself is not escaped). */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (!strncmp(s, "\\012", 4)) {
			*to++ = '\n';
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

static bool cut_suffix(char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	if (len < n || strcmp(s + len - n, suffix) != 0)
		return false;
	s[len - n] = '\0';
	return true;
}

/* A number that must be followed by `end`; *p moves past it. */
static bool take_number(char **p, int base, char end, uint64_t *ret)
{
	char *stop;

	if (**p == ' ' || **p == '-' || **p == '+' || **p == '\0')
		return false;
	errno = 0;
	*ret = strtoull(*p, &stop, base);
	if (stop == *p || *stop != end || errno)
		return false;
	*p = stop + 1;
	return true;
}

/* "55f0a000-55f0b000 r-xp 00001000 fe:01 1234                       /usr/bin/x" */
static int map_parse(struct map *m, char *line)
{
	uint64_t major, minor;
	char *p = line;
	size_t digits;

	*m = (struct map){ 0 };
	if (!take_number(&p, 16, '-', &m->start) || !take_number(&p, 16, ' ', &m->end) ||
	    m->start >= m->end || strlen(p) < 5 || p[4] != ' ')
		return -EINVAL;
	m->read = p[0] == 'r';
	m->write = p[1] == 'w';
	m->exec = p[2] == 'x';
	p += 5;
	if (!take_number(&p, 16, ' ', &m->offset) || !take_number(&p, 16, ':', &major) ||
	    !take_number(&p, 16, ' ', &minor))
		return -EINVAL;
	m->dev_major = (uint32_t)major;
	m->dev_minor = (uint32_t)minor;
	digits = strspn(p, "0123456789");
	if (digits == 0 || (p[digits] != ' ' && p[digits] != '\0'))
		return -EINVAL;
	m->inode = strtoull(p, NULL, 10);
	p += digits;
	p += strspn(p, " ");
	m->deleted = cut_suffix(p, " (deleted)");
	unescape(p);
	m->path = xstrdup(p);
	return 0;
}

static int maps_fail(struct maps *m, int ret)
{
	maps_release(m);
	return ret;
}

int maps_parse(struct maps *m, char *text)
{
	size_t cap = 0;
	char *next;

	*m = (struct maps){ 0 };
	for (char *line = text; *line; line = next) {
		char *end = strchrnul(line, '\n');
		struct map map;

		next = *end ? end + 1 : end;
		*end = '\0';
		if (map_parse(&map, line) < 0)
			return maps_fail(m, -EINVAL);
		if (m->count == cap) {
			cap = cap ? cap * 2 : 64;
			m->list = xreallocarray(m->list, cap, sizeof(*m->list));
		}
		m->list[m->count++] = map;
		/* The kernel never goes back; maps_find() relies on it. */
		if (m->count > 1 && map.start < m->list[m->count - 2].end)
			return maps_fail(m, -EINVAL);
		if (m->count > PROCFS_MAPS_MAX)
			return maps_fail(m, -E2BIG);
	}
	return 0;
}

static int maps_error(pid_t pid, int error, struct err *err)
{
	switch (error) {
	case ENOENT:
	case ESRCH:
		return err_set(err, -ESRCH, EXIT_GONE, "PID %d: no such process", (int)pid);
	case EACCES:
	case EPERM:
		return err_set(err, -EPERM, EXIT_DENIED,
			       "PID %d: not permitted to read its memory map: %s", (int)pid,
			       strerror(error));
	default:
		return err_set(err, -error, EXIT_FAILED, "PID %d: cannot read its memory map: %s",
			       (int)pid, strerror(error));
	}
}

int maps_read(struct maps *m, pid_t pid, struct err *err)
{
	char *text = procfs_read(pid, "maps", NULL);
	int ret;

	*m = (struct maps){ 0 };
	if (!text)
		return maps_error(pid, errno, err);
	ret = maps_parse(m, text);
	free(text);
	return ret < 0 ? maps_error(pid, -ret, err) : 0;
}

void maps_release(struct maps *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->list[i].path);
	free(m->list);
	*m = (struct maps){ 0 };
}

const struct map *maps_find(const struct maps *m, remote_addr addr)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (addr < m->list[mid].start)
			high = mid;
		else if (addr >= m->list[mid].end)
			low = mid + 1;
		else
			return &m->list[mid];
	}
	return NULL;
}

/* Field numbers of proc(5), /proc/[pid]/stat; the first two are the pid and (comm). */
enum { STAT_STATE = 3, STAT_PPID = 4, STAT_STARTTIME = 22, STAT_PROCESSOR = 39 };

/* A decimal number behind one space; NULL when there is none. strtoull() knows bases, signs and
 * locales, and costs more than the rest of a look's parsing. */
static const char *number(const char *p, uint64_t *ret)
{
	uint64_t value = 0;

	if (*p++ != ' ' || *p < '0' || *p > '9')
		return NULL;
	while (*p >= '0' && *p <= '9')
		value = value * 10 + (uint64_t)(*p++ - '0');
	*ret = value;
	return p;
}

/* Over `n` fields, each behind one space; NULL when there are fewer. */
static const char *skip_fields(const char *p, int n)
{
	for (; n > 0; n--) {
		if (*p++ != ' ' || *p == '\0' || *p == ' ')
			return NULL;
		while (*p != ' ' && *p != '\0')
			p++;
	}
	return p;
}

int proc_stat_parse(struct proc_stat *st, const char *text)
{
	/* comm may hold spaces and parentheses; nothing behind it does. */
	const char *p = strrchr(text, ')');
	uint64_t ppid, start, processor;
	char state;

	if (!p || p[1] != ' ' || p[2] == '\0' || p[3] != ' ')
		return -EINVAL;
	state = p[2];
	p = number(p + 3, &ppid);
	p = p ? skip_fields(p, STAT_STARTTIME - STAT_PPID - 1) : NULL;
	p = p ? number(p, &start) : NULL;
	p = p ? skip_fields(p, STAT_PROCESSOR - STAT_STARTTIME - 1) : NULL;
	p = p ? number(p, &processor) : NULL;
	if (!p)
		return -EINVAL;
	*st = (struct proc_stat){ .state = state, .ppid = (pid_t)ppid, .start_ticks = start,
				  .processor = (int)processor };
	return 0;
}

int sched_stat_parse(struct sched_stat *st, const char *text)
{
	uint64_t wait;
	const char *p = text;

	st->run_ns = 0;
	while (*p >= '0' && *p <= '9')
		st->run_ns = st->run_ns * 10 + (uint64_t)(*p++ - '0');
	p = p > text ? number(p, &wait) : NULL;
	return p && number(p, &st->slices) ? 0 : -EINVAL;
}

int proc_stat_read(struct proc_stat *st, pid_t pid)
{
	char text[1024];
	ssize_t n = read_start(pid, "stat", text, sizeof(text));

	return n < 0 ? (int)n : proc_stat_parse(st, text);
}

/* Behind "name:" and blanks; NULL when there is no such line. */
static const char *status_value(const char *status, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = status; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (!strncmp(line, name, len) && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " \t");
	}
	return NULL;
}

static bool status_number(const char *status, const char *name, int base, uint64_t *ret)
{
	const char *value = status_value(status, name);
	char *stop;
	uint64_t number;

	if (!value || *value == '-' || *value == '\n')
		return false;
	number = strtoull(value, &stop, base);
	if (stop == value)
		return false;
	*ret = number;
	return true;
}

bool status_field(const char *status, const char *name, uint64_t *ret)
{
	return status_number(status, name, 10, ret);
}

bool status_mask(const char *status, const char *name, uint64_t *ret)
{
	return status_number(status, name, 16, ret);
}

pid_t status_nspid(const char *status)
{
	const char *p = status_value(status, "NSpid");
	pid_t last = 0;

	while (p && *p >= '0' && *p <= '9') {
		char *stop;

		last = (pid_t)strtol(p, &stop, 10);
		p = stop + strspn(stop, " \t");
	}
	return last;
}
