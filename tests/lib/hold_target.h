/* SPDX-License-Identifier: MIT
 * Children that are held, and children that hold: processes which share a page with the test. */
#ifndef TESTS_HOLD_TARGET_H
#define TESTS_HOLD_TARGET_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../src/sampler/hold.h"
#include "mem/procfs.h"
#include "process.h"
#include "tap.h"
#include "util/clock.h"

/* Only what never comes takes so long, on a machine however busy. */
enum { PATIENCE_S = 200, HOPS = 8, MARK = 0x5ca1ab1e };

struct shared {
	_Atomic uint64_t turns;       /* of the target's loop: it goes on */
	_Atomic uint64_t got, sum, own_sent, own_got, chld, forked, alarms, calls, eintr, wakes;
	_Atomic bool end, ready, ended;
	_Atomic pid_t tid[8];
	int cpu;
	uint64_t started_ns, stopped_ns, alarms_least, alarms_most, alarms_got;
	struct hold_counts counts;    /* the sampler's, when it has ended */
	_Atomic uint64_t looks, gone;
	_Atomic bool owed, registers_bad;
};

static struct shared *sh;

static inline void shared_reset(void)
{
	if (!sh)
		sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(sh, 0, sizeof(*sh));
}

static inline void nap_us(unsigned int us)
{
	struct timespec ts = { us / 1000000, (us % 1000000) * 1000L };

	nanosleep(&ts, NULL);
}

/* Waits for something that must come; false if it does not. */
#define comes(condition) ({ \
	uint64_t comes_end = clock_mono_ns() + PATIENCE_S * NSEC_PER_SEC; \
	bool comes_good; \
	while (!(comes_good = (condition)) && clock_mono_ns() < comes_end) \
		nap_us(200); \
	comes_good; })

static inline bool goes_on(void)
{
	uint64_t before = atomic_load(&sh->turns);

	return comes(atomic_load(&sh->turns) > before + 1);
}

static inline char state_of(pid_t tid)
{
	struct proc_stat st;

	return proc_stat_read(&st, tid) ? 'X' : st.state;
}

static inline int end_of(pid_t pid)
{
	int status = -1;

	return comes(waitpid(pid, &status, WNOHANG) == pid) ? status : -1;
}

/* A sampler without Python looks at one thread after another. `forced`: whatever the thread does. */
static inline enum hold_result look(struct hold *h, pid_t pid, pid_t tid, bool forced)
{
	enum hold_result result = HOLD_GONE;
	struct proc_stat where;
	struct registers regs;
	struct task task;

	if (task_open(&task, pid, tid))
		return HOLD_GONE;
	if (!task_where(&task, &where) && (forced || where.state == 'R')) {
		atomic_fetch_add(&sh->looks, 1);
		result = h->ops->acquire(h, &task, &where);
		for (int i = 0; i < HOPS && result == HOLD_MOVED; i++)
			result = task_where(&task, &where) ? HOLD_GONE : h->ops->acquire(h, &task, &where);
		if (result == HOLD_FROZEN && h->ops->registers(h, &task, &regs))
			atomic_store(&sh->registers_bad, true);
		if (result == HOLD_FROZEN)
			h->ops->release(h, &task);
		atomic_fetch_add(&sh->gone, result == HOLD_GONE);
	}
	task_close(&task);
	return result;
}

#endif
