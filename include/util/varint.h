/* SPDX-License-Identifier: MIT
 * Numbers in as few bytes as they need: seven bits per byte, the lowest first (LEB128, protobuf). */
#ifndef UTIL_VARINT_H
#define UTIL_VARINT_H

#include <stddef.h>
#include <stdint.h>

enum { VARINT_MAX = 10 }; /* bytes of the longest */

/* Writes n into p, which has room for VARINT_MAX bytes; returns how many were used. */
static inline size_t varint_put(uint8_t *p, uint64_t n)
{
	size_t len = 0;

	for (; n >= 0x80; n >>= 7)
		p[len++] = (uint8_t)(n | 0x80);
	p[len++] = (uint8_t)n;
	return len;
}

/* Reads one number; returns the bytes it took, 0 when they are cut or too many. */
static inline size_t varint_get(const uint8_t *p, size_t len, uint64_t *ret)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len && i < VARINT_MAX; i++) {
		n |= (uint64_t)(p[i] & 0x7f) << (7 * i);
		if (!(p[i] & 0x80)) {
			*ret = n;
			return i + 1;
		}
	}
	return 0;
}

/* Signed numbers near zero as small unsigned ones: 0, -1, 1, -2 … */
static inline uint64_t zigzag(int64_t n)
{
	return (uint64_t)n << 1 ^ (uint64_t)(n >> 63);
}

static inline int64_t unzigzag(uint64_t n)
{
	return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

#endif
