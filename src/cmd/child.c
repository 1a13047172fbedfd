/* SPDX-License-Identifier: MIT
 * Starting a program and ending as it did. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

void child_setup_take(struct child_setup *s)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN }, normal = { .sa_handler = SIG_DFL };

	sigprocmask(SIG_BLOCK, NULL, &s->mask);
	sigaction(SIGPIPE, &ignore, &s->pipe);
	sigaction(SIGCHLD, &normal, &s->chld);
}

/* security/yama/yama_lsm.c at v6.1: EINVAL where there is no Yama. Processes that the program forks
 * are not covered. */
void child_allow_reading(pid_t ptracer)
{
	if (ptracer > 0)
		prctl(PR_SET_PTRACER, (unsigned long)ptracer, 0, 0, 0);
}

/* The child's side: only what is safe after fork. Reports a failed exec through the pipe. */
static void child_exec(char *const *argv, const struct child_setup *setup, int report)
{
	int error;

	child_allow_reading(setup->ptracer);
	sigaction(SIGPIPE, &setup->pipe, NULL);
	sigaction(SIGCHLD, &setup->chld, NULL);
	sigprocmask(SIG_SETMASK, &setup->mask, NULL);
	execvp(argv[0], argv);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0)
		_exit(EXIT_FAILED);
	_exit(EXIT_NO_PROGRAM);
}

/* The statuses are a shell's. */
static int exec_failed(const char *program, int error, struct err *err)
{
	int status = error == ENOENT ? EXIT_NO_PROGRAM : EXIT_NOT_EXECUTABLE;

	return err_set(err, -error, status, "cannot run %s: %s", program, strerror(error));
}

int child_become(char *const *argv, struct err *err)
{
	execvp(argv[0], argv);
	return exec_failed(argv[0], errno, err);
}

pid_t child_start(char *const *argv, const struct child_setup *setup, struct err *err)
{
	int report[2], error = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC))
		return err_set(err, -errno, EXIT_FAILED, "pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child_exec(argv, setup, report[1]);
	error = errno;
	close(report[1]);
	if (pid < 0) {
		close(report[0]);
		return err_set(err, -error, EXIT_FAILED, "fork: %s", strerror(error));
	}
	/* Ends when exec closes the other side. */
	n = read(report[0], &error, sizeof(error));
	close(report[0]);
	if (n == (ssize_t)sizeof(error)) {
		waitpid(pid, NULL, 0);
		return exec_failed(argv[0], error, err);
	}
	return pid;
}

/* The terminal sends its signals (SI_KERNEL) to the whole foreground process group: a program in
 * ours has got it already. */
void child_forward(pid_t pid, const struct signalfd_siginfo *info)
{
	const union sigval value = { .sival_ptr = (void *)(uintptr_t)info->ssi_ptr };
	int sig = (int)info->ssi_signo;

	if (info->ssi_code == SI_KERNEL && getpgid(pid) == getpgrp())
		return;
	if (info->ssi_code == SI_QUEUE)
		sigqueue(pid, sig, value);
	else
		kill(pid, sig);
}

int child_mirror(int status)
{
	static const struct rlimit no_core = { 0, 0 };
	sigset_t mask;

	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	fflush(NULL);
	setrlimit(RLIMIT_CORE, &no_core); /* a core dump of ours would only confuse */
	signal(WTERMSIG(status), SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, WTERMSIG(status));
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status); /* stopping signals and the like, as a shell says it */
}
