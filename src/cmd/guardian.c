/* SPDX-License-Identifier: MIT
 * The guardian.
 *
 * It has to be nobody's child: a program that waits for "any child" must not find it. Forked twice
 * it belongs to init. Where the program is init itself (PID 1 of a container), or a subreaper, an
 * orphan would become a child of the program; there it is a child from the start, but one without an
 * exit signal: wait() does not find such a child (eligible_child() in kernel/exit.c at v6.1: it needs
 * __WCLONE or __WALL), and reparent_leader() cannot have given it a signal again. It must then live
 * as long as the program, for nobody would reap it. */
#include "guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "detach.h"
#include "mem/procfs.h"
#include "pushproc.h"
#include "title.h"
#include "util/clock.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434 /* the same everywhere; Linux v5.3 */
#endif

#define LAST_PUSH_NS (20 * NSEC_PER_SEC) /* after the program's end; nobody waits for it */
enum { LOOK_MS = 1000, TITLE_MAX = 64 };

struct guardian {
	pid_t program;
	int program_fd;           /* pidfd; -1: the kernel has none, then we look every LOOK_MS */
	uint64_t program_start;   /* with the PID it names the process */
	int signal_fd;
	bool child;               /* of the program: stays until its end */
	struct pushproc pusher;
};

static bool program_ended(const struct guardian *g)
{
	struct pollfd fd = { .fd = g->program_fd, .events = POLLIN };
	struct proc_stat st;

	if (g->program_fd >= 0)
		return poll(&fd, 1, 0) > 0;
	return proc_stat_read(&st, g->program) || st.state == 'Z' || st.state == 'X' ||
	       st.start_ticks != g->program_start;
}

/* Whom a person tells to end is the pusher. */
static void take_signals(struct guardian *g)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(g->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		g->pusher.next_ns = PUSHPROC_NEVER;
		if (g->pusher.pid)
			kill(g->pusher.pid, (int)info.ssi_signo);
	}
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		pushproc_ended(&g->pusher, pid, status);
}

/* Waits for something to do, at most `patience_ms` (-1: no limit). */
static void wait_event(struct guardian *g, bool watch_program, int patience_ms)
{
	struct pollfd fds[] = {
		{ .fd = g->signal_fd, .events = POLLIN },
		{ .fd = watch_program ? g->program_fd : -1, .events = POLLIN },
	};

	if (watch_program && g->program_fd < 0 && (patience_ms < 0 || patience_ms > LOOK_MS))
		patience_ms = LOOK_MS;
	poll(fds, 2, patience_ms);
	take_signals(g);
}

/* The pusher sees the program's end by itself, and sends what it has. */
static void end_pusher(struct guardian *g)
{
	uint64_t end = clock_mono_ns() + LAST_PUSH_NS, now;

	g->pusher.next_ns = PUSHPROC_NEVER;
	while (g->pusher.pid && (now = clock_mono_ns()) < end)
		wait_event(g, false, (int)((end - now) / NSEC_PER_MSEC) + 1);
	if (g->pusher.pid)
		kill(g->pusher.pid, SIGKILL);
}

static void guard(struct guardian *g)
{
	while (!program_ended(g)) {
		pushproc_tend(&g->pusher);
		if (!g->child && !g->pusher.pid && g->pusher.next_ns == PUSHPROC_NEVER)
			return;
		wait_event(g, true, pushproc_timeout_ms(&g->pusher));
	}
	end_pusher(g);
}

/* --- its start -------------------------------------------------------------------------------- */

static void take_signal_fd(struct guardian *g)
{
	sigset_t mask, all;

	detach_signals();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	g->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void let_go(struct guardian *g)
{
	int keep[] = { g->program_fd, g->signal_fd };
	bool one = g->program_fd < 0;

	detach_streams(-1, pushproc_keeps_stderr(&g->pusher) ? STDERR_FILENO : -1);
	detach_descriptors(keep + one, 2 - one);
	if (chdir("/")) {
		/* then it stays where it is */
	}
}

static _Noreturn void become_guardian(struct guardian *g, int argc, char **argv)
{
	char title[TITLE_MAX];

	setsid();
	take_signal_fd(g);
	let_go(g);
	title_set_name(TITLE_GUARDIAN);
	snprintf(title, sizeof(title), "guardian of %ld", (long)g->program);
	title_set_words(argc, argv, title);
	if (g->signal_fd >= 0)
		guard(g);
	_exit(EXIT_OK);
}

/* A child that ends without a signal: one that the program is waiting for, blocks or ignores would
 * otherwise find a SIGCHLD it has never earned. */
static pid_t fork_quiet(void)
{
	return (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
}

static pid_t start_orphan(struct guardian *g, int argc, char **argv)
{
	pid_t between, pid = -EAGAIN;
	int report[2];

	if (pipe2(report, O_CLOEXEC))
		return -errno;
	between = fork_quiet();
	if (between == 0) {
		pid = fork();
		if (pid == 0)
			become_guardian(g, argc, argv);
		_exit(pid < 0 || write(report[1], &pid, sizeof(pid)) < 0);
	}
	close(report[1]);
	if (read(report[0], &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
		pid = -EAGAIN;
	close(report[0]);
	if (between > 0)
		waitpid(between, NULL, __WALL);
	return pid;
}

static pid_t start_child(struct guardian *g, int argc, char **argv)
{
	pid_t pid = fork_quiet();

	if (pid == 0)
		become_guardian(g, argc, argv);
	return pid < 0 ? -errno : pid;
}

pid_t guardian_start(char **words, int argc, char **argv)
{
	struct guardian g = { .program = getpid(), .signal_fd = -1 };
	struct proc_stat st = { 0 };
	int subreaper = 0;
	pid_t pid;

	prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
	g.child = g.program == 1 || subreaper;
	g.program_fd = (int)syscall(SYS_pidfd_open, g.program, 0);
	if (g.program_fd < 0 && !proc_stat_read(&st, g.program))
		g.program_start = st.start_ticks;
	pushproc_init(&g.pusher, words);
	pid = g.child ? start_child(&g, argc, argv) : start_orphan(&g, argc, argv);
	if (g.program_fd >= 0)
		close(g.program_fd);
	pushproc_release(&g.pusher);
	return pid;
}
