/* SPDX-License-Identifier: MIT
 * Reading str and bytes objects: Include/cpython/{unicodeobject,bytesobject}.h, v3.6.15-v3.15.2. */
#include "py/unicode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

enum {
	HEAD_MAX = 384,          /* first piece read: the header and the text of nearly all names */
	HEAD_PIECES = 3,
	PAGE_BYTES = 4096,       /* the smallest there is: a piece inside one is whole or absent */
	OBJECT_ALIGN = 8,
	KIND_MAX = 4,
	REPLACEMENT = 0xfffd,
	CODE_POINT_MAX = 0x10ffff,
};

#define LENGTH_SANE (UINT64_C(1) << 32) /* longer than any str that is worth a look */

/* An object's first bytes: `fixed` of them always, then as many as were mapped. */
struct head {
	remote_addr addr;
	size_t len;
	uint8_t bytes[HEAD_MAX];
};

/* A str's header, judged: where its characters are. */
struct text {
	remote_addr data;
	size_t chars;            /* at most UNICODE_CHARS_MAX */
	unsigned int kind;       /* bytes per character */
	bool ascii;
	bool cut;
};

/* The object's fixed part and what follows it, split where a page ends: what follows may not be
 * mapped, the fixed part must be. */
static int head_read(const struct py_target *t, remote_addr addr, size_t fixed, struct head *h)
{
	remote_addr next = addr + fixed;
	size_t rest = HEAD_MAX - fixed, in_page = PAGE_BYTES - next % PAGE_BYTES;
	size_t near = rest < in_page ? rest : in_page;
	const struct remote_iov iov[HEAD_PIECES] = {
		{ addr, h->bytes, fixed },
		{ next, h->bytes + fixed, near },
		{ next + near, h->bytes + fixed + near, rest - near },
	};
	ssize_t got;

	if (addr == 0 || addr >= REMOTE_ADDR_MAX - HEAD_MAX)
		return -EFAULT;
	if (addr % OBJECT_ALIGN)
		return -EINVAL;
	got = remote_readv(t->remote, iov, rest > near ? HEAD_PIECES : HEAD_PIECES - 1);
	if (got < 0)
		return (int)got;
	if (got == 0)
		return -EFAULT;
	h->addr = addr;
	h->len = 0;
	for (ssize_t i = 0; i < got; i++)
		h->len += iov[i].len;
	return 0;
}

static uint64_t head_u64(const struct head *h, size_t offset)
{
	uint64_t value;

	memcpy(&value, h->bytes + offset, sizeof(value));
	return value;
}

static uint32_t head_u32(const struct head *h, size_t offset)
{
	uint32_t value;

	memcpy(&value, h->bytes + offset, sizeof(value));
	return value;
}

/* Target memory [addr, addr + len), as far as possible from what was read already. */
static int data_read(const struct py_target *t, const struct head *h, remote_addr addr,
		     uint8_t *data, size_t len)
{
	size_t have = 0;

	if (addr >= h->addr && addr - h->addr < h->len) {
		have = h->len - (size_t)(addr - h->addr);
		have = have < len ? have : len;
		memcpy(data, h->bytes + (addr - h->addr), have);
	}
	if (have == len)
		return 0;
	return remote_read(t->remote, addr + have, data + have, len - have);
}

/* A str of 3.6-3.11 that is not ready: only wstr, wchar_t being 4 bytes, and wstr_length are set.
 * They lie right behind the state and right before data.any (PyASCIIObject, PyUnicodeObject). */
static int text_of_wstr(const struct py_layout *l, const struct head *h, struct text *text,
			uint64_t *ret_length)
{
	bool has_wstr = l->unicode.ascii_data == l->unicode.state + 16;

	if (!has_wstr || h->len < l->unicode.any_data)
		return -EINVAL;
	text->kind = sizeof(uint32_t);
	text->data = head_u64(h, l->unicode.state + 8);
	*ret_length = head_u64(h, l->unicode.any_data - 8);
	return 0;
}

static int text_parse(const struct py_layout *l, const struct head *h, struct text *text)
{
	unsigned int shift = l->unicode_state == UNICODE_KIND_BIT_8 ? 8 : 2;
	uint32_t state = head_u32(h, l->unicode.state) >> shift;
	uint64_t length = head_u64(h, l->unicode.length);
	bool compact = state & 8;

	*text = (struct text){ .kind = state & 7, .ascii = state & 16 };
	if (text->kind == 0 && !compact) {
		if (text_of_wstr(l, h, text, &length))
			return -EINVAL;
	} else if (compact) {
		text->data = h->addr + (text->ascii ? l->unicode.ascii_data : l->unicode.compact_data);
	} else {
		if (h->len < l->unicode.any_data + sizeof(uint64_t))
			return -EFAULT;
		text->data = head_u64(h, l->unicode.any_data);
	}
	if (text->kind != 1 && text->kind != 2 && text->kind != 4)
		return -EINVAL;
	if ((text->ascii && text->kind != 1) || length > LENGTH_SANE)
		return -EINVAL;
	text->cut = length > UNICODE_CHARS_MAX;
	text->chars = text->cut ? UNICODE_CHARS_MAX : (size_t)length;
	return 0;
}

static uint32_t char_at(const struct text *text, const uint8_t *data, size_t i)
{
	uint16_t two;
	uint32_t four;

	if (text->kind == 1)
		return data[i];
	if (text->kind == 2) {
		memcpy(&two, data + i * sizeof(two), sizeof(two));
		return two;
	}
	memcpy(&four, data + i * sizeof(four), sizeof(four));
	return four;
}

static size_t utf8_encode(uint32_t c, uint8_t utf8[4])
{
	if (c == 0 || (c >= 0xd800 && c <= 0xdfff))
		c = REPLACEMENT;
	if (c < 0x80) {
		utf8[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		utf8[0] = (uint8_t)(0xc0 | c >> 6);
		utf8[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		utf8[0] = (uint8_t)(0xe0 | c >> 12);
		utf8[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		utf8[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	utf8[0] = (uint8_t)(0xf0 | c >> 18);
	utf8[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	utf8[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	utf8[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

/* Characters an honest str of this kind holds, and the NUL that ends every str. */
static bool data_sane(const struct text *text, const uint8_t *data)
{
	uint32_t max = text->ascii ? 0x7f : CODE_POINT_MAX;

	for (size_t i = 0; i < text->chars; i++)
		if (char_at(text, data, i) > max)
			return false;
	return text->cut || char_at(text, data, text->chars) == 0;
}

int unicode_read(const struct py_target *t, remote_addr addr, struct buf *out)
{
	uint8_t data[(UNICODE_CHARS_MAX + 1) * KIND_MAX], utf8[4];
	struct text text;
	struct head h;
	int err;

	err = head_read(t, addr, t->layout.unicode.ascii_data, &h);
	if (err)
		return err;
	err = text_parse(&t->layout, &h, &text);
	if (err)
		return err;
	err = data_read(t, &h, text.data, data, (text.chars + !text.cut) * text.kind);
	if (err)
		return err;
	if (!data_sane(&text, data))
		return -EINVAL;
	if (text.ascii && !memchr(data, 0, text.chars)) {
		buf_add(out, data, text.chars);
	} else {
		for (size_t i = 0; i < text.chars; i++)
			buf_add(out, utf8, utf8_encode(char_at(&text, data, i), utf8));
	}
	buf_adds(out, text.cut ? "…" : ""); /* even the empty str leaves a C string */
	return 0;
}

int bytes_read(const struct py_target *t, remote_addr addr, size_t max, struct buf *out)
{
	uint8_t *data;
	struct head h;
	uint64_t len;
	int err;

	buf_clear(out);
	err = head_read(t, addr, t->layout.bytes.data, &h);
	if (err)
		return err;
	len = head_u64(&h, t->layout.bytes.length);
	if (len > INT64_MAX)
		return -EINVAL;
	if (len > max)
		return -E2BIG;
	data = xmalloc((size_t)len + 1);
	err = data_read(t, &h, addr + t->layout.bytes.data, data, (size_t)len + 1);
	if (!err && data[len] != 0) /* every bytes object ends with a NUL beyond its length */
		err = -EINVAL;
	if (!err)
		buf_add(out, data, (size_t)len);
	free(data);
	return err;
}
