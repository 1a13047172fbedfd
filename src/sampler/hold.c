/* SPDX-License-Identifier: MIT
 * Waking on the target's CPU, or beside it. */
#include "hold.h"

#include <time.h>

#include "util/clock.h"

void hold_init(struct hold *h, const struct hold_ops *ops)
{
	*h = (struct hold){ .ops = ops, .cpu = -1 };
	if (sched_getaffinity(0, sizeof(h->allowed), &h->allowed))
		CPU_ZERO(&h->allowed);
}

bool hold_pin(struct hold *h, int cpu)
{
	cpu_set_t set;

	if (cpu == h->cpu)
		return true;
	if (cpu < 0 || cpu >= CPU_SETSIZE || !CPU_ISSET((size_t)cpu, &h->allowed))
		return false;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return false;
	h->cpu = cpu;
	h->hops++;
	return true;
}

void hold_unpin(struct hold *h)
{
	sched_setaffinity(0, sizeof(h->allowed), &h->allowed);
	h->cpu = -1;
}

void hold_nap(struct hold *h, uint64_t due_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(due_ns / NSEC_PER_SEC),
		.tv_nsec = (long)(due_ns % NSEC_PER_SEC),
	};

	(void)h;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* A CPU runs one thread at a time. The thread is ready to run on the CPU that we run on: so it
 * does not run, and will not before we let go. */
static enum hold_result on_cpu_acquire(struct hold *h, struct task *task,
				       const struct proc_stat *where)
{
	(void)task;
	if (where->processor == h->cpu)
		return HOLD_FROZEN;
	return hold_pin(h, where->processor) ? HOLD_MOVED : HOLD_LOOSE;
}

static void nothing_to_release(struct hold *h, struct task *task)
{
	(void)h;
	(void)task;
}

const struct hold_ops hold_on_cpu = {
	.how = "on the target's CPU, without stopping it",
	.acquire = on_cpu_acquire,
	.release = nothing_to_release,
	.sleep = hold_nap,
};

/* Some other CPU than the thread's, where there is one. */
static enum hold_result off_cpu_acquire(struct hold *h, struct task *task,
					const struct proc_stat *where)
{
	(void)task;
	if (where->processor != h->cpu && h->cpu >= 0)
		return HOLD_LOOSE;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (cpu != where->processor && hold_pin(h, cpu))
			return HOLD_LOOSE;
	return HOLD_LOOSE;
}

const struct hold_ops hold_off_cpu = {
	.how = "beside the target, without stopping it",
	.acquire = off_cpu_acquire,
	.release = nothing_to_release,
	.sleep = hold_nap,
};
