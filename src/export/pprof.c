/* SPDX-License-Identifier: MIT
 * pprof: gzip'd profile.proto (github.com/google/pprof/blob/main/proto/profile.proto).
 *
 * Fields may come in any order, so everything is written as it is met: a stack's new strings,
 * functions and locations, then its sample. Only the maps of what was written stay in memory. */
#include "export/exporter.h"
#include "export/label.h"
#include "gzipsink.h"
#include "pprofnames.h"
#include "title.h"
#include "util/pbwire.h"
#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* The first strings of the table, at known places; the very first must be "". */
enum { STR_EMPTY, STR_SAMPLES, STR_COUNT, STR_WALL, STR_NANOSECONDS, STR_CPU, STR_THREAD,
       STR_THREAD_ID, STR_TID, STR_FIXED };
static const char *const fixed_strings[STR_FIXED] = {
	"", "samples", "count", "wall", "nanoseconds", "cpu", "thread", "thread_id", "tid",
};

struct writer {
	const struct profile *p;
	const struct export_options *o;
	struct gzip_sink gzip;
	struct proto proto;          /* what is on its way to gzip */
	struct pprof_names names;
	struct idmap thread_locations;
	struct idmap thread_names;   /* thread -> string */
	uint32_t *path;
};

static void flush(struct writer *w)
{
	gzip_sink_write(&w->gzip, w->proto.out.data, w->proto.out.len);
	buf_clear(&w->proto.out);
}

/* With -t the outermost frame is the thread: a function of its own, behind those of the symtab. */
static uint64_t thread_location_id(struct writer *w, uint32_t thread)
{
	uint32_t *id = idmap_put(&w->thread_locations, thread);
	uint64_t function = (uint64_t)pool_count(&w->p->symtab->funcs) + 1 + thread;

	if (*id != IDMAP_NONE)
		return *id;
	label_thread(&w->names.text, profile_thread_at(w->p, thread));
	proto_function(&w->proto, function, pprof_names_text(&w->names), STR_EMPTY, 0);
	proto_line(&w->proto, function, 0);
	*id = ++w->names.locations_written;
	proto_location(&w->proto, *id);
	return *id;
}

static uint32_t thread_name(struct writer *w, uint32_t thread)
{
	const struct profile_thread *t = profile_thread_at(w->p, thread);
	uint32_t *id = idmap_put(&w->thread_names, thread);

	if (*id == IDMAP_NONE) {
		label_clean(&w->names.text, t->name ? t->name : "", LABEL_NAME_MAX);
		*id = w->names.text.len ? pprof_names_text(&w->names) : (uint32_t)STR_EMPTY;
	}
	return *id;
}

static void write_sample(struct writer *w, const struct profile_cell *c)
{
	const struct profile_thread *t = profile_thread_at(w->p, c->thread);
	size_t depth = profile_path(w->p, c->node, w->path);
	struct buf ids = BUF_INIT, values = BUF_INIT;
	uint32_t name = thread_name(w, c->thread);

	while (depth--) { /* leaf first */
		const struct profile_node *node = profile_node_at(w->p, w->path[depth]);

		pb_number(&ids, pprof_names_location(&w->names, node->func, node->line));
	}
	if (w->o->threads)
		pb_number(&ids, thread_location_id(w, c->thread));
	pb_number(&values, c->value.samples);
	pb_number(&values, c->value.wall_ns);
	pb_number(&values, c->value.cpu_ns);
	proto_label(&w->proto, STR_THREAD, name, 0);
	proto_label(&w->proto, STR_THREAD_ID, 0, t->thread_id);
	proto_label(&w->proto, STR_TID, 0, t->tid > 0 ? (uint64_t)t->tid : 0);
	proto_sample(&w->proto, &ids, &values);
	flush(w);
	buf_release(&ids);
	buf_release(&values);
}

static void write_header(struct writer *w)
{
	const struct profile_meta *m = &w->p->meta;
	uint32_t program;

	for (size_t i = 0; i < STR_FIXED; i++)
		proto_string(&w->proto, fixed_strings[i], strlen(fixed_strings[i]));
	proto_value_type(&w->proto, PROFILE_SAMPLE_TYPE, STR_SAMPLES, STR_COUNT);
	proto_value_type(&w->proto, PROFILE_SAMPLE_TYPE, STR_WALL, STR_NANOSECONDS);
	proto_value_type(&w->proto, PROFILE_SAMPLE_TYPE, STR_CPU, STR_NANOSECONDS);
	proto_number(&w->proto, PROFILE_DEFAULT_SAMPLE_TYPE, STR_WALL);
	proto_number(&w->proto, PROFILE_TIME_NANOS, m->start_real_ns);
	proto_number(&w->proto, PROFILE_DURATION_NANOS, m->duration_ns);
	proto_value_type(&w->proto, PROFILE_PERIOD_TYPE, STR_WALL, STR_NANOSECONDS);
	proto_number(&w->proto, PROFILE_PERIOD, pprof_names_period(&w->names));
	title_add_program(&w->names.text, w->p);
	program = pprof_names_text(&w->names);
	proto_mapping(&w->proto, program, w->p->lines != PROFILE_NO_LINE);
	pprof_names_comments(&w->names);
	flush(w);
}

static void release(struct writer *w)
{
	pprof_names_release(&w->names);
	idmap_release(&w->thread_locations);
	idmap_release(&w->thread_names);
	proto_release(&w->proto);
	free(w->path);
}

static void write_pprof(const struct profile *p, const struct export_options *o, struct sink *sink)
{
	struct writer w = {
		.p = p,
		.o = o,
		.path = xcalloc(PROFILE_DEPTH_MAX, sizeof(w.path[0])),
	};

	pprof_names_init(&w.names, &w.proto, p, false);
	idmap_init(&w.thread_locations);
	idmap_init(&w.thread_names);
	gzip_sink_open(&w.gzip, sink);
	write_header(&w);
	for (uint32_t i = 0; i < profile_cell_count(p) && !sink->error; i++)
		write_sample(&w, profile_cell_at(p, i));
	gzip_sink_close(&w.gzip);
	release(&w);
}

const struct exporter export_pprof = {
	.name = "pprof",
	.suffixes = (const char *const[]){ ".pb.gz", ".pprof", ".pb", NULL },
	.summary = "gzip'd profile.proto for go tool pprof and Pyroscope",
	.write = write_pprof,
};
