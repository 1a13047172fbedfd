/* SPDX-License-Identifier: MIT
 * Reading /tmp/perf-PID.map. */
#include "native/perf_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem/procfs.h"
#include "mem/task.h"
#include "util/first_above.h"
#include "util/xalloc.h"

struct perf_map_entry {
	remote_addr start, end;
	uint32_t name;      /* offset in names; grows, so it says who came later */
};

void perf_map_init(struct perf_map *pm, pid_t pid)
{
	pid_t nspid;

	task_foreign_namespace(pid, &nspid);
	*pm = (struct perf_map){ .pid = pid, .sorted = true };
	pm->path = xasprintf("%s/%d/root/tmp/perf-%d.map", procfs_root, (int)pid, (int)nspid);
}

static void clear(struct perf_map *pm)
{
	buf_clear(&pm->names);
	pm->count = 0;
	pm->read_bytes = 0;
	pm->sorted = true;
}

void perf_map_release(struct perf_map *pm)
{
	free(pm->path);
	free(pm->list);
	buf_release(&pm->names);
	*pm = (struct perf_map){ .sorted = true };
}

static bool take_hex(char **p, uint64_t *ret)
{
	char *stop;

	if (!((**p >= '0' && **p <= '9') || (**p >= 'a' && **p <= 'f') || (**p >= 'A' && **p <= 'F')))
		return false;
	errno = 0;
	*ret = strtoull(*p, &stop, 16);
	if (errno || *stop != ' ')
		return false;
	*p = stop + 1;
	return true;
}

static void take_line(struct perf_map *pm, char *line)
{
	uint64_t start, size;

	if (!take_hex(&line, &start) || !take_hex(&line, &size) || *line == '\0' || size == 0 ||
	    start >= REMOTE_ADDR_MAX || size >= REMOTE_ADDR_MAX ||
	    pm->count == PERF_MAP_ENTRIES_MAX)
		return;
	if (pm->count == pm->room) {
		pm->room = pm->room ? pm->room * 2 : 256;
		pm->list = xreallocarray(pm->list, pm->room, sizeof(*pm->list));
	}
	pm->list[pm->count++] = (struct perf_map_entry){
		.start = start, .end = start + size, .name = (uint32_t)pm->names.len,
	};
	buf_add(&pm->names, line, strlen(line) + 1);
	pm->sorted = false;
}

/* Whole lines only: the last one may still be under way. Returns the bytes used. */
static size_t take_lines(struct perf_map *pm, char *text)
{
	char *line = text, *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		take_line(pm, line);
	}
	return (size_t)(line - text);
}

static void read_on(struct perf_map *pm, int fd)
{
	enum { PIECE = 1 << 16 };
	char *text = xmalloc(PIECE + 1);

	while (pm->read_bytes < PERF_MAP_BYTES_MAX) {
		ssize_t n = pread(fd, text, PIECE, (off_t)pm->read_bytes);
		size_t used;

		if (n <= 0)
			break;
		text[n] = '\0';
		used = take_lines(pm, text);
		/* A line longer than all this, or with a NUL in it: nothing we know. */
		if (used == 0 && n == PIECE)
			used = (size_t)n;
		if (used == 0)
			break;
		pm->read_bytes += used;
	}
	free(text);
}

/* By address; where several are the same, the last one written first. */
static int compare(const void *a, const void *b)
{
	const struct perf_map_entry *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->name > y->name ? -1 : x->name < y->name;
}

static void sort(struct perf_map *pm)
{
	size_t kept = 0;

	if (pm->sorted)
		return;
	qsort(pm->list, pm->count, sizeof(*pm->list), compare);
	for (size_t i = 0; i < pm->count; i++)
		if (i == 0 || pm->list[i].start != pm->list[kept - 1].start)
			pm->list[kept++] = pm->list[i];
	pm->count = kept;
	pm->sorted = true;
}

static void refresh(struct perf_map *pm)
{
	/* The target has a say in what stands there: no links, no pipes. */
	int fd = open(pm->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		if (st.st_ino != pm->inode || (uint64_t)st.st_size < pm->read_bytes)
			clear(pm);
		pm->inode = st.st_ino;
		read_on(pm, fd);
	}
	close(fd);
	sort(pm);
}

static const struct perf_map_entry *search(const struct perf_map *pm, remote_addr pc)
{
	size_t above = FIRST_ABOVE(pm->count, i, pm->list[i].start, pc);

	return above > 0 && pc < pm->list[above - 1].end ? &pm->list[above - 1] : NULL;
}

const char *perf_map_find(struct perf_map *pm, remote_addr pc, uint64_t now_ns,
			  remote_addr *ret_start)
{
	const struct perf_map_entry *entry = search(pm, pc);

	if (!entry && (pm->read_at == 0 || now_ns - pm->read_at >= PERF_MAP_REFRESH_NS)) {
		refresh(pm);
		pm->read_at = now_ns ? now_ns : 1;
		entry = search(pm, pc);
	}
	if (!entry)
		return NULL;
	*ret_start = entry->start;
	return pm->names.data + entry->name;
}
