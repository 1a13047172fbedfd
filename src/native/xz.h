/* SPDX-License-Identifier: MIT
 * Private to native/: unpacking .xz with liblzma, which is loaded when the first such data come. */
#ifndef SRC_NATIVE_XZ_H
#define SRC_NATIVE_XZ_H

#include <stddef.h>

#include "util/attr.h"

/* All of it, owned by the caller, or NULL: not .xz, more than max bytes, no liblzma. */
void *xz_unpack(const void *data, size_t len, size_t max, size_t *ret_len) _must_check_;

#endif
