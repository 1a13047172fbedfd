/* SPDX-License-Identifier: MIT
 * How long a running thread stands still for a look: hold-cost [LOOKS [HZ]].
 *
 * Prints, as medians, 99th percentiles and maxima in microseconds: what the sampler spends on it, and
 * the gap that the thread itself sees between two readings of its clock. Each look reads the registers
 * and STACK_BYTES of stack. */
#include <sys/syscall.h>
#include <sys/uio.h>

#include "hold_target.h"

enum { STACK_BYTES = 65536, LOOKS_MAX = 100000, QUIET_US = 100 };

struct figures {
	uint64_t spent[LOOKS_MAX], gap[LOOKS_MAX];
	size_t count;
};

static pid_t target;
static uint8_t stack[STACK_BYTES];

/* Remembers the longest stretch in which it did not run. */
static void watch_clock(void)
{
	volatile uint8_t room[2 * STACK_BYTES];
	uint64_t last = clock_mono_ns();

	memset((void *)room, 1, sizeof(room));
	atomic_store(&sh->sum, (uintptr_t)room);
	atomic_store(&sh->ready, true);
	for (;;) {
		uint64_t now = clock_mono_ns();

		if (now - last > atomic_load_explicit(&sh->got, memory_order_relaxed))
			atomic_store(&sh->got, now - last);
		last = now;
		sh->turns++;
	}
}

/* As src/sampler/sampler.c asks for it. */
static void be_prompt(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = sizeof(attr), .runtime = 100 * NSEC_PER_USEC };

	prctl(PR_SET_TIMERSLACK, 1);
	syscall(SYS_sched_setattr, 0, &attr, 0);
}

static bool look_once(struct hold *h, struct task *task, struct figures *f, bool pinned)
{
	struct iovec local = { stack, sizeof(stack) }, remote = { (void *)(uintptr_t)sh->sum, sizeof(stack) };
	struct proc_stat where;
	struct registers regs;
	uint64_t start_ns;

	if (task_where(task, &where))
		return false;
	if (pinned)
		hold_pin(h, where.processor);
	atomic_store(&sh->got, 0);
	start_ns = clock_mono_ns();
	if (h->ops->acquire(h, task, &where) != HOLD_FROZEN)
		return true;
	if (h->ops->registers(h, task, &regs)) { /* its stop is late: no look by stopping it */
		h->ops->release(h, task);
		return true;
	}
	if (process_vm_readv(target, &local, 1, &remote, 1, 0) < 0)
		return false;
	h->ops->release(h, task);
	f->spent[f->count] = clock_mono_ns() - start_ns;
	nap_us(QUIET_US);
	f->gap[f->count++] = atomic_load(&sh->got);
	return true;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void print(const char *what, uint64_t *v, size_t n)
{
	qsort(v, n, sizeof(v[0]), compare);
	printf("  %-18s median %6.1f  p99 %6.1f  max %7.1f us\n", what, (double)v[n / 2] / 1e3,
	       (double)v[n - 1 - n / 100] / 1e3, (double)v[n - 1] / 1e3);
}

static void measure(const char *name, size_t looks, double hz, bool pinned)
{
	static struct figures f;
	struct task task;
	struct hold h;
	uint64_t due = clock_mono_ns();

	f.count = 0;
	hold_init(&h, &hold_ptrace);
	if (task_open(&task, target, target))
		return;
	while (f.count < looks && look_once(&h, &task, &f, pinned)) {
		due += (uint64_t)(1e9 / hz);
		h.ops->sleep(&h, due);
	}
	h.ops->detach(&h, &task);
	task_close(&task);
	hold_unpin(&h);
	printf("%s, %.0f Hz, %zu looks\n", name, hz, f.count);
	if (f.count) {
		print("sampler spends", f.spent, f.count);
		print("thread misses", f.gap, f.count);
	}
}

int main(int argc, char **argv)
{
	size_t looks = argc > 1 ? (size_t)atol(argv[1]) : 1000;
	double hz = argc > 2 ? atof(argv[2]) : 1000;

	if (looks > LOOKS_MAX)
		looks = LOOKS_MAX;
	shared_reset();
	target = child_start(watch_clock);
	comes(sh->ready);
	be_prompt();
	measure("from any CPU", looks, hz, false);
	measure("from the thread's CPU", looks, hz, true);
	child_kill(target);
	return 0;
}
