/* SPDX-License-Identifier: MIT
 * The messages of profile.proto. */
#include "export/proto.h"

#include "util/pbwire.h"

enum { MAPPING_ONLY = 1 };

void proto_release(struct proto *w)
{
	buf_release(&w->out);
	buf_release(&w->message);
	buf_release(&w->part);
	buf_release(&w->lines);
	buf_release(&w->labels);
}

void proto_clear(struct proto *w)
{
	buf_clear(&w->out);
	buf_clear(&w->message);
	buf_clear(&w->part);
	buf_clear(&w->lines);
	buf_clear(&w->labels);
	w->strings = 0;
}

/* Ends one message: it becomes a field of Profile. */
static void put(struct proto *w, unsigned field)
{
	pb_message(&w->out, field, &w->message);
	buf_clear(&w->message);
}

uint32_t proto_string(struct proto *w, const char *s, size_t len)
{
	pb_bytes(&w->out, PROFILE_STRING_TABLE, s, len);
	return w->strings++;
}

void proto_number(struct proto *w, unsigned field, uint64_t value)
{
	pb_uint(&w->out, field, value);
}

void proto_value_type(struct proto *w, unsigned field, uint32_t type, uint32_t unit)
{
	pb_uint(&w->message, VALUE_TYPE, type);
	pb_uint(&w->message, VALUE_UNIT, unit);
	put(w, field);
}

void proto_mapping(struct proto *w, uint32_t filename, bool has_lines)
{
	pb_uint(&w->message, MAPPING_ID, MAPPING_ONLY);
	pb_uint(&w->message, MAPPING_FILENAME, filename);
	pb_uint(&w->message, MAPPING_HAS_FUNCTIONS, 1);
	pb_uint(&w->message, MAPPING_HAS_FILENAMES, 1);
	pb_uint(&w->message, MAPPING_HAS_LINE_NUMBERS, has_lines);
	put(w, PROFILE_MAPPING);
}

void proto_function(struct proto *w, uint64_t id, uint32_t name, uint32_t filename, int64_t start_line)
{
	pb_uint(&w->message, FUNCTION_ID, id);
	pb_uint(&w->message, FUNCTION_NAME, name);
	pb_uint(&w->message, FUNCTION_SYSTEM_NAME, name);
	pb_uint(&w->message, FUNCTION_FILENAME, filename);
	pb_uint(&w->message, FUNCTION_START_LINE, start_line > 0 ? (uint64_t)start_line : 0);
	put(w, PROFILE_FUNCTION_);
}

void proto_line(struct proto *w, uint64_t function, int64_t line)
{
	pb_uint(&w->part, LINE_FUNCTION_ID, function);
	pb_uint(&w->part, LINE_LINE, line > 0 ? (uint64_t)line : 0);
	pb_message(&w->lines, LOCATION_LINE, &w->part);
	buf_clear(&w->part);
}

void proto_location(struct proto *w, uint64_t id)
{
	pb_uint(&w->message, LOCATION_ID, id);
	pb_uint(&w->message, LOCATION_MAPPING_ID, MAPPING_ONLY);
	buf_add(&w->message, w->lines.data, w->lines.len);
	buf_clear(&w->lines);
	put(w, PROFILE_LOCATION);
}

void proto_label(struct proto *w, uint32_t key, uint32_t str, uint64_t num)
{
	if (!str && !num)
		return;
	pb_uint(&w->part, LABEL_KEY, key);
	pb_uint(&w->part, LABEL_STR, str);
	pb_uint(&w->part, LABEL_NUM, num);
	pb_message(&w->labels, SAMPLE_LABEL, &w->part);
	buf_clear(&w->part);
}

void proto_sample(struct proto *w, const struct buf *locations, const struct buf *values)
{
	pb_message(&w->message, SAMPLE_LOCATION_ID, locations);
	pb_message(&w->message, SAMPLE_VALUE, values);
	buf_add(&w->message, w->labels.data, w->labels.len);
	buf_clear(&w->labels);
	put(w, PROFILE_SAMPLE);
}
