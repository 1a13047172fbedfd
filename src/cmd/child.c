/* SPDX-License-Identifier: MIT
 * Starting a program and ending as it did. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child's side: only what is safe after fork. Reports a failed exec through the pipe. */
static void child_exec(char *const *argv, const sigset_t *mask, void (*sigpipe)(int),
		       int report)
{
	int error;

	signal(SIGPIPE, sigpipe);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0)
		_exit(EXIT_FAILED);
	_exit(EXIT_NO_PROGRAM);
}

static pid_t exec_failed(pid_t pid, const char *program, int error, struct err *err)
{
	int status = error == ENOENT ? EXIT_NO_PROGRAM : EXIT_NOT_EXECUTABLE;

	waitpid(pid, NULL, 0);
	return err_set(err, -error, status, "cannot run %s: %s", program, strerror(error));
}

pid_t child_start(char *const *argv, const sigset_t *mask, void (*sigpipe)(int),
		  struct err *err)
{
	int report[2], error = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC))
		return err_set(err, -errno, EXIT_FAILED, "pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child_exec(argv, mask, sigpipe, report[1]);
	error = errno;
	close(report[1]);
	if (pid < 0) {
		close(report[0]);
		return err_set(err, -error, EXIT_FAILED, "fork: %s", strerror(error));
	}
	/* Ends when exec closes the other side. */
	n = read(report[0], &error, sizeof(error));
	close(report[0]);
	if (n == (ssize_t)sizeof(error))
		return exec_failed(pid, argv[0], error, err);
	return pid;
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
