/* SPDX-License-Identifier: MIT
 * A target's memory made up by a test: mapped ranges that the test writes, and a count of reads.
 *
 *	struct fake_remote fake = { 0 };
 *	struct remote remote = fake_remote(&fake);
 *	fake_put_u64(fake_map(&fake, 0x10000, 4096), 16, 5);
 */
#ifndef TESTS_FAKE_REMOTE_H
#define TESTS_FAKE_REMOTE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mem/remote.h"

enum { FAKE_RANGES_MAX = 64 };

struct fake_range {
	remote_addr addr;
	size_t len;
	uint8_t *bytes; /* allocated to the byte, so that a sanitizer sees a read too far */
};

struct fake_remote {
	struct fake_range ranges[FAKE_RANGES_MAX];
	size_t count;
	size_t reads;     /* readv calls so far */
	int error;        /* returned by every read when not 0: -ESRCH, -EPERM */
};

/* Maps `len` zeroed bytes at `addr`; the test writes them through the returned pointer. */
static inline uint8_t *fake_map(struct fake_remote *f, remote_addr addr, size_t len)
{
	struct fake_range *r = &f->ranges[f->count];

	if (f->count == FAKE_RANGES_MAX)
		abort();
	*r = (struct fake_range){ addr, len, calloc(1, len) };
	f->count++;
	return r->bytes;
}

static inline const struct fake_range *fake_find(const struct fake_remote *f, remote_addr addr)
{
	for (size_t i = 0; i < f->count; i++)
		if (addr >= f->ranges[i].addr && addr - f->ranges[i].addr < f->ranges[i].len)
			return &f->ranges[i];
	return NULL;
}

/* One piece, which may lie over several neighbouring ranges. */
static inline bool fake_read(const struct fake_remote *f, remote_addr addr, uint8_t *buf,
			     size_t len)
{
	while (len) {
		const struct fake_range *r = fake_find(f, addr);
		size_t part;

		if (!r)
			return false;
		part = r->len - (size_t)(addr - r->addr);
		part = part < len ? part : len;
		memcpy(buf, r->bytes + (addr - r->addr), part);
		addr += part;
		buf += part;
		len -= part;
	}
	return true;
}

static inline ssize_t fake_readv(void *state, const struct remote_iov *iov, size_t n)
{
	struct fake_remote *f = state;

	f->reads++;
	if (f->error)
		return f->error;
	for (size_t i = 0; i < n; i++)
		if (!fake_read(f, iov[i].addr, iov[i].buf, iov[i].len))
			return (ssize_t)i;
	return (ssize_t)n;
}

static inline struct remote fake_remote(struct fake_remote *f)
{
	static const struct remote_ops ops = { .name = "fake", .readv = fake_readv };

	return (struct remote){ .ops = &ops, .state = f };
}

static inline void fake_release(struct fake_remote *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->ranges[i].bytes);
	*f = (struct fake_remote){ 0 };
}

static inline void fake_put(uint8_t *range, size_t offset, const void *data, size_t len)
{
	memcpy(range + offset, data, len);
}

static inline void fake_put_u64(uint8_t *range, size_t offset, uint64_t value)
{
	fake_put(range, offset, &value, sizeof(value));
}

static inline void fake_put_u32(uint8_t *range, size_t offset, uint32_t value)
{
	fake_put(range, offset, &value, sizeof(value));
}

#endif
