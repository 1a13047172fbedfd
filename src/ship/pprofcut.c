/* SPDX-License-Identifier: MIT
 * A part of a stored profile. What is written is always sound: dense ids, UTF-8, one mapping, each
 * location with a function. */
#include "pprofcut.h"

#include <stdlib.h>
#include <string.h>

#include "export/proto.h"
#include "util/hash.h"
#include "util/idmap.h"
#include "util/utf8.h"
#include "util/xalloc.h"

/* A sample on its way: its packed location ids lie in `ids`. */
struct sample {
	size_t ids, len;
	uint64_t thread_name;      /* string of the output */
	uint64_t value;
};

struct cutting {
	const struct pprofread *f;
	const struct pprofcut *c;
	struct proto out;
	struct idmap strings;      /* string -> string of the output */
	struct idmap functions, locations; /* index -> id */
	uint32_t function_count, location_count;
	uint32_t unknown;          /* function of locations without any; 0: not needed yet */
	uint32_t truncated;        /* location; likewise */
	uint32_t thread_key;       /* "thread_name" in the output; 0: not needed yet */
	struct idmap known;        /* hash of a sample -> index in samples */
	struct sample *samples;
	size_t sample_count;
	struct buf ids, one;
};

static uint32_t add_text(struct cutting *k, const char *text)
{
	return proto_string(&k->out, text, strlen(text));
}

static uint32_t string_of(struct cutting *k, uint64_t number)
{
	struct pprofread_text text = pprofread_string(k->f, number);
	uint32_t *id;

	if (!text.len)
		return 0;
	id = idmap_put(&k->strings, number);
	if (*id == IDMAP_NONE) {
		buf_clear(&k->one);
		utf8_mend(&k->one, text.data, text.len);
		*id = proto_string(&k->out, k->one.data, k->one.len);
	}
	return *id;
}

static uint32_t named_function(struct cutting *k, const char *name)
{
	uint32_t text = add_text(k, name);

	proto_function(&k->out, ++k->function_count, text, 0, 0);
	return k->function_count;
}

static uint32_t function_of(struct cutting *k, uint32_t index)
{
	const struct pprofread_function *fn = &k->f->functions[index];
	uint32_t *id = idmap_put(&k->functions, index), name, file;

	if (*id == IDMAP_NONE) {
		name = string_of(k, fn->name);
		file = string_of(k, fn->filename);
		*id = ++k->function_count;
		proto_function(&k->out, *id, name, file, fn->start_line);
	}
	return *id;
}

/* Addresses alone are worth nothing to a server: it has no symbols of ours. */
static uint32_t unknown_function(struct cutting *k)
{
	if (!k->unknown)
		k->unknown = named_function(k, "[unknown]");
	return k->unknown;
}

static uint32_t location_of(struct cutting *k, uint32_t index)
{
	const struct pprofread_location *at = &k->f->locations[index];
	uint32_t *id = idmap_put(&k->locations, index);

	if (*id != IDMAP_NONE)
		return *id;
	*id = ++k->location_count;
	for (uint32_t i = 0; i < at->lines; i++) {
		const struct pprofread_line *line = &k->f->lines[at->first_line + i];

		proto_line(&k->out, function_of(k, line->function), line->line);
	}
	if (!at->lines)
		proto_line(&k->out, unknown_function(k), 0);
	proto_location(&k->out, *id);
	return *id;
}

static uint32_t truncated_location(struct cutting *k)
{
	if (!k->truncated) {
		proto_line(&k->out, named_function(k, "[truncated]"), 0);
		k->truncated = ++k->location_count;
		proto_location(&k->out, k->truncated);
	}
	return k->truncated;
}

static void add_frames(struct cutting *k, const struct pprofread_sample *s, struct buf *ids)
{
	size_t max = k->c->frames_max, n = s->frames;
	bool cut = max && n > max;

	if (cut) /* the mark is one of them, but the leaf is always kept */
		n = max - (max > 1);
	for (size_t i = 0; i < n; i++) /* leaf first */
		pb_number(ids, location_of(k, k->f->frames[s->first_frame + i]));
	if (cut)
		pb_number(ids, truncated_location(k));
}

/* ---- for a server ---- */

static uint64_t thread_name_of(struct cutting *k, const struct pprofread_sample *s)
{
	struct pb_reader r = s->message;
	struct pprofread_label label;

	while (pprofread_next_label(&r, &label))
		if (label.str && pprofread_is(k->f, label.key, "thread_name"))
			return string_of(k, label.str);
	return 0;
}

static bool is_same(const struct cutting *k, const struct sample *a, const struct sample *b)
{
	return a->thread_name == b->thread_name && a->len == b->len &&
	       !memcmp(k->ids.data + a->ids, k->ids.data + b->ids, a->len);
}

/* Adds it to an equal one. Different ones of the same hash stay apart, and so do later ones equal to
 * the second of them: servers add those up too. */
static void merge(struct cutting *k, struct sample *s)
{
	uint64_t hash = hash_bytes(k->ids.data + s->ids, s->len) ^ hash_u64(s->thread_name);
	uint32_t *known = idmap_put(&k->known, hash);

	if (*known != IDMAP_NONE && is_same(k, &k->samples[*known], s) &&
	    k->samples[*known].value <= (uint64_t)INT64_MAX - s->value) {
		k->samples[*known].value += s->value;
		k->ids.len = s->ids;
		return;
	}
	if (*known == IDMAP_NONE)
		*known = (uint32_t)k->sample_count;
	k->samples[k->sample_count++] = *s;
}

static void collect(struct cutting *k)
{
	k->samples = xcalloc(k->c->to - k->c->from + 1, sizeof(k->samples[0]));
	for (size_t i = k->c->from; i < k->c->to; i++) {
		const struct pprofread_sample *from = &k->f->samples[i];
		int64_t value = pprofread_values(k->f, i)[k->c->type];
		struct sample s = { .ids = k->ids.len, .value = (uint64_t)value };

		if (value <= 0 || !from->frames)
			continue;
		add_frames(k, from, &k->ids);
		s.len = k->ids.len - s.ids;
		s.thread_name = thread_name_of(k, from);
		merge(k, &s);
	}
}

static void write_collected(struct cutting *k)
{
	struct buf values = BUF_INIT;

	collect(k);
	for (size_t i = 0; i < k->sample_count; i++) {
		const struct sample *s = &k->samples[i];
		struct buf ids = { .data = k->ids.data + s->ids, .len = s->len };

		buf_clear(&values);
		pb_number(&values, s->value);
		if (s->thread_name && !k->thread_key)
			k->thread_key = add_text(k, "thread_name");
		proto_label(&k->out, k->thread_key, (uint32_t)s->thread_name, 0);
		proto_sample(&k->out, &ids, &values);
	}
	buf_release(&values);
}

/* Servers guess the language by the first string that looks like one, and take a name that ends in
 * ".go" (a method Agent.go) for Go: then they "repair" stacks of 60 frames and more by frames that
 * never were there (GetLanguage() in pkg/pprof/pprof.go and fix_go_truncated.go, the same at v1.9.0,
 * v1.15.3 and v2.0.6). The label pyroscope_spy=pyspy would help too, but is one more label that
 * users see, and no truth. So the first string says Python; nothing else uses it. */
static void write_language(struct cutting *k)
{
	add_text(k, ".py");
}

/* ---- everything ---- */

static void write_all_labels(struct cutting *k, const struct pprofread_sample *s)
{
	struct pb_reader r = s->message;
	struct pprofread_label label;

	while (pprofread_next_label(&r, &label)) {
		uint32_t key = string_of(k, label.key), str = string_of(k, label.str);

		proto_label(&k->out, key, str, str ? 0 : label.num);
	}
}

static void write_range(struct cutting *k)
{
	struct buf ids = BUF_INIT, values = BUF_INIT;

	for (size_t i = k->c->from; i < k->c->to; i++) {
		buf_clear(&ids);
		buf_clear(&values);
		add_frames(k, &k->f->samples[i], &ids);
		for (size_t v = 0; v < k->f->type_count; v++)
			pb_number(&values, (uint64_t)pprofread_values(k->f, i)[v]);
		write_all_labels(k, &k->f->samples[i]);
		proto_sample(&k->out, &ids, &values);
		k->sample_count++;
	}
	buf_release(&ids);
	buf_release(&values);
}

static void write_comments(struct cutting *k)
{
	for (size_t i = 0; i < k->f->comment_count; i++)
		proto_number(&k->out, PROFILE_COMMENT, string_of(k, k->f->comments[i]));
}

static void write_type(struct cutting *k, unsigned field, const struct pprofread_type *t)
{
	uint32_t type = string_of(k, t->type), unit = string_of(k, t->unit);

	proto_value_type(&k->out, field, type, unit);
}

static void write_head(struct cutting *k)
{
	const struct pprofread *f = k->f;
	bool all = k->c->type == PPROFCUT_ALL;

	add_text(k, "");
	if (!all)
		write_language(k);
	for (size_t i = 0; i < f->type_count; i++)
		if (all || i == (size_t)k->c->type)
			write_type(k, PROFILE_SAMPLE_TYPE, &f->types[i]);
	proto_number(&k->out, PROFILE_TIME_NANOS, k->c->time_ns);
	proto_number(&k->out, PROFILE_DURATION_NANOS, f->duration_ns);
	write_type(k, PROFILE_PERIOD_TYPE, all ? &f->period_type : &f->types[k->c->type]);
	proto_number(&k->out, PROFILE_PERIOD, f->period);
	proto_mapping(&k->out, string_of(k, f->mapping), true);
	if (all) {
		proto_number(&k->out, PROFILE_DEFAULT_SAMPLE_TYPE, string_of(k, f->default_type));
		write_comments(k);
	}
}

static void release(struct cutting *k)
{
	proto_release(&k->out);
	idmap_release(&k->strings);
	idmap_release(&k->functions);
	idmap_release(&k->locations);
	idmap_release(&k->known);
	buf_release(&k->ids);
	buf_release(&k->one);
	free(k->samples);
}

size_t pprofcut(const struct pprofread *f, const struct pprofcut *c, struct buf *out)
{
	struct cutting k = { .f = f, .c = c };

	idmap_init(&k.strings);
	idmap_init(&k.functions);
	idmap_init(&k.locations);
	idmap_init(&k.known);
	write_head(&k);
	if (c->type == PPROFCUT_ALL)
		write_range(&k);
	else
		write_collected(&k);
	buf_add(out, k.out.out.data, k.out.out.len);
	release(&k);
	return k.sample_count;
}
