/* SPDX-License-Identifier: MIT
 * speedscope (https://www.speedscope.app/file-format-schema.json): one "sampled" profile per thread
 * whose weights are elapsed nanoseconds. Time in which a thread was not seen is an empty stack, so
 * that positions on the time axis are true and equal on all threads. */
#include "config.h"
#include "export/exporter.h"
#include "export/label.h"
#include "timeline.h"
#include "title.h"
#include "util/idmap.h"
#include "util/xalloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct writer {
	const struct profile *p;
	const struct export_options *o;
	struct sink *sink;
	uint32_t *frames;      /* node -> index in shared.frames */
	uint32_t *path;        /* room for one stack */
	uint32_t frame_count;
	uint32_t thread_frame; /* of the thread being written */
	bool first;            /* no comma yet */
	uint64_t end_ns;
	struct buf text;
};

static void comma(struct writer *w)
{
	if (!w->first)
		sink_puts(w->sink, ",");
	w->first = false;
}

static void write_frame(struct writer *w, const struct profile_node *node)
{
	const struct sym_func *f = symtab_func_at(w->p->symtab, node->func);
	const char *path = symtab_file_at(w->p->symtab, f->file)->path;

	comma(w);
	buf_clear(&w->text);
	label_frame(&w->text, w->p, node, w->o->full_filenames);
	sink_puts(w->sink, "\n{\"name\":");
	sink_json(w->sink, w->text.data);
	if (f->kind != SYM_MARK && *path) {
		sink_puts(w->sink, ",\"file\":");
		sink_json(w->sink, path);
	}
	if (node->line > 0)
		sink_printf(w->sink, ",\"line\":%d", node->line);
	sink_puts(w->sink, "}");
	w->frame_count++;
}

/* With -t each thread is a frame too, behind those of the nodes. */
static void write_thread_frames(struct writer *w)
{
	for (uint32_t i = 0; w->o->threads && i < pool_count(&w->p->threads); i++) {
		comma(w);
		buf_clear(&w->text);
		label_thread(&w->text, profile_thread_at(w->p, i));
		sink_puts(w->sink, "\n{\"name\":");
		sink_json(w->sink, w->text.data);
		sink_puts(w->sink, "}");
	}
}

static void write_frames(struct writer *w)
{
	struct idmap map;

	idmap_init(&map);
	w->first = true;
	sink_puts(w->sink, "\"shared\":{\"frames\":[");
	for (uint32_t i = 1; i < pool_count(&w->p->nodes) && !w->sink->error; i++) {
		const struct profile_node *node = profile_node_at(w->p, i);
		uint32_t *frame = idmap_put(&map, idmap_key(node->func, (uint32_t)node->line));

		if (*frame == IDMAP_NONE) {
			*frame = w->frame_count;
			write_frame(w, node);
		}
		w->frames[i] = *frame;
	}
	write_thread_frames(w);
	sink_puts(w->sink, "]},\n");
	idmap_release(&map);
}

static void write_stack(void *arg, const struct stretch *s)
{
	struct writer *w = arg;
	size_t depth = profile_path(w->p, s->node, w->path);
	const char *before = "[";

	comma(w);
	if (w->o->threads && depth) {
		sink_printf(w->sink, "%s%" PRIu32, before, w->thread_frame);
		before = ",";
	}
	for (size_t i = 0; i < depth; i++, before = ",")
		sink_printf(w->sink, "%s%" PRIu32, before, w->frames[w->path[i]]);
	sink_puts(w->sink, depth ? "]" : "[]");
	w->end_ns = s->end_ns;
}

static void write_weight(void *arg, const struct stretch *s)
{
	struct writer *w = arg;

	comma(w);
	sink_printf(w->sink, "%" PRIu64, s->end_ns - s->start_ns);
}

static void write_name(struct writer *w, const struct profile_thread *t)
{
	buf_clear(&w->text);
	label_clean(&w->text, t->name && *t->name ? t->name : "thread", LABEL_NAME_MAX);
	buf_adds(&w->text, " (");
	if (t->thread_id)
		buf_addf(&w->text, "0x%" PRIX64, t->thread_id);
	if (t->tid > 0 || !t->thread_id)
		buf_addf(&w->text, "%stid %d", t->thread_id ? ", " : "", (int)t->tid);
	if (t->interp_id)
		buf_addf(&w->text, ", interpreter %" PRIu64, t->interp_id);
	buf_adds(&w->text, ")");
	sink_json(w->sink, w->text.data);
}

static void walk(struct writer *w, uint32_t thread,
		 void (*each)(void *arg, const struct stretch *s))
{
	int ret = timeline_each(w->p, thread, each, w);

	w->first = true;
	if (ret)
		sink_fail(w->sink, -ret, "the temporary file of events");
}

static void write_profile(struct writer *w, uint32_t thread)
{
	w->thread_frame = w->frame_count + thread;
	sink_puts(w->sink, "{\"type\":\"sampled\",\"name\":");
	write_name(w, profile_thread_at(w->p, thread));
	sink_puts(w->sink, ",\"unit\":\"nanoseconds\",\"startValue\":0,\n\"samples\":[");
	w->first = true;
	w->end_ns = 0;
	walk(w, thread, write_stack);
	sink_puts(w->sink, "],\n\"weights\":[");
	walk(w, thread, write_weight);
	sink_printf(w->sink, "],\n\"endValue\":%" PRIu64 "}", w->end_ns);
}

/* A viewer wants at least one profile. */
static void write_no_profile(struct writer *w)
{
	sink_puts(w->sink, "{\"type\":\"sampled\",\"name\":\"no samples\",\"unit\":\"nanoseconds\",");
	sink_printf(w->sink, "\"startValue\":0,\"samples\":[[]],\"weights\":[%" PRIu64 "],",
		    w->p->meta.duration_ns);
	sink_printf(w->sink, "\"endValue\":%" PRIu64 "}", w->p->meta.duration_ns);
}

/* Wall time of each thread that was seen; the busiest is shown first. */
static uint64_t *thread_times(const struct profile *p, uint32_t *ret_active)
{
	uint64_t *times = xcalloc(pool_count(&p->threads) + 1, sizeof(*times));
	uint64_t most = 0;
	uint32_t index = 0;

	for (uint32_t i = 0; i < profile_cell_count(p); i++)
		times[profile_cell_at(p, i)->thread] += profile_cell_at(p, i)->value.wall_ns;
	*ret_active = 0;
	for (uint32_t i = 0; i < pool_count(&p->threads); i++) {
		if (times[i] > most) {
			most = times[i];
			*ret_active = index;
		}
		index += times[i] != 0;
	}
	return times;
}

static void write_profiles(struct writer *w)
{
	uint32_t active;
	uint64_t *times = thread_times(w->p, &active);
	bool any = false;

	sink_printf(w->sink, "\"activeProfileIndex\":%" PRIu32 ",\n\"profiles\":[\n", active);
	for (uint32_t i = 0; i < pool_count(&w->p->threads) && !w->sink->error; i++) {
		if (!times[i])
			continue;
		if (any)
			sink_puts(w->sink, ",\n");
		any = true;
		write_profile(w, i);
	}
	if (!any)
		write_no_profile(w);
	sink_puts(w->sink, "]");
	free(times);
}

static void write_speedscope(const struct profile *p, const struct export_options *o,
			     struct sink *sink)
{
	struct writer w = {
		.p = p,
		.o = o,
		.sink = sink,
		.frames = xcalloc(pool_count(&p->nodes), sizeof(w.frames[0])),
		.path = xcalloc(PROFILE_DEPTH_MAX, sizeof(w.path[0])),
	};

	title_add(&w.text, p);
	sink_puts(sink, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
			"\"exporter\":\"pystoker " PACKAGE_VERSION "\",\n\"name\":");
	sink_json(sink, w.text.data);
	sink_puts(sink, ",\n");
	write_frames(&w);
	write_profiles(&w);
	sink_puts(sink, "}\n");
	buf_release(&w.text);
	free(w.frames);
	free(w.path);
}

const struct exporter export_speedscope = {
	.name = "speedscope",
	.suffixes = (const char *const[]){ ".speedscope.json", ".speedscope", ".json", NULL },
	.summary = "JSON for speedscope, with the order of time",
	.events = true,
	.write = write_speedscope,
};
