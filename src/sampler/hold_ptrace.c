/* SPDX-License-Identifier: MIT
 * Stopping the running thread for each look, and being attached only that long: PTRACE_SEIZE,
 * PTRACE_INTERRUPT, the stop, [the look], PTRACE_DETACH.
 *
 * Between looks nothing is attached: a debugger can come and go, programs that change their user
 * may be started (execve(2): not under a tracer), signals take their usual way.
 *
 * Any stop will do for a look. If a signal was first (signal-delivery-stop), PTRACE_DETACH passes it
 * on, with all that it carries; a thread in a group stop goes back to it when it is let go
 * (__ptrace_unlink(), kernel/ptrace.c at v6.1). Stops are only looked at (WNOWAIT), never taken:
 * taking one clears the signal that the thread would otherwise deliver when we die in between
 * (wait_task_stopped(), kernel/exit.c), and the end of a child of ours stays for whoever waits for
 * it.
 *
 * A thread that cannot be stopped (another tracer has it) is read in its place on its CPU, without
 * registers.
 *
 * A stop that does not come in time (deep sleep, a CPU with many others) comes later, and only a
 * stopped thread can be let go. That debt is kept by the kernel, in its list of what this thread
 * traces, and paid as soon as it stops: before each look, and instead of sleeping. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hold.h"
#include "hold_registers.h"
#include "util/clock.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid /* glibc before 2.38 */
#endif

/* A thread on another CPU stops within microseconds; one on ours, or on a busy one, once we sleep. */
#define SPIN_NS (20 * NSEC_PER_USEC)
#define STOP_WAIT_NS (40 * NSEC_PER_MSEC) /* a CPU's turn at a load of 10 and more, slices of 3 ms */
#define LAST_WAIT_NS (200 * NSEC_PER_MSEC) /* what the kernel lets go of in our place may see EINTR */
#define WATCHDOG_AGAIN_NS (1 * NSEC_PER_MSEC) /* its first signal may come just before the wait */

enum {
	EVENTS_MAX = 1024,
	STOPS = __WALL | __WNOTHREAD | WSTOPPED | WEXITED | WNOWAIT,
	EVENT_SHIFT = 8,          /* si_status: signal | PTRACE_EVENT_* << 8 */
	SIGNAL_MASK = 0xff,
};

/* --- the watchdog ------------------------------------------------------------------------------ */

static void on_watchdog(int sig)
{
	(void)sig;
}

static void watchdog_release(struct hold *h)
{
	if (h->armed)
		timer_delete(h->watchdog);
	h->armed = false;
}

/* Makes a timer that interrupts this thread. Our stops are nobody else's business: without
 * SA_NOCLDSTOP each would wake the main thread with a SIGCHLD. */
static bool watchdog_ready(struct hold *h)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN };
	struct sigaction wake = { .sa_handler = on_watchdog }, child;

	if (h->armed && pthread_equal(h->watched, pthread_self()))
		return true;
	watchdog_release(h);
	event.sigev_notify_thread_id = gettid();
	if (timer_create(CLOCK_MONOTONIC, &event, &h->watchdog))
		return false;
	sigaction(SIGRTMIN, &wake, NULL);
	sigaction(SIGCHLD, NULL, &child);
	child.sa_flags |= SA_NOCLDSTOP;
	sigaction(SIGCHLD, &child, NULL);
	h->watched = pthread_self();
	h->armed = true;
	return true;
}

static void watchdog_set(struct hold *h, uint64_t at_ns)
{
	struct itimerspec when = {
		.it_value = { (time_t)(at_ns / NSEC_PER_SEC), (long)(at_ns % NSEC_PER_SEC) },
		.it_interval.tv_nsec = (long)WATCHDOG_AGAIN_NS,
	};

	timer_settime(h->watchdog, TIMER_ABSTIME, &when, NULL);
	h->watching = true;
}

static void watchdog_off(struct hold *h)
{
	static const struct itimerspec never;

	if (h->watching)
		timer_settime(h->watchdog, 0, &never, NULL);
	h->watching = false;
}

/* --- what is still attached -------------------------------------------------------------------- */

static bool is_stop(const siginfo_t *info)
{
	return info->si_code == CLD_TRAPPED || info->si_code == CLD_STOPPED;
}

/* The signal that a stop was for: PTRACE_EVENT_STOP is for none. */
static int signal_of(int status)
{
	return status >> EVENT_SHIFT ? 0 : status & SIGNAL_MASK;
}

/* A thread that a signal has stopped has left its call for that: what it returns is not our doing. */
static bool is_group_stop(int status)
{
	return status >> EVENT_SHIFT == PTRACE_EVENT_STOP && (status & SIGNAL_MASK) != SIGTRAP;
}

/* The registers of a thread that was stopped, and what becomes of its call. 0 or -errno. */
static int look_into(struct hold *h, pid_t tid, int status, struct registers *ret)
{
	struct held_call call;
	int r = hold_registers_read(tid, ret, &call);

	if (!is_group_stop(status))
		held_call_mind(tid, &call, &h->counts);
	return r;
}

static bool is_our_child(pid_t pid)
{
	struct proc_stat st;

	return !proc_stat_read(&st, pid) && st.ppid == getpid();
}

/* The end of what we trace is ours to take: its parent is not told before (ptrace(2)). A child of
 * ours is both; it stays for waitpid() elsewhere. */
static bool take_end(pid_t tid)
{
	siginfo_t info;

	return !is_our_child(tid) && !waitid(P_PID, (id_t)tid, &info, WEXITED | WNOHANG | __WALL);
}

/* Lets go of a thread that `info` is about; false if that cannot be now. Also a stop that nobody
 * waits for any more may have cut a wait short. */
static bool settle(struct hold *h, const siginfo_t *info)
{
	struct registers unused;

	if (!is_stop(info))
		return take_end(info->si_pid);
	look_into(h, info->si_pid, info->si_status, &unused);
	return !ptrace(PTRACE_DETACH, info->si_pid, NULL,
		       (void *)(intptr_t)signal_of(info->si_status));
}

/* Lets go of everything that has stopped or ended meanwhile. */
static void settle_all(struct hold *h)
{
	for (int i = 0; h->owed && i < EVENTS_MAX; i++) {
		siginfo_t info = { 0 };

		if (waitid(P_ALL, 0, &info, STOPS | WNOHANG))
			h->owed = errno != ECHILD;
		else if (!info.si_pid || !settle(h, &info))
			return;
	}
}

/* The same, waiting for it; true when a signal has ended the wait. */
static bool settle_until(struct hold *h, uint64_t due_ns)
{
	bool interrupted = false;

	if (!watchdog_ready(h))
		return false;
	watchdog_set(h, due_ns);
	while (h->owed && !interrupted && clock_mono_ns() < due_ns) {
		siginfo_t info = { 0 };

		if (waitid(P_ALL, 0, &info, STOPS)) {
			interrupted = errno == EINTR;
			h->owed = errno != ECHILD;
		} else if (!settle(h, &info)) {
			break;
		}
	}
	watchdog_off(h);
	return interrupted;
}

/* --- the stop ---------------------------------------------------------------------------------- */

/* Another wait in this process (its parent's, for a child of ours) may have taken the news. */
static bool has_stopped(pid_t tid, int *ret_status)
{
	siginfo_t info = { 0 };

	if (ptrace(PTRACE_GETSIGINFO, tid, NULL, &info))
		return false;
	*ret_status = info.si_code >> EVENT_SHIFT == PTRACE_EVENT_STOP ? info.si_code : info.si_signo;
	return true;
}

/* What there is to know of what we trace, taken a few times without sleeping, then waited for. 0 or
 * -errno; nothing yet: info->si_pid is 0. */
static int next_event(struct hold *h, idtype_t which, pid_t tid, siginfo_t *info)
{
	*info = (siginfo_t){ 0 };
	if (waitid(which, (id_t)tid, info, h->watching ? STOPS : STOPS | WNOHANG))
		return -errno;
	if (!info->si_pid && clock_mono_ns() - h->asked_ns >= SPIN_NS)
		watchdog_set(h, h->asked_ns + STOP_WAIT_NS);
	return 0;
}

/* Waits for any stop of the thread: HOLD_FROZEN with its si_status. Other threads of ours that stop
 * meanwhile are let go at once. */
static enum hold_result await_stop(struct hold *h, pid_t tid, int *ret_status)
{
	idtype_t which = P_ALL;
	siginfo_t info;
	int r;

	do {
		r = next_event(h, which, tid, &info);
		if (r == -EINTR && clock_mono_ns() - h->asked_ns >= STOP_WAIT_NS)
			return has_stopped(tid, ret_status) ? HOLD_FROZEN : HOLD_LOOSE;
		if (r && r != -EINTR)
			return HOLD_GONE; /* ended, or it has made an exec and is the leader now */
		if (!r && info.si_pid && info.si_pid != tid && !settle(h, &info))
			which = P_PID;
	} while (r || info.si_pid != tid);
	*ret_status = info.si_status;
	if (is_stop(&info))
		return HOLD_FROZEN;
	settle(h, &info);
	return HOLD_GONE;
}

static void caught(struct hold *h, pid_t tid, int status)
{
	h->counts.stops++;
	h->held = tid;
	h->signal = signal_of(status);
	if (h->signal)
		h->counts.signals++;
	h->registers_error = look_into(h, tid, status, &h->registers);
}

static void let_go(struct hold *h)
{
	uint64_t took;

	if (!h->held)
		return;
	/* Fails when it was killed meanwhile: then its end is to be taken. */
	h->owed = ptrace(PTRACE_DETACH, h->held, NULL, (void *)(intptr_t)h->signal) || h->owed;
	h->held = 0;
	took = clock_mono_ns() - h->asked_ns;
	h->counts.stopped_ns += took;
	if (took > h->counts.stopped_max_ns)
		h->counts.stopped_max_ns = took;
}

/* Who traces the thread: a thread's id in our namespace; 0: nobody. */
static pid_t tracer_of(pid_t tid)
{
	char *status = procfs_read(tid, "status", NULL);
	uint64_t tracer = 0;

	if (status && !status_field(status, "TracerPid", &tracer))
		tracer = 0;
	free(status);
	return (pid_t)tracer;
}

/* Why PTRACE_SEIZE was refused. HOLD_FROZEN: it is ours already, its stop is still due. */
static enum hold_result refused(struct hold *h, pid_t tid, int error)
{
	struct proc_stat st;
	pid_t tracer;

	if (error == ESRCH || proc_stat_read(&st, tid) || st.state == 'Z' || st.state == 'X')
		return HOLD_GONE;
	tracer = tracer_of(tid);
	if (tracer == gettid())
		return HOLD_FROZEN;
	if (tracer)
		h->counts.traced++;
	else
		h->counts.denied++;
	return HOLD_LOOSE;
}

/* It cannot be stopped: then Python's frames are read in its place on its CPU, without registers.
 * We stay there until a stop succeeds. */
static enum hold_result without_stop(struct hold *h, struct task *task,
				     const struct proc_stat *where)
{
	return hold_on_cpu.acquire(h, task, where);
}

static enum hold_result ptrace_acquire(struct hold *h, struct task *task,
				      const struct proc_stat *where)
{
	enum hold_result result;
	bool owed;
	int status = 0;

	let_go(h);
	settle_all(h);
	if (!watchdog_ready(h))
		return HOLD_LOOSE;
	owed = h->owed;
	h->asked_ns = clock_mono_ns();
	result = ptrace(PTRACE_SEIZE, task->tid, NULL, NULL) ? refused(h, task->tid, errno)
							     : HOLD_FROZEN;
	if (result == HOLD_FROZEN) {
		h->owed = true;
		ptrace(PTRACE_INTERRUPT, task->tid, NULL, NULL); /* fails if it has ended: see there */
		result = await_stop(h, task->tid, &status);
		watchdog_off(h);
		h->counts.late += result == HOLD_LOOSE;
	}
	if (result == HOLD_FROZEN) {
		caught(h, task->tid, status);
		h->owed = owed;
		if (h->cpu >= 0)
			hold_unpin(h);
	} else {
		settle_all(h);
	}
	return result == HOLD_LOOSE ? without_stop(h, task, where) : result;
}

static void ptrace_release(struct hold *h, struct task *task)
{
	(void)task;
	let_go(h);
}

static int ptrace_registers(struct hold *h, struct task *task, struct registers *ret)
{
	*ret = (struct registers){ 0 };
	if (h->held != task->tid)
		return -EBUSY;
	*ret = h->registers;
	return h->registers_error;
}

/* The thread is looked at no more. Sampling threads that end let go of the rest thereby. */
static void ptrace_detach(struct hold *h, struct task *task)
{
	let_go(h);
	settle_all(h);
	if (h->owed && tracer_of(task->tid) == gettid())
		settle_until(h, clock_mono_ns() + LAST_WAIT_NS);
	watchdog_release(h);
}

static void ptrace_sleep(struct hold *h, uint64_t due_ns)
{
	let_go(h);
	settle_all(h);
	if (!h->owed || !settle_until(h, due_ns))
		hold_nap(h, due_ns);
}

const struct hold_ops hold_ptrace = {
	.how = "stopped for each look (ptrace)",
	.tracer = true,
	.acquire = ptrace_acquire,
	.release = ptrace_release,
	.registers = ptrace_registers,
	.detach = ptrace_detach,
	.sleep = ptrace_sleep,
};
