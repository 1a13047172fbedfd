/* SPDX-License-Identifier: MIT
 * The wire format of protocol buffers, as much as a writer needs. */
#ifndef UTIL_PBWIRE_H
#define UTIL_PBWIRE_H

#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/* Each appends one field: its tag, then its value. Numbers of 0 are left out, as proto3 does. */
void pb_uint(struct buf *b, unsigned field, uint64_t value);
void pb_bytes(struct buf *b, unsigned field, const void *data, size_t len);
void pb_message(struct buf *b, unsigned field, const struct buf *message);

/* A repeated number in packed form: collect with pb_number(), append with pb_message(). */
void pb_number(struct buf *b, uint64_t value);

#endif
