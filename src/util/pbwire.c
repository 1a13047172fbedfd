/* SPDX-License-Identifier: MIT
 * The wire format of protocol buffers: https://protobuf.dev/programming-guides/encoding */
#include "util/pbwire.h"

#include "util/varint.h"

enum { WIRE_VARINT = 0, WIRE_LEN = 2 };

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
