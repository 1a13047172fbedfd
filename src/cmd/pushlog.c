/* SPDX-License-Identifier: MIT
 * The words of push. Those that runbooks look for stand at the beginning of their lines, unchanged. */
#include "pushlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "export/sink.h"
#include "mem/procfs.h"
#include "util/clock.h"

#define FAILURE_EVERY_NS (4 * NSEC_PER_SEC)
#define KEPT_EVERY_NS (10 * NSEC_PER_SEC)
#define NOTE_SLACK_NS (50 * NSEC_PER_MSEC) /* halves, and what had the time of another, are a little later */

static double seconds(uint64_t ns)
{
	return (double)ns / (double)NSEC_PER_SEC;
}

void pushlog_init(struct pushlog *p, struct log *log)
{
	*p = (struct pushlog){ .log = log, .started_ns = clock_mono_ns() };
	pthread_mutex_init(&p->lock, NULL);
}

void pushlog_release(struct pushlog *p)
{
	pthread_mutex_destroy(&p->lock);
}

void pushlog_begin(struct pushlog *p)
{
	pthread_mutex_lock(&p->lock);
}

void pushlog_interval(struct pushlog *p, const struct push_note *note)
{
	if (note->items)
		p->notes[p->next++ % PUSHLOG_NOTES] = *note;
	if (!note->rest) {
		p->intervals++;
		p->processes = note->processes;
	}
	p->covered_ns += note->covered_ns;
	if (!note->items && note->processes)
		log_line(p->log, "nothing to send: %.3f s of %zu process%s, idle",
			 seconds(note->wall_ns), note->processes,
			 note->processes == 1 ? "" : "es");
	stats_add(&p->stats, &note->stats);
	mixer_stats_add(&p->mixed, &note->mixed);
	pthread_mutex_unlock(&p->lock);
}

static struct push_note *note_of(struct pushlog *p, uint64_t time_ns)
{
	for (size_t i = 0; i < PUSHLOG_NOTES; i++) {
		struct push_note *n = &p->notes[i];

		if (n->items && time_ns >= n->first_ns && time_ns <= n->last_ns + NOTE_SLACK_NS)
			return n;
	}
	return NULL;
}

static uint64_t depth(struct pushlog *p)
{
	struct spool_stats s;

	spool_stats(p->spool, &s);
	return s.waiting;
}

static unsigned percent(uint64_t part, uint64_t whole)
{
	return whole ? (unsigned)(part * 100 / whole) : 100;
}

static void tell_interval(struct pushlog *p, const struct push_note *n)
{
	const struct sampler_stats *s = &n->stats;
	uint64_t dropped = stats_dropped(s);
	struct buf why = BUF_INIT, native = BUF_INIT, stops = BUF_INIT;

	stats_reasons(s, &why);
	mixer_stats_text(&n->mixed, &native);
	stats_stops(s, &stops);
	log_line(p->log, "Profile pushed successfully: %.3f s of %zu process%s, %llu samples "
		 "(%u %% proven), dropped %llu%s%s%s, repaired %llu, late %llu%s%s%s%s; %llu bytes in %zu "
		 "requests, %.3f s; own CPU %.2f %%, spool %llu", seconds(n->wall_ns), n->processes,
		 n->processes == 1 ? "" : "es", (unsigned long long)s->samples,
		 percent(s->proven, s->samples), (unsigned long long)dropped, why.len ? " (" : "",
		 why.len ? why.data : "", why.len ? ")" : "", (unsigned long long)s->repaired,
		 (unsigned long long)s->late, native.len ? ", native frames: " : "",
		 native.len ? native.data : "", stops.len ? ", " : "",
		 stops.len ? stops.data : "", (unsigned long long)n->bytes, n->items,
		 seconds(n->latency_ns), n->cpu_percent, (unsigned long long)depth(p));
	buf_release(&why);
	buf_release(&native);
	buf_release(&stops);
}

/* What had waited for the server comes in crowds: a line now and then for all of it. */
static void tell_kept(struct pushlog *p)
{
	char when[sizeof("12:00:00")] = "";
	time_t t = (time_t)(p->kept_oldest_ns / NSEC_PER_SEC);
	struct tm tm;

	if (!p->kept_sent)
		return;
	if (localtime_r(&t, &tm))
		strftime(when, sizeof(when), "%H:%M:%S", &tm);
	log_line(p->log, "Profile pushed successfully: %zu that had waited in the spool, from %s on, "
		 "%llu bytes; spool %llu", p->kept_sent, when, (unsigned long long)p->kept_bytes,
		 (unsigned long long)depth(p));
	p->kept_sent = 0;
	p->kept_told_ns = clock_mono_ns();
}

static void on_kept_sent(struct pushlog *p, const struct push_event *e)
{
	if (!p->kept_sent) {
		p->kept_bytes = 0;
		p->kept_oldest_ns = e->key.time_ns;
	}
	p->kept_sent++;
	p->kept_bytes += e->bytes;
	if (e->key.time_ns < p->kept_oldest_ns)
		p->kept_oldest_ns = e->key.time_ns;
	if (!depth(p) || clock_mono_ns() > p->kept_told_ns + KEPT_EVERY_NS)
		tell_kept(p);
}

static void on_sent(struct pushlog *p, const struct push_event *e)
{
	struct push_note *n = note_of(p, e->key.time_ns);

	p->failures = 0;
	p->failed_ns = 0;
	if (!n) {
		on_kept_sent(p, e);
		return;
	}
	n->bytes += e->bytes;
	n->latency_ns = e->latency_ns > n->latency_ns ? e->latency_ns : n->latency_ns;
	if (++n->done < n->items)
		return;
	tell_interval(p, n);
	n->items = 0;
}

/* The interval goes on without it. */
static void on_dropped(struct pushlog *p, const struct push_event *e)
{
	struct push_note *n = note_of(p, e->key.time_ns);

	log_line(p->log, "Failed to push profile: HTTP %03d: %s: dropped for good (PID %d, %s)",
		 e->status, e->why, (int)e->key.pid, e->key.kind);
	if (n && n->items && --n->items == n->done)
		n->items = 0;
}

static void on_split(struct pushlog *p, const struct push_event *e)
{
	struct push_note *n = note_of(p, e->key.time_ns);

	log_line(p->log, "profile of PID %d (%s) was too large for the server and is sent in halves: "
		 "HTTP %03d: %s", (int)e->key.pid, e->key.kind, e->status, e->why);
	if (n)
		n->items++;
}

/* A server that is away for long, or that is tried in a hurry at the end, is told of now and then. */
static void on_failed(struct pushlog *p, const struct push_event *e)
{
	uint64_t now = clock_mono_ns();
	bool same = e->status == p->failed_status && p->failed_ns;

	p->failures++;
	if (same && now < p->failed_ns + FAILURE_EVERY_NS)
		return;
	log_line(p->log, "Failed to push profile: HTTP %03d: %s; %zu attempt%s so far, again in %.1f s, "
		 "spool %llu", e->status, e->why, p->failures, p->failures == 1 ? "" : "s",
		 seconds(e->again_in_ns), (unsigned long long)depth(p));
	p->failed_status = e->status;
	p->failed_ns = now;
}

void pushlog_on_event(void *pushlog, const struct push_event *e)
{
	struct pushlog *p = pushlog;

	pthread_mutex_lock(&p->lock);
	switch (e->kind) {
	case PUSH_SENT: on_sent(p, e); break;
	case PUSH_FAILED: on_failed(p, e); break;
	case PUSH_DROPPED: on_dropped(p, e); break;
	case PUSH_SPLIT: on_split(p, e); break;
	case PUSH_RESENDING:
		log_line(p->log, "the server was away and may have lost what it had acknowledged: "
			 "%zu profiles of the last hour are sent again", e->count);
		break;
	}
	pthread_mutex_unlock(&p->lock);
}

void pushlog_flush(struct pushlog *p)
{
	pthread_mutex_lock(&p->lock);
	tell_kept(p);
	pthread_mutex_unlock(&p->lock);
}

/* --- the spool ---------------------------------------------------------------------------------- */

static void tell_dropped(struct pushlog *p, uint64_t count, const char *why)
{
	if (count)
		log_line(p->log, "%llu profile%s dropped for %s", (unsigned long long)count,
			 count == 1 ? "" : "s", why);
}

static void tell_disk(struct pushlog *p, const struct spool_stats *now)
{
	if (now->disk_error && now->disk_error != p->told.disk_error)
		log_line(p->log, "the spool's disk fails: %s; profiles wait in memory (%llu now)",
			 strerror(now->disk_error), (unsigned long long)now->in_memory);
	else if (!now->disk_error && p->told.disk_error)
		log_line(p->log, "the spool's disk works again");
}

void pushlog_spool(struct pushlog *p)
{
	struct spool_stats now;

	spool_stats(p->spool, &now);
	tell_disk(p, &now);
	tell_dropped(p, now.dropped_age - p->told.dropped_age, "being too old for the server");
	tell_dropped(p, now.dropped_size - p->told.dropped_size, "want of room in the spool");
	tell_dropped(p, now.dropped_broken - p->told.dropped_broken, "being unreadable in the spool");
	p->told = now;
}

/* --- status and Prometheus -------------------------------------------------------------------- */

/* One number, for both: its Prometheus name and type, its words. */
struct figure {
	const char *name, *type, *words;
	double value;
};

enum { FIGURES_MAX = 48 };

/* Not getrusage(): its largest size is the parent's where that was larger, across exec. */
static uint64_t resident_kb(void)
{
	size_t len;
	char *status = procfs_read(getpid(), "status", &len);
	uint64_t kb = 0;

	if (status)
		status_field(status, "VmHWM", &kb);
	free(status);
	return kb;
}

static size_t figures(struct pushlog *p, struct pusher *pusher, struct figure *f)
{
	struct pusher_stats push = p->push;
	struct spool_stats spool;
	const struct sampler_stats *s = &p->stats;
	const struct mixer_stats *m = &p->mixed;
	size_t n = 0;

	spool_stats(p->spool, &spool);
	if (pusher)
		pusher_stats(pusher, &push);
#define FIGURE(name_, type_, words_, value_) \
	f[n++] = (struct figure){ "pystoker_" name_, type_, words_, (double)(value_) }
	FIGURE("processes", "gauge", "processes profiled in the last interval", p->processes);
	FIGURE("intervals_total", "counter", "intervals completed", p->intervals);
	FIGURE("profiled_seconds_total", "counter", "life of processes covered by them",
	       seconds(p->covered_ns));
	FIGURE("samples_total", "counter", "samples taken", s->samples);
	FIGURE("samples_proven_total", "counter", "of them, proven to be one moment's state", s->proven);
	FIGURE("samples_dropped_total", "counter", "looks that gave no true stack", stats_dropped(s));
	FIGURE("samples_repaired_total", "counter", "samples shown without dead frames", s->repaired);
	FIGURE("samples_late_total", "counter", "sampling times missed", s->late);
	if (s->stops || s->stops_late || s->stops_traced || s->stops_denied) {
		FIGURE("stops_total", "counter", "stops of threads for a look", s->stops);
		FIGURE("stopped_seconds_total", "counter", "their length, with the wait for them",
		       seconds(s->stopped_ns));
		FIGURE("stop_longest_seconds", "gauge", "the longest of them",
		       seconds(s->stopped_max_ns));
		FIGURE("stops_late_total", "counter", "stops given up, since they did not come in time",
		       s->stops_late);
		FIGURE("stops_refused_total", "counter", "stops not permitted, or another tracer is there",
		       s->stops_traced + s->stops_denied);
		FIGURE("waits_anew_total", "counter", "waits of threads that a stop cut short, made anew",
		       s->restarted);
	}
	if (m->looks) {
		FIGURE("native_stacks_total", "counter", "stacks with native frames wanted", m->looks);
		FIGURE("native_merged_total", "counter", "of them, brought together with Python's",
		       m->merged);
		FIGURE("native_cut_total", "counter", "of them, cut short", m->partly);
		FIGURE("native_mismatched_total", "counter", "of them, not to be brought together",
		       m->mismatched);
		FIGURE("native_without_total", "counter", "of them, without their native part",
		       m->no_registers + m->ring_full + m->lost);
	}
	FIGURE("pushed_total", "counter", "profiles the server has taken", push.sent);
	FIGURE("pushed_bytes_total", "counter", "bytes of their requests", push.sent_bytes);
	FIGURE("push_failures_total", "counter", "attempts that failed", push.failed);
	FIGURE("push_refused_total", "counter", "profiles the server refused for good", push.dropped);
	FIGURE("push_split_total", "counter", "profiles split for being too large", push.split);
	FIGURE("push_resent_total", "counter", "profiles sent again after the server lost its memory",
	       push.resent);
	FIGURE("push_latency_seconds", "gauge", "latency of the last push", seconds(push.latency_ns));
	FIGURE("push_latency_max_seconds", "gauge", "largest latency so far", seconds(push.latency_max_ns));
	FIGURE("push_last_status", "gauge", "HTTP status of the last push, 0 for none", push.last_status);
	FIGURE("spool_waiting", "gauge", "profiles that wait for the server", spool.waiting);
	FIGURE("spool_waiting_bytes", "gauge", "their size", spool.waiting_bytes);
	FIGURE("spool_in_memory", "gauge", "of them, in memory since the disk fails", spool.in_memory);
	FIGURE("spool_sent_kept", "gauge", "sent profiles kept for a while", spool.sent_kept);
	FIGURE("spool_adopted_total", "counter", "profiles found from earlier runs", spool.adopted);
	FIGURE("dropped_too_old_total", "counter", "profiles dropped for their age", spool.dropped_age);
	FIGURE("dropped_no_room_total", "counter", "profiles dropped for want of room", spool.dropped_size);
	FIGURE("cpu_seconds_total", "counter", "CPU time of pystoker itself",
	       seconds(clock_process_cpu_ns()));
	FIGURE("resident_max_bytes", "gauge", "largest resident memory of pystoker itself",
	       resident_kb() * 1024);
#undef FIGURE
	return n;
}

void pushlog_status(struct pushlog *p, struct pusher *pusher, const char *app)
{
	struct figure list[FIGURES_MAX];
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = figures(p, pusher, list);
	log_line(p->log, "status of the profiler for %s, running for %.0f s:", app,
		 seconds(clock_mono_ns() - p->started_ns));
	for (size_t i = 0; i < n; i++)
		log_line(p->log, "  %s: %.10g", list[i].words, list[i].value);
	pthread_mutex_unlock(&p->lock);
}

/* A label's value in the text format: backslash, quote and newline are escaped. */
static void sink_label(struct sink *s, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			sink_puts(s, "\\n");
		else if (*value == '"' || *value == '\\')
			sink_printf(s, "\\%c", *value);
		else
			sink_write(s, value, 1);
	}
}

int pushlog_stats_file(struct pushlog *p, struct pusher *pusher, const char *app, const char *path,
		       struct err *err)
{
	struct figure list[FIGURES_MAX];
	struct sink sink;
	size_t n;
	int r = sink_open(&sink, path, err);

	if (r)
		return r;
	pthread_mutex_lock(&p->lock);
	n = figures(p, pusher, list);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < n; i++) {
		sink_printf(&sink, "# HELP %s %s\n# TYPE %s %s\n%s{service_name=\"", list[i].name,
			    list[i].words, list[i].name, list[i].type, list[i].name);
		sink_label(&sink, app);
		sink_printf(&sink, "\"} %.10g\n", list[i].value);
	}
	return sink_commit(&sink, err);
}
