/* SPDX-License-Identifier: MIT
 * Recording: the sampler runs in a thread of its own; this one sleeps, and wakes to find names,
 * drain events, draw progress, and end it all. */
#include "recording.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "native.h"
#include "util/clock.h"

/* Threads of the first moments are named before they end; later ones live longer. */
enum { WAKE_FIRST_MS = 20, WAKE_MS = 200 };
#define FIRST_NS (500 * NSEC_PER_MSEC)

/* --- the loop ------------------------------------------------------------------------------- */

static void look_after(struct recording *r)
{
	struct sampler_stats now;

	recorder_look_after(&r->recorder);
	if (r->profile->events)
		events_drain(r->profile->events, 0);
	recorder_stats(&r->recorder, &now);
	progress_draw(&r->progress, clock_mono_ns() - r->start_ns, &now);
}

static int wait_ms(const struct recording *r, uint64_t end_ns)
{
	uint64_t now = clock_mono_ns();
	int wake_ms = now - r->start_ns < FIRST_NS ? WAKE_FIRST_MS : WAKE_MS;

	if (!end_ns || end_ns > now + (uint64_t)wake_ms * NSEC_PER_MSEC)
		return wake_ms;
	return end_ns > now ? (int)((end_ns - now) / NSEC_PER_MSEC) + 1 : 0;
}

/* While a thread other than the first one execs, the process looks as if it had ended: its first
 * thread is dead and its memory gone (fs/exec.c, de_thread()). Its pidfd knows better. */
static enum recording_end end_of(enum sampler_end end, int target_fd)
{
	struct pollfd fd = { .fd = target_fd, .events = POLLIN };

	if (end == SAMPLER_LOST || (target_fd >= 0 && poll(&fd, 1, 0) == 0))
		return REC_LOST;
	return REC_TARGET;
}

/* Until something ends the recording. */
static enum recording_end loop(struct recording *r, int signal_fd, int target_fd, uint64_t end_ns)
{
	struct pollfd fds[] = {
		{ .fd = signal_fd, .events = POLLIN }, { .fd = target_fd, .events = POLLIN },
	};

	for (;;) {
		poll(fds, 2, wait_ms(r, end_ns));
		look_after(r);
		if (fds[0].revents)
			return REC_SIGNAL;
		if (end_ns && clock_mono_ns() >= end_ns)
			return REC_TIME;
		if (fds[1].revents)
			return REC_TARGET;
		if (recorder_state(&r->recorder) != SAMPLER_RUNNING)
			return end_of(recorder_state(&r->recorder), target_fd);
	}
}

static enum placement placement_of(const struct record_options *o)
{
	if (o->blocking)
		return PLACE_BLOCKING;
	if (!strcmp(o->placement, "on-cpu"))
		return PLACE_ON_CPU;
	return strcmp(o->placement, "off-cpu") ? PLACE_AUTO : PLACE_OFF_CPU;
}

static enum profile_lines lines_of(const struct record_options *o)
{
	if (o->nolineno)
		return PROFILE_NO_LINE;
	return o->function ? PROFILE_FUNCTION : PROFILE_LINE;
}

int recording_init(struct recording *r, const struct record_options *o, pid_t pid,
		   struct events *events, struct err *err)
{
	char how[NATIVE_HOW_MAX];
	int ret;

	*r = (struct recording){ .o = o, .pid = pid };
	r->start_ns = r->stop_ns = clock_mono_ns();
	r->progress.duration_ns = o->duration_ns;
	/* A program of ours writes to the same terminal: no bar across its output. */
	r->progress.shown = !o->program && isatty(STDERR_FILENO);
	r->config = (struct sampler_config){
		.rate_hz = o->rate,
		.placement = placement_of(o),
		.idle = o->idle,
		.gil_only = o->gil,
	};
	ret = native_begin(&o->native, pid, &r->config, &r->mixer, how, sizeof(how), err);
	recorder_init(&r->recorder, pid, lines_of(o), events, r->mixer, false);
	r->profile = &r->recorder.slices[0];
	r->profile->meta.start_real_ns = clock_real_ns();
	r->profile->meta.rate_hz = o->rate;
	r->profile->meta.pid = pid;
	if (!ret && how[0])
		say("native frames: %s", how);
	return ret;
}

int recording_run(struct recording *r, struct attached *a, int signal_fd, int target_fd,
		  uint64_t end_ns, enum recording_end *ret_end, struct err *err)
{
	int ret = recorder_start(&r->recorder, a, &r->config, r->start_ns, err);

	if (!ret)
		*ret_end = loop(r, signal_fd, target_fd, end_ns);
	progress_clear(&r->progress);
	recorder_stop(&r->recorder);
	r->stop_ns = clock_mono_ns();
	return ret;
}

void recording_finish(struct recording *r)
{
	struct profile_meta *m = &r->profile->meta;
	const struct sampler_stats *stats = &r->recorder.stats;
	struct buf reasons = BUF_INIT, native = BUF_INIT;
	struct mixer_stats mixed;

	recorder_look_after(&r->recorder);
	if (r->profile->events)
		events_drain(r->profile->events, 1);
	m->duration_ns = r->stop_ns - r->start_ns;
	m->samples = stats->samples;
	m->dropped = stats_dropped(stats);
	m->repaired = stats->repaired;
	stats_reasons(stats, &reasons);
	m->reasons = reasons.len ? buf_detach(&reasons) : NULL;
	buf_release(&reasons);
	recorder_mixer_stats(&r->recorder, &mixed);
	native_stats_text(&mixed, &native);
	free(m->native);
	m->native = native.len ? buf_detach(&native) : NULL;
	buf_release(&native);
}

void recording_release(struct recording *r)
{
	recorder_release(&r->recorder);
	mixer_free(r->mixer);
}
