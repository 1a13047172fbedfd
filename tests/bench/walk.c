/* SPDX-License-Identifier: MIT
 * How well and how fast native stacks of a Python process are walked: stops its main thread N times
 * by ptrace at random moments, copies registers, stack and Python's anchors, lets it go on, and
 * walks. Prints ends, resyncs, anchors that lie in a frame, and nanoseconds for rules and libunwind.
 * usage: walk PID N */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#include "../lib/process.h"
#include "native/engine_libunwind.h"
#include "native/space.h"
#include "native/stack.h"
#include "py/frames.h"
#include "py/threads.h"
#include "util/clock.h"
#include "util/xalloc.h"

#if defined(__x86_64__)

enum { STACK_MAX = 1 << 20, AGAIN = 50 };

struct totals {
	uint64_t walks, frames, complete, resynced, repaired, guessed, ends[16];
	uint64_t anchors, placed, whole;
	uint64_t warm_ns, warm_frames, other_ns, other_frames, other_complete, differ;
};

static struct registers regs;
static uint8_t bytes[STACK_MAX];
static struct unwind_stack stack;
static uint64_t anchors[FRAMES_MAX];
static struct raw_stack raw;
static struct native_learned learned;
static struct unwind_frame frames[NATIVE_FRAMES_MAX], other[NATIVE_FRAMES_MAX];

static bool read_memory(pid_t pid, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = { buf, len }, remote = { (void *)(uintptr_t)addr, len };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)len;
}

static bool stop(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0)
		return false;
	for (;;) {
		if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
			return false;
		if (status >> 16 == PTRACE_EVENT_STOP)
			return true;
		ptrace(PTRACE_CONT, pid, NULL, (void *)(intptr_t)WSTOPSIG(status));
	}
}

static bool take(pid_t pid, uint64_t top)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &r) != 0)
		return false;
	{
		const uint64_t values[REGISTERS] = { r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp,
			r.rsp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rip };

		regs.known = 0;
		for (unsigned int i = 0; i < REGISTERS; i++)
			register_set(&regs, i, values[i]);
	}
	stack = (struct unwind_stack){ r.rsp - UNWIND_RED_ZONE, top, bytes };
	if (top - stack.lo > STACK_MAX)
		stack.hi = stack.lo + STACK_MAX;
	return read_memory(pid, stack.lo, bytes, stack.hi - stack.lo);
}

static struct native_walk walk(const struct native_ops *ops, struct unwind_frame *to)
{
	struct native_walk w = { .frames = to };

	native_stack_walk(ops, &regs, &stack, anchors, raw.entry_count, &learned, &w);
	return w;
}

static uint64_t time_walks(const struct native_ops *ops, struct unwind_frame *to)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < AGAIN; i++) {
		uint64_t start = clock_mono_ns(), took;

		walk(ops, to);
		took = clock_mono_ns() - start;
		best = took < best ? took : best;
	}
	return best;
}

/* Anchors on this stack; those of a greenlet or the thread state's own lie elsewhere. */
static void place(const struct native_walk *w, struct totals *t)
{
	uint64_t all = 0, placed = 0;

	for (uint32_t a = 0; a < raw.entry_count; a++) {
		if (anchors[a] < stack.lo || anchors[a] >= stack.hi)
			continue;
		all++;
		for (uint32_t i = 0; i < w->count; i++)
			if (anchors[a] >= w->frames[i].sp && anchors[a] < w->frames[i].cfa) {
				placed++;
				break;
			}
	}
	t->anchors += all;
	t->placed += placed;
	t->whole += all == placed;
}

static bool same(const struct native_walk *a, const struct native_walk *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (a->frames[i].pc != b->frames[i].pc || a->frames[i].sp != b->frames[i].sp)
			return false;
	return true;
}

static void look(const struct native_ops *ours, const struct native_ops *theirs, struct totals *t)
{
	struct native_walk w = walk(ours, frames), o;

	t->walks++;
	t->frames += w.count;
	t->complete += w.end == UNWIND_COMPLETE;
	t->resynced += w.resyncs > 0;
	t->repaired += w.repairs > 0;
	t->guessed += w.guessed > 0;
	t->ends[w.end & 15]++;
	place(&w, t);
	t->warm_ns += time_walks(ours, frames);
	t->warm_frames += w.count;
	if (!theirs->engine)
		return;
	o = walk(theirs, other);
	t->other_complete += o.end == UNWIND_COMPLETE;
	t->differ += !same(&w, &o);
	t->other_ns += time_walks(theirs, other);
	t->other_frames += o.count;
}

static void print(const struct totals *t)
{
	double n = t->walks ? (double)t->walks : 1;

	printf("%llu stacks, %.1f frames each\n", (unsigned long long)t->walks, (double)t->frames / n);
	printf("complete %.2f %%, with resync %.2f %%, repaired %.2f %%, with guesses %.2f %%\n",
	       100 * (double)t->complete / n, 100 * (double)t->resynced / n,
	       100 * (double)t->repaired / n, 100 * (double)t->guessed / n);
	printf("anchors in a frame: %llu of %llu; stacks with all of theirs: %.2f %%\n",
	       (unsigned long long)t->placed, (unsigned long long)t->anchors,
	       100 * (double)t->whole / n);
	for (int i = 1; i < 16; i++)
		if (t->ends[i])
			printf("end %d: %llu\n", i, (unsigned long long)t->ends[i]);
	printf("rules, warm: %.2f us a stack, %.1f ns a frame: %.2f us for 30\n",
	       (double)t->warm_ns / n / 1e3, (double)t->warm_ns / (double)t->warm_frames,
	       (double)t->warm_ns / (double)t->warm_frames * 30 / 1e3);
	if (t->other_frames)
		printf("libunwind, warm: %.2f us a stack, %.1f ns a frame; complete %.2f %%, differs from "
		       "rules in %llu\n", (double)t->other_ns / n / 1e3,
		       (double)t->other_ns / (double)t->other_frames,
		       100 * (double)t->other_complete / n, (unsigned long long)t->differ);
}

static remote_addr main_tstate(const struct py_target *t, pid_t pid)
{
	static struct py_thread list[256];
	ssize_t n = threads_list(t, list, 256);

	for (ssize_t i = 0; i < n; i++)
		if (list[i].native_id == pid || (list[i].oldest && list[i].interp_id <= 0))
			return list[i].tstate;
	return 0;
}

int main(int argc, char **argv)
{
	static struct py_target target;
	static struct totals totals;
	static const struct plan no_plan;
	struct err err = { .status = 0 };
	struct native_ops ours = { .code = NULL }, theirs;
	struct engine_libunwind *engine = NULL;
	struct modules modules;
	struct remote remote;
	struct snapshot snapshot;
	struct space space;
	remote_addr tstate;
	uint64_t top;
	pid_t pid;

	if (argc != 3)
		return 2;
	pid = (pid_t)atoi(argv[1]);
	if (remote_open_process(&remote, pid, &err) < 0 ||
	    target_locate(&target, pid, &remote, &err) < 0) {
		err_print(&err);
		return 1;
	}
	threads_calibrate(&target, pid);
	tstate = main_tstate(&target, pid);
	snapshot_init(&snapshot, &remote);
	modules_init(&modules);
	space_init(&space, &modules, pid, &remote);
	space_begin(&space, clock_mono_ns());
	ours = (struct native_ops){ .rule = space_rule, .code = space_code, .arg = &space,
		.start = space_start };
	theirs = ours;
	if (engine_libunwind_open(&engine, &space.map, &err) == 0) {
		theirs.engine = engine_libunwind_walk;
		theirs.engine_arg = engine;
	}
	top = process_stack_top(pid);
	raw.entries_wanted = true;
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0)
		return 1;
	for (int i = 0; i < atoi(argv[2]); i++) {
		struct timespec ts = { 0, 1000000 + 7919L * i % 3000000 };

		nanosleep(&ts, NULL);
		if (!stop(pid) || !take(pid, top))
			break;
		snapshot_begin(&snapshot, &no_plan);
		frames_walk(&target, &snapshot, tstate, true, &raw);
		ptrace(PTRACE_CONT, pid, NULL, NULL);
		for (uint32_t k = 0; k < raw.entry_count; k++)
			anchors[k] = raw.entries[k].anchor;
		space_begin(&space, clock_mono_ns());
		look(&ours, &theirs, &totals);
	}
	print(&totals);
	engine_libunwind_close(engine);
	space_release(&space);
	modules_release(&modules);
	snapshot_release(&snapshot);
	remote_close(&remote);
	return 0;
}

#else

int main(void)
{
	return 77;
}

#endif
