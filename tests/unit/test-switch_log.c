/* SPDX-License-Identifier: MIT
 * The record of a thread's last switch: of threads of this process, and made up ones. */
#include "mem/switch_log.h"

#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "mem/task.h"
#include "process.h"
#include "tap.h"
#include "util/clock.h"

enum { PATIENCE_S = 20, STACK_BYTES = 256 << 10, OPENINGS = 200, DATA = 4096 };

struct worker {
	_Atomic uint64_t turns;
	_Atomic uint32_t stop;      /* behind turns: see the loop */
	_Atomic pid_t tid;
	int pipe[2];
	pthread_t thread;
	char *stack;
	pthread_attr_t attr;
};

static const char *denied; /* why logs cannot be opened here */

static void start(struct worker *w, void *(*body)(void *))
{
	if (pipe(w->pipe))
		abort();
	w->stack = aligned_alloc(4096, STACK_BYTES);
	pthread_attr_init(&w->attr);
	pthread_attr_setstack(&w->attr, w->stack, STACK_BYTES);
	pthread_create(&w->thread, &w->attr, body, w);
	while (!w->tid)
		sched_yield();
}

static void finish(struct worker *w)
{
	pthread_join(w->thread, NULL);
	pthread_attr_destroy(&w->attr);
	close(w->pipe[0]);
	close(w->pipe[1]);
	free(w->stack);
}

static void *reads(void *arg)
{
	struct worker *w = arg;
	char c;

	w->tid = gettid();
	while (read(w->pipe[0], &c, 1) == 1 && c)
		w->turns++;
	return NULL;
}

static void let(struct worker *w, char what)
{
	if (write(w->pipe[1], &what, 1) != 1)
		abort();
}

/* Until the kernel says that it sleeps in a call. */
static bool is_blocked(struct task *t, uint64_t *sp, uint64_t *pc)
{
	uint64_t end = clock_mono_ns() + PATIENCE_S * NSEC_PER_SEC;

	while (task_syscall(t, sp, pc)) {
		if (clock_mono_ns() > end)
			return false;
		sched_yield();
	}
	return true;
}

static bool on_stack(const struct worker *w, uint64_t sp)
{
	return sp - (uintptr_t)w->stack < STACK_BYTES;
}

static void blocked(bool kernel)
{
	struct worker w = { 0 };
	struct switch_log log;
	struct switch_record r = { 0 };
	struct task task;
	uint64_t sp, pc;
	bool in_kernel = true;

	start(&w, reads);
	is_int(task_open(&task, getpid(), w.tid), 0, "a thread of ours");
	ok(is_blocked(&task, &sp, &pc), "sleeps in read(2)");
	is_int(switch_log_open(&log, w.tid, kernel), 0, "its log opens");
	is_int(switch_log_last(&log, &r), -ENODATA, "no record: it has not run since");
	let(&w, 1);
	while (w.turns < 1)
		sched_yield();
	ok(is_blocked(&task, &sp, &pc), "it ran, and sleeps again");
	is_int(switch_log_last(&log, &r), 0, "a record");
	ok(r.registers.value[REGISTER_SP] == sp, "its SP is the one that /proc tells");
	ok(r.registers.value[REGISTER_PC] == pc, "its PC too");
	ok(on_stack(&w, sp), "and it lies on the thread's stack");
	is_int(r.registers.known, (1 << REGISTERS) - 1, "all registers are known");
	ok(r.when_ns <= clock_mono_ns() && clock_mono_ns() - r.when_ns < PATIENCE_S * NSEC_PER_SEC,
	   "the time is CLOCK_MONOTONIC's");
	for (uint32_t i = 0; i < r.kernel_count; i++)
		in_kernel = in_kernel && r.kernel[i] >> 63;
	ok(in_kernel && !r.kernel_count == !kernel, "kernel frames: %u", r.kernel_count);
	for (int i = 0; i < 100; i++) /* many times around the ring */
		let(&w, 1);
	while (w.turns < 101)
		sched_yield();
	ok(is_blocked(&task, &sp, &pc) && !switch_log_last(&log, &r) &&
	   r.registers.value[REGISTER_SP] == sp, "still right when the ring has gone round");
	let(&w, 0);
	finish(&w);
	is_int(switch_log_last(&log, &r), 0, "the last record of a thread that has ended");
	task_close(&task);
	switch_log_close(&log);
	is_int(log.fd, -1, "closed");
	switch_log_close(&log);
}

#ifdef __x86_64__
/* Counts at [rdi] until [rdi + 8] is set. */
__asm__(".text\n.globl test_spin\n.type test_spin, @function\ntest_spin:\n"
	"\tlock incq (%rdi)\n\tcmpl $0, 8(%rdi)\n\tje test_spin\n"
	".globl test_spin_end\ntest_spin_end:\n\tret\n.size test_spin, .-test_spin\n");
void test_spin(struct worker *w);
extern const char test_spin_end[];

static void *spins(void *arg)
{
	struct worker *w = arg;

	w->tid = gettid();
	test_spin(w);
	return NULL;
}

/* On one CPU with us: as long as we run, it does not. */
static void preempted(void)
{
	struct worker w = { 0 };
	struct switch_log log;
	struct switch_record r;
	cpu_set_t before, one;
	uint64_t turns, pc;

	sched_getaffinity(0, sizeof(before), &before);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	start(&w, spins);
	is_int(switch_log_open(&log, w.tid, false), 0, "the log of a thread that runs");
	for (turns = w.turns; w.turns <= turns || switch_log_last(&log, &r);)
		sched_yield();
	is_int(switch_log_last(&log, &r), 0, "it was put aside");
	pc = r.registers.value[REGISTER_PC];
	ok(pc >= (uintptr_t)test_spin && pc < (uintptr_t)test_spin_end, "in its loop");
	ok(on_stack(&w, r.registers.value[REGISTER_SP]), "SP on its stack");
	ok(r.registers.value[5] == (uintptr_t)&w, "RDI holds what it was called with");
	w.stop = 1;
	sched_setaffinity(0, sizeof(before), &before);
	finish(&w);
	switch_log_close(&log);
}

/* --- rings that no kernel would write ----------------------------------------------------------- */

struct made_up {
	struct switch_log log;
	uint8_t *data;
};

static struct made_up made_up(bool kernel)
{
	struct perf_event_mmap_page *page = aligned_alloc(DATA, DATA + DATA);

	memset(page, 0, DATA + DATA);
	page->data_offset = DATA;
	return (struct made_up){ { .fd = -1, .kernel = kernel, .page = page },
				 (uint8_t *)page + DATA };
}

static int last_at(struct made_up *m, uint64_t head, uint16_t size, struct switch_record *r)
{
	struct perf_event_header h = { .type = PERF_RECORD_SAMPLE, .size = size };

	memcpy(m->data + head % DATA, &h, sizeof(h));
	m->log.page->data_head = head;
	return switch_log_last(&m->log, r);
}

static void word(struct made_up *m, uint64_t at, uint64_t value)
{
	memcpy(m->data + at % DATA, &value, 8);
}

static void hostile(void)
{
	struct made_up m = made_up(false), k = made_up(true);
	uint64_t head = (uint64_t)-160;
	struct switch_record r;

	is_int(switch_log_last(&m.log, &r), -ENODATA, "nothing written");
	is_int(last_at(&m, head, 0, &r), -ENODATA, "a record of no size");
	is_int(last_at(&m, head, 8, &r), -ENODATA, "a header only");
	is_int(last_at(&m, head, 15, &r), -ENODATA, "no multiple of 8");
	is_int(last_at(&m, head, DATA + 8, &r), -ENODATA, "larger than the ring");
	is_int(last_at(&m, head, 160, &r), -ENODATA, "registers of no ABI");
	is_int(last_at(&m, head, 16, &r), -ENODATA, "cut off");
	word(&m, head + 16, PERF_SAMPLE_REGS_ABI_32);
	is_int(last_at(&m, head, 160, &r), -ENODATA, "32-bit code");
	head = (uint64_t)-(3 * DATA) - 64; /* around the ring's end */
	word(&m, head + 8, 77);
	word(&m, head + 16, PERF_SAMPLE_REGS_ABI_64);
	for (uint64_t i = 0; i < 17; i++)
		word(&m, head + 24 + 8 * i, 100 + i);
	is_int(last_at(&m, head, 160, &r), 0, "one that goes around the end");
	ok(r.when_ns == 77 && r.registers.value[0] == 100 && r.registers.value[15] == 116,
	   "is read in one piece");
	word(&k, 64 + 16, UINT64_MAX); /* kernel frames */
	is_int(last_at(&k, 64, DATA, &r), -ENODATA, "2^64 kernel frames leave no registers");
	ok(r.kernel_count <= SWITCH_KERNEL_MAX, "and there is a limit: %u", r.kernel_count);
	free(m.log.page);
	free(k.log.page);
}
#else
static void preempted(void) { }
static void hostile(void) { }
#endif

static void nothing_is_left_open(void)
{
	int before = process_files_open();
	struct switch_log log;

	for (int i = 0; i < OPENINGS; i++)
		if (!switch_log_open(&log, gettid(), false))
			switch_log_close(&log);
	is_int(process_files_open(), before, "no file is left open");
	is_int(switch_log_open(&log, 0x3fffffff, false), -ESRCH, "no such thread");
	is_int(log.fd, -1, "leaves a log that is closed");
	switch_log_close(&log);
}

int main(void)
{
	struct switch_log log;
	int r = switch_log_open(&log, gettid(), false);

	hostile();
	if (r) {
		denied = strerror(-r);
		tap_skip("records of threads of ours", denied);
		return tap_done();
	}
	switch_log_close(&log);
	blocked(false);
	blocked(true);
	preempted();
	nothing_is_left_open();
	return tap_done();
}
