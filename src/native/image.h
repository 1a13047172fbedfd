/* SPDX-License-Identifier: MIT
 * Private to native/: copies of modules that only the target's memory has. */
#ifndef SRC_NATIVE_IMAGE_H
#define SRC_NATIVE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "mem/remote.h"
#include "util/attr.h"

/* A file descriptor to be closed by the caller, or -errno. Memory as it is: the vdso is whole. */
int image_copy(const struct remote *r, remote_addr start, uint64_t len) _must_check_;
/* The same of a file whose first page is mapped at base: every PT_LOAD where it was in the file,
 * zeros for what cannot be read. At most max bytes, else -EFBIG. *ret_bias: its load bias. */
int image_rebuild(const struct remote *r, remote_addr base, uint64_t max, uint64_t *ret_bias)
	_must_check_;

#endif
