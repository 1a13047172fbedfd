/* SPDX-License-Identifier: MIT
 * Recording a target's memory, and playing it back. */
#include "mem/fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "util/hash.h"
#include "util/xalloc.h"

/* ---- loading ---------------------------------------------------------------------------- */

static uint64_t get_u64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 8; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

/* The whole file, unpacked; false: not readable as gzip, or too large. */
static bool unpack(struct buf *data, const char *path)
{
	gzFile in = gzopen(path, "rbe");
	char piece[16384];
	bool good;
	int got;

	if (!in)
		return false;
	while ((got = gzread(in, piece, sizeof(piece))) > 0 && data->len <= FIXTURE_BYTES_MAX)
		buf_add(data, piece, (size_t)got);
	/* Cut off files read to their end without an error from gzread(). */
	good = got == 0 && gzdirect(in) == 0 && gzclose(in) == Z_OK;
	if (got != 0)
		gzclose(in);
	return good;
}

/* Finds the empty line and makes the lines NUL-terminated. */
static bool parse_header(struct fixture *f)
{
	size_t magic = strlen(FIXTURE_MAGIC);
	size_t most = f->data.len < FIXTURE_HEADER_MAX ? f->data.len : FIXTURE_HEADER_MAX;
	char *end;

	if (most < magic || memcmp(f->data.data, FIXTURE_MAGIC, magic) != 0)
		return false;
	end = memmem(f->data.data, most, "\n\n", 2);
	if (!end)
		return false;
	f->header_len = (size_t)(end - f->data.data) + 1;
	if (memchr(f->data.data, '\0', f->header_len))
		return false;
	for (size_t i = 0; i < f->header_len; i++)
		if (f->data.data[i] == '\n')
			f->data.data[i] = '\0';
	return true;
}

static bool parse_ranges(struct fixture *f)
{
	const uint8_t *p = (const uint8_t *)f->data.data + f->header_len + 1;
	const uint8_t *end = (const uint8_t *)f->data.data + f->data.len;
	remote_addr last = 0;
	size_t cap = 0;

	while (p < end) {
		struct fixture_range r;

		if (end - p < 16 || f->range_count == FIXTURE_RANGES_MAX)
			return false;
		r = (struct fixture_range){ get_u64(p), get_u64(p + 8), p + 16 };
		p += 16;
		if (r.len == 0 || r.len > (uint64_t)(end - p) || r.addr >= REMOTE_ADDR_MAX ||
		    r.addr < last)
			return false;
		last = r.addr + r.len;
		p += r.len;
		if (f->range_count == cap) {
			cap = cap ? cap * 2 : 64;
			f->ranges = xreallocarray(f->ranges, cap, sizeof(*f->ranges));
		}
		f->ranges[f->range_count++] = r;
	}
	return true;
}

int fixture_load(struct fixture *f, const char *path, struct err *err)
{
	*f = (struct fixture){ 0 };
	errno = 0;
	if (unpack(&f->data, path) && parse_header(f) && parse_ranges(f))
		return 0;
	fixture_release(f);
	if (errno)
		return err_set(err, -errno, EXIT_FAILED, "%s: %s", path, strerror(errno));
	return err_set(err, -EINVAL, EXIT_FAILED, "%s: not a whole pystoker fixture", path);
}

void fixture_release(struct fixture *f)
{
	free(f->ranges);
	buf_release(&f->data);
	*f = (struct fixture){ 0 };
}

const char *fixture_value(const struct fixture *f, const char *key, size_t i)
{
	const char *end = f->data.data + f->header_len;
	size_t len = strlen(key);

	for (const char *line = f->data.data; line && line < end; line += strlen(line) + 1)
		if (!strncmp(line, key, len) && line[len] == ' ' && i-- == 0)
			return line + len + 1;
	return NULL;
}

/* ---- playing back ----------------------------------------------------------------------- */

static const struct fixture_range *find_range(const struct fixture *f, remote_addr addr)
{
	size_t low = 0, high = f->range_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct fixture_range *r = &f->ranges[mid];

		if (addr < r->addr)
			high = mid;
		else if (addr - r->addr >= r->len)
			low = mid + 1;
		else
			return r;
	}
	return NULL;
}

static ssize_t fixture_readv(void *state, const struct remote_iov *iov, size_t n)
{
	const struct fixture *f = state;

	for (size_t i = 0; i < n; i++) {
		const struct fixture_range *r = find_range(f, iov[i].addr);

		if (iov[i].len == 0)
			continue;
		if (!r || iov[i].len > r->len - (iov[i].addr - r->addr))
			return (ssize_t)i;
		memcpy(iov[i].buf, r->bytes + (iov[i].addr - r->addr), iov[i].len);
	}
	return (ssize_t)n;
}

static void leave(void *state)
{
	(void)state;
}

static void free_fixture(void *state)
{
	if (state)
		fixture_release(state);
	free(state);
}

static const struct remote_ops borrowed_ops = {
	.name = "fixture", .readv = fixture_readv, .free = leave,
};
static const struct remote_ops owned_ops = {
	.name = "fixture", .readv = fixture_readv, .free = free_fixture,
};

void fixture_remote(struct remote *r, const struct fixture *f)
{
	*r = (struct remote){ .ops = &borrowed_ops, .state = (void *)f };
}

int remote_open_fixture(struct remote *r, const char *path, struct err *err)
{
	struct fixture *f = xmalloc(sizeof(*f));
	int ret = fixture_load(f, path, err);

	*r = (struct remote){ 0 };
	if (ret < 0) {
		free(f);
		return ret;
	}
	*r = (struct remote){ .ops = &owned_ops, .state = f };
	return 0;
}

/* ---- recording -------------------------------------------------------------------------- */

struct block {
	remote_addr addr;  /* multiple of FIXTURE_BLOCK; 0: free slot */
	uint8_t bytes[FIXTURE_BLOCK];
};

struct recorder {
	struct remote *inner;
	struct block **slots;  /* open addressing by address */
	size_t mask, used;
};

static struct block **block_slot(struct block **slots, size_t mask, remote_addr addr)
{
	size_t i = hash_u64(addr) & mask;

	while (slots[i] && slots[i]->addr != addr)
		i = (i + 1) & mask;
	return &slots[i];
}

static void grow_slots(struct recorder *rec)
{
	size_t mask = rec->mask ? rec->mask * 2 + 1 : 1023;
	struct block **slots = xcalloc(mask + 1, sizeof(struct block *));

	for (size_t i = 0; rec->slots && i <= rec->mask; i++)
		if (rec->slots[i])
			*block_slot(slots, mask, rec->slots[i]->addr) = rec->slots[i];
	free(rec->slots);
	rec->slots = slots;
	rec->mask = mask;
}

/* Reads a block anew and remembers it. NULL and *ret when it cannot be read. */
static const struct block *take_block(struct recorder *rec, remote_addr addr, int *ret)
{
	uint8_t bytes[FIXTURE_BLOCK];
	struct block **slot;

	*ret = remote_read(rec->inner, addr, bytes, sizeof(bytes));
	if (*ret < 0)
		return NULL;
	if (rec->used * 2 >= rec->mask)
		grow_slots(rec);
	slot = block_slot(rec->slots, rec->mask, addr);
	if (!*slot) {
		if (rec->used == FIXTURE_BYTES_MAX / 2 / FIXTURE_BLOCK) {
			*ret = -EFAULT;
			return NULL;
		}
		*slot = xmalloc(sizeof(**slot));
		(*slot)->addr = addr;
		rec->used++;
	}
	memcpy((*slot)->bytes, bytes, sizeof(bytes));
	return *slot;
}

/* What the caller gets is what is remembered, to the byte. */
static int record_piece(struct recorder *rec, const struct remote_iov *iov)
{
	remote_addr addr = iov->addr;
	uint8_t *to = iov->buf;
	size_t left = iov->len;

	while (left) {
		size_t offset = addr % FIXTURE_BLOCK;
		size_t len = FIXTURE_BLOCK - offset < left ? FIXTURE_BLOCK - offset : left;
		int ret;
		const struct block *b = take_block(rec, addr - offset, &ret);

		if (!b)
			return ret;
		memcpy(to, b->bytes + offset, len);
		to += len;
		addr += len;
		left -= len;
	}
	return 0;
}

static ssize_t recorder_readv(void *state, const struct remote_iov *iov, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int ret = record_piece(state, &iov[i]);

		if (ret == -ESRCH || ret == -EPERM)
			return ret;
		if (ret < 0)
			return (ssize_t)i;
	}
	return (ssize_t)n;
}

static void recorder_free(void *state)
{
	struct recorder *rec = state;

	if (!rec)
		return;
	for (size_t i = 0; rec->slots && i <= rec->mask; i++)
		free(rec->slots[i]);
	free(rec->slots);
	free(rec);
}

static const struct remote_ops recorder_ops = {
	.name = "recorder", .readv = recorder_readv, .free = recorder_free,
};

void fixture_recorder_open(struct remote *r, struct remote *inner)
{
	struct recorder *rec = xcalloc(1, sizeof(*rec));

	rec->inner = inner;
	grow_slots(rec);
	*r = (struct remote){ .ops = &recorder_ops, .state = rec };
}

/* ---- saving ----------------------------------------------------------------------------- */

static int compare_blocks(const void *a, const void *b)
{
	remote_addr x = (*(struct block *const *)a)->addr, y = (*(struct block *const *)b)->addr;

	return (x > y) - (x < y);
}

static struct block **sorted_blocks(const struct recorder *rec)
{
	struct block **list = xcalloc(rec->used + 1, sizeof(struct block *));
	size_t n = 0;

	for (size_t i = 0; i <= rec->mask; i++)
		if (rec->slots[i])
			list[n++] = rec->slots[i];
	qsort(list, n, sizeof(struct block *), compare_blocks);
	return list;
}

static void put_u64(struct buf *b, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		buf_addc(b, (char)(v >> 8 * i));
}

static void put_ranges(struct buf *b, struct block *const *list, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t run = 1;

		while (i + run < n && list[i + run]->addr == list[i]->addr + run * FIXTURE_BLOCK)
			run++;
		put_u64(b, list[i]->addr);
		put_u64(b, run * FIXTURE_BLOCK);
		for (; run > 0; run--, i++)
			buf_add(b, list[i]->bytes, FIXTURE_BLOCK);
	}
}

int fixture_save(const struct remote *recorder, const char *header, const char *path,
		 struct err *err)
{
	const struct recorder *rec = recorder->state;
	struct block **list = sorted_blocks(rec);
	struct buf b = BUF_INIT;
	gzFile out;
	int n;

	buf_adds(&b, FIXTURE_MAGIC);
	buf_adds(&b, header);
	buf_addc(&b, '\n');
	put_ranges(&b, list, rec->used);
	free(list);
	errno = 0;
	out = gzopen(path, "wb9e");
	n = out ? gzwrite(out, b.data, (unsigned int)b.len) : 0;
	if (out && gzclose(out) != Z_OK)
		n = 0;
	if (n <= 0 || (size_t)n != b.len) {
		buf_release(&b);
		return err_set(err, errno ? -errno : -EIO, EXIT_OUTPUT, "%s: cannot be written: %s", path,
			       strerror(errno ? errno : EIO));
	}
	buf_release(&b);
	return 0;
}
