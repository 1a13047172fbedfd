/* SPDX-License-Identifier: MIT
 * Watching one process. */
#include "watch.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem/procfs.h"
#include "native.h"
#include "util/clock.h"
#include "util/xalloc.h"

enum { PROGRAM_BYTES = 256 };

void window_open(struct window *w, uint64_t start_ns)
{
	*w = (struct window){ .start_ns = start_ns };
	symtab_init(&w->symtab);
	profile_init(&w->profile, &w->symtab, PROFILE_LINE, NULL);
	/* Both clocks are read together: the wall clock may jump during the window. */
	w->profile.meta.start_real_ns = clock_real_ns() - (clock_mono_ns() - start_ns);
}

void window_close(struct window *w, uint64_t end_ns)
{
	struct profile_meta *m = &w->profile.meta;
	struct buf reasons = BUF_INIT, native = BUF_INIT;

	m->duration_ns = end_ns - w->start_ns;
	m->samples = w->stats.samples;
	m->dropped = stats_dropped(&w->stats);
	m->repaired = w->stats.repaired;
	stats_reasons(&w->stats, &reasons);
	free(m->reasons);
	m->reasons = reasons.len ? buf_detach(&reasons) : NULL;
	buf_release(&reasons);
	native_stats_text(&w->mixed, &native);
	free(m->native);
	m->native = native.len ? buf_detach(&native) : NULL;
	buf_release(&native);
}

void window_release(struct window *w)
{
	profile_release(&w->profile);
	symtab_release(&w->symtab);
	*w = (struct window){ 0 };
}

static void watch_free(struct watch *w)
{
	if (w->pidfd >= 0)
		close(w->pidfd);
	free(w->program);
	free(w->interpreter);
	free(w);
}

static void watch_describe(struct watch *w)
{
	char text[PROGRAM_BYTES] = "", exe[PATH_MAX] = "python";

	procfs_cmdline(w->id.pid, text, sizeof(text));
	procfs_readlink(w->id.pid, "exe", exe, sizeof(exe));
	w->program = xstrdup(text);
	w->interpreter = xstrdup(exe);
}

struct watch *watch_open(const struct process_id *id, const struct sampler_config *config,
			 struct mixer *mixer, struct err *err)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->id = *id;
	w->config = *config;
	w->mixer = mixer;
	w->pidfd = (int)syscall(SYS_pidfd_open, id->pid, 0);
	if (attach_open(&w->attached, id->pid, 0, NULL, NULL, err)) {
		watch_free(w);
		return NULL;
	}
	watch_describe(w);
	recorder_init(&w->recorder, id->pid, PROFILE_LINE, NULL, mixer, true);
	window_open(&w->window, clock_mono_ns());
	if (recorder_start(&w->recorder, &w->attached, config, w->window.start_ns, err)) {
		watch_close(w);
		return NULL;
	}
	return w;
}

void watch_close(struct watch *w)
{
	recorder_release(&w->recorder);
	window_release(&w->window);
	attach_close(&w->attached);
	watch_free(w);
}

/* Names of code that is long gone pile up in the recorder: it starts anew, and nothing of what it has
 * sampled is lost, since the slice is collected first. */
static void begin_anew(struct watch *w)
{
	struct err err;

	recorder_release(&w->recorder);
	w->counted = (struct sampler_stats){ 0 };
	w->counted_mixed = (struct mixer_stats){ 0 };
	recorder_init(&w->recorder, w->id.pid, PROFILE_LINE, NULL, w->mixer, true);
	if (recorder_start(&w->recorder, &w->attached, &w->config, clock_mono_ns(), &err))
		return; /* no sampler runs: watch_is_over() */
}

static char *copy_or_null(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

/* The counters since the last call. */
static void collect_stats(struct watch *w, struct window *window)
{
	struct sampler_stats now, fresh;
	struct mixer_stats now_mixed, fresh_mixed;

	recorder_stats(&w->recorder, &now);
	fresh = now;
	stats_subtract(&fresh, &w->counted);
	stats_add(&window->stats, &fresh);
	w->counted = now;
	recorder_mixer_stats(&w->recorder, &now_mixed);
	fresh_mixed = now_mixed;
	mixer_stats_subtract(&fresh_mixed, &w->counted_mixed);
	mixer_stats_add(&window->mixed, &fresh_mixed);
	w->counted_mixed = now_mixed;
}

/* A recorder that could not begin anew, its process being gone, says nothing of it. */
void watch_collect(struct watch *w, struct window *window, enum merge_threads threads,
		   bool at_border)
{
	struct profile_meta *m = &window->profile.meta;
	const struct profile_meta *from = &w->recorder.slices[0].meta;
	bool full = recorder_is_full(&w->recorder);

	if (full)
		recorder_stop(&w->recorder);
	profile_merge(&window->profile, recorder_turn(&w->recorder, at_border), threads);
	collect_stats(w, window);
	m->rate_hz = w->config.rate_hz;
	m->pid = w->id.pid;
	if (!m->program) {
		m->program = xstrdup(w->program);
		m->python_version = copy_or_null(from->python_version);
		m->mode = copy_or_null(from->mode);
	}
	if (full)
		begin_anew(w);
}

bool watch_is_over(const struct watch *w)
{
	struct pollfd fd = { .fd = w->pidfd, .events = POLLIN };

	return recorder_state(&w->recorder) != SAMPLER_RUNNING ||
	       (w->pidfd >= 0 && poll(&fd, 1, 0) > 0);
}
