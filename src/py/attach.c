/* SPDX-License-Identifier: MIT
 * Opening a process and finding its interpreter, with patience. */
#include "py/attach.h"

#include <errno.h>
#include <time.h>

#include "mem/task.h"
#include "py/threads.h"
#include "util/clock.h"

#define NAP_FIRST_NS (1 * NSEC_PER_MSEC)
#define NAP_MAX_NS (50 * NSEC_PER_MSEC)
#define UNSURE_NS (300 * NSEC_PER_MSEC) /* so long an unknown version may be one in the making */

static int attach_once(struct attached *a, pid_t pid, struct err *err)
{
	pid_t nspid;
	int r = remote_open_process(&a->remote, pid, err);

	if (r)
		return r;
	r = target_locate(&a->target, pid, &a->remote, err);
	if (r) {
		remote_close(&a->remote);
		return r;
	}
	task_foreign_namespace(pid, &nspid);
	threads_calibrate(&a->target, nspid);
	return 0;
}

/* A program on its way to Python: not initialised yet, or still another program. One whose loader is
 * just mapping libpython, or which is just ending, looks like a version that is not known, for a
 * moment. */
static bool worth_waiting(int r, const struct err *err, uint64_t waited_ns)
{
	return r == -EAGAIN || err->status == EXIT_NOT_PYTHON ||
	       (err->status == EXIT_UNSUPPORTED && waited_ns < UNSURE_NS);
}

int attach_open(struct attached *a, pid_t pid, uint64_t patience_ns, bool (*should_stop)(void *),
		void *arg, struct err *err)
{
	uint64_t start = clock_mono_ns();
	uint64_t nap_ns = NAP_FIRST_NS;

	for (;;) {
		struct timespec nap = { .tv_nsec = (long)nap_ns };
		int r = attach_once(a, pid, err);
		uint64_t waited = clock_mono_ns() - start;

		if (!r || !worth_waiting(r, err, waited) || waited >= patience_ns ||
		    (should_stop && should_stop(arg)))
			return r;
		nanosleep(&nap, NULL);
		nap_ns = nap_ns * 2 < NAP_MAX_NS ? nap_ns * 2 : NAP_MAX_NS;
	}
}

void attach_close(struct attached *a)
{
	remote_close(&a->remote);
}
