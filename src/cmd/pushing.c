/* SPDX-License-Identifier: MIT
 * The loop of push: whom to watch, and what is due when.
 *
 * Three kinds of threads: one samples each process; this one turns what they have seen into profiles
 * at the borders of the clock and puts them into the spool; the pusher empties the spool. None waits
 * for one that comes after it. */
#include "pushing.h"

#include <errno.h>
#include <signal.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "mem/procfs.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define LATE_NS (50 * NSEC_PER_MSEC)             /* behind a border: then its samples reach beyond it */
#define CHECKPOINT_NS (5 * NSEC_PER_SEC)         /* between two of them, in short intervals less */
#define FIND_MIN_NS (250 * NSEC_PER_MSEC)        /* between two looks for processes … */
#define FIND_MAX_NS (900 * NSEC_PER_MSEC)        /* … and at most: found within a second */
enum { FIND_SHARE = 200 };                       /* … so that they take no more than 0.5 % of a CPU */
enum { POLL_FDS_MAX = FIND_MAX + 2 };

/* --- whom --------------------------------------------------------------------------------------- */

static void watch_end(struct push *p, struct watch **at)
{
	struct watch *w = *at;
	uint64_t now = clock_mono_ns();

	recorder_stop(&w->recorder);
	interval_add(p, w, now);
	log_line(&p->log, "PID %d has ended or is another program now", (int)w->id.pid);
	*at = w->next;
	watch_close(w);
	p->watch_count--;
}

static void watches_reap(struct push *p)
{
	bool ended = false;

	for (struct watch **at = &p->watches; *at;) {
		if (watch_is_over(*at)) {
			if (!p->o.merge) {
				interval_open(p);
				p->note.rest = true;
			}
			watch_end(p, at);
			ended = true;
		} else {
			at = &(*at)->next;
		}
	}
	if (ended && !p->watches)
		p->find_ns = 0;
	interval_close(p);
}

static void watch_begin(struct push *p, const struct process_id *id)
{
	struct err err = { 0 };
	struct watch *w = watch_open(id, &p->config, p->mixer, &err);
	char version[PYVER_TEXT_MAX];

	if (!w) {
		bool quiet = err.status == EXIT_GONE || (err.status == EXIT_NOT_PYTHON && !p->o.pid);

		if (p->o.pid && err.status == EXIT_DENIED) {
			p->failed = err; /* it was asked for by its PID: no waiting helps */
			p->done = true;
			return;
		}
		if (finder_refuse(&p->finder, id) && !quiet)
			log_line(&p->log, "%s%s%s", err.text, err.hint[0] ? "; " : "", err.hint);
		return;
	}
	w->next = p->watches;
	p->watches = w;
	p->watch_count++;
	p->ever_found = true;
	p->waiting_told = false;
	log_line(&p->log, "profiling PID %d, Python %s: %s", (int)id->pid,
		 pyver_text(w->attached.target.version, version), w->program);
}

/* Before Linux 5.3 there are no pidfds. */
static bool root_is_gone(const struct push *p)
{
	struct proc_stat st;

	return p->root.pid && p->root_fd < 0 &&
	       (proc_stat_read(&st, p->root.pid) || st.start_ticks != p->root.start_ticks ||
		st.state == 'Z');
}

static void find(struct push *p)
{
	struct process_id *known = xcalloc(FIND_MAX, sizeof(*known));
	struct process_id *found = xcalloc(FIND_MAX, sizeof(*found));
	size_t n_known = 0, n;

	for (struct watch *w = p->watches; w && n_known < FIND_MAX; w = w->next)
		known[n_known++] = w->id;
	n = finder_look(&p->finder, known, n_known, found, FIND_MAX - n_known);
	for (size_t i = 0; i < n; i++)
		watch_begin(p, &found[i]);
	free(known);
	free(found);
	if (p->watches || p->waiting_told || p->done)
		return;
	log_line(&p->log, "No Python process found, waiting...");
	p->waiting_told = true;
}

/* --- the loop ----------------------------------------------------------------------------------- */

static void on_signals(struct push *p)
{
	struct signalfd_siginfo info;
	bool ours;
	int r;

	while (read(p->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGHUP:
			ours = log_is(&p->log, STDERR_FILENO);
			r = log_reopen(&p->log);
			if (ours && !r) /* exec's pusher: what crashes us goes to the log as well */
				log_take_streams(&p->log);
			log_line(&p->log, r ? "the log could not be opened anew: %s" :
				 "log opened anew%s", r ? strerror(-r) : "");
			break;
		case SIGUSR1:
			pushlog_status(&p->say, p->pusher, p->o.app);
			break;
		default:
			log_line(&p->log, "told to end (%s)", strsignal((int)info.ssi_signo));
			p->done = true;
		}
	}
}

static int wait_ms(const struct push *p)
{
	uint64_t now = clock_mono_ns(), due = p->border_ns;

	if (p->checkpoint_ns < due)
		due = p->checkpoint_ns;
	if (p->find_ns < due)
		due = p->find_ns;
	return due > now ? (int)((due - now) / NSEC_PER_MSEC) + 1 : 0;
}

/* Waits for a time that is due, a signal, or the end of a process. */
static void loop_wait(struct push *p)
{
	static struct pollfd fds[POLL_FDS_MAX];
	nfds_t n = 0;

	fds[n++] = (struct pollfd){ .fd = p->signal_fd, .events = POLLIN };
	fds[n++] = (struct pollfd){ .fd = p->root_fd, .events = POLLIN };
	for (struct watch *w = p->watches; w && n < POLL_FDS_MAX; w = w->next)
		fds[n++] = (struct pollfd){ .fd = w->pidfd, .events = POLLIN };
	poll(fds, n, wait_ms(p));
	if (fds[0].revents)
		on_signals(p);
	if (fds[1].revents)
		p->done = true;
}

/* Where the interval ends that is over: at its border. When we come late, having been stopped or busy
 * with taking up processes, what has been seen since is not to be told apart: it ends now. */
static uint64_t end_of_interval(const struct push *p, uint64_t now)
{
	return now - p->border_ns > LATE_NS ? now : p->border_ns;
}

static void checkpoint_later(struct push *p, uint64_t now)
{
	uint64_t third = p->o.interval_ns / 3;

	p->checkpoint_ns = now + (third < CHECKPOINT_NS ? third : CHECKPOINT_NS);
}

static void after_border(struct push *p, uint64_t now)
{
	while (p->border_ns <= now) /* the machine may have slept through some */
		p->border_ns += p->o.interval_ns;
	checkpoint_later(p, now);
}

/* Looks for processes, and when it has found how long that takes, for the next time. */
static void find_and_look_after(struct push *p)
{
	uint64_t start = clock_mono_ns(), pause;

	find(p);
	pause = (clock_mono_ns() - start) * FIND_SHARE;
	if (pause < FIND_MIN_NS)
		pause = FIND_MIN_NS;
	p->find_ns = clock_mono_ns() + (pause < FIND_MAX_NS ? pause : FIND_MAX_NS);
	for (struct watch *w = p->watches; w; w = w->next)
		recorder_look_after(&w->recorder);
}

static void loop(struct push *p)
{
	while (!p->done) {
		uint64_t now;

		loop_wait(p);
		watches_reap(p);
		now = clock_mono_ns(); /* that may have taken a while */
		if (now >= p->border_ns) {
			interval_end(p, end_of_interval(p, now));
			after_border(p, now);
		} else if (now >= p->checkpoint_ns) {
			interval_checkpoint(p, now);
			checkpoint_later(p, now);
		}
		if (now >= p->find_ns && !p->done) {
			find_and_look_after(p);
			p->done = p->done || root_is_gone(p);
		}
	}
}

static void watches_close(struct push *p)
{
	while (p->watches) {
		struct watch *w = p->watches;

		p->watches = w->next;
		watch_close(w);
	}
}

/* Everything sampled so far becomes the last, shorter interval; with --once there is none after the
 * one that was wanted. */
static void finish(struct push *p)
{
	for (struct watch *w = p->watches; w; w = w->next)
		recorder_stop(&w->recorder);
	if (!p->once_done) {
		interval_open(p);
		interval_add_all(p, clock_mono_ns());
		interval_close(p);
	}
	watches_close(p);
}

int pushing_run(struct push *p, struct err *err)
{
	uint64_t start = clock_mono_ns();

	interval_start(p);
	p->border_ns = start + p->o.interval_ns;
	checkpoint_later(p, start);
	window_open(&p->merged, start);
	loop(p);
	finish(p);
	window_release(&p->merged);
	if (!p->failed.status)
		return 0;
	*err = p->failed;
	return -EPERM;
}
