/* SPDX-License-Identifier: MIT
 * One sample type of a profile for a server, in as many files as its limits ask for. */
#include "export/pprof.h"

#include <stdlib.h>
#include <string.h>

#include "export/label.h"
#include "pprofnames.h"
#include "title.h"
#include "util/pbwire.h"
#include "util/utf8.h"
#include "util/xalloc.h"

const char *const pprof_metric[PPROF_KINDS] = { [PPROF_CPU] = "process_cpu", [PPROF_WALL] = "wall" };
static const char *const type_names[PPROF_KINDS] = { [PPROF_CPU] = "cpu", [PPROF_WALL] = "wall" };

/* The first strings of each table; the last only with thread_label. */
enum { STR_EMPTY, STR_TYPE, STR_NANOSECONDS, STR_THREAD_NAME };

/* What becomes a sample: a stack, and with thread_label a name of threads. */
struct stack {
	uint32_t node;
	uint32_t thread;     /* the first of that name */
	uint64_t value;
};

struct series {
	const struct profile *p;
	const struct pprof_series *o;
	struct stack *stacks;
	size_t stack_count;
	struct proto proto;          /* the chunk under construction */
	struct pprof_names names;
	struct idmap thread_names;   /* thread -> string */
	struct buf ids, values;
	uint32_t *path;
	size_t samples, chunks;      /* of this chunk; chunks begun */
};

/* ---- which samples ---- */

static const char *thread_text(const struct profile *p, uint32_t thread)
{
	const char *name = profile_thread_at(p, thread)->name;

	return name ? name : "";
}

struct named {
	const char *name;
	uint32_t thread;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->thread > y->thread) - (x->thread < y->thread);
}

/* For each thread the first one of the same name: labels are all that tells threads apart. */
static uint32_t *first_of_name(const struct profile *p)
{
	uint32_t count = pool_count(&p->threads), *first = xcalloc((size_t)count + 1, sizeof(*first));
	struct named *list = xcalloc((size_t)count + 1, sizeof(*list));

	for (uint32_t i = 0; i < count; i++)
		list[i] = (struct named){ thread_text(p, i), i };
	qsort(list, count, sizeof(*list), by_name);
	for (uint32_t i = 0, same = 0; i < count; i++) {
		if (i && strcmp(list[i].name, list[same].name) != 0)
			same = i;
		first[list[i].thread] = list[same].thread;
	}
	free(list);
	return first;
}

static void collect_stacks(struct series *s)
{
	uint32_t *first = s->o->thread_label ? first_of_name(s->p) : NULL;
	struct idmap map;

	idmap_init(&map);
	s->stacks = xcalloc(profile_cell_count(s->p) + 1, sizeof(*s->stacks));
	for (uint32_t i = 0; i < profile_cell_count(s->p); i++) {
		const struct profile_cell *c = profile_cell_at(s->p, i);
		uint64_t value = s->o->kind == PPROF_CPU ? c->value.cpu_ns : c->value.wall_ns;
		uint32_t thread = first ? first[c->thread] : 0, *at;

		if (!value)
			continue;
		at = idmap_put(&map, idmap_key(thread, c->node));
		if (*at == IDMAP_NONE) {
			*at = (uint32_t)s->stack_count++;
			s->stacks[*at] = (struct stack){ .node = c->node, .thread = thread };
		}
		s->stacks[*at].value += value;
	}
	idmap_release(&map);
	free(first);
}

/* ---- one chunk ---- */

static uint64_t chunk_time(const struct series *s)
{
	return s->p->meta.start_real_ns + (s->chunks - 1) * s->o->chunk_step_ns;
}

static void write_comments(struct series *s)
{
	struct buf *text = &s->names.text;

	pprof_names_comments(&s->names);
	for (const char *const *c = s->o->comments; c && *c; c++) {
		utf8_mend(text, *c, strlen(*c));
		proto_number(&s->proto, PROFILE_COMMENT, pprof_names_text(&s->names));
	}
}

static void write_head(struct series *s)
{
	const char *type = type_names[s->o->kind];
	struct proto *w = &s->proto;

	proto_string(w, "", 0);
	proto_string(w, type, strlen(type));
	proto_string(w, "nanoseconds", strlen("nanoseconds"));
	if (s->o->thread_label)
		proto_string(w, "thread_name", strlen("thread_name"));
	proto_value_type(w, PROFILE_SAMPLE_TYPE, STR_TYPE, STR_NANOSECONDS);
	proto_number(w, PROFILE_TIME_NANOS, chunk_time(s));
	proto_number(w, PROFILE_DURATION_NANOS, s->p->meta.duration_ns);
	/* Without it servers crash over unused functions (pprof.go:629 at pyroscope v2.2.1). */
	proto_value_type(w, PROFILE_PERIOD_TYPE, STR_TYPE, STR_NANOSECONDS);
	proto_number(w, PROFILE_PERIOD, pprof_names_period(&s->names));
	if (s->o->mapping)
		label_clean(&s->names.text, s->o->mapping, LABEL_FILE_MAX);
	else
		title_add_program(&s->names.text, s->p);
	proto_mapping(w, pprof_names_text(&s->names), s->p->lines != PROFILE_NO_LINE);
	write_comments(s);
}

/* Forgets what was written and begins anew. */
static void restart(struct series *s)
{
	pprof_names_release(&s->names);
	idmap_release(&s->thread_names);
	proto_clear(&s->proto);
	pprof_names_init(&s->names, &s->proto, s->p, true);
	idmap_init(&s->thread_names);
	s->samples = 0;
	write_head(s);
}

static uint32_t thread_string(struct series *s, uint32_t thread)
{
	uint32_t *id = idmap_put(&s->thread_names, thread);

	if (*id == IDMAP_NONE) {
		label_clean(&s->names.text, thread_text(s->p, thread), LABEL_NAME_MAX);
		*id = s->names.text.len ? pprof_names_text(&s->names) : (uint32_t)STR_EMPTY;
	}
	return *id;
}

/* At most frames_max of them; servers would cut the leaf away. */
static void write_sample(struct series *s, const struct stack *stack, size_t frames_max)
{
	size_t depth = profile_path(s->p, stack->node, s->path), root = 0;

	if (depth > frames_max) /* the mark is one of them, but the leaf is always kept */
		root = depth - frames_max + (frames_max > 1);
	buf_clear(&s->ids);
	buf_clear(&s->values);
	while (depth > root) { /* leaf first */
		const struct profile_node *node = profile_node_at(s->p, s->path[--depth]);

		pb_number(&s->ids, pprof_names_location(&s->names, node->func, node->line));
	}
	if (root)
		pb_number(&s->ids, pprof_names_location(&s->names, s->p->marks[PROFILE_TRUNCATED], 0));
	pb_number(&s->values, stack->value);
	if (s->o->thread_label)
		proto_label(&s->proto, STR_THREAD_NAME, thread_string(s, stack->thread), 0);
	proto_sample(&s->proto, &s->ids, &s->values);
	s->samples++;
}

/* ---- chunk after chunk ---- */

static bool too_long(const struct series *s)
{
	return s->o->bytes_max && s->proto.out.len > s->o->bytes_max;
}

/* The first sample of a chunk. Where it alone is too long, its names are: fewer frames then. */
static void begin(struct series *s, const struct stack *stack)
{
	size_t frames = s->o->frames_max ? s->o->frames_max : PROFILE_DEPTH_MAX;

	s->chunks++;
	do {
		restart(s);
		write_sample(s, stack, frames);
		frames /= 2;
	} while (too_long(s) && frames > 1);
}

/* Adds to the chunk; false, and the chunk is as before, when there is no room. Its maps then know
 * names that were taken out again: it must not go on. */
static bool append(struct series *s, const struct stack *stack)
{
	size_t before = s->proto.out.len;

	if (s->o->samples_max && s->samples >= s->o->samples_max)
		return false;
	write_sample(s, stack, s->o->frames_max ? s->o->frames_max : PROFILE_DEPTH_MAX);
	if (!too_long(s))
		return true;
	s->proto.out.len = before;
	s->samples--;
	return false;
}

static int emit_all(struct series *s, int (*emit)(void *, const struct buf *, uint64_t, size_t),
		    void *arg)
{
	int r;

	for (size_t i = 0; i < s->stack_count; i++) {
		if (i && append(s, &s->stacks[i]))
			continue;
		r = i ? emit(arg, &s->proto.out, chunk_time(s), s->samples) : 0;
		if (r)
			return r;
		begin(s, &s->stacks[i]);
	}
	return s->stack_count ? emit(arg, &s->proto.out, chunk_time(s), s->samples) : 0;
}

int pprof_series(const struct profile *p, const struct pprof_series *o,
		 int (*emit)(void *arg, const struct buf *pb, uint64_t time_ns, size_t samples),
		 void *arg)
{
	struct series s = { .p = p, .o = o, .path = xcalloc(PROFILE_DEPTH_MAX, sizeof(s.path[0])) };
	int r;

	pprof_names_init(&s.names, &s.proto, p, true);
	idmap_init(&s.thread_names);
	collect_stacks(&s);
	r = emit_all(&s, emit, arg);
	pprof_names_release(&s.names);
	idmap_release(&s.thread_names);
	proto_release(&s.proto);
	buf_release(&s.ids);
	buf_release(&s.values);
	free(s.stacks);
	free(s.path);
	return r;
}
