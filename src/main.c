/* SPDX-License-Identifier: MIT
 * Finds the command, runs it, and makes sure that what it printed has arrived. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "util/err.h"

/* A caller may have closed 0, 1 or 2. The next file opened would take the number, and messages
 * would go into it: keep the numbers busy. Opened the wrong way round, so that use is an error, and
 * not inherited, so that a program we start finds them as we did. */
static void hold_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC) < 0)
			_exit(EXIT_FAILED);
	}
}

/* A full disk behind `pystoker … > file` shows here at the latest. */
static int close_stdout(int status)
{
	bool pending = __fpending(stdout) > 0;
	bool failed = ferror(stdout) != 0;

	if (fclose(stdout) != 0 && (pending || errno != EBADF))
		failed = true;
	if (!failed)
		return status;
	say("stdout could not be written: %s", strerror(errno));
	return status == EXIT_OK ? EXIT_OUTPUT : status;
}

int main(int argc, char **argv)
{
	hold_standard_fds();
	return close_stdout(commands_main(argc, argv));
}
