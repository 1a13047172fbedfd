/* SPDX-License-Identifier: MIT
 * `exec --supervise`: passes signals on, reaps orphans, stops when the program stops, and leaves the
 * pusher the time for its last profile. */
#include "supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "detach.h"
#include "util/clock.h"

struct supervisor {
	pid_t program;
	bool ended;
	int status;              /* the program's, once it has ended */
	int signal_fd;
	uint64_t end_ns;         /* the pusher's time is over; CLOCK_MONOTONIC */
	struct child_setup setup;
	struct pushproc pusher;
};

/* All of them, so that none with a default effect ends us before the program; blocked signals are
 * also kept for PID 1, which does not get those it has no handler for (sig_ignored() in
 * kernel/signal.c at v6.1). A crash of our own still ends us: the kernel unblocks those. */
static int take_signals(struct supervisor *s, struct err *err)
{
	sigset_t all;

	child_setup_take(&s->setup);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	s->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0)
		return err_set(err, -errno, EXIT_FAILED, "exec: signalfd failed");
	return 0;
}

static void continue_program(const struct supervisor *s)
{
	siginfo_t info = { 0 };

	/* Stopped still, or seen by nobody to go on: the terminal's SIGCONT has reached it as well. */
	if (waitid(P_PID, (id_t)s->program, &info, WCONTINUED | WNOHANG) || !info.si_pid)
		kill(s->program, SIGCONT);
}

/* Somebody is in a hurry. */
static bool is_end(int sig)
{
	return sig == SIGTERM || sig == SIGINT || sig == SIGHUP || sig == SIGQUIT;
}

static void forward_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		if (s->ended && is_end((int)info.ssi_signo))
			s->end_ns = 0;
		else if (!s->ended && info.ssi_signo == SIGCONT)
			continue_program(s);
		else if (!s->ended)
			child_forward(s->program, &info);
	}
}

/* Whoever waits for us sees a stop of the program as one of ours. Returns when somebody continues us;
 * as PID 1 at once. */
static void stop_with(int sig)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, sig);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	raise(sig);
	sigprocmask(SIG_BLOCK, &mask, NULL);
}

static void program_ended(struct supervisor *s, int status, uint64_t grace_ns)
{
	s->ended = true;
	s->status = status;
	s->end_ns = grace_ns ? clock_mono_ns() + grace_ns : UINT64_MAX;
	s->pusher.next_ns = PUSHPROC_NEVER;
}

static void reap(struct supervisor *s, uint64_t grace_ns)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (WIFSTOPPED(status)) {
			if (pid == s->program)
				stop_with(WSTOPSIG(status));
		} else if (pid == s->program) {
			program_ended(s, status, grace_ns);
		} else {
			pushproc_ended(&s->pusher, pid, status);
		}
	}
}

static int timeout_ms(const struct supervisor *s)
{
	uint64_t now = clock_mono_ns();

	if (!s->ended)
		return pushproc_timeout_ms(&s->pusher);
	if (s->end_ns == UINT64_MAX)
		return -1;
	return s->end_ns > now ? (int)((s->end_ns - now) / NSEC_PER_MSEC) + 1 : 0;
}

static void watch(struct supervisor *s, uint64_t grace_ns)
{
	struct pollfd fd = { .fd = s->signal_fd, .events = POLLIN };

	while (!s->ended || (s->pusher.pid && clock_mono_ns() < s->end_ns)) {
		if (!s->ended)
			pushproc_tend(&s->pusher);
		poll(&fd, 1, timeout_ms(s));
		forward_signals(s);
		reap(s, grace_ns);
	}
	if (s->pusher.pid)
		kill(s->pusher.pid, SIGKILL); /* what it has is in the spool */
}

int supervise(char *const *program, char **(*words_for)(void *arg, pid_t program), void *arg,
	      uint64_t grace_ns, struct err *err)
{
	struct supervisor s = { .signal_fd = -1 };
	int ret = take_signals(&s, err);

	if (ret)
		return ret;
	if (getpid() != 1)
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	s.setup.ptracer = getpid();
	s.program = child_start(program, &s.setup, err);
	if (s.program < 0)
		return s.program;
	pushproc_init(&s.pusher, words_for(arg, s.program));
	detach_streams(-1, pushproc_keeps_stderr(&s.pusher) ? STDERR_FILENO : -1);
	detach_descriptors(&s.signal_fd, 1);
	watch(&s, grace_ns);
	close(s.signal_fd);
	pushproc_release(&s.pusher);
	return s.status;
}
