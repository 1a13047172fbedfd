/* SPDX-License-Identifier: MIT
 * Reading UTF-8 that may be broken. */
#ifndef UTIL_UTF8_H
#define UTIL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

#define UTF8_REPLACEMENT 0xfffdu /* stands for what is no UTF-8 */

/* The character at s, which has len > 0 bytes left; returns how many of them it takes. What is no
 * UTF-8 (overlong forms, surrogates, cut sequences, above U+10FFFF) reads as UTF8_REPLACEMENT, one
 * byte at a time. */
size_t utf8_next(const char *s, size_t len, uint32_t *ret_char);

/* Writes the character into out[4]; returns how many bytes. */
size_t utf8_put(char *out, uint32_t c);

/* The longest prefix of s not above max bytes that ends between characters. */
size_t utf8_cut(const char *s, size_t len, size_t max);

/* Whether all of it is UTF-8. */
bool utf8_is(const char *s, size_t len);
/* Appends it with UTF8_REPLACEMENT for what is none. */
void utf8_mend(struct buf *b, const char *s, size_t len);

/* Columns a monospace font gives to the character, near enough for cutting texts: 0, 1 or 2. */
unsigned utf8_width(uint32_t c);

#endif
