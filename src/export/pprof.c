/* SPDX-License-Identifier: MIT
 * pprof: gzip'd profile.proto (github.com/google/pprof/blob/main/proto/profile.proto).
 *
 * Fields may come in any order, so everything is written as it is met: a stack's new strings,
 * functions and locations, then its sample. Only the maps of what was written stay in memory. */
#include "config.h"
#include "export/exporter.h"
#include "export/label.h"
#include "gzipsink.h"
#include "title.h"
#include "util/clock.h"
#include "util/idmap.h"
#include "util/pbwire.h"
#include "util/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Field numbers of profile.proto. */
enum { /* message Profile */
	PROFILE_SAMPLE_TYPE = 1, PROFILE_SAMPLE = 2, PROFILE_MAPPING = 3, PROFILE_LOCATION = 4,
	PROFILE_FUNCTION_ = 5, PROFILE_STRING_TABLE = 6, PROFILE_TIME_NANOS = 9,
	PROFILE_DURATION_NANOS = 10, PROFILE_PERIOD_TYPE = 11, PROFILE_PERIOD = 12,
	PROFILE_COMMENT = 13, PROFILE_DEFAULT_SAMPLE_TYPE = 14,
};
enum { VALUE_TYPE = 1, VALUE_UNIT = 2 };
enum { SAMPLE_LOCATION_ID = 1, SAMPLE_VALUE = 2, SAMPLE_LABEL = 3 };
enum { LABEL_KEY = 1, LABEL_STR = 2, LABEL_NUM = 3 };
enum { MAPPING_ID = 1, MAPPING_FILENAME = 5, MAPPING_HAS_FUNCTIONS = 7, MAPPING_HAS_FILENAMES = 8,
       MAPPING_HAS_LINE_NUMBERS = 9 };
enum { LOCATION_ID = 1, LOCATION_MAPPING_ID = 2, LOCATION_LINE = 4 };
enum { LINE_FUNCTION_ID = 1, LINE_LINE = 2 };
enum { FUNCTION_ID = 1, FUNCTION_NAME = 2, FUNCTION_SYSTEM_NAME = 3, FUNCTION_FILENAME = 4,
       FUNCTION_START_LINE = 5 };

/* The first strings of the table, at known places; the very first must be "". */
enum { STR_EMPTY, STR_SAMPLES, STR_COUNT, STR_WALL, STR_NANOSECONDS, STR_CPU, STR_THREAD,
       STR_THREAD_ID, STR_TID, STR_FIXED };
static const char *const fixed_strings[STR_FIXED] = {
	"", "samples", "count", "wall", "nanoseconds", "cpu", "thread", "thread_id", "tid",
};

enum { MAPPING_ONLY = 1 };

struct writer {
	const struct profile *p;
	const struct export_options *o;
	struct sink *sink;
	struct gzip_sink gzip;
	struct buf out;              /* fields of Profile on their way to gzip */
	struct buf message, part, text;
	uint32_t strings;            /* written so far */
	struct idmap files;          /* sym_file -> string */
	struct idmap functions;      /* (function, 0), (thread, 1) -> itself, once written */
	struct idmap locations;      /* (function, line) -> id - 1; threads beside them */
	struct idmap thread_locations;
	struct idmap thread_names;   /* thread -> string */
	uint32_t location_count;
	uint32_t *path;
};

static void flush(struct writer *w)
{
	gzip_sink_write(&w->gzip, w->out.data, w->out.len);
	buf_clear(&w->out);
}

/* Ends one message: it becomes a field of Profile. */
static void put(struct writer *w, unsigned field)
{
	pb_message(&w->out, field, &w->message);
	buf_clear(&w->message);
	flush(w);
}

/* Strings of proto3 must be UTF-8: w->text has been through label_*(). */
static uint32_t string_add(struct writer *w, const char *s)
{
	pb_bytes(&w->out, PROFILE_STRING_TABLE, s, strlen(s));
	return w->strings++;
}

static uint32_t text_add(struct writer *w)
{
	uint32_t id = string_add(w, w->text.len ? w->text.data : "");

	buf_clear(&w->text);
	return id;
}

static uint32_t file_string(struct writer *w, uint32_t file)
{
	uint32_t *id = idmap_put(&w->files, file);

	if (*id == IDMAP_NONE) {
		label_clean(&w->text, symtab_file_at(w->p->symtab, file)->path,
			    LABEL_FILE_MAX);
		*id = text_add(w);
	}
	return *id;
}

static uint64_t function_id(struct writer *w, uint32_t func)
{
	const struct sym_func *f = symtab_func_at(w->p->symtab, func);
	uint32_t *known = idmap_put(&w->functions, func);
	uint32_t name, file;

	if (*known != IDMAP_NONE)
		return (uint64_t)func + 1;
	*known = func;
	label_name(&w->text, f);
	name = text_add(w);
	file = f->kind == SYM_MARK ? STR_EMPTY : file_string(w, f->file);
	pb_uint(&w->message, FUNCTION_ID, (uint64_t)func + 1);
	pb_uint(&w->message, FUNCTION_NAME, name);
	pb_uint(&w->message, FUNCTION_SYSTEM_NAME, name);
	pb_uint(&w->message, FUNCTION_FILENAME, file);
	pb_uint(&w->message, FUNCTION_START_LINE, f->first_line > 0 ? (uint64_t)f->first_line : 0);
	put(w, PROFILE_FUNCTION_);
	return (uint64_t)func + 1;
}

static uint64_t location_add(struct writer *w, uint64_t function, int32_t line)
{
	buf_clear(&w->part);
	pb_uint(&w->part, LINE_FUNCTION_ID, function);
	pb_uint(&w->part, LINE_LINE, line > 0 ? (uint64_t)line : 0);
	pb_uint(&w->message, LOCATION_ID, ++w->location_count);
	pb_uint(&w->message, LOCATION_MAPPING_ID, MAPPING_ONLY);
	pb_message(&w->message, LOCATION_LINE, &w->part);
	put(w, PROFILE_LOCATION);
	return w->location_count;
}

static uint64_t location_id(struct writer *w, const struct profile_node *node)
{
	uint32_t *id = idmap_put(&w->locations, idmap_key(node->func, (uint32_t)node->line));

	if (*id == IDMAP_NONE)
		*id = (uint32_t)location_add(w, function_id(w, node->func), node->line);
	return *id;
}

/* With -t the outermost frame is the thread: a function of its own, behind those of the symtab. */
static uint64_t thread_location_id(struct writer *w, uint32_t thread)
{
	uint32_t *id = idmap_put(&w->thread_locations, thread);
	uint64_t function = (uint64_t)pool_count(&w->p->symtab->funcs) + 1 + thread;
	uint32_t name;

	if (*id != IDMAP_NONE)
		return *id;
	label_thread(&w->text, profile_thread_at(w->p, thread));
	name = text_add(w);
	pb_uint(&w->message, FUNCTION_ID, function);
	pb_uint(&w->message, FUNCTION_NAME, name);
	pb_uint(&w->message, FUNCTION_SYSTEM_NAME, name);
	put(w, PROFILE_FUNCTION_);
	*id = (uint32_t)location_add(w, function, 0);
	return *id;
}

static void add_label(struct writer *w, uint32_t key, uint32_t str, uint64_t num)
{
	if (!str && !num)
		return;
	buf_clear(&w->part);
	pb_uint(&w->part, LABEL_KEY, key);
	pb_uint(&w->part, LABEL_STR, str);
	pb_uint(&w->part, LABEL_NUM, num);
	pb_message(&w->message, SAMPLE_LABEL, &w->part);
}

static uint32_t thread_name(struct writer *w, uint32_t thread)
{
	const struct profile_thread *t = profile_thread_at(w->p, thread);
	uint32_t *id = idmap_put(&w->thread_names, thread);

	if (*id == IDMAP_NONE) {
		label_clean(&w->text, t->name ? t->name : "", LABEL_NAME_MAX);
		*id = w->text.len ? text_add(w) : (uint32_t)STR_EMPTY;
	}
	return *id;
}

static void write_sample(struct writer *w, const struct profile_cell *c)
{
	const struct profile_thread *t = profile_thread_at(w->p, c->thread);
	size_t depth = profile_path(w->p, c->node, w->path);
	struct buf ids = BUF_INIT;
	uint32_t name = thread_name(w, c->thread);

	while (depth--) /* leaf first */
		pb_number(&ids, location_id(w, profile_node_at(w->p, w->path[depth])));
	if (w->o->threads)
		pb_number(&ids, thread_location_id(w, c->thread));
	pb_message(&w->message, SAMPLE_LOCATION_ID, &ids);
	buf_clear(&ids);
	pb_number(&ids, c->value.samples);
	pb_number(&ids, c->value.wall_ns);
	pb_number(&ids, c->value.cpu_ns);
	pb_message(&w->message, SAMPLE_VALUE, &ids);
	add_label(w, STR_THREAD, name, 0);
	add_label(w, STR_THREAD_ID, 0, t->thread_id);
	add_label(w, STR_TID, 0, t->tid > 0 ? (uint64_t)t->tid : 0);
	put(w, PROFILE_SAMPLE);
	buf_release(&ids);
}

static void write_value_type(struct writer *w, unsigned field, uint32_t type, uint32_t unit)
{
	pb_uint(&w->message, VALUE_TYPE, type);
	pb_uint(&w->message, VALUE_UNIT, unit);
	put(w, field);
}

static void write_comment(struct writer *w)
{
	if (!w->text.len)
		return;
	pb_uint(&w->out, PROFILE_COMMENT, text_add(w));
	flush(w);
}

static void write_comments(struct writer *w)
{
	title_add(&w->text, w->p);
	write_comment(w);
	for (unsigned i = 0; title_add_remark(&w->text, w->p, i); i++)
		write_comment(w);
	buf_adds(&w->text, "pystoker " PACKAGE_VERSION);
	write_comment(w);
}

static void write_mapping(struct writer *w)
{
	uint32_t name;

	title_add_program(&w->text, w->p);
	name = text_add(w);
	pb_uint(&w->message, MAPPING_ID, MAPPING_ONLY);
	pb_uint(&w->message, MAPPING_FILENAME, name);
	pb_uint(&w->message, MAPPING_HAS_FUNCTIONS, 1);
	pb_uint(&w->message, MAPPING_HAS_FILENAMES, 1);
	pb_uint(&w->message, MAPPING_HAS_LINE_NUMBERS, w->p->lines != PROFILE_NO_LINE);
	put(w, PROFILE_MAPPING);
}

static void write_header(struct writer *w)
{
	const struct profile_meta *m = &w->p->meta;

	for (size_t i = 0; i < STR_FIXED; i++)
		string_add(w, fixed_strings[i]);
	write_value_type(w, PROFILE_SAMPLE_TYPE, STR_SAMPLES, STR_COUNT);
	write_value_type(w, PROFILE_SAMPLE_TYPE, STR_WALL, STR_NANOSECONDS);
	write_value_type(w, PROFILE_SAMPLE_TYPE, STR_CPU, STR_NANOSECONDS);
	pb_uint(&w->out, PROFILE_DEFAULT_SAMPLE_TYPE, STR_WALL);
	pb_uint(&w->out, PROFILE_TIME_NANOS, m->start_real_ns);
	pb_uint(&w->out, PROFILE_DURATION_NANOS, m->duration_ns);
	write_value_type(w, PROFILE_PERIOD_TYPE, STR_WALL, STR_NANOSECONDS);
	pb_uint(&w->out, PROFILE_PERIOD,
		m->rate_hz > 0 ? (uint64_t)((double)NSEC_PER_SEC / m->rate_hz) : 0);
	write_mapping(w);
	write_comments(w);
}

static void release(struct writer *w)
{
	idmap_release(&w->files);
	idmap_release(&w->functions);
	idmap_release(&w->locations);
	idmap_release(&w->thread_locations);
	idmap_release(&w->thread_names);
	buf_release(&w->out);
	buf_release(&w->message);
	buf_release(&w->part);
	buf_release(&w->text);
	free(w->path);
}

static void write_pprof(const struct profile *p, const struct export_options *o, struct sink *sink)
{
	struct writer w = {
		.p = p,
		.o = o,
		.sink = sink,
		.path = xcalloc(PROFILE_DEPTH_MAX, sizeof(w.path[0])),
	};

	idmap_init(&w.files);
	idmap_init(&w.functions);
	idmap_init(&w.locations);
	idmap_init(&w.thread_locations);
	idmap_init(&w.thread_names);
	gzip_sink_open(&w.gzip, sink);
	write_header(&w);
	for (uint32_t i = 0; i < profile_cell_count(p) && !sink->error; i++)
		write_sample(&w, profile_cell_at(p, i));
	flush(&w);
	gzip_sink_close(&w.gzip);
	release(&w);
}

const struct exporter export_pprof = {
	.name = "pprof",
	.suffixes = (const char *const[]){ ".pb.gz", ".pprof", ".pb", NULL },
	.summary = "gzip'd profile.proto for go tool pprof and Pyroscope",
	.write = write_pprof,
};
