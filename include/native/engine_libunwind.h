/* SPDX-License-Identifier: MIT
 * libunwind as the second unwinder (--unwinder=libunwind), over the same copy of a stack and with the
 * same result as unwind_walk(); the judge of our rules in the tests.
 *
 * The library is loaded when it is asked for. Of it only the core is used: what it needs to know of
 * modules we find ourselves, because its own ptrace accessors go wrong in 1.6.2 (files linked by lld
 * or mapped in a chroot; abort() at an .eh_frame_hdr without a table). Modules without that table,
 * and those whose CFI cfi_check() refuses, have no information here: a walk ends there. */
#ifndef NATIVE_ENGINE_LIBUNWIND_H
#define NATIVE_ENGINE_LIBUNWIND_H

#include "native/modules.h"
#include "native/unwind.h"
#include "util/attr.h"
#include "util/err.h"

struct engine_libunwind;

/* Loads the library, as the first engine_libunwind_open() does too. 0; -ENOENT when it is not there;
 * -ENOTSUP when pystoker was built without it. */
int engine_libunwind_check(struct err *err) _must_check_;

/* For one process; `mm` must outlive it, one thread at a time. 0: *ret is the caller's to close;
 * -ENOENT when the library is not there; -ENOTSUP when pystoker was built without it; -ENOMEM. */
int engine_libunwind_open(struct engine_libunwind **ret, struct module_map *mm, struct err *err)
	_must_check_;
void engine_libunwind_close(struct engine_libunwind *e); /* NULL is fine */

/* A native_unwinder (native/stack.h): `engine` is a struct engine_libunwind. Of `regs` only SP and RIP
 * are those of the last frame afterwards. */
struct unwind_result engine_libunwind_walk(void *engine, struct unwind_registers *regs,
					   const struct unwind_stack *stack,
					   struct unwind_frame *frames, size_t max);

#endif
