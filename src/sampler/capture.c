/* SPDX-License-Identifier: MIT
 * Registers and the extent of a stack. */
#include "capture.h"

#include <string.h>

#include "native/unwind.h"
#include "util/clock.h"

enum { PAGE = 4096 };

#define REFRESH_NS (50 * NSEC_PER_MSEC)    /* mappings are read no more often */
#define STACK_GROWTH_MAX (8u << 20)        /* below its mapping, as it was when we read it */
#define TCB_ABOVE_MAX (1u << 30)           /* a stack's size: its thread's TCB is no further up */

void capture_open(struct capture *c, pid_t tid, enum native_way way, bool kernel)
{
	*c = (struct capture){ .log.fd = -1 };
	/* Without a log (too many files, say) the sleeping thread is still had by its system call. */
	if (way == NATIVE_PERF && switch_log_open(&c->log, tid, kernel))
		c->log.fd = -1;
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

/* A thread that sleeps in a system call: the kernel tells where it came from. */
static bool registers_by_syscall(struct task *task, struct switch_record *ret)
{
	uint64_t sp, pc;

	if (task_syscall(task, &sp, &pc))
		return false;
	register_set(&ret->registers, REGISTER_SP, sp);
	register_set(&ret->registers, REGISTER_PC, pc);
	return true;
}

bool capture_registers(struct capture *c, struct hold *h, struct task *task, bool running,
		       struct switch_record *ret)
{
	ret->registers.known = 0;
	ret->kernel_count = 0;
	if (running && h->ops->registers)
		return h->ops->registers(h, task, &ret->registers) == 0;
	if (c->log.fd >= 0 && !switch_log_last(&c->log, ret))
		return true;
	return !running && registers_by_syscall(task, ret);
}

/* The first mapping that ends above the address: the stack's, which may have grown down since. */
static const struct map *mapping_above(const struct maps *m, remote_addr sp)
{
	size_t lo = 0, n = m->count;

	while (n > 0) {
		size_t half = n / 2;

		if (m->list[lo + half].end <= sp) {
			lo += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	if (lo == m->count || (m->list[lo].start > sp && m->list[lo].start - sp > STACK_GROWTH_MAX))
		return NULL;
	return &m->list[lo];
}

struct stack_part capture_stack(struct capture *c, struct stack_maps *m, remote_addr sp,
				remote_addr tcb)
{
	remote_addr from = sp - UNWIND_RED_ZONE, end;

	if (sp < PAGE || sp >= REMOTE_ADDR_MAX)
		return (struct stack_part){ 0 };
	if (sp < c->stack_lo || sp >= c->stack_hi) {
		const struct map *map = mapping_above(&m->maps, sp);

		c->stack_lo = map ? (map->start < sp ? map->start : sp) : 0;
		c->stack_hi = map ? map->end : 0;
		m->stale = m->stale || !map;
	}
	end = c->stack_hi;
	if (!end) /* what is left of this page is mapped, no doubt */
		end = (sp | (PAGE - 1)) + 1;
	if (tcb > sp && tcb < end && tcb - sp < TCB_ABOVE_MAX)
		end = tcb;
	if (end - from > NATIVE_STACK_MAX)
		return (struct stack_part){ from, NATIVE_STACK_MAX, true };
	return (struct stack_part){ from, (uint32_t)(end - from), !c->stack_hi };
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
