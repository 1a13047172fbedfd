/* SPDX-License-Identifier: MIT
 * Letting go: streams, descriptors, signals. */
#include "detach.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436 /* the same everywhere; Linux v5.9 */
#endif

void detach_streams(int log, int keep)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int to = fd != STDIN_FILENO && log >= 0 ? log : null;

		if (fd == keep)
			continue;
		if (to < 0 || dup2(to, fd) < 0)
			close(fd);
	}
}

static int is_kept(int fd, const int *keep, size_t n)
{
	while (n && keep[n - 1] != fd)
		n--;
	return n > 0;
}

/* Kernels before v5.9, and filters that do not know the call. Closing while reading is allowed for
 * /proc: entries are looked up by number. */
static void close_listed(const int *keep, size_t n)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);

		if (fd > STDERR_FILENO && fd != dirfd(dir) && !is_kept(fd, keep, n))
			close(fd);
	}
	if (dir)
		closedir(dir);
}

void detach_descriptors(const int *keep, size_t n)
{
	unsigned int from = STDERR_FILENO + 1;

	for (size_t i = 0; i <= n; i++) {
		unsigned int to = i < n ? (unsigned int)keep[i] - 1 : UINT_MAX;

		if (from <= to && syscall(SYS_close_range, from, to, 0)) {
			close_listed(keep, n);
			return;
		}
		if (i < n)
			from = (unsigned int)keep[i] + 1;
	}
}

void detach_signals(void)
{
	struct sigaction normal = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig <= SIGRTMAX; sig++)
		sigaction(sig, &normal, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}
