/* SPDX-License-Identifier: MIT
 * Recording: the sampler runs in a thread of its own; this one sleeps, and wakes to find names,
 * drain events, draw progress, and end it all. */
#include "recording.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem/procfs.h"
#include "py/shortpath.h"
#include "py/threadname.h"
#include "util/clock.h"
#include "util/xalloc.h"

/* Threads of the first moments are named before they end; later ones live longer. */
enum { WAKE_FIRST_MS = 20, WAKE_MS = 200, NAME_BYTES = 64 };
#define FIRST_NS (500 * NSEC_PER_MSEC)

/* --- the sampling thread's side ------------------------------------------------------------- */

static uint32_t on_thread(void *arg, const struct sampler_thread_info *info)
{
	struct recording *r = arg;
	struct profile_thread th = {
		.thread_id = info->py.thread_id,
		.tid = info->tid,
		.interp_id = info->py.interp_id > 0 ? (uint64_t)info->py.interp_id : 0,
	};
	struct naming naming = {
		.interp = info->py.interp,
		.thread_id = info->py.thread_id,
		.tid = info->tid,
		.number = profile_add_thread(&r->profile, &th),
	};

	pool_add(&r->namings, &naming);
	return naming.number;
}

static void on_look(void *arg, const struct look *look)
{
	struct recording *r = arg;
	struct profile_value value = { 1, look->wall_ns, look->cpu_ns };

	profile_add(&r->profile, look->thread, look->frames, look->count, look->skipped,
		    look->when_ns, &value);
}

/* --- names ---------------------------------------------------------------------------------- */

static void on_name(void *arg, uint64_t thread_id, const char *name)
{
	struct recording *r = arg;

	for (uint32_t i = r->named; i < pool_count(&r->namings); i++) {
		const struct naming *n = pool_at(&r->namings, i);

		if (n->thread_id == thread_id)
			profile_name_thread(&r->profile, n->number, name);
	}
}

/* The name the kernel knows, for threads that `threading` does not. */
static void name_from_kernel(struct recording *r, const struct naming *n)
{
	char file[NAME_BYTES], *comm;
	size_t len;

	if (profile_thread_at(&r->profile, n->number)->name)
		return;
	if (n->tid == r->pid) {
		profile_name_thread(&r->profile, n->number, "MainThread");
		return;
	}
	snprintf(file, sizeof(file), "task/%d/comm", (int)n->tid);
	comm = procfs_read(r->pid, file, &len);
	if (!comm)
		return;
	if (len && comm[len - 1] == '\n')
		comm[len - 1] = '\0';
	profile_name_thread(&r->profile, n->number, comm);
	free(comm);
}

static void name_threads(struct recording *r)
{
	uint32_t count = pool_count(&r->namings);
	remote_addr interp = 0;

	for (uint32_t i = r->named; i < count; i++) {
		const struct naming *n = pool_at(&r->namings, i);

		if (n->interp != interp)
			threadnames_read(&r->names_target, n->interp, on_name, r);
		interp = n->interp;
	}
	for (; r->named < count; r->named++)
		name_from_kernel(r, pool_at(&r->namings, r->named));
}

static void name_files(struct recording *r)
{
	uint32_t count = pool_count(&r->symtab.files);

	for (; r->files_done < count; r->files_done++) {
		const struct sym_file *f = symtab_file_at(&r->symtab, r->files_done);

		symtab_set_short_path(&r->symtab, r->files_done, shortpath_of(r->pid, f->path));
	}
}

/* --- the loop ------------------------------------------------------------------------------- */

static void look_after(struct recording *r)
{
	struct sampler_stats now;

	name_threads(r);
	name_files(r);
	if (r->profile.events)
		events_drain(r->profile.events, 0);
	sampler_stats(r->sampler, &now);
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
		if (sampler_state(r->sampler) != SAMPLER_RUNNING)
			return end_of(sampler_state(r->sampler), target_fd);
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

static void stats_sum(struct sampler_stats *sum, const struct sampler_stats *add)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)add;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static enum profile_lines lines_of(const struct record_options *o)
{
	if (o->nolineno)
		return PROFILE_NO_LINE;
	return o->function ? PROFILE_FUNCTION : PROFILE_LINE;
}

int recording_init(struct recording *r, const struct record_options *o, pid_t pid,
		   struct events *events)
{
	*r = (struct recording){ .o = o, .pid = pid };
	r->start_ns = r->stop_ns = clock_mono_ns();
	r->progress.duration_ns = o->duration_ns;
	/* A program of ours writes to the same terminal: no bar across its output. */
	r->progress.shown = !o->program && isatty(STDERR_FILENO);
	symtab_init(&r->symtab);
	profile_init(&r->profile, &r->symtab, lines_of(o), events);
	r->profile.meta.start_real_ns = clock_real_ns();
	r->profile.meta.rate_hz = o->rate;
	r->profile.meta.pid = pid;
	pool_init(&r->namings, sizeof(struct naming));
	return 0;
}

static int sampler_begin(struct recording *r, struct attached *a, struct err *err)
{
	struct sampler_config config = {
		.rate_hz = r->o->rate,
		.placement = placement_of(r->o),
		.idle = r->o->idle,
		.gil_only = r->o->gil,
	};
	struct sampler_ops ops = { .on_thread = on_thread, .on_look = on_look, .arg = r };
	int ret = remote_open_process(&r->names_remote, r->pid, err);

	if (ret)
		return ret;
	r->names_target = a->target;
	r->names_target.remote = &r->names_remote;
	r->sampler = sampler_new(&a->target, &r->symtab, &config, &ops);
	return sampler_start(r->sampler, r->start_ns, err);
}

static void sampler_finish(struct recording *r)
{
	struct sampler_stats stats;

	if (!r->sampler)
		return;
	sampler_stop(r->sampler);
	sampler_join(r->sampler);
	r->reaped = r->reaped || sampler_reaped(r->sampler, r->pid, &r->reaped_status);
	sampler_stats(r->sampler, &stats);
	stats_sum(&r->stats, &stats);
	r->profile.meta.mode = xstrdup(sampler_how(r->sampler));
	r->proves = sampler_proves(r->sampler);
	sampler_free(r->sampler);
	r->sampler = NULL;
	remote_close(&r->names_remote);
}

int recording_run(struct recording *r, struct attached *a, int signal_fd, int target_fd,
		  uint64_t end_ns, enum recording_end *ret_end, struct err *err)
{
	char version[PYVER_TEXT_MAX];
	int ret = sampler_begin(r, a, err);

	if (!ret)
		*ret_end = loop(r, signal_fd, target_fd, end_ns);
	progress_clear(&r->progress);
	free(r->profile.meta.mode);
	sampler_finish(r);
	r->stop_ns = clock_mono_ns();
	free(r->profile.meta.python_version);
	r->profile.meta.python_version =
		xasprintf("%s%s", pyver_text(a->target.version, version),
			  a->target.layout.free_threaded ? " free-threading" : "");
	return ret;
}

void recording_finish(struct recording *r)
{
	struct profile_meta *m = &r->profile.meta;
	struct buf reasons = BUF_INIT;

	name_files(r);
	if (r->profile.events)
		events_drain(r->profile.events, 1);
	m->duration_ns = r->stop_ns - r->start_ns;
	m->samples = r->stats.samples;
	m->dropped = stats_dropped(&r->stats);
	m->repaired = r->stats.repaired;
	stats_reasons(&r->stats, &reasons);
	m->reasons = reasons.len ? buf_detach(&reasons) : NULL;
	buf_release(&reasons);
}

void recording_release(struct recording *r)
{
	profile_release(&r->profile);
	symtab_release(&r->symtab);
	pool_release(&r->namings);
}
