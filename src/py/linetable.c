/* SPDX-License-Identifier: MIT
 * Decoding the three line table formats of CPython into ranges, and looking a line up. */
#include "py/linetable.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "util/first_above.h"
#include "util/xalloc.h"

enum {
	RANGES_FIRST = 16,
	UNIT_BYTES = 2,          /* sizeof(_Py_CODEUNIT) since 3.6 */
	PEP626_NO_LINE = -128,
};

/* Entry codes of the 3.11+ location table: Objects/locations.md at v3.13.0. 0-9 are short forms,
 * 10-12 one-line forms whose line delta is the code minus 10. */
enum {
	LOCATION_ONE_LINE = 10,
	LOCATION_NO_COLUMNS = 13,
	LOCATION_LONG = 14,
	LOCATION_NONE = 15,
	LOCATION_START = 0x80,   /* set in the first byte of an entry and in no other */
	LOCATION_VARINTS = 4,    /* of a long entry: line, end line, column, end column */
};

enum { VARINT_MORE = 0x40, VARINT_BITS = 6, VARINT_SHIFT_MAX = 30 };

/* The table under construction: `bytes` not decoded yet, `addr` and `line` as far as decoded. */
struct decoder {
	struct linetable *t;
	const uint8_t *bytes, *end;
	uint32_t cap;
	uint32_t addr;
	int32_t line;
};

/* Lines below 0 come from hand-made code objects only; f_lineno says None there since 3.10. */
static int32_t line_shown(int32_t line)
{
	return line > 0 ? line : 0;
}

/* From d->addr on the code belongs to `line`, until told otherwise. */
static void range_add(struct decoder *d, int32_t line)
{
	struct linetable *t = d->t;

	line = line_shown(line);
	if (t->count && t->ranges[t->count - 1].start == d->addr)
		t->count--; /* nothing was between: the later entry is the one that counts */
	if (t->count && t->ranges[t->count - 1].line == line)
		return;
	if (t->count == d->cap) {
		d->cap = d->cap ? d->cap * 2 : RANGES_FIRST;
		t->ranges = xreallocarray(t->ranges, d->cap, sizeof(t->ranges[0]));
	}
	t->ranges[t->count++] = (struct linetable_range){ .start = d->addr, .line = line };
}

/* co_lnotab: pairs of (address step, signed line step). A pair says where the next line starts,
 * steps too big for a byte are spread over several pairs, and there is no pair for the end. */
static int decode_lnotab(struct decoder *d, uint32_t code_len)
{
	range_add(d, d->line);
	d->t->end = code_len;
	for (; d->end - d->bytes >= 2; d->bytes += 2) {
		d->addr += d->bytes[0];
		if (__builtin_add_overflow(d->line, (int8_t)d->bytes[1], &d->line))
			return -EINVAL;
		if (d->addr >= code_len)
			return 0;
		range_add(d, d->line);
	}
	return d->bytes == d->end ? 0 : -EINVAL;
}

/* co_linetable of 3.10: pairs of (length, signed line step), the line of the stretch itself.
 * A stretch without a line keeps the line reached for those after it. */
static int decode_pep626(struct decoder *d)
{
	for (; d->end - d->bytes >= 2; d->bytes += 2) {
		int8_t step = (int8_t)d->bytes[1];

		if (step != PEP626_NO_LINE && __builtin_add_overflow(d->line, step, &d->line))
			return -EINVAL;
		if (d->bytes[0] == 0)
			continue;
		range_add(d, step == PEP626_NO_LINE ? 0 : d->line);
		d->addr += d->bytes[0];
		d->t->end = d->addr;
	}
	return d->bytes == d->end ? 0 : -EINVAL;
}

/* A signed varint at the start of `p`: 6 bits a byte, low bits first, the sign in bit 0. */
static int varint_signed(const uint8_t *p, const uint8_t *end, int32_t *ret)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; p < end && shift <= VARINT_SHIFT_MAX; shift += VARINT_BITS) {
		value |= (uint64_t)(*p & (VARINT_MORE - 1)) << shift;
		if (*p++ & VARINT_MORE)
			continue;
		if (value > UINT32_MAX)
			return -EINVAL;
		*ret = value & 1 ? -(int32_t)(value >> 1) : (int32_t)(value >> 1);
		return 0;
	}
	return -EINVAL;
}

static size_t varints_ended(const uint8_t *p, const uint8_t *end)
{
	size_t n = 0;

	for (; p < end; p++)
		n += !(*p & VARINT_MORE);
	return n;
}

/* The line step of an entry whose bytes after the first are [p, end). */
static int location_step(unsigned int code, const uint8_t *p, const uint8_t *end, int32_t *ret)
{
	*ret = 0;
	if (code == LOCATION_NONE)
		return 0;
	if (code == LOCATION_LONG && varints_ended(p, end) < LOCATION_VARINTS)
		return -EINVAL;
	if (code >= LOCATION_NO_COLUMNS)
		return varint_signed(p, end, ret);
	if (code >= LOCATION_ONE_LINE) {
		*ret = (int32_t)code - LOCATION_ONE_LINE;
		return end - p >= 2 ? 0 : -EINVAL;
	}
	return end - p >= 1 ? 0 : -EINVAL;
}

/* The location table of 3.11+: entries of a byte 1cccclll (code c, l + 1 units long) and what the
 * code asks for. Columns are skipped: an entry ends where the next begins. */
static int decode_pep657(struct decoder *d)
{
	while (d->bytes < d->end) {
		unsigned int first = *d->bytes++, code = (first >> 3) & 15;
		const uint8_t *more = d->bytes;
		int32_t step;
		int err;

		if (!(first & LOCATION_START))
			return -EINVAL;
		while (d->bytes < d->end && !(*d->bytes & LOCATION_START))
			d->bytes++;
		err = location_step(code, more, d->bytes, &step);
		if (err)
			return err;
		if (__builtin_add_overflow(d->line, step, &d->line))
			return -EINVAL;
		range_add(d, code == LOCATION_NONE ? 0 : d->line);
		d->addr += ((first & 7) + 1) * UNIT_BYTES;
		d->t->end = d->addr;
	}
	return 0;
}

int linetable_decode(struct linetable *t, enum linetable_format format, const uint8_t *bytes,
		     size_t len, int32_t first_line, uint32_t code_len)
{
	struct decoder d = { .t = t, .bytes = bytes, .line = first_line };

	int err = -EINVAL;

	*t = (struct linetable){ .first_line = line_shown(first_line) };
	if (len > LINETABLE_BYTES_MAX) /* also keeps d.addr far from its limit */
		return -EINVAL;
	d.end = len ? bytes + len : bytes;
	switch (format) {
	case LINES_LNOTAB:
		err = decode_lnotab(&d, code_len);
		break;
	case LINES_PEP626:
		err = decode_pep626(&d);
		break;
	case LINES_PEP657:
		err = decode_pep657(&d);
		break;
	}
	if (t->count) /* tables are kept long and never grow again */
		t->ranges = xreallocarray(t->ranges, t->count, sizeof(t->ranges[0]));
	return err;
}

void linetable_release(struct linetable *t)
{
	free(t->ranges);
	*t = (struct linetable){ 0 };
}

int32_t linetable_line(const struct linetable *t, int64_t offset)
{
	size_t above;

	if (offset < 0)
		return t->first_line;
	if (offset >= t->end)
		return 0;
	above = FIRST_ABOVE(t->count, i, t->ranges[i].start, offset);
	return above ? t->ranges[above - 1].line : 0;
}
