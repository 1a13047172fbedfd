/* SPDX-License-Identifier: MIT
 * Private to native/: reading DWARF's numbers one after the other without leaving their section. */
#ifndef SRC_NATIVE_CURSOR_H
#define SRC_NATIVE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What is left to be read. */
struct cursor {
	const uint8_t *at, *end;
};

static inline bool cursor_skip(struct cursor *c, uint64_t n)
{
	if ((uint64_t)(c->end - c->at) < n)
		return false;
	c->at += n;
	return true;
}

/* Little-endian, as all files here; `size` is 1, 2, 4 or 8. */
static inline bool cursor_fixed(struct cursor *c, unsigned int size, uint64_t *ret)
{
	const uint8_t *at = c->at;

	*ret = 0;
	if (!cursor_skip(c, size))
		return false;
	memcpy(ret, at, size);
	return true;
}

/* DWARF 5, 7.6. Signed ones can be read for their length only. */
static inline bool cursor_leb128(struct cursor *c, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 70; shift += 7) {
		uint8_t byte;

		if (c->at == c->end)
			return false;
		byte = *c->at++;
		value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
		if (!(byte & 0x80)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* A NUL-terminated string; its length. */
static inline bool cursor_string(struct cursor *c, uint64_t *ret_len)
{
	const uint8_t *nul = memchr(c->at, '\0', (size_t)(c->end - c->at));

	if (!nul)
		return false;
	*ret_len = (uint64_t)(nul - c->at);
	c->at = nul + 1;
	return true;
}

/* The length in front of units (DWARF 5, 7.4): c ends where the unit does. */
static inline bool cursor_unit(struct cursor *c, unsigned int *ret_offset_size)
{
	uint64_t len;

	*ret_offset_size = 4;
	if (!cursor_fixed(c, 4, &len))
		return false;
	if (len == UINT32_MAX) {
		*ret_offset_size = 8;
		if (!cursor_fixed(c, 8, &len))
			return false;
	}
	if (len > (uint64_t)(c->end - c->at))
		return false;
	c->end = c->at + len;
	return true;
}

#endif
