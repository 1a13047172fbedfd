/* SPDX-License-Identifier: MIT
 * The wire format of protocol buffers: a writer's few functions, and a reader that trusts no byte. */
#ifndef UTIL_PBWIRE_H
#define UTIL_PBWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/* Each appends one field: its tag, then its value. Numbers of 0 are left out, as proto3 does. */
void pb_uint(struct buf *b, unsigned field, uint64_t value);
void pb_bytes(struct buf *b, unsigned field, const void *data, size_t len);
void pb_message(struct buf *b, unsigned field, const struct buf *message);

/* A repeated number in packed form: collect with pb_number(), append with pb_message(). */
void pb_number(struct buf *b, uint64_t value);

/* Bytes still to be read: of a message, or of packed numbers. */
struct pb_reader {
	const uint8_t *data;       /* not owned */
	size_t len;
	bool broken;               /* what came is no protobuf; nothing more is read */
};

struct pb_field {
	unsigned number;
	bool is_bytes;             /* a string, a message, packed numbers: `bytes`; else `value` */
	uint64_t value;            /* varint or fixed, not decoded further */
	struct pb_reader bytes;
};

/* The next field. False at the end, and when the rest is broken (which r says). */
bool pb_next(struct pb_reader *r, struct pb_field *ret);
/* The next of packed numbers, likewise. */
bool pb_next_number(struct pb_reader *r, uint64_t *ret);

#endif
