/* SPDX-License-Identifier: MIT
 * int objects of a target. */
#ifndef PY_INTEGER_H
#define PY_INTEGER_H

#include <stdint.h>

#include "py/target.h"

/* The int object at `addr` when it is 0 .. 2**64 - 1; -ERANGE when it is not, -EINVAL when it is
 * no sane int, or the read's error. */
int integer_read_u64(const struct py_target *t, remote_addr addr, uint64_t *ret) _must_check_;

#endif
