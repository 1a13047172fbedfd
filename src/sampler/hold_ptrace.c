/* SPDX-License-Identifier: MIT
 * Stopping the running thread for each look: PTRACE_SEIZE once, PTRACE_INTERRUPT per look.
 *
 * Only a thread that runs is stopped: a sleeping one cannot change, and interrupting it would show
 * in its system call. Between looks every ptrace event is passed on at once: signals are delivered,
 * group stops are kept (PTRACE_LISTEN), so the target notices nothing but the short stops. When we
 * die the kernel detaches us and the threads go on (ptrace(2), Linux 3.4+). */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "hold.h"
#include "hold_registers.h"
#include "util/clock.h"

/* A stop that does not come for so long is given up: the thread is in uninterruptible sleep. */
enum { STOP_WAIT_MS = 50, STOP_SPINS = 2000, EVENTS_MAX = 1024 };
#define STOP_NAP_NS (20 * NSEC_PER_USEC)

/* Passes on what a ptrace stop was about. */
static void pass_on(pid_t tid, int status)
{
	int sig = WSTOPSIG(status);
	int event = status >> 16;

	if (!WIFSTOPPED(status))
		return;
	if (event == PTRACE_EVENT_STOP && (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN ||
					   sig == SIGTTOU))
		ptrace(PTRACE_LISTEN, tid, NULL, NULL);
	else
		ptrace(PTRACE_CONT, tid, NULL, event ? NULL : (void *)(intptr_t)sig);
}

/* The tracer sees a child's end before its parent does, even when they are the same process. */
static void reaped(struct hold *h, pid_t tid, int status)
{
	h->reaped = tid;
	h->reaped_status = status;
}

/* Waits for the stop our interrupt asked for. */
static enum hold_result await_stop(struct hold *h, pid_t tid)
{
	uint64_t deadline = clock_mono_ns() + STOP_WAIT_MS * NSEC_PER_MSEC;

	for (int spin = 0;; spin++) {
		int status;
		pid_t got = waitpid(tid, &status, __WALL | WNOHANG);

		if (got < 0 && errno != EINTR)
			return HOLD_GONE;
		if (got == tid) {
			if (WIFEXITED(status) || WIFSIGNALED(status)) {
				reaped(h, tid, status);
				return HOLD_GONE;
			}
			if (status >> 16 == PTRACE_EVENT_STOP && WSTOPSIG(status) == SIGTRAP)
				return HOLD_FROZEN;
			pass_on(tid, status); /* a signal came first; our stop is still due */
		}
		if (clock_mono_ns() > deadline)
			return HOLD_LOOSE;
		if (spin >= STOP_SPINS)
			hold_nap(h, clock_mono_ns() + STOP_NAP_NS);
	}
}

/* Stops the thread and sees to the system call that it is in. */
static enum hold_result interrupt(struct hold *h, pid_t tid)
{
	enum hold_result result;
	struct registers registers;
	struct held_call call;

	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
		return errno == ESRCH ? HOLD_GONE : HOLD_LOOSE;
	result = await_stop(h, tid);
	if (result == HOLD_FROZEN && !hold_registers_read(tid, &registers, &call))
		held_call_mind(tid, &call, &h->counts);
	return result;
}

static enum hold_result ptrace_acquire(struct hold *h, struct task *task,
				       const struct proc_stat *where)
{
	(void)where;
	return interrupt(h, task->tid);
}

static void ptrace_release(struct hold *h, struct task *task)
{
	(void)h;
	ptrace(PTRACE_CONT, task->tid, NULL, NULL);
}

static int ptrace_registers(struct hold *h, struct task *task, struct registers *ret)
{
	struct held_call call;

	(void)h;
	return hold_registers_read(task->tid, ret, &call);
}

static int ptrace_attach(struct hold *h, struct task *task)
{
	(void)h;
	if (ptrace(PTRACE_SEIZE, task->tid, NULL, NULL))
		return -errno;
	return 0;
}

/* PTRACE_DETACH wants a stopped thread. */
static void ptrace_detach(struct hold *h, struct task *task)
{
	if (interrupt(h, task->tid) == HOLD_FROZEN)
		ptrace(PTRACE_DETACH, task->tid, NULL, NULL);
}

/* Passes on everything that waits. */
static void drain_events(struct hold *h)
{
	for (int i = 0; i < EVENTS_MAX; i++) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL | __WNOTHREAD | WNOHANG);

		if (tid <= 0)
			return;
		if (WIFEXITED(status) || WIFSIGNALED(status))
			reaped(h, tid, status);
		else
			pass_on(tid, status);
	}
}

static void on_sigchld(int sig)
{
	(void)sig;
}

/* Sleeps until due, but wakes for every event of a traced thread (SIGCHLD). */
static void ptrace_sleep(struct hold *h, uint64_t due_ns)
{
	struct sigaction sa = { .sa_handler = on_sigchld };
	sigset_t mask;

	if (!h->listening) {
		sigaction(SIGCHLD, &sa, NULL);
		h->listening = true;
	}
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	sigaddset(&mask, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	sigdelset(&mask, SIGCHLD);
	for (;;) {
		uint64_t now;
		struct timespec left;

		drain_events(h);
		now = clock_mono_ns();
		if (now >= due_ns)
			return;
		left.tv_sec = (time_t)((due_ns - now) / NSEC_PER_SEC);
		left.tv_nsec = (long)((due_ns - now) % NSEC_PER_SEC);
		if (ppoll(NULL, 0, &left, &mask) < 0 && atomic_load(h->stop))
			return;
	}
}

const struct hold_ops hold_ptrace = {
	.how = "stopped for each look (ptrace)",
	.tracer = true,
	.acquire = ptrace_acquire,
	.release = ptrace_release,
	.registers = ptrace_registers,
	.attach = ptrace_attach,
	.detach = ptrace_detach,
	.sleep = ptrace_sleep,
};
