/* SPDX-License-Identifier: MIT
 * A stored profile.proto. Its fields may come in any order, so it is walked three times: for strings
 * and functions, for locations, which name functions, and for samples, which name locations. */
#include "pprofread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/proto.h"
#include "ship/wire.h"
#include "util/gzip.h"
#include "util/idmap.h"
#include "util/xalloc.h"

enum { FIRST = 64 };

struct opening {
	struct pprofread *f;
	struct idmap functions, locations; /* id -> index */
	int error;                         /* 0, -EINVAL, -E2BIG */
};

/* The array with room for one more; it doubles. With `max` items already it stays, and o->error
 * says so. */
static void *grown(struct opening *o, void *array, size_t count, size_t size, size_t max)
{
	if (count >= max)
		o->error = -E2BIG;
	else if (!count)
		return xreallocarray(NULL, FIRST, size);
	else if (count >= FIRST && !(count & (count - 1)))
		return xreallocarray(array, count * 2, size);
	return array;
}

#define GROW(o, array, count, max)							\
	((array) = grown(o, array, count, sizeof((array)[0]), max), !(o)->error)

static void wrong(struct opening *o)
{
	o->error = o->error ? o->error : -EINVAL;
}

/* ---- first walk ---- */

static void add_string(struct opening *o, const struct pb_field *field)
{
	struct pprofread *f = o->f;

	if (!field->is_bytes)
		return wrong(o);
	if (GROW(o, f->strings, f->string_count, PPROFREAD_STRINGS_MAX))
		f->strings[f->string_count++] = (struct pprofread_text){
			(const char *)field->bytes.data, field->bytes.len };
}

static struct pprofread_type type_of(struct opening *o, struct pb_reader r)
{
	struct pprofread_type t = { 0 };
	struct pb_field field;

	while (pb_next(&r, &field)) {
		if (field.number == VALUE_TYPE)
			t.type = field.value;
		else if (field.number == VALUE_UNIT)
			t.unit = field.value;
	}
	if (r.broken)
		wrong(o);
	return t;
}

static void add_type(struct opening *o, struct pb_reader r)
{
	struct pprofread *f = o->f;

	if (f->type_count >= PPROFREAD_TYPES_MAX)
		o->error = -E2BIG;
	else
		f->types[f->type_count++] = type_of(o, r);
}

static void add_mapping(struct opening *o, struct pb_reader r)
{
	struct pb_field field;

	while (!o->f->has_mapping && pb_next(&r, &field))
		if (field.number == MAPPING_FILENAME)
			o->f->mapping = field.value;
	o->f->has_mapping = true;
	if (r.broken)
		wrong(o);
}

static void add_function(struct opening *o, struct pb_reader r)
{
	struct pprofread_function fn = { 0 };
	struct pprofread *f = o->f;
	struct pb_field field;

	while (pb_next(&r, &field)) {
		switch (field.number) {
		case FUNCTION_ID: fn.id = field.value; break;
		case FUNCTION_NAME: fn.name = field.value; break;
		case FUNCTION_FILENAME: fn.filename = field.value; break;
		case FUNCTION_START_LINE: fn.start_line = (int64_t)field.value; break;
		}
	}
	if (r.broken || !fn.id)
		return wrong(o);
	if (!GROW(o, f->functions, f->function_count, PPROFREAD_ITEMS_MAX))
		return;
	*idmap_put(&o->functions, fn.id) = (uint32_t)f->function_count;
	f->functions[f->function_count++] = fn;
}

static void add_comment(struct pprofread *f, uint64_t number)
{
	if (f->comment_count < PPROFREAD_COMMENTS_MAX)
		f->comments[f->comment_count++] = number;
}

/* `comment` is a repeated number: packed where proto3 encodes it, one by one from us. */
static void add_comments(struct opening *o, struct pb_field *field)
{
	uint64_t number;

	if (!field->is_bytes)
		return add_comment(o->f, field->value);
	while (pb_next_number(&field->bytes, &number))
		add_comment(o->f, number);
	if (field->bytes.broken)
		wrong(o);
}

static void read_head(struct opening *o, struct pb_field *field)
{
	struct pprofread *f = o->f;

	switch (field->number) {
	case PROFILE_STRING_TABLE: add_string(o, field); break;
	case PROFILE_SAMPLE_TYPE: add_type(o, field->bytes); break;
	case PROFILE_PERIOD_TYPE: f->period_type = type_of(o, field->bytes); break;
	case PROFILE_MAPPING: add_mapping(o, field->bytes); break;
	case PROFILE_FUNCTION_: add_function(o, field->bytes); break;
	case PROFILE_COMMENT: add_comments(o, field); break;
	case PROFILE_TIME_NANOS: f->time_ns = field->value; break;
	case PROFILE_DURATION_NANOS: f->duration_ns = field->value; break;
	case PROFILE_PERIOD: f->period = field->value; break;
	case PROFILE_DEFAULT_SAMPLE_TYPE: f->default_type = field->value; break;
	}
}

/* ---- second walk ---- */

static void add_line(struct opening *o, struct pprofread_location *at, struct pb_reader r)
{
	struct pprofread *f = o->f;
	uint64_t function = 0, line = 0;
	struct pb_field field;
	uint32_t *index;

	while (pb_next(&r, &field)) {
		if (field.number == LINE_FUNCTION_ID)
			function = field.value;
		else if (field.number == LINE_LINE)
			line = field.value;
	}
	index = idmap_put(&o->functions, function);
	if (r.broken || *index == IDMAP_NONE)
		return wrong(o);
	if (at->lines >= PPROFREAD_LINES_MAX || !GROW(o, f->lines, f->line_count, PPROFREAD_ITEMS_MAX))
		return;
	f->lines[f->line_count++] = (struct pprofread_line){ *index, (int64_t)line };
	at->lines++;
}

static void read_location(struct opening *o, struct pb_field *profile_field)
{
	struct pprofread *f = o->f;
	struct pprofread_location at = { .first_line = (uint32_t)f->line_count };
	struct pb_reader r = profile_field->bytes;
	struct pb_field field;

	if (profile_field->number != PROFILE_LOCATION)
		return;
	while (!o->error && pb_next(&r, &field)) {
		if (field.number == LOCATION_ID)
			at.id = field.value;
		else if (field.number == LOCATION_LINE)
			add_line(o, &at, field.bytes);
	}
	if (r.broken || !at.id)
		return wrong(o);
	if (!GROW(o, f->locations, f->location_count, PPROFREAD_ITEMS_MAX))
		return;
	*idmap_put(&o->locations, at.id) = (uint32_t)f->location_count;
	f->locations[f->location_count++] = at;
}

/* ---- third walk ---- */

static void add_frame(struct opening *o, struct pprofread_sample *at, uint64_t id)
{
	struct pprofread *f = o->f;
	uint32_t *index = idmap_put(&o->locations, id);

	if (*index == IDMAP_NONE)
		return wrong(o);
	if (!GROW(o, f->frames, f->frame_count, PPROFREAD_NUMBERS_MAX))
		return;
	f->frames[f->frame_count++] = *index;
	at->frames++;
}

static void add_value(struct opening *o, struct pprofread_sample *at _unused_, uint64_t value)
{
	struct pprofread *f = o->f;

	if (GROW(o, f->values, f->value_count, PPROFREAD_NUMBERS_MAX))
		f->values[f->value_count++] = (int64_t)value;
}

/* A repeated number, packed or not. */
static void add_numbers(struct opening *o, struct pprofread_sample *at, struct pb_field *field,
			void (*add)(struct opening *, struct pprofread_sample *, uint64_t))
{
	uint64_t number;

	if (!field->is_bytes)
		add(o, at, field->value);
	while (!o->error && pb_next_number(&field->bytes, &number))
		add(o, at, number);
	if (field->bytes.broken)
		wrong(o);
}

/* Labels are read when they are asked for, but what is there is looked at now. */
static void check_label(struct opening *o, struct pb_reader r)
{
	struct pb_field field;

	while (pb_next(&r, &field))
		;
	if (r.broken)
		wrong(o);
}

static void read_sample(struct opening *o, struct pb_field *profile_field)
{
	struct pprofread *f = o->f;
	struct pprofread_sample at = { .first_frame = (uint32_t)f->frame_count,
				       .message = profile_field->bytes };
	struct pb_reader r = profile_field->bytes;
	struct pb_field field;

	if (profile_field->number != PROFILE_SAMPLE)
		return;
	while (!o->error && pb_next(&r, &field)) {
		if (field.number == SAMPLE_LOCATION_ID)
			add_numbers(o, &at, &field, add_frame);
		else if (field.number == SAMPLE_VALUE)
			add_numbers(o, &at, &field, add_value);
		else if (field.number == SAMPLE_LABEL)
			check_label(o, field.bytes);
	}
	if (r.broken || f->value_count != (f->sample_count + 1) * f->type_count)
		return wrong(o);
	if (GROW(o, f->samples, f->sample_count, PPROFREAD_ITEMS_MAX))
		f->samples[f->sample_count++] = at;
}

/* ---- all of it ---- */

static void walk(struct opening *o, void (*read)(struct opening *, struct pb_field *))
{
	struct pb_reader r = { (const uint8_t *)o->f->plain.data, o->f->plain.len, false };
	struct pb_field field;

	while (!o->error && pb_next(&r, &field))
		read(o, &field);
	if (r.broken)
		wrong(o);
}

static int unpack(struct pprofread *f, const void *stored, size_t len)
{
	if (gzip_is(stored, len))
		return gzip_unpack(&f->plain, stored, len, WIRE_STORED_BYTES_MAX);
	if (len > WIRE_STORED_BYTES_MAX)
		return -E2BIG;
	buf_add(&f->plain, stored, len);
	return 0;
}

int pprofread_open(struct pprofread *f, const void *stored, size_t len, struct err *err)
{
	struct opening o = { .f = f };

	*f = (struct pprofread){ 0 };
	o.error = unpack(f, stored, len);
	idmap_init(&o.functions);
	idmap_init(&o.locations);
	walk(&o, read_head);
	walk(&o, read_location);
	walk(&o, read_sample);
	idmap_release(&o.functions);
	idmap_release(&o.locations);
	if (!o.error && !f->string_count)
		wrong(&o);
	if (o.error == -E2BIG)
		err_set(err, 0, EXIT_FAILED, "a profile of more than pystoker reads");
	else if (o.error)
		err_set(err, 0, EXIT_FAILED, "no profile: it is neither pprof nor gzip'd pprof, or broken");
	return o.error;
}

void pprofread_release(struct pprofread *f)
{
	buf_release(&f->plain);
	free(f->strings);
	free(f->functions);
	free(f->locations);
	free(f->lines);
	free(f->samples);
	free(f->frames);
	free(f->values);
	*f = (struct pprofread){ 0 };
}

struct pprofread_text pprofread_string(const struct pprofread *f, uint64_t number)
{
	return number < f->string_count ? f->strings[number] : (struct pprofread_text){ "", 0 };
}

bool pprofread_is(const struct pprofread *f, uint64_t number, const char *text)
{
	struct pprofread_text t = pprofread_string(f, number);

	return t.len == strlen(text) && !memcmp(t.data, text, t.len);
}

static struct pprofread_label label_of(struct pb_reader r)
{
	struct pprofread_label label = { 0 };
	struct pb_field field;

	while (pb_next(&r, &field)) {
		switch (field.number) {
		case LABEL_KEY: label.key = field.value; break;
		case LABEL_STR: label.str = field.value; break;
		case LABEL_NUM: label.num = field.value; break;
		}
	}
	return label;
}

bool pprofread_next_label(struct pb_reader *r, struct pprofread_label *ret)
{
	struct pb_field field;

	while (pb_next(r, &field)) {
		if (field.number != SAMPLE_LABEL)
			continue;
		*ret = label_of(field.bytes);
		return true;
	}
	return false;
}
