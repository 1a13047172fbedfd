/* SPDX-License-Identifier: MIT
 * Strings of JSON, for writers that stream what jansson would first build in memory. */
#ifndef UTIL_JSON_H
#define UTIL_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

/* Appends s in quotes. Broken UTF-8 becomes U+FFFD. With in_markup the text may stand in XML and in
 * <script>: <, >, & are written as \uXXXX. */
void json_add_string(struct buf *b, const char *s, size_t len, bool in_markup);

#endif
