/* SPDX-License-Identifier: MIT
 * Thread names as the program gave them: sys.modules["threading"]._active read from outside. */
#ifndef PY_THREADNAME_H
#define PY_THREADNAME_H

#include <stdint.h>

#include "py/target.h"

#define THREADNAMES_MAX 65536u    /* entries read of one _active */
#define THREADNAME_BYTES_MAX 256u /* longer names are cut */

/* Calls `each` for every thread that `threading` knows in the interpreter at `interp`
 * (PyInterpreterState address): its get_ident() and its name in UTF-8. The target runs meanwhile:
 * everything is checked, a torn dict gives fewer names, never wrong memory. While threads come and
 * go `each` may be called again for one of them. Returns the number of names, or -ENOENT when
 * `threading` was never imported, -EFAULT when it could not be read, -ESRCH, -EPERM. */
int threadnames_read(const struct py_target *t, remote_addr interp,
		     void (*each)(void *arg, uint64_t thread_id, const char *name), void *arg);

#endif
