/* SPDX-License-Identifier: MIT
 * Reading UTF-8 that may be broken (RFC 3629, table 3-7 of the Unicode standard). */
#include "util/utf8.h"

#include <stdbool.h>

#include "util/attr.h"

static bool is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Bytes of a character by its first byte; 0: no character starts so. */
static size_t length_by_lead(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2)
		return 0;
	if (lead < 0xe0)
		return 2;
	if (lead < 0xf0)
		return 3;
	return lead < 0xf5 ? 4 : 0;
}

static bool is_scalar(uint32_t c, size_t n)
{
	static const uint32_t least[] = { [2] = 0x80, [3] = 0x800, [4] = 0x10000 };

	return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

size_t utf8_next(const char *s, size_t len, uint32_t *ret_char)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = length_by_lead(p[0]);
	uint32_t c;

	*ret_char = UTF8_REPLACEMENT;
	if (n == 1)
		*ret_char = p[0];
	if (n < 2 || n > len)
		return 1;
	c = p[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if (!is_tail(p[i]))
			return 1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (!is_scalar(c, n))
		return 1;
	*ret_char = c;
	return n;
}

size_t utf8_put(char *out, uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { [2] = 0xc0, [3] = 0xe0, [4] = 0xf0 };

	if (n == 1) {
		out[0] = (char)c;
		return 1;
	}
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[n] | c);
	return n;
}

size_t utf8_cut(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	/* A character has at most three tail bytes: going back further is no UTF-8 at all. */
	for (size_t back = 0; back < 4 && back < max; back++)
		if (!is_tail((unsigned char)s[max - back]))
			return max - back;
	return max;
}

bool utf8_is(const char *s, size_t len)
{
	uint32_t c;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_next(s + i, len - i, &c);
		if (c == UTF8_REPLACEMENT && n == 1) /* the real one takes three bytes */
			return false;
	}
	return true;
}

void utf8_mend(struct buf *b, const char *s, size_t len)
{
	uint32_t c;

	for (size_t i = 0; i < len;) {
		char utf8[4];

		i += utf8_next(s + i, len - i, &c);
		buf_add(b, utf8, utf8_put(utf8, c));
	}
}

/* Blocks that East Asian Width calls wide, and the emoji; coarse on purpose. */
static const struct { uint32_t first, last; } wide[] = {
	{ 0x1100, 0x115f }, { 0x2e80, 0xa4cf }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1faff },
	{ 0x20000, 0x3fffd },
};

unsigned utf8_width(uint32_t c)
{
	if ((c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0xfe00 && c <= 0xfe0f))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(wide); i++)
		if (c >= wide[i].first && c <= wide[i].last)
			return 2;
	return 1;
}
