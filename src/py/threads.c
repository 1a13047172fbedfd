/* SPDX-License-Identifier: MIT
 * Walking the lists of interpreters and thread states. */
#include "py/threads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "mem/procfs.h"
#include "py/snapshot.h"
#include "util/attr.h"
#include "util/xalloc.h"

enum { TSTATE_BYTES_MAX = 1024, PTHREAD_SCAN_BYTES = 1024, CALIBRATE_THREADS = 64 };

static pid_t pthread_tid(const struct py_target *t, uint64_t pthread)
{
	uint32_t tid;

	if (!t->pthread_tid_offset ||
	    remote_read_u32(t->remote, pthread + t->pthread_tid_offset, &tid) || tid > INT32_MAX)
		return 0;
	return (pid_t)tid;
}

static int thread_read(const struct py_target *t, remote_addr addr, struct py_thread *th,
		       remote_addr *ret_next)
{
	const struct py_layout *l = &t->layout;
	uint8_t b[TSTATE_BYTES_MAX];
	uint32_t len = layout_tstate_bytes(l);
	int r;

	if (len > sizeof(b))
		return -EINVAL;
	r = remote_read(t->remote, addr, b, len);
	if (r)
		return r;
	*th = (struct py_thread){
		.tstate = addr,
		.interp = load_u64(b + l->tstate.interp),
		.thread_id = load_u64(b + l->tstate.thread_id),
		.unique_id = has_field(l->tstate.id) ? load_u64(b + l->tstate.id) : 0,
	};
	if (has_field(l->tstate.native_thread_id))
		th->native_id = (pid_t)load_u64(b + l->tstate.native_thread_id);
	else
		th->native_id = pthread_tid(t, th->thread_id);
	*ret_next = load_u64(b + l->tstate.next);
	return 0;
}

/* The threads of one interpreter. */
static ssize_t interp_threads(const struct py_target *t, remote_addr interp, struct py_thread *list,
			      size_t max)
{
	const struct py_layout *l = &t->layout;
	uint64_t id = 0;
	remote_addr addr, next;
	size_t n = 0;
	int r = remote_read_u64(t->remote, interp + l->interp.threads_head, &addr);

	if (!r && has_field(l->interp.id))
		r = remote_read_u64(t->remote, interp + l->interp.id, &id);
	if (r)
		return r;
	for (; addr; addr = next) {
		if (n == max)
			break;
		r = thread_read(t, addr, &list[n], &next);
		if (r == -ESRCH || r == -EPERM)
			return r;
		if (r || list[n].interp != interp)
			return -EAGAIN;
		list[n++].interp_id = has_field(l->interp.id) ? (int64_t)id : -1;
	}
	if (n && !addr)
		list[n - 1].oldest = true;
	return (ssize_t)n;
}

ssize_t threads_list(const struct py_target *t, struct py_thread *list, size_t max)
{
	const struct py_layout *l = &t->layout;
	remote_addr interp;
	size_t n = 0;
	int r = remote_read_u64(t->remote, t->runtime + l->runtime.interpreters_head, &interp);

	for (uint32_t i = 0; !r && interp && i < INTERPS_MAX && n < max; i++) {
		ssize_t got = interp_threads(t, interp, list + n, max - n);

		if (got < 0)
			return got;
		n += (size_t)got;
		r = remote_read_u64(t->remote, interp + l->interp.next, &interp);
	}
	return r ? r : (ssize_t)n;
}

/* The tid as glibc's struct pthread has it (nptl/descr.h, 2.36: x86-64, aarch64). */
static const uint32_t glibc_tid_offsets[] = { 720, 208 };

/* Whether no other thread has the main thread's number there: a count or a flag may equal a small PID. */
static bool tids_differ(const struct py_target *t, const struct py_thread *list, ssize_t n,
			uint64_t main_thread, uint32_t at, pid_t main_tid)
{
	for (ssize_t i = 0; i < n && i < CALIBRATE_THREADS; i++) {
		uint32_t tid;

		if (list[i].thread_id != main_thread &&
		    !remote_read_u32(t->remote, list[i].thread_id + at, &tid) &&
		    (tid == 0 || (pid_t)tid == main_tid))
			return false;
	}
	return true;
}

static uint32_t tid_offset(const struct py_target *t, const struct py_thread *list, ssize_t n,
			   uint64_t main_thread, pid_t tid)
{
	uint8_t b[PTHREAD_SCAN_BYTES];

	if (remote_read(t->remote, main_thread, b, sizeof(b)))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(glibc_tid_offsets); i++)
		if (load_i32(b + glibc_tid_offsets[i]) == tid)
			return glibc_tid_offsets[i];
	for (uint32_t at = 0; at + 4 <= sizeof(b); at += 4)
		if (load_i32(b + at) == tid && tids_differ(t, list, n, main_thread, at, tid))
			return at;
	return 0;
}

/* Up to 3.10 a thread state knows only thread_id, the address of the C library's thread, which in
 * turn knows the tid. The main thread's is known to be the PID, and so shows where. */
void threads_calibrate(struct py_target *t, pid_t nspid)
{
	struct py_thread *list;
	ssize_t n;

	if (has_field(t->layout.tstate.native_thread_id))
		return;
	t->pthread_tid_offset = 0;
	list = xmalloc(THREADS_MAX * sizeof(list[0])); /* the main thread comes last */
	n = threads_list(t, list, THREADS_MAX);
	for (ssize_t i = n - 1; i >= 0 && !t->pthread_tid_offset; i--)
		if (list[i].oldest)
			t->pthread_tid_offset = tid_offset(t, list, n, list[i].thread_id, nspid);
	free(list);
}

/* The struct _gil_runtime_state of an interpreter (3.7-3.11: of the runtime); 0 when there is none. */
static remote_addr gil_address(const struct py_target *t, remote_addr interp)
{
	const struct py_layout *l = &t->layout;
	remote_addr gil;

	if (l->free_threaded)
		return 0;
	if (has_field(l->runtime.gil_last_holder))
		return t->runtime + l->runtime.gil_last_holder - l->gil.last_holder;
	if (!has_field(l->interp.gil) || remote_read_u64(t->remote, interp + l->interp.gil, &gil))
		return 0;
	return gil;
}

remote_addr gil_holder(const struct py_target *t, remote_addr interp)
{
	remote_addr gil = gil_address(t, interp);
	uint64_t holder = 0;
	int32_t locked = 0;
	struct remote_iov iov[2];

	if (t->tstate_current)
		return remote_read_u64(t->remote, t->tstate_current, &holder) ? 0 : holder;
	if (!gil)
		return 0;
	iov[0] = (struct remote_iov){ gil + t->layout.gil.last_holder, &holder, sizeof(holder) };
	iov[1] = (struct remote_iov){ gil + t->layout.gil.locked, &locked, sizeof(locked) };
	if (remote_readv(t->remote, iov, 2) != 2 || locked != 1)
		return 0;
	return holder;
}

remote_addr gil_holder_address(const struct py_target *t, remote_addr interp)
{
	remote_addr gil = gil_address(t, interp);

	if (t->tstate_current)
		return t->tstate_current;
	return gil ? gil + t->layout.gil.last_holder : 0;
}

remote_addr gil_cond(const struct py_target *t, remote_addr interp)
{
	remote_addr gil = gil_address(t, interp);

	return gil ? gil + t->layout.gil.cond : 0;
}

/* /proc/PID/task/TID/syscall: "202 0x7f12… 0x189 …", the number and the arguments in hex; "running"
 * when it is in none (proc(5)). */
bool thread_waits_for_gil(const struct py_target *t, const struct py_thread *th, pid_t tid)
{
	remote_addr cond = gil_cond(t, th->interp);
	unsigned long long number, futex;
	char name[64], *text;
	bool waits = false;

	if (!cond)
		return false;
	snprintf(name, sizeof(name), "task/%d/syscall", (int)tid);
	text = procfs_read(t->pid, name, NULL);
	if (text && sscanf(text, "%llu %llx", &number, &futex) == 2)
		waits = number == SYS_futex && futex - cond < GIL_COND_BYTES;
	free(text);
	return waits;
}

bool interpreter_finalizing(const struct py_target *t)
{
	uint64_t finalizing;

	if (!has_field(t->layout.runtime.finalizing))
		return false;
	return !remote_read_u64(t->remote, t->runtime + t->layout.runtime.finalizing, &finalizing) &&
	       finalizing != 0;
}
