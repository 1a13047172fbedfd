/* SPDX-License-Identifier: MIT
 * The wire format of protocol buffers: https://protobuf.dev/programming-guides/encoding */
#include "util/pbwire.h"

#include "util/varint.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LEN = 2, WIRE_FIXED32 = 5 }; /* 3, 4: groups, gone */
enum { FIELD_MAX = (1 << 29) - 1 };

void pb_number(struct buf *b, uint64_t value)
{
	uint8_t bytes[VARINT_MAX];

	buf_add(b, bytes, varint_put(bytes, value));
}

void pb_uint(struct buf *b, unsigned field, uint64_t value)
{
	if (!value)
		return;
	pb_number(b, field << 3 | WIRE_VARINT);
	pb_number(b, value);
}

void pb_bytes(struct buf *b, unsigned field, const void *data, size_t len)
{
	pb_number(b, field << 3 | WIRE_LEN);
	pb_number(b, len);
	buf_add(b, data, len);
}

void pb_message(struct buf *b, unsigned field, const struct buf *message)
{
	pb_bytes(b, field, message->data, message->len);
}

static bool fail(struct pb_reader *r)
{
	r->len = 0;
	r->broken = true;
	return false;
}

bool pb_next_number(struct pb_reader *r, uint64_t *ret)
{
	size_t used;

	if (!r->len)
		return false;
	used = varint_get(r->data, r->len, ret);
	if (!used)
		return fail(r);
	r->data += used;
	r->len -= used;
	return true;
}

static bool take(struct pb_reader *r, size_t len, const uint8_t **ret)
{
	if (len > r->len)
		return fail(r);
	*ret = r->data;
	r->data += len;
	r->len -= len;
	return true;
}

static bool take_fixed(struct pb_reader *r, size_t len, uint64_t *ret)
{
	const uint8_t *p;

	if (!take(r, len, &p))
		return false;
	*ret = 0;
	while (len--)
		*ret = *ret << 8 | p[len];
	return true;
}

static bool take_bytes(struct pb_reader *r, struct pb_reader *ret)
{
	uint64_t len;

	*ret = (struct pb_reader){ 0 };
	if (!pb_next_number(r, &len) || len > r->len)
		return fail(r);
	ret->len = (size_t)len;
	return take(r, (size_t)len, &ret->data);
}

bool pb_next(struct pb_reader *r, struct pb_field *ret)
{
	uint64_t tag;

	if (!pb_next_number(r, &tag))
		return false;
	*ret = (struct pb_field){ .number = (unsigned)(tag >> 3), .is_bytes = (tag & 7) == WIRE_LEN };
	if (!(tag >> 3) || tag >> 3 > FIELD_MAX)
		return fail(r);
	switch (tag & 7) {
	case WIRE_VARINT:
		return pb_next_number(r, &ret->value) || fail(r);
	case WIRE_FIXED64:
		return take_fixed(r, 8, &ret->value);
	case WIRE_FIXED32:
		return take_fixed(r, 4, &ret->value);
	case WIRE_LEN:
		return take_bytes(r, &ret->bytes);
	default:
		return fail(r);
	}
}
