/* SPDX-License-Identifier: MIT
 * `pystoker dump`: every thread once, with its stack. */
#include "dump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"
#include "dumped.h"
#include "mem/procfs.h"
#include "mem/task.h"
#include "native.h"
#include "py/attach.h"
#include "py/threadname.h"
#include "sampler/sampler.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define DUMP_PATIENCE_NS (200 * NSEC_PER_MSEC)

static uint32_t on_thread(void *arg, const struct sampler_thread_info *info)
{
	struct dump *d = arg;

	d->threads = xreallocarray(d->threads, d->count + 1, sizeof(d->threads[0]));
	d->threads[d->count] = (struct dumped){ .info = *info, .state = '?' };
	return d->count++;
}

/* Threads are looked at one after the other, and the GIL may be handed on meanwhile: the newest look
 * is the one that is true still. */
static void holder_is(struct dump *d, uint32_t holder)
{
	for (uint32_t i = 0; i < d->count; i++)
		if (i != holder && d->threads[i].info.py.interp == d->threads[holder].info.py.interp)
			d->threads[i].holds_gil = false;
}

static void on_look(void *arg, const struct look *look)
{
	struct dump *d = arg;
	struct dumped *th = &d->threads[look->thread];

	th->frames = xreallocarray(th->frames, look->count, sizeof(th->frames[0]));
	memcpy(th->frames, look->frames, look->count * sizeof(th->frames[0]));
	th->count = look->count;
	th->skipped = look->skipped;
	th->state = look->state;
	th->holds_gil = look->holds_gil;
	if (th->holds_gil && !d->target->layout.free_threaded)
		holder_is(d, look->thread);
}

static void on_name(void *arg, uint64_t thread_id, const char *name)
{
	struct dump *d = arg;

	for (uint32_t i = 0; i < d->count; i++)
		if (d->threads[i].info.py.thread_id == thread_id && !d->threads[i].name)
			d->threads[i].name = xstrdup(name);
}

/* Threads that Python does not know go by the kernel's name. */
static void name_from_kernel(struct dump *d, struct dumped *th)
{
	char file[32], *comm;

	snprintf(file, sizeof(file), "task/%d/comm", (int)th->info.tid);
	comm = procfs_read(d->target->pid, file, NULL);
	if (comm)
		comm[strcspn(comm, "\n")] = '\0';
	th->name = comm;
}

/* Names, and what the looks do not say of threads without a stack. */
static void complete(struct dump *d)
{
	remote_addr interp = 0;

	for (uint32_t i = 0; i < d->count; i++) {
		struct dumped *th = &d->threads[i];

		if (th->info.py.interp != interp)
			threadnames_read(d->target, th->info.py.interp, on_name, d);
		interp = th->info.py.interp;
		if (!th->name && !th->info.py.thread_id)
			name_from_kernel(d, th);
		th->waits_gil = !th->holds_gil && thread_waits_for_gil(d->target, &th->info.py,
								       th->info.tid);
		if (th->state == '?') {
			struct proc_stat st;
			struct task task;

			if (!task_open(&task, d->target->pid, th->info.tid) &&
			    !task_where(&task, &st))
				th->state = st.state;
			task_close(&task);
		}
	}
}

/* All threads are announced before the first look, so that looks may come from the mixer's thread. */
static ssize_t look_once(struct dump *d, const struct sampler_config *config, struct mixer *mixer,
			 const struct sampler_ops *ops)
{
	struct mixer_client *mixed = mixer ? mixer_join(mixer, d->target, &d->symtab, ops) : NULL;
	struct sampler_ops through = mixed ? mixer_ops(mixed) : *ops;
	struct sampler *s = sampler_new(d->target, &d->symtab, config, &through);
	ssize_t n = sampler_once(s);

	sampler_stats(s, &d->stats);
	sampler_free(s);
	mixer_leave(mixed);
	return n;
}

static int dump_threads(struct dump *d, const struct dump_options *o, struct err *err)
{
	struct sampler_config config = {
		.rate_hz = 1, .idle = true, .gil = true,
		.placement = o->blocking ? PLACE_BLOCKING : PLACE_ON_CPU,
	};
	struct sampler_ops ops = { .on_thread = on_thread, .on_look = on_look, .arg = d };
	char how[NATIVE_HOW_MAX];
	struct mixer *mixer;
	int r = native_begin(&o->native, o->pid, &config, &mixer, how, sizeof(how), err);
	ssize_t n;

	if (r)
		return r;
	if (how[0] && config.native != NATIVE_PERF)
		say("native frames: %s", how);
	n = look_once(d, &config, mixer, &ops);
	mixer_free(mixer);
	if (n < 0)
		return err_set(err, (int)n, EXIT_GONE, "PID %d: the process ended before it could "
			       "be read", (int)o->pid);
	complete(d);
	return 0;
}

static void dump_release(struct dump *d)
{
	for (uint32_t i = 0; i < d->count; i++) {
		free(d->threads[i].frames);
		free(d->threads[i].name);
	}
	free(d->threads);
	symtab_release(&d->symtab);
}

static int dump_process(const struct dump_options *o, struct err *err)
{
	struct attached a;
	struct dump d = { .target = &a.target, .full_filenames = o->full_filenames,
			  .native = o->native.on };
	int r = attach_open(&a, o->pid, DUMP_PATIENCE_NS, NULL, NULL, err);

	if (r)
		return r;
	if (a.target.version_guessed)
		say_version_guessed(&a.target);
	symtab_init(&d.symtab);
	procfs_cmdline(o->pid, d.cmdline, sizeof(d.cmdline));
	r = dump_threads(&d, o, err);
	if (!r && o->json)
		dump_json(&d);
	else if (!r)
		dump_text(&d);
	dump_release(&d);
	attach_close(&a);
	return r;
}

static int dump_run(const struct command *cmd _unused_, int argc, char **argv)
{
	struct dump_options o;
	struct err err = { 0 };
	int ret = dump_parse(argc, argv, &o, &err);

	if (ret > 0)
		return EXIT_OK;
	if (ret == 0)
		ret = dump_process(&o, &err);
	if (ret == 0)
		return EXIT_OK;
	err_print(&err);
	return err.status;
}
static const char *const dump_examples[] = {
	"pystoker dump -p 4242",
	"what every thread of process 4242 is doing right now",
	"pystoker dump -p 4242 --json | python3 -m json.tool",
	"the same for programs",
	NULL,
};

const struct command cmd_dump = {
	.name = "dump",
	.letter = 'd',
	.summary = "Print the stacks of all threads of a process once",
	.synopsis = "[OPTIONS] -p PID",
	.examples = dump_examples,
	.options = dump_options,
	.run = dump_run,
};
