/* SPDX-License-Identifier: MIT
 * Stand-ins for spool, wire and labels, in memory and to be looked into: a stored profile is its time
 * and samples, padded to a size. */
#ifndef TESTS_FAKE_SPOOL_H
#define TESTS_FAKE_SPOOL_H

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ship/spool.h"
#include "ship/wire.h"
#include "util/xalloc.h"

enum { FAKE_ITEMS = 4096 };

struct fake_profile {
	uint64_t time_ns;
	uint32_t samples;
	uint32_t size;     /* bytes, this struct included */
	uint32_t broken;   /* no profile */
};

struct fake_item {
	struct spool_item item;
	struct fake_profile profile;
	enum { FAKE_WAITS, FAKE_SENT, FAKE_REFUSED, FAKE_REMOVED } state;
	int read_error;
};

struct spool {
	pthread_mutex_t lock;
	struct fake_item items[FAKE_ITEMS];
	size_t count;
	size_t resends, tended;
	bool full;
	uint64_t now_real_ns; /* of spool_sent() */
};

static inline void fake_spool_init(struct spool *s)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
}

static inline uint64_t fake_add(struct spool *s, uint64_t time_ns, uint32_t samples, uint32_t size)
{
	struct fake_item *i;
	uint64_t id;

	pthread_mutex_lock(&s->lock);
	i = &s->items[s->count++];
	i->profile = (struct fake_profile){ time_ns, samples, size, 0 };
	i->item = (struct spool_item){ .id = s->count, .key = { time_ns, 42, "cpu" }, .bytes = size };
	id = i->item.id;
	pthread_mutex_unlock(&s->lock);
	return id;
}

static inline struct fake_item *fake_item(struct spool *s, uint64_t id)
{
	return id >= 1 && id <= s->count ? &s->items[id - 1] : NULL;
}

static inline size_t fake_count(struct spool *s, int state)
{
	size_t n = 0;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->count; i++)
		n += (int)s->items[i].state == state;
	pthread_mutex_unlock(&s->lock);
	return n;
}

int spool_add(struct spool *s, const struct spool_key *key, const void *data, size_t len)
{
	struct fake_profile p;
	uint64_t id;

	if (s->full)
		return -ENOSPC;
	memcpy(&p, data, sizeof(p));
	id = fake_add(s, p.time_ns, p.samples, (uint32_t)len);
	fake_item(s, id)->item.key = *key;
	return 0;
}

bool spool_next(struct spool *s, const uint64_t *except, size_t n, struct spool_item *ret)
{
	const struct fake_item *best = NULL;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->count; i++) {
		const struct fake_item *f = &s->items[i];
		bool skip = f->state != FAKE_WAITS;

		for (size_t k = 0; k < n && !skip; k++)
			skip = except[k] == f->item.id;
		if (!skip && (!best || f->item.key.time_ns > best->item.key.time_ns))
			best = f;
	}
	if (best)
		*ret = best->item;
	pthread_mutex_unlock(&s->lock);
	return best != NULL;
}

int spool_read(struct spool *s, uint64_t id, struct buf *ret)
{
	const struct fake_item *f = fake_item(s, id);

	if (!f || f->read_error)
		return f ? f->read_error : -ENOENT;
	buf_add(ret, &f->profile, sizeof(f->profile));
	while (ret->len < f->profile.size)
		buf_addc(ret, 'x');
	return 0;
}

static inline void fake_set(struct spool *s, uint64_t id, int state)
{
	pthread_mutex_lock(&s->lock);
	fake_item(s, id)->state = state;
	fake_item(s, id)->item.sent_ns = s->now_real_ns;
	pthread_mutex_unlock(&s->lock);
}

void spool_sent(struct spool *s, uint64_t id)
{
	fake_set(s, id, FAKE_SENT);
}

void spool_refuse(struct spool *s, uint64_t id)
{
	fake_set(s, id, FAKE_REFUSED);
}

void spool_remove(struct spool *s, uint64_t id)
{
	fake_set(s, id, FAKE_REMOVED);
}

size_t spool_resend(struct spool *s, uint64_t since_ns)
{
	size_t n = 0;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->count; i++) {
		if (s->items[i].state == FAKE_SENT && s->items[i].item.sent_ns >= since_ns) {
			s->items[i].state = FAKE_WAITS;
			n++;
		}
	}
	s->resends++;
	pthread_mutex_unlock(&s->lock);
	return n;
}

void spool_tend(struct spool *s)
{
	pthread_mutex_lock(&s->lock);
	s->tended++;
	pthread_mutex_unlock(&s->lock);
}

void spool_stats(struct spool *s, struct spool_stats *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->waiting = fake_count(s, FAKE_WAITS);
}

void wire_request_release(struct wire_request *r)
{
	buf_release(&r->path);
	buf_release(&r->body);
}

int wire_build(struct wire_request *r, enum wire_format format, const void *stored, size_t len,
	       const struct labels *more, struct err *err)
{
	struct fake_profile p;

	(void)format;
	(void)more;
	memcpy(&p, stored, sizeof(p));
	memset(r, 0, sizeof(*r));
	buf_adds(&r->path, "/push.v1.PusherService/Push");
	if (p.broken)
		return err_set(err, -EINVAL, EXIT_FAILED, "no profile");
	if (len > WIRE_PROFILE_BYTES_MAX)
		return err_set(err, -E2BIG, EXIT_FAILED, "too large");
	buf_add(&r->body, stored, len);
	r->content_type = "application/proto";
	r->gzip = true;
	r->time_ns = p.time_ns;
	r->samples = p.samples;
	return 0;
}

int wire_labels(const void *stored, size_t len, struct labels *ret, uint64_t *ret_time_ns,
		struct err *err)
{
	struct fake_profile p;

	(void)len;
	(void)ret;
	memcpy(&p, stored, sizeof(p));
	if (p.broken)
		return err_set(err, -EINVAL, EXIT_FAILED, "no profile");
	*ret_time_ns = p.time_ns;
	return 0;
}

static inline void fake_half(struct buf *b, uint64_t time_ns, uint32_t samples, uint32_t size)
{
	struct fake_profile p = { time_ns, samples, size, 0 };

	buf_add(b, &p, sizeof(p));
	while (b->len < size)
		buf_addc(b, 'x');
}

int wire_halve(const void *stored, size_t len, uint64_t second_time_ns, struct buf *ret_first,
	       struct buf *ret_second, struct err *err)
{
	struct fake_profile p;

	memcpy(&p, stored, sizeof(p));
	if (p.samples < 2)
		return err_set(err, -ENODATA, EXIT_FAILED, "one sample");
	fake_half(ret_first, p.time_ns, p.samples / 2, (uint32_t)len / 2);
	fake_half(ret_second, second_time_ns, p.samples - p.samples / 2, (uint32_t)len / 2);
	return 0;
}

void labels_release(struct labels *l)
{
	(void)l;
}

void labels_copy(struct labels *to, const struct labels *from)
{
	(void)to;
	(void)from;
}

#endif
