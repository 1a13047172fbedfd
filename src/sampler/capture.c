/* SPDX-License-Identifier: MIT
 * Registers and the extent of a stack. */
#include "capture.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "native/unwind.h"
#include "util/clock.h"
#include "util/first_above.h"

enum { PAGE = 4096, CAPTURE_LEAST = 16384 };

#define REFRESH_NS (50 * NSEC_PER_MSEC)    /* mappings are read no more often */
#define STACK_GROWTH_MAX (8u << 20)        /* below its mapping, as it was when we read it */
#define TCB_ABOVE_MAX (1u << 30)           /* a stack's size: its thread's TCB is no further up */

/* The C library keeps the list of robust mutexes in the thread's own structure (struct pthread in
 * glibc's nptl/descr.h, musl's pthread_impl.h), which ends the stack that it has made for the thread.
 * Needed where Python does not know the thread: since glibc 2.42 its stack's guard is no mapping of
 * its own, so that the stacks of many threads are one mapping. 0: not known. */
static remote_addr robust_list_of(pid_t tid)
{
	void *head = NULL;
	size_t len;

	return syscall(SYS_get_robust_list, tid, &head, &len) ? 0 : (remote_addr)(uintptr_t)head;
}

void capture_open(struct capture *c, pid_t tid, enum native_way way, bool kernel)
{
	*c = (struct capture){ .log.fd = -1, .tcb = robust_list_of(tid), .most = NATIVE_STACK_MAX };
	if (way == NATIVE_PERF)
		capture_log_open(c, tid, kernel);
}

/* Without a log (too many files, say) the sleeping thread is still had by its system call. */
void capture_log_open(struct capture *c, pid_t tid, bool kernel)
{
	if (switch_log_open(&c->log, tid, kernel))
		c->log.fd = -1;
}

void capture_log_close(struct capture *c)
{
	switch_log_close(&c->log);
}

void capture_close(struct capture *c)
{
	switch_log_close(&c->log);
}

enum native_way sampler_native_way(pid_t pid, enum native_way asked, int *why)
{
	struct switch_log log;
	int r = switch_log_open(&log, pid, false);

	*why = r < 0 ? -r : 0;
	if (!r)
		switch_log_close(&log);
	if (asked != NATIVE_NONE)
		return asked;
	return r ? NATIVE_PTRACE : NATIVE_PERF;
}

/* What comes from a record is the thread's, if it was written for this sleep. */
static bool same_place(const struct switch_record *r, uint64_t sp, uint64_t pc)
{
	return r->registers.value[REGISTER_SP] == sp && r->registers.value[REGISTER_PC] == pc;
}

/* A thread calls itself asleep a little before it leaves its CPU, and may change its mind; its newest
 * record is the one of the sleep before until then (1 in 200 looks at a thread that sleeps 10 000
 * times a second). The kernel tells where a thread is only when it has left the CPU
 * (task_current_syscall(), lib/syscall.c at v6.1), so that is what the record is held against. */
static enum captured sleeper_registers(struct capture *c, struct task *task,
				       struct switch_record *ret)
{
	uint64_t sp, pc;
	int r = task_syscall(task, &sp, &pc);
	bool logged = c->log.fd >= 0 && !switch_log_last(&c->log, ret);

	if (r == -EAGAIN)
		return CAPTURE_AWAKE;
	if (r) /* not to be had here: unchecked is better than nothing */
		return logged ? CAPTURED : CAPTURE_NONE;
	if (logged && same_place(ret, sp, pc))
		return CAPTURED;
	ret->registers.known = 0;
	ret->kernel_count = 0;
	register_set(&ret->registers, REGISTER_SP, sp);
	register_set(&ret->registers, REGISTER_PC, pc);
	return CAPTURED;
}

enum captured capture_registers(struct capture *c, struct hold *h, struct task *task,
				bool running, struct switch_record *ret)
{
	bool had;

	ret->registers.known = 0;
	ret->kernel_count = 0;
	if (!running)
		return sleeper_registers(c, task, ret);
	if (h->ops->registers)
		had = h->ops->registers(h, task, &ret->registers) == 0;
	else
		had = c->log.fd >= 0 && !switch_log_last(&c->log, ret);
	return had ? CAPTURED : CAPTURE_NONE;
}

/* The first mapping that ends above the address: the stack's, which may have grown down since. */
static const struct map *mapping_above(const struct maps *m, remote_addr sp)
{
	size_t n = FIRST_ABOVE(m->count, i, m->list[i].end, sp);

	if (n == m->count || (m->list[n].start > sp && m->list[n].start - sp > STACK_GROWTH_MAX))
		return NULL;
	return &m->list[n];
}

/* Where the stack at `sp` lies: from the page of `sp` at least, as it may have grown. */
static void find_stack(struct capture *c, struct stack_maps *m, remote_addr sp)
{
	const struct map *map = mapping_above(&m->maps, sp);
	remote_addr page = sp & ~(remote_addr)(PAGE - 1);

	c->stack_lo = map ? (map->start < sp ? map->start : page) : 0;
	c->stack_hi = map ? map->end : 0;
	m->stale = m->stale || !map;
}

struct stack_part capture_stack(struct capture *c, struct stack_maps *m, remote_addr sp,
				remote_addr tcb)
{
	struct stack_part part = { 0 };
	remote_addr end, lo;

	if (sp < PAGE || sp >= REMOTE_ADDR_MAX)
		return part;
	if (sp < c->stack_lo || sp >= c->stack_hi)
		find_stack(c, m, sp);
	/* What is left of this page is mapped, no doubt. */
	part.guess = !c->stack_hi;
	lo = part.guess ? sp & ~(remote_addr)(PAGE - 1) : c->stack_lo;
	end = part.guess ? (sp | (PAGE - 1)) + 1 : c->stack_hi;
	if (!tcb)
		tcb = c->tcb;
	if (tcb > sp && tcb < end && tcb - sp < TCB_ABOVE_MAX)
		end = tcb;
	/* Below the mapping there may be nothing: one page that cannot be read spoils all. */
	part.addr = sp - lo < UNWIND_RED_ZONE ? lo : sp - UNWIND_RED_ZONE;
	part.cut = part.guess || end - part.addr > c->most;
	part.len = end - part.addr > c->most ? c->most : (uint32_t)(end - part.addr);
	return part;
}

void capture_failed(struct capture *c, const struct stack_part *part)
{
	/* A guard within the mapping, maybe. */
	if (part->len > CAPTURE_LEAST && part->addr >= c->stack_lo)
		c->most = part->len / 4 > CAPTURE_LEAST ? part->len / 4 : CAPTURE_LEAST;
	c->stack_lo = c->stack_hi = 0;
}

void stack_maps_refresh(struct stack_maps *m, pid_t pid, uint64_t now_ns)
{
	struct maps maps;
	struct err err = { 0 };

	if (!m->stale || (m->read_ns && now_ns - m->read_ns < REFRESH_NS))
		return;
	m->stale = false;
	m->read_ns = now_ns;
	if (maps_read(&maps, pid, &err))
		return;
	maps_release(&m->maps);
	m->maps = maps;
}

void stack_maps_release(struct stack_maps *m)
{
	maps_release(&m->maps);
}
