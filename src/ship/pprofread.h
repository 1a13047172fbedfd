/* SPDX-License-Identifier: MIT
 * A stored profile.proto, looked at where it lies. Its bytes may be anybody's: what opens is safe to
 * walk, every number that points somewhere points at something. */
#ifndef SHIP_PPROFREAD_PRIVATE_H
#define SHIP_PPROFREAD_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attr.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/pbwire.h"

/* More than any profile needs that a server takes, even made by others and cut a few times. */
#define PPROFREAD_STRINGS_MAX (1u << 20)
#define PPROFREAD_ITEMS_MAX (1u << 20)    /* of samples, locations, functions, each */
#define PPROFREAD_COMMENTS_MAX 256u       /* later ones are not seen */
#define PPROFREAD_TYPES_MAX 16u
#define PPROFREAD_NUMBERS_MAX (8u << 20)  /* of frames, and of values, of all samples */
#define PPROFREAD_LINES_MAX 64u           /* of one location: calls inlined into each other; the
					   * outer ones beyond are not seen */

struct pprofread_text {
	const char *data;          /* not NUL-terminated, any bytes */
	size_t len;
};

struct pprofread_type {
	uint64_t type, unit;       /* strings */
};

struct pprofread_function {
	uint64_t id, name, filename; /* strings */
	int64_t start_line;
};

struct pprofread_line {
	uint32_t function;         /* index */
	int64_t line;
};

struct pprofread_location {
	uint64_t id;
	uint32_t first_line;       /* index in lines */
	uint32_t lines;
};

struct pprofread_sample {
	uint32_t first_frame;      /* index in frames; the leaf */
	uint32_t frames;
	struct pb_reader message;
};

struct pprofread {
	struct buf plain;          /* all texts and samples lie in it */
	struct pprofread_text *strings;
	struct pprofread_function *functions;
	struct pprofread_location *locations;
	struct pprofread_line *lines;
	struct pprofread_sample *samples;
	uint32_t *frames;          /* of all samples: indexes of locations */
	int64_t *values;           /* of all samples, type_count each */
	size_t string_count, function_count, location_count, line_count, sample_count;
	size_t frame_count, value_count;
	struct pprofread_type types[PPROFREAD_TYPES_MAX], period_type;
	size_t type_count;
	uint64_t comments[PPROFREAD_COMMENTS_MAX]; /* strings */
	size_t comment_count;
	uint64_t time_ns, duration_ns, period, default_type;
	uint64_t mapping;          /* file name of the first mapping: a string */
	bool has_mapping;
};

/* Unpacks (gzip or not) and indexes. -EINVAL, -E2BIG. Release it in either case. */
int pprofread_open(struct pprofread *f, const void *stored, size_t len, struct err *err) _must_check_;
void pprofread_release(struct pprofread *f);

/* The string, "" when there is none of that number. */
struct pprofread_text pprofread_string(const struct pprofread *f, uint64_t number);
bool pprofread_is(const struct pprofread *f, uint64_t number, const char *text);

static inline const int64_t *pprofread_values(const struct pprofread *f, size_t sample)
{
	return f->values + sample * f->type_count;
}

struct pprofread_label {
	uint64_t key, str, num;    /* strings; str 0: a number */
};

/* The next label of a sample; `r` begins as a copy of its message. */
bool pprofread_next_label(struct pb_reader *r, struct pprofread_label *ret);

#endif
