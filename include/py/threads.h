/* SPDX-License-Identifier: MIT
 * The interpreters of a process, their threads, and who holds the GIL. */
#ifndef PY_THREADS_H
#define PY_THREADS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "py/target.h"

#define THREADS_MAX 16384u      /* threads listed of one process */
#define INTERPS_MAX 4096u       /* interpreters walked */

/* A thread state. */
struct py_thread {
	remote_addr tstate, interp;
	uint64_t thread_id;     /* pthread_t, threading.get_ident() */
	uint64_t unique_id;     /* tstate.id (3.7+): never given twice in one interpreter; else 0 */
	int64_t interp_id;      /* 0 main; -1 unknown (3.6) */
	pid_t native_id;        /* tid as the target itself knows it; 0 unknown */
	bool oldest;            /* the last of its interpreter's list: the main thread in the main one */
};

/* Lists all threads of all interpreters into list[] (room for `max`), newest interpreter first.
 * The target runs meanwhile: a list that changes under the walk gives -EAGAIN, try again. Returns
 * the count, or -ESRCH, -EPERM, -EFAULT. */
ssize_t threads_list(const struct py_target *t, struct py_thread *list, size_t max);

/* The thread state that holds the GIL of the interpreter at `interp`; 0 when nobody does, or the
 * build has none. */
remote_addr gil_holder(const struct py_target *t, remote_addr interp);

/* Where the address of that thread state lies: of the last holder, where the GIL is free. 0 when the
 * build has none. */
remote_addr gil_holder_address(const struct py_target *t, remote_addr interp);

/* Learns t->pthread_tid_offset from the main thread, whose id is `nspid`, the PID as the target
 * itself knows it. Needed once, before threads_list(); does nothing where thread states know their
 * native id (3.11+). */
void threads_calibrate(struct py_target *t, pid_t nspid);

/* Where the condition variable lies that threads waiting for the interpreter's GIL sleep on; 0 when
 * unknown. It is GIL_COND_BYTES long (pthread_cond_t of glibc and musl). */
enum { GIL_COND_BYTES = 48 };
remote_addr gil_cond(const struct py_target *t, remote_addr interp);

/* Whether the thread, `tid` to us, sleeps in futex(2) on that condition variable. */
bool thread_waits_for_gil(const struct py_target *t, const struct py_thread *th, pid_t tid);

/* Whether the interpreter is shutting down (its lists must not be trusted any more). */
bool interpreter_finalizing(const struct py_target *t);

#endif
