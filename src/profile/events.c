/* SPDX-License-Identifier: MIT
 * The order of samples: a ring between two threads, then packed chunks in a temporary file.
 *
 * Each thread of the target has a lane: a small buffer of packed events and a chain of chunks in
 * the file. An event is packed as four varints: node, gap since the lane's last event (zigzag, it
 * is mostly 0), length, CPU time. A chunk knows where the next one of its lane starts, so that
 * neither writing nor reading keeps a table. */
#include "profile/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/varint.h"
#include "util/xalloc.h"

enum {
	PACKED_MAX = 4 * VARINT_MAX,
	CHUNK_FIRST = 256,   /* bytes; each next chunk of a lane is twice as large … */
	CHUNK_MAX = 8192,    /* … up to this */
	LANES_FIRST = 16,
};

struct chunk {               /* on file, before the packed events */
	uint64_t next;       /* offset of the lane's next chunk; 0: last (offset 0 is never a next) */
	uint32_t len;        /* bytes that follow */
	uint32_t thread;
};

struct lane {
	struct event pending;        /* may still grow; wall_ns 0: none */
	uint64_t packed_end_ns;      /* end of the last event packed */
	uint64_t first, last;        /* offsets of its chunks */
	uint8_t *data;
	uint32_t len, size;
	bool stored;                 /* first and last are valid */
};

struct events {
	struct event *ring;
	_Atomic uint32_t head;       /* written by the sampling thread */
	_Atomic uint64_t lost;
	_Alignas(64) _Atomic uint32_t tail; /* written by the draining thread, as all below */
	int fd, error;
	uint64_t file_len;
	struct lane *lanes;
	size_t lane_count;
};

void events_add(struct events *e, const struct event *event)
{
	uint32_t head = atomic_load_explicit(&e->head, memory_order_relaxed);

	if (head - atomic_load_explicit(&e->tail, memory_order_acquire) == EVENTS_RING) {
		atomic_fetch_add_explicit(&e->lost, 1, memory_order_relaxed);
		return;
	}
	e->ring[head % EVENTS_RING] = *event;
	atomic_store_explicit(&e->head, head + 1, memory_order_release);
}

uint64_t events_lost(const struct events *e)
{
	return atomic_load_explicit(&e->lost, memory_order_relaxed);
}

/* Remembers the first failure; later data goes nowhere. */
static void write_at(struct events *e, const void *data, size_t len, uint64_t offset)
{
	const char *p = data;

	while (len && !e->error) {
		ssize_t n = pwrite(e->fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			e->error = n < 0 ? -errno : -EIO;
			return;
		}
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
}

static void lane_store(struct events *e, struct lane *lane)
{
	struct chunk chunk = { .len = lane->len, .thread = (uint32_t)(lane - e->lanes) };
	uint64_t at = e->file_len;

	if (!lane->len)
		return;
	write_at(e, &chunk, sizeof(chunk), at);
	write_at(e, lane->data, lane->len, at + sizeof(chunk));
	if (lane->stored)
		write_at(e, &at, sizeof(at), lane->last + offsetof(struct chunk, next));
	else
		lane->first = at;
	lane->last = at;
	lane->stored = true;
	e->file_len += sizeof(chunk) + lane->len;
	lane->len = 0;
}

/* Room for one more packed event. */
static void lane_reserve(struct events *e, struct lane *lane)
{
	if (lane->data && lane->size - lane->len >= PACKED_MAX)
		return;
	lane_store(e, lane);
	if (lane->size < CHUNK_MAX) {
		lane->size = lane->size ? lane->size * 2 : CHUNK_FIRST;
		lane->data = xreallocarray(lane->data, lane->size, 1);
	}
}

static void lane_pack(struct events *e, struct lane *lane, const struct event *event)
{
	uint64_t start = event->when_ns - event->wall_ns;
	uint8_t *p;

	lane_reserve(e, lane);
	p = lane->data + lane->len;
	p += varint_put(p, event->node);
	p += varint_put(p, zigzag((int64_t)(start - lane->packed_end_ns)));
	p += varint_put(p, event->wall_ns);
	p += varint_put(p, event->cpu_ns);
	lane->len = (uint32_t)(p - lane->data);
	lane->packed_end_ns = event->when_ns;
}

static struct lane *lane_of(struct events *e, uint32_t thread)
{
	if (thread >= e->lane_count) {
		size_t count = e->lane_count ? e->lane_count : LANES_FIRST;

		while (count <= thread)
			count *= 2;
		e->lanes = xreallocarray(e->lanes, count, sizeof(e->lanes[0]));
		memset(e->lanes + e->lane_count, 0,
		       (count - e->lane_count) * sizeof(e->lanes[0]));
		e->lane_count = count;
	}
	return &e->lanes[thread];
}

/* The next stretch of the same stack, without a gap worth showing. */
static bool event_continues(const struct event *first, const struct event *next)
{
	int64_t gap = (int64_t)(next->when_ns - next->wall_ns - first->when_ns);

	return first->wall_ns && first->node == next->node && gap <= (int64_t)EVENTS_SLACK_NS &&
	       gap >= -(int64_t)EVENTS_SLACK_NS && next->when_ns > first->when_ns;
}

static void lane_add(struct events *e, const struct event *event)
{
	struct lane *lane = lane_of(e, event->thread);

	if (!event->wall_ns || event->wall_ns > event->when_ns)
		return; /* stands for no time, or for time before the recording */
	if (event_continues(&lane->pending, event)) {
		lane->pending.wall_ns += event->when_ns - lane->pending.when_ns;
		lane->pending.cpu_ns += event->cpu_ns;
		lane->pending.when_ns = event->when_ns;
		return;
	}
	if (lane->pending.wall_ns)
		lane_pack(e, lane, &lane->pending);
	lane->pending = *event;
}

static void lane_finish(struct events *e, struct lane *lane)
{
	if (lane->pending.wall_ns)
		lane_pack(e, lane, &lane->pending);
	lane->pending.wall_ns = 0;
	lane_store(e, lane);
}

int events_drain(struct events *e, int all)
{
	uint32_t tail = atomic_load_explicit(&e->tail, memory_order_relaxed);
	uint32_t head = atomic_load_explicit(&e->head, memory_order_acquire);

	for (; tail != head; tail++)
		lane_add(e, &e->ring[tail % EVENTS_RING]);
	atomic_store_explicit(&e->tail, tail, memory_order_release);
	for (size_t i = 0; all && i < e->lane_count; i++)
		lane_finish(e, &e->lanes[i]);
	return e->error;
}

static int read_at(int fd, void *data, size_t len, uint64_t offset)
{
	char *p = data;

	while (len) {
		ssize_t n = pread(fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* Unpacks one event after *end_ns, which moves on; returns the bytes it took, 0 when broken. */
static size_t unpack(const uint8_t *p, size_t len, uint64_t *end_ns, struct event *ret)
{
	uint64_t field[4];
	size_t at = 0;

	for (int i = 0; i < 4; i++) {
		size_t n = varint_get(p + at, len - at, &field[i]);

		if (!n)
			return 0;
		at += n;
	}
	ret->node = (uint32_t)field[0];
	ret->wall_ns = field[2];
	ret->cpu_ns = field[3];
	*end_ns += (uint64_t)unzigzag(field[1]) + ret->wall_ns;
	ret->when_ns = *end_ns;
	return at;
}

static int chunk_each(const uint8_t *data, size_t len, uint32_t thread, uint64_t *end_ns,
		      int (*each)(void *arg, const struct event *event), void *arg)
{
	struct event event = { .thread = thread };

	for (size_t at = 0; at < len;) {
		size_t n = unpack(data + at, len - at, end_ns, &event);
		int ret = n ? each(arg, &event) : -EIO;

		if (ret)
			return ret;
		at += n;
	}
	return 0;
}

int events_each(struct events *e, uint32_t thread,
		int (*each)(void *arg, const struct event *event), void *arg)
{
	uint64_t end_ns = 0, at;
	uint8_t data[CHUNK_MAX];
	struct chunk chunk;

	if (e->error)
		return e->error;
	if (thread >= e->lane_count || !e->lanes[thread].stored)
		return 0;
	at = e->lanes[thread].first;
	do {
		int ret = read_at(e->fd, &chunk, sizeof(chunk), at);

		if (!ret && (chunk.len > CHUNK_MAX || chunk.thread != thread))
			ret = -EIO;
		if (!ret)
			ret = read_at(e->fd, data, chunk.len, at + sizeof(chunk));
		if (!ret)
			ret = chunk_each(data, chunk.len, thread, &end_ns, each, arg);
		if (ret)
			return ret;
		at = chunk.next;
	} while (at);
	return 0;
}

/* A file without a name: O_TMPFILE where the file system has it, else made and removed. */
static int open_nameless(const char *folder)
{
	char *path;
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	path = xasprintf("%s/.pystoker-events.XXXXXX", folder);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	free(path);
	return fd;
}

struct events *events_open(const char *folder, struct err *err)
{
	struct events *e;
	int fd;

	folder = folder ? folder : "/tmp";
	fd = open_nameless(folder);
	if (fd < 0) {
		err_set(err, -errno, EXIT_OUTPUT, "cannot make a temporary file in %s: %s", folder,
			strerror(errno));
		return NULL;
	}
	e = aligned_alloc(64, (sizeof(*e) + 63) / 64 * 64);
	if (!e)
		abort();
	*e = (struct events){ .fd = fd, .ring = xcalloc(EVENTS_RING, sizeof(e->ring[0])) };
	return e;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->lane_count; i++)
		free(e->lanes[i].data);
	free(e->lanes);
	free(e->ring);
	close(e->fd);
	free(e);
}
