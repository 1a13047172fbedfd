/* SPDX-License-Identifier: MIT
 * `pystoker record`: samples a process for a while and writes a profile. */
#include "record.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "cmd/command.h"
#include "dumped.h"
#include "export/exporter.h"
#include "mem/procfs.h"
#include "recording.h"
#include "util/clock.h"
#include "util/xalloc.h"

enum { PROGRAM_BYTES = 1024, EXEC_WAIT_MS = 1 };
#define ATTACH_PATIENCE_NS (200 * NSEC_PER_MSEC)  /* for a process that is just starting */
#define FOREVER_NS (UINT64_MAX / 4)

/* One run of the command. */
struct session {
	struct record_options o;
	char *path;              /* of the output; owned */
	struct sink sink;
	pid_t pid;
	bool ours;               /* started by us */
	int signal_fd, target_fd;
	struct child_setup setup; /* as we were started with: the program's */
	bool child_done;         /* its wait status is known */
	int child_status;
	uint64_t end_ns;         /* CLOCK_MONOTONIC; 0: unlimited */
	struct recording recording;
};

/* --- signals ---------------------------------------------------------------------------------- */

static void signals_take(struct session *s)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	child_setup_take(&s->setup); /* a closed pipe is an error of the output */
	sigprocmask(SIG_BLOCK, &mask, NULL);
	s->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void signals_forward(struct session *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (s->ours && !s->child_done)
			child_forward(s->pid, &info);
	}
}

/* --- the program ------------------------------------------------------------------------------ */

/* What a thread of ours traces shows its stops, too, whatever is asked for (waitpid(2)). */
static void child_poll(struct session *s, int flags)
{
	int status;

	if (!s->ours || s->child_done || waitpid(s->pid, &status, flags) != s->pid ||
	    !(WIFEXITED(status) || WIFSIGNALED(status)))
		return;
	s->child_status = status;
	s->child_done = true;
}

static bool child_has_ended(const struct session *s)
{
	siginfo_t info = { 0 };

	return s->ours && !waitid(P_PID, (id_t)s->pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       info.si_pid == s->pid && (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED ||
					 info.si_code == CLD_DUMPED);
}

/* Between tries to find Python in our program: has it ended, or have we been told to? */
static bool should_stop(void *arg)
{
	struct session *s = arg;
	struct pollfd fd = { .fd = s->signal_fd, .events = POLLIN };

	return poll(&fd, 1, 0) > 0 || (s->end_ns && clock_mono_ns() >= s->end_ns) ||
	       child_has_ended(s);
}

/* Waits for our program's end; signals to us meanwhile are for it. */
static void child_wait(struct session *s)
{
	struct pollfd fds[] = {
		{ .fd = s->signal_fd, .events = POLLIN }, { .fd = s->target_fd, .events = POLLIN },
	};

	signals_forward(s);
	while (s->ours && !s->child_done) {
		child_poll(s, s->target_fd < 0 ? 0 : WNOHANG);
		if (s->child_done)
			break;
		poll(fds, 2, -1);
		signals_forward(s);
	}
}

static int target_open(struct session *s, struct err *err)
{
	s->ours = s->o.program != NULL;
	s->pid = s->ours ? child_start(s->o.program, &s->setup, err) : s->o.pid;
	if (s->pid < 0)
		return s->pid;
	s->target_fd = (int)syscall(SYS_pidfd_open, s->pid, 0);
	return 0;
}

/* --- the output ------------------------------------------------------------------------------- */

static int output_open(struct session *s, struct err *err)
{
	s->path = s->o.output ? xstrdup(s->o.output) : record_default_output(&s->o);
	return sink_open(&s->sink, s->path, err);
}

/* The folder that events wait in: the output's, which has to have room anyway. */
static struct events *events_for(const struct session *s, struct err *err)
{
	char *folder, *slash;
	struct events *e;

	if (!s->o.exporter->events)
		return NULL;
	if (s->sink.in_place)
		return events_open(NULL, err);
	folder = xstrdup(s->sink.path);
	slash = strrchr(folder, '/');
	if (slash)
		*(slash == folder ? slash + 1 : slash) = '\0';
	e = events_open(slash ? folder : ".", err);
	free(folder);
	return e;
}

static int output_write(struct session *s, struct err *err)
{
	struct export_options eo = {
		.threads = s->o.threads, .full_filenames = s->o.full_filenames,
	};

	s->o.exporter->write(s->recording.profile, &eo, &s->sink);
	return sink_commit(&s->sink, err);
}

/* --- the recording ---------------------------------------------------------------------------- */

/* In the middle of an exec a process seems to be gone, but for its pidfd; it will be there again. */
static bool is_in_exec(const struct session *s, const struct err *err)
{
	struct pollfd fd = { .fd = s->target_fd, .events = POLLIN };

	return err->status == EXIT_GONE && s->target_fd >= 0 && poll(&fd, 1, EXEC_WAIT_MS) == 0;
}

/* Records until the end; follows the target through exec. */
static int record_target(struct session *s, struct err *err)
{
	uint64_t patience = s->ours ? FOREVER_NS : ATTACH_PATIENCE_NS;
	enum recording_end end = REC_LOST;
	struct attached a;

	for (int run = 0; end == REC_LOST; run++) {
		int r = attach_open(&a, s->pid, patience, should_stop, s, err);

		if (r && run > 0 && is_in_exec(s, err) && !should_stop(s))
			continue;
		if (r && run > 0) {
			say("the recording ends where the process became another program: %s", err->text);
			return 0;
		}
		if (r)
			return r;
		if (a.target.version_guessed)
			say_version_guessed(&a.target);
		r = recording_run(&s->recording, &a, s->signal_fd, s->target_fd, s->end_ns, &end,
				  err);
		attach_close(&a);
		if (r)
			return r;
	}
	if (end == REC_TARGET && !s->ours && !stats_looks(&s->recording.recorder.stats))
		return err_set(err, -ESRCH, EXIT_GONE, "PID %d: the process ended before the first "
			       "sample", (int)s->pid);
	return 0;
}

static uint64_t percent_of(uint64_t part, uint64_t whole)
{
	return whole ? part * 100 / whole : 100;
}

static void say_stops(const struct sampler_stats *st)
{
	struct buf stops = BUF_INIT;

	stats_stops(st, &stops);
	if (stops.len)
		say("%s", stops.data);
	buf_release(&stops);
}

static void say_summary(const struct session *s)
{
	const struct sampler_stats *st = &s->recording.recorder.stats;
	const struct profile_meta *m = &s->recording.profile->meta;
	double seconds = (double)m->duration_ns / NSEC_PER_SEC;

	say("wrote %s: %llu samples in %.2f s (%llu %% proven), dropped %llu%s%s%s, repaired %llu, "
	    "late %llu, %.1f us of CPU per sample, own CPU %.2f %%",
	    s->path, (unsigned long long)m->samples, seconds,
	    (unsigned long long)percent_of(st->proven, st->samples), (unsigned long long)m->dropped,
	    m->reasons ? " (" : "", m->reasons ? m->reasons : "", m->reasons ? ")" : "",
	    (unsigned long long)m->repaired, (unsigned long long)st->late,
	    st->samples ? (double)st->cpu_ns / 1e3 / (double)st->samples : 0.0,
	    seconds > 0 ? (double)clock_process_cpu_ns() / 1e7 / seconds : 0.0);
	if (m->native)
		say("%s", m->native);
	say_stops(st);
	if (m->samples == 0 && st->asleep && !s->o.idle)
		say("hint: all threads were asleep; --idle shows sleeping threads too");
	else if (m->samples == 0 && m->dropped == 0)
		say("hint: no thread ran Python code meanwhile");
	if (s->recording.recorder.proves && st->proven < st->samples)
		say("hint: %llu samples could only be checked, not proven: this process may not run on "
		    "the target's CPU (taskset, cpuset); --blocking is exact without",
		    (unsigned long long)(st->samples - st->proven));
	if (st->crowded)
		say("hint: in %llu rounds the threads took turns: many ran at once, and each has fewer "
		    "samples, that stand for more time", (unsigned long long)st->crowded);
	if (s->recording.profile->cut)
		say("warning: %llu stacks were cut: too deep, or too many different ones",
		    (unsigned long long)s->recording.profile->cut);
}

/* A program of ours that was gone, or was no Python, is no failure of the recording's own: it gives
 * an empty profile, and its exit status. */
static bool excused(const struct session *s, const struct err *err)
{
	return s->ours && (err->status == EXIT_NOT_PYTHON || err->status == EXIT_GONE);
}

/* The command line, for titles. */
static char *program_text(const struct session *s)
{
	char text[PROGRAM_BYTES] = "";
	struct buf b = { .max = PROGRAM_BYTES };

	if (!s->ours) {
		procfs_cmdline(s->pid, text, sizeof(text));
		return xstrdup(text);
	}
	for (char *const *arg = s->o.program; *arg; arg++)
		buf_addf(&b, "%s%s", b.len ? " " : "", *arg);
	return buf_detach(&b);
}

static int record_session(struct session *s, struct err *err)
{
	uint64_t start = clock_mono_ns();
	struct events *events = events_for(s, err);
	int r;

	if (s->o.exporter->events && !events)
		return -EIO;
	r = target_open(s, err);
	if (r) {
		events_free(events);
		return r;
	}
	r = recording_init(&s->recording, &s->o, s->pid, events, err);
	if (r)
		return r;
	s->recording.profile->meta.program = program_text(s);
	s->end_ns = s->o.duration_ns ? start + s->o.duration_ns : 0;
	r = record_target(s, err);
	if (r && excused(s, err)) {
		say("no Python was found in the program while it was watched; its children can be "
		    "recorded by their PIDs");
		r = 0;
	}
	recording_finish(&s->recording);
	return r;
}

static int session_run(struct session *s, struct err *err)
{
	int r = output_open(s, err);

	if (r) {
		err_print(err);
		return r;
	}
	signals_take(s);
	r = record_session(s, err);
	if (!r) {
		r = output_write(s, err);
		if (!r)
			say_summary(s);
	} else {
		sink_abort(&s->sink);
	}
	if (r)
		err_print(err);
	if (s->ours && s->pid > 0)
		child_wait(s);
	recording_release(&s->recording);
	return r;
}

static int record_run(const struct command *cmd _unused_, int argc, char **argv)
{
	struct session s = { .signal_fd = -1, .target_fd = -1 };
	struct err err = { 0 };
	int ret = record_parse(argc, argv, &s.o, &err);

	if (ret > 0)
		return EXIT_OK;
	if (ret < 0) {
		err_print(&err);
		return err.status;
	}
	ret = session_run(&s, &err);
	free(s.path);
	if (s.child_done && s.child_status != 0)
		return child_mirror(s.child_status);
	return ret ? err.status : EXIT_OK;
}

static const char *const record_examples[] = {
	"pystoker record -p 4242 -d 10 -o profile.svg",
	"ten seconds of process 4242 as a flame graph for the browser",
	"pystoker record -o profile.speedscope.json -- python3 app.py",
	"start a program and record it until it ends; its exit status is kept",
	"pystoker record -p 4242 -f raw -o - -d 5 | sort | head",
	"stacks and counts as text on stdout",
	NULL,
};

const struct command cmd_record = {
	.name = "record",
	.summary = "Record where a process spends its time, into a file",
	.synopsis = "[OPTIONS] -p PID\n[OPTIONS] [--] PROGRAM [ARGUMENT...]",
	.examples = record_examples,
	.options = record_options,
	.takes_program = true,
	.run = record_run,
};
