/* SPDX-License-Identifier: MIT
 * One look's pieces of target memory, fetched in as few reads as possible. */
#include "py/snapshot.h"

#include <errno.h>
#include <stdlib.h>

#include "util/xalloc.h"

enum { PLAN_GROW = 32 };

void snapshot_init(struct snapshot *s, const struct remote *remote)
{
	*s = (struct snapshot){ .remote = remote };
	s->bytes = xmalloc(SNAPSHOT_BYTES);
	s->pieces = xmalloc(SNAPSHOT_PIECES * sizeof(s->pieces[0]));
}

void snapshot_release(struct snapshot *s)
{
	free(s->bytes);
	free(s->pieces);
	*s = (struct snapshot){ 0 };
}

static bool address_ok(remote_addr addr, uint32_t len)
{
	return addr != 0 && addr < REMOTE_ADDR_MAX && len <= REMOTE_ADDR_MAX - addr;
}

/* Room for one more piece; NULL when the look is too large or the address impossible. */
static struct piece *piece_add(struct snapshot *s, remote_addr addr, uint32_t len)
{
	struct piece *p;

	if (s->count == SNAPSHOT_PIECES || len > SNAPSHOT_BYTES - s->used || !address_ok(addr, len))
		return NULL;
	p = &s->pieces[s->count++];
	*p = (struct piece){ .addr = addr, .len = len, .at = s->used };
	s->used += (len + 7u) & ~7u;
	return p;
}

/* Fetches pieces [first, count); those that cannot be read become empty. */
static void fetch(struct snapshot *s, uint32_t first)
{
	struct remote_iov iov[REMOTE_IOV_MAX];

	while (first < s->count) {
		uint32_t n = 0;
		ssize_t got;

		for (uint32_t i = first; i < s->count && n < REMOTE_IOV_MAX; i++, n++)
			iov[n] = (struct remote_iov){ s->pieces[i].addr,
						      s->bytes + s->pieces[i].at,
						      s->pieces[i].len };
		got = remote_readv(s->remote, iov, n);
		s->reads++;
		if (got < 0) {
			s->error = (int)got;
			s->count = first;
			return;
		}
		first += (uint32_t)got;
		if ((uint32_t)got < n)
			s->pieces[first++].len = 0;
	}
}

void snapshot_begin_with(struct snapshot *s, const struct plan *plan, remote_addr addr, uint32_t len)
{
	s->count = s->used = s->cursor = s->reads = s->extra = 0;
	s->error = 0;
	if (len && piece_add(s, addr, len))
		s->extra = 1;
	for (uint32_t i = 0; i < plan->count; i++)
		piece_add(s, plan->pieces[i].addr, plan->pieces[i].len);
	if (s->count)
		fetch(s, 0);
}

void snapshot_begin(struct snapshot *s, const struct plan *plan)
{
	snapshot_begin_with(s, plan, 0, 0);
}

static const uint8_t *piece_bytes(struct snapshot *s, uint32_t i, remote_addr addr)
{
	s->cursor = i;
	s->pieces[i].used = true;
	return s->bytes + s->pieces[i].at + (addr - s->pieces[i].addr);
}

static bool piece_has(const struct piece *p, remote_addr addr, uint32_t len)
{
	return addr - p->addr < p->len && len <= p->len - (addr - p->addr);
}

const uint8_t *snapshot_find(struct snapshot *s, remote_addr addr, uint32_t len)
{
	uint32_t i = s->cursor;

	/* A stack is walked in the order in which it was walked last time. */
	for (uint32_t tried = 0; tried < s->count; tried++, i++) {
		if (i >= s->count)
			i = 0;
		if (piece_has(&s->pieces[i], addr, len))
			return piece_bytes(s, i, addr);
	}
	return NULL;
}

const uint8_t *snapshot_get(struct snapshot *s, remote_addr addr, uint32_t len)
{
	const uint8_t *found = snapshot_find(s, addr, len);
	uint32_t i;

	if (found)
		return found;
	if (s->error || !piece_add(s, addr, len))
		return NULL;
	i = s->count - 1;
	fetch(s, i);
	if (s->error || s->pieces[i].len == 0)
		return NULL;
	return piece_bytes(s, i, addr);
}

void snapshot_trim(struct snapshot *s, remote_addr addr, uint32_t len)
{
	struct piece *p = &s->pieces[s->cursor];

	if (s->count && p->addr == addr && p->len > len)
		p->len = len;
}

void plan_learn(struct plan *plan, const struct snapshot *s)
{
	plan->count = 0;
	for (uint32_t i = s->extra; i < s->count; i++) {
		if (!s->pieces[i].used || !s->pieces[i].len)
			continue;
		if (plan->count == plan->cap) {
			plan->cap += PLAN_GROW;
			plan->pieces = xreallocarray(plan->pieces, plan->cap,
						     sizeof(plan->pieces[0]));
		}
		plan->pieces[plan->count].addr = s->pieces[i].addr;
		plan->pieces[plan->count++].len = s->pieces[i].len;
	}
}

void plan_release(struct plan *plan)
{
	free(plan->pieces);
	*plan = (struct plan){ 0 };
}
