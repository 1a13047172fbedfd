/* SPDX-License-Identifier: MIT
 * Intervals: windows become profiles in the spool, at the borders of the clock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "pushing.h"
#include "util/clock.h"
#include "util/gzip.h"
#include "util/xalloc.h"

/* The comments of a stored profile that state its labels; NULL-terminated, one allocation each. */
static char **comments_of(struct push *p, pid_t pid)
{
	char **list = xcalloc(LABELS_MAX + 2, sizeof(*list));
	struct buf b = BUF_INIT;
	char number[16];
	size_t n = 0;

	for (size_t i = 0; i < p->labels.count; i++) {
		wire_label_comment(&b, p->labels.list[i].name, p->labels.list[i].value);
		list[n++] = buf_detach(&b);
	}
	if (!labels_get(&p->labels, "pid")) {
		snprintf(number, sizeof(number), "%d", (int)pid);
		wire_label_comment(&b, "pid", number);
		list[n] = buf_detach(&b);
	}
	return list;
}

static void comments_free(char **list)
{
	for (size_t i = 0; list[i]; i++)
		free(list[i]);
	free(list);
}

/* --- from a window to the spool ----------------------------------------------------------------- */

struct storing {
	struct push *p;
	struct spool_key key;
	bool complete;               /* not a checkpoint */
	size_t items;
};

/* The spool's times are whole milliseconds. The end is where the next interval begins, and its profiles
 * must not be taken for ours. */
static void note_time(struct push_note *note, uint64_t time_ns)
{
	time_ns -= time_ns % NSEC_PER_MSEC;
	if (!note->first_ns || time_ns < note->first_ns)
		note->first_ns = time_ns;
	if (time_ns > note->last_ns)
		note->last_ns = time_ns;
}

static int store_chunk(void *arg, const struct buf *pb, uint64_t time_ns, size_t samples _unused_)
{
	struct storing *s = arg;
	struct buf packed = BUF_INIT;

	s->key.time_ns = time_ns;
	if (!s->complete) { /* uncompressed: it costs less, and lives for seconds only */
		spool_checkpoint(s->p->spool, &s->key, pb->data, pb->len);
		return 1; /* the first chunk stands for all: more than one is a rare thing */
	}
	gzip_pack(&packed, pb->data, pb->len);
	if (!spool_add(s->p->spool, &s->key, packed.data, packed.len)) {
		note_time(&s->p->note, time_ns);
		s->items++;
	}
	buf_release(&packed);
	return 0;
}

static bool kind_wanted(const struct push *p, enum pprof_kind kind)
{
	if (!strcmp(p->o.profiles, "both"))
		return true;
	return !strcmp(p->o.profiles, kind == PPROF_CPU ? "cpu" : "wall");
}

static const char *const kind_names[PPROF_KINDS] = { [PPROF_CPU] = "cpu", [PPROF_WALL] = "wall" };

static void store_kind(struct push *p, struct window *w, enum pprof_kind kind, pid_t pid,
		       const char *mapping, char **comments, bool complete)
{
	struct pprof_series series = {
		.kind = kind,
		.thread_label = p->o.thread_names,
		.comments = (const char *const *)comments,
		.mapping = mapping,
		.bytes_max = WIRE_PROFILE_BYTES_MAX,
		.samples_max = WIRE_SAMPLES_MAX,
		.frames_max = WIRE_FRAMES_MAX,
		.chunk_step_ns = WIRE_CHUNK_STEP_NS,
	};
	struct storing storing = { .p = p, .key = { .pid = pid }, .complete = complete };

	snprintf(storing.key.kind, sizeof(storing.key.kind), "%s", kind_names[kind]);
	if (pprof_series(&w->profile, &series, store_chunk, &storing) < 0)
		log_line(&p->log, "profile of PID %d (%s) could not be written", (int)pid,
			 kind_names[kind]);
	if (complete)
		spool_checkpoint_drop(p->spool, pid, kind_names[kind]);
	p->note.items += storing.items;
}

static void window_store(struct push *p, struct window *w, pid_t pid, const char *mapping,
			 uint64_t now, bool complete)
{
	char **comments = comments_of(p, pid);

	window_close(w, now);
	for (int kind = 0; kind < PPROF_KINDS; kind++)
		if (kind_wanted(p, kind))
			store_kind(p, w, kind, pid, mapping, comments, complete);
	comments_free(comments);
	if (!complete)
		return;
	stats_add(&p->note.stats, &w->stats);
	mixer_stats_add(&p->note.mixed, &w->mixed);
	p->note.covered_ns += now - w->start_ns;
	if (now - w->start_ns > p->note.wall_ns)
		p->note.wall_ns = now - w->start_ns;
}

/* --- intervals ---------------------------------------------------------------------------------- */

static enum merge_threads threads_of(const struct push *p)
{
	return p->o.thread_names ? MERGE_BY_NAME : MERGE_ONE_THREAD;
}

static struct window *window_of(struct push *p, struct watch *w)
{
	return p->o.merge ? &p->merged : &w->window;
}

/* Takes over what one process has been seen doing; without --merge its window is stored too. */
static void watch_flush(struct push *p, struct watch *w, uint64_t now, bool complete)
{
	struct window *window = window_of(p, w);

	watch_collect(w, window, threads_of(p), complete);
	if (p->o.merge)
		return;
	window_store(p, window, w->id.pid, w->interpreter, now, complete);
	if (complete) {
		p->note.processes++;
		window_release(window);
		window_open(window, now);
	}
}

static void merged_flush(struct push *p, uint64_t now, bool complete)
{
	if (!p->o.merge || (!p->watches && !p->merged.stats.samples))
		return;
	window_store(p, &p->merged, p->merged_pid, "python", now, complete);
	if (complete) {
		window_release(&p->merged);
		window_open(&p->merged, now);
	}
}

void interval_open(struct push *p)
{
	if (p->noting)
		return;
	pushlog_begin(&p->say);
	p->noting = true;
	p->note.processes = p->o.merge ? p->watch_count : 0;
}

static struct own_cpu own_cpu(void)
{
	return (struct own_cpu){ clock_process_cpu_ns(), clock_mono_ns() };
}

/* Since the last border; what ends soon after it is mostly our work at the border itself. */
static double own_percent(const struct push *p)
{
	struct own_cpu now = own_cpu(), since = p->last;

	if (now.at_ns - since.at_ns < NSEC_PER_SEC)
		since = p->before;
	return now.at_ns > since.at_ns ? 100.0 * (double)(now.cpu_ns - since.cpu_ns) /
		(double)(now.at_ns - since.at_ns) : 0;
}

/* The interval's line comes when the server has all of it. */
void interval_close(struct push *p)
{
	if (!p->noting)
		return;
	p->noting = false;
	p->note.cpu_percent = own_percent(p);
	pushlog_interval(&p->say, &p->note);
	p->note = (struct push_note){ 0 };
	if (p->pusher)
		pusher_wake(p->pusher);
	else
		collect(p->spool, p->collect_dir, p->o.app, &p->log);
	pushlog_spool(&p->say);
}

void interval_stats_file(struct push *p)
{
	struct err err;

	if (p->o.stats_file &&
	    pushlog_stats_file(&p->say, p->pusher, p->o.app, p->o.stats_file, &err))
		log_line(&p->log, "%s", err.text);
}

void interval_start(struct push *p)
{
	p->last = p->before = own_cpu();
}

void interval_add(struct push *p, struct watch *w, uint64_t now)
{
	watch_flush(p, w, now, true);
}

void interval_add_all(struct push *p, uint64_t now)
{
	/* One that was found after the border, before we came to it, belongs to the next interval. */
	for (struct watch *w = p->watches; w; w = w->next)
		if (w->window.start_ns < now)
			watch_flush(p, w, now, true);
	merged_flush(p, now, true);
}

void interval_end(struct push *p, uint64_t border)
{
	interval_open(p);
	interval_add_all(p, border);
	interval_close(p);
	p->before = p->last;
	p->last = own_cpu();
	interval_stats_file(p);
	if (p->o.once && p->ever_found)
		p->done = p->once_done = true;
}

void interval_checkpoint(struct push *p, uint64_t now)
{
	for (struct watch *w = p->watches; w; w = w->next)
		watch_flush(p, w, now, false);
	merged_flush(p, now, false);
}
