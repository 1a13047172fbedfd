/* SPDX-License-Identifier: MIT
 * Recording one process: what the sampler delivers goes into a slice, names are found beside it. */
#include "profile/recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mem/procfs.h"
#include "py/shortpath.h"
#include "py/threadname.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define LOOK_PATIENCE_NS (50 * NSEC_PER_MSEC) /* a busy machine may make us wait longer: then without */
#define MIX_PATIENCE_NS (1 * NSEC_PER_SEC)
enum { NAME_BYTES = 64, TURN_WAIT_NS = 20000 };

/* --- the sampling thread's side, or with native frames the mixer's ------------------------------ */

/* Threads have the same number in both slices. */
static uint32_t on_thread(void *arg, const struct sampler_thread_info *info)
{
	struct recorder *r = arg;
	struct profile_thread th = {
		.thread_id = info->py.thread_id,
		.tid = info->tid,
		.interp_id = info->py.interp_id > 0 ? (uint64_t)info->py.interp_id : 0,
	};
	struct naming naming = {
		.interp = info->py.interp,
		.thread_id = info->py.thread_id,
		.tid = info->tid,
		.number = profile_add_thread(&r->slices[0], &th),
	};

	if (r->turns)
		profile_add_thread(&r->slices[1], &th);
	pool_add(&r->namings, &naming);
	return naming.number;
}

/* `adding` and `filling` are each written by one side and read by the other, in opposite order: the
 * turner sees either that a look is being added, or that it went to the new slice. */
static void on_look(void *arg, const struct look *look)
{
	struct recorder *r = arg;
	struct profile_value value = { 1, look->wall_ns, look->cpu_ns };

	atomic_store(&r->adding, true);
	profile_add(&r->slices[atomic_load(&r->filling)], look->thread, look->frames, look->count,
		    look->skipped, look->when_ns, &value);
	atomic_store_explicit(&r->adding, false, memory_order_release);
}

/* --- names ---------------------------------------------------------------------------------- */

static void name_thread(struct recorder *r, uint32_t number, const char *name)
{
	profile_name_thread(&r->slices[0], number, name);
	if (r->turns)
		profile_name_thread(&r->slices[1], number, name);
}

static void on_name(void *arg, uint64_t thread_id, const char *name)
{
	struct recorder *r = arg;

	for (uint32_t i = r->named; i < pool_count(&r->namings); i++) {
		const struct naming *n = pool_at(&r->namings, i);

		if (n->thread_id == thread_id)
			name_thread(r, n->number, name);
	}
}

/* The name the kernel knows, for threads that `threading` does not. */
static void name_from_kernel(struct recorder *r, const struct naming *n)
{
	char file[NAME_BYTES], *comm;
	size_t len;

	if (profile_thread_at(&r->slices[0], n->number)->name)
		return;
	if (n->tid == r->pid) {
		name_thread(r, n->number, "MainThread");
		return;
	}
	snprintf(file, sizeof(file), "task/%d/comm", (int)n->tid);
	comm = procfs_read(r->pid, file, &len);
	if (!comm)
		return;
	if (len && comm[len - 1] == '\n')
		comm[len - 1] = '\0';
	name_thread(r, n->number, comm);
	free(comm);
}

static void name_threads(struct recorder *r)
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

static void name_files(struct recorder *r)
{
	uint32_t count = pool_count(&r->symtab.files);

	for (; r->files_done < count; r->files_done++) {
		const struct sym_file *f = symtab_file_at(&r->symtab, r->files_done);

		symtab_set_short_path(&r->symtab, r->files_done, shortpath_of(r->pid, f->path));
	}
}

void recorder_look_after(struct recorder *r)
{
	if (r->sampler)
		name_threads(r);
	name_files(r);
}

/* --- life ----------------------------------------------------------------------------------- */

void recorder_init(struct recorder *r, pid_t pid, enum profile_lines lines, struct events *events,
		   struct mixer *mixer, bool turns)
{
	*r = (struct recorder){ .pid = pid, .mixer = mixer, .turns = turns };
	symtab_init(&r->symtab);
	profile_init(&r->slices[0], &r->symtab, lines, events);
	if (turns)
		profile_init(&r->slices[1], &r->symtab, lines, NULL);
	pool_init(&r->namings, sizeof(struct naming));
}

void recorder_release(struct recorder *r)
{
	recorder_stop(r);
	profile_release(&r->slices[0]);
	if (r->turns)
		profile_release(&r->slices[1]);
	symtab_release(&r->symtab);
	pool_release(&r->namings);
}

static void say_version(struct recorder *r, const struct py_target *t)
{
	struct profile_meta *m = &r->slices[0].meta;
	char version[PYVER_TEXT_MAX];

	free(m->python_version);
	m->python_version = xasprintf("%s%s", pyver_text(t->version, version),
				      t->layout.free_threaded ? " free-threading" : "");
}

int recorder_start(struct recorder *r, struct attached *a, const struct sampler_config *config,
		   uint64_t start_ns, struct err *err)
{
	struct sampler_ops ops = { .on_thread = on_thread, .on_look = on_look, .arg = r };
	int ret = remote_open_process(&r->names_remote, r->pid, err);

	if (ret)
		return ret;
	r->names_target = a->target;
	r->names_target.remote = &r->names_remote;
	if (r->mixer && config->native) {
		r->mixed = mixer_join(r->mixer, &a->target, &r->symtab, &ops);
		ops = mixer_ops(r->mixed);
	}
	r->sampler = sampler_new(&a->target, &r->symtab, config, &ops);
	say_version(r, &a->target);
	free(r->slices[0].meta.mode);
	r->slices[0].meta.mode = xstrdup(sampler_how(r->sampler));
	r->slices[0].meta.rate_hz = config->rate_hz;
	r->slices[0].meta.pid = r->pid;
	r->proves = sampler_proves(r->sampler);
	ret = sampler_start(r->sampler, start_ns, err);
	if (ret) {
		sampler_free(r->sampler);
		r->sampler = NULL;
		mixer_leave(r->mixed);
		r->mixed = NULL;
		remote_close(&r->names_remote);
	}
	return ret;
}

void recorder_stats(const struct recorder *r, struct sampler_stats *ret)
{
	struct sampler_stats now;

	*ret = r->stats;
	if (!r->sampler)
		return;
	sampler_stats(r->sampler, &now);
	stats_add(ret, &now);
}

void recorder_mixer_stats(const struct recorder *r, struct mixer_stats *ret)
{
	struct mixer_stats now;

	*ret = r->mixer_stats;
	if (!r->mixed)
		return;
	mixer_stats(r->mixed, &now);
	mixer_stats_add(ret, &now);
}

/* What is still on its way comes out; counters are kept. */
static void stop_mixing(struct recorder *r)
{
	if (!r->mixed)
		return;
	mixer_flush(r->mixed, MIXER_FOREVER);
	recorder_mixer_stats(r, &r->mixer_stats);
	mixer_leave(r->mixed);
	r->mixed = NULL;
}

void recorder_stop(struct recorder *r)
{
	if (!r->sampler)
		return;
	sampler_look_now(r->sampler, LOOK_PATIENCE_NS);
	sampler_stop(r->sampler);
	sampler_join(r->sampler);
	stop_mixing(r);
	name_threads(r);
	recorder_stats(r, &r->stats);
	sampler_free(r->sampler);
	r->sampler = NULL;
	remote_close(&r->names_remote);
}

enum sampler_end recorder_state(const struct recorder *r)
{
	return r->sampler ? sampler_state(r->sampler) : SAMPLER_STOPPED;
}

struct profile *recorder_turn(struct recorder *r, bool at_border)
{
	uint32_t old = atomic_load(&r->filling);
	const struct timespec wait = { .tv_nsec = TURN_WAIT_NS };

	if (at_border && r->sampler)
		sampler_look_now(r->sampler, LOOK_PATIENCE_NS);
	if (r->mixed) /* what comes later goes to the next slice */
		mixer_flush(r->mixed, MIX_PATIENCE_NS);
	profile_clear(&r->slices[!old]);
	atomic_store(&r->filling, !old);
	while (atomic_load(&r->adding)) /* a look takes microseconds */
		nanosleep(&wait, NULL);
	recorder_look_after(r);
	return &r->slices[old];
}

bool recorder_is_full(const struct recorder *r)
{
	return pool_count(&r->symtab.funcs) > RECORDER_FUNCS_MAX ||
	       pool_count(&r->namings) > RECORDER_THREADS_MAX ||
	       __atomic_load_n(&r->symtab.text_bytes, __ATOMIC_RELAXED) > RECORDER_TEXT_MAX;
}
