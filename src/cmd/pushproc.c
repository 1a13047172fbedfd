/* SPDX-License-Identifier: MIT
 * The pusher's process: how it is started, what it gets, and when it is started anew. */
#include "pushproc.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "detach.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/log.h"

#define PAUSE_MIN_NS (1 * NSEC_PER_SEC)
#define PAUSE_MAX_NS (60 * NSEC_PER_SEC)

void pushproc_init(struct pushproc *p, char **words)
{
	*p = (struct pushproc){ .words = words, .pause_ns = PAUSE_MIN_NS };
}

void pushproc_release(struct pushproc *p)
{
	for (char **word = p->words; word && *word; word++)
		free(*word);
	free(p->words);
	p->words = NULL;
}

static char **log_word(const struct pushproc *p)
{
	char **word = p->words;

	while (word[1])
		word++;
	return word;
}

bool pushproc_keeps_stderr(const struct pushproc *p)
{
	return !strcmp(*log_word(p), "-");
}

/* Without waiting for the reader of a fifo, and without making a terminal ours. */
static int stream_open(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
}

/* --- the child -------------------------------------------------------------------------------- */

static void take_streams(const struct pushproc *p)
{
	static char null[] = "/dev/null";
	char **word = log_word(p);
	int log;

	if (pushproc_keeps_stderr(p)) {
		detach_streams(-1, STDERR_FILENO);
		return;
	}
	log = stream_open(*word);
	if (log < 0)
		*word = null;
	detach_streams(log, -1);
}

/* Said here and not by the owner, whom a log on a dead disk or a fifo must not hold up. */
static void tell_crash(int status)
{
	struct err ignored;
	struct log log;

	if (!status || log_open(&log, "-", &ignored))
		return;
	log_line(&log, "started anew after the pusher ended with %s %d",
		 WIFSIGNALED(status) ? "signal" : "status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	log_close(&log);
}

static _Noreturn void become_pusher(const struct pushproc *p)
{
	detach_signals();
	setsid(); /* fails where that is so already */
	take_streams(p);
	detach_descriptors(NULL, 0);
	tell_crash(p->crash);
	if (chdir("/")) {
		/* then it stays where it is */
	}
	execv("/proc/self/exe", p->words);
	_exit(EXIT_NO_PROGRAM);
}

/* --- the owner -------------------------------------------------------------------------------- */

void pushproc_tend(struct pushproc *p)
{
	pid_t pid;

	if (p->pid || p->next_ns > clock_mono_ns())
		return;
	pid = fork();
	if (pid == 0)
		become_pusher(p);
	p->start_ns = clock_mono_ns();
	if (pid > 0)
		p->pid = pid;
	else
		p->next_ns = p->start_ns + PAUSE_MAX_NS; /* too many processes, no memory */
}

int pushproc_timeout_ms(const struct pushproc *p)
{
	uint64_t now = clock_mono_ns();

	if (p->pid || p->next_ns == PUSHPROC_NEVER)
		return -1;
	if (p->next_ns <= now)
		return 0;
	return (int)((p->next_ns - now) / NSEC_PER_MSEC) + 1;
}

/* Ended on purpose: it is switched off, has done what it was asked for, or cannot do it. */
static bool is_final(int status)
{
	return WIFEXITED(status) &&
	       (WEXITSTATUS(status) == EXIT_OK || WEXITSTATUS(status) == EXIT_USAGE);
}

void pushproc_ended(struct pushproc *p, pid_t pid, int status)
{
	uint64_t now = clock_mono_ns();

	if (!p->pid || p->pid != pid)
		return;
	p->pid = 0;
	if (p->next_ns == PUSHPROC_NEVER)
		return;
	if (is_final(status)) {
		p->next_ns = PUSHPROC_NEVER;
		return;
	}
	if (now - p->start_ns > PAUSE_MAX_NS)
		p->pause_ns = PAUSE_MIN_NS;
	p->next_ns = now + p->pause_ns;
	p->crash = status;
	p->pause_ns = p->pause_ns * 2 < PAUSE_MAX_NS ? p->pause_ns * 2 : PAUSE_MAX_NS;
}
