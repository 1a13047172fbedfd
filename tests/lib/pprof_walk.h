/* SPDX-License-Identifier: MIT
 * Reads profile.proto and any other protobuf by a walk of its own, so that a mistake in ours is not
 * made twice. What is not well formed ends the test. */
#ifndef TESTS_PPROF_WALK_H
#define TESTS_PPROF_WALK_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"

enum { WALK_MAX = 20000, WALK_TYPES = 4 };

struct span {
	const uint8_t *p, *end;
};

struct walked {
	struct span strings[WALK_MAX];
	struct { uint64_t id, name, system, file, start; } functions[WALK_MAX];
	struct { uint64_t id, function, line; } locations[WALK_MAX];
	struct { struct span ids; uint64_t values[WALK_TYPES]; uint64_t thread_name; unsigned labels; } samples[WALK_MAX];
	size_t string_count, function_count, location_count, sample_count, mapping_count;
	uint64_t types[WALK_TYPES][2], period_type[2], time_ns, duration_ns, period, mapping_file;
	unsigned mapping_has;
	size_t type_count;
	uint64_t comments[64];
	size_t comment_count;
};

static inline void walk_bad(const char *what)
{
	printf("Bail out! not well formed: %s\n", what);
	exit(1);
}

static inline uint64_t walk_number(struct span *s)
{
	uint64_t n = 0;

	for (unsigned shift = 0; s->p < s->end && shift < 70; shift += 7) {
		uint8_t byte = *s->p++;

		n |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return n;
	}
	walk_bad("number");
	return 0;
}

/* The field's number, 0 at the end; a number, or a span. */
static inline unsigned walk_field(struct span *s, uint64_t *number, struct span *bytes)
{
	uint64_t tag;

	*number = 0;
	*bytes = (struct span){ 0 };
	if (s->p == s->end)
		return 0;
	tag = walk_number(s);
	*number = walk_number(s);
	if ((tag & 7) == 2) {
		if (*number > (uint64_t)(s->end - s->p))
			walk_bad("length");
		*bytes = (struct span){ s->p, s->p + *number };
		s->p += *number;
	} else if (tag & 7) {
		walk_bad("type");
	}
	return (unsigned)(tag >> 3);
}

static inline void walk_sample(struct walked *w, struct span s)
{
	size_t values = 0;
	uint64_t n;
	struct span b;

	for (unsigned f; (f = walk_field(&s, &n, &b));) {
		if (f == 1)
			w->samples[w->sample_count].ids = b;
		while (f == 2 && b.p < b.end && values < WALK_TYPES)
			w->samples[w->sample_count].values[values++] = walk_number(&b);
		if (f == 3) {
			struct span in;
			uint64_t key = 0, str = 0;

			for (unsigned g; (g = walk_field(&b, &n, &in));)
				*(g == 1 ? &key : &str) = n;
			w->samples[w->sample_count].labels++;
			w->samples[w->sample_count].thread_name = str;
		}
	}
	if (values != w->type_count)
		walk_bad("as many values as types");
	w->sample_count++;
}

static inline struct walked *walk_open(const void *data, size_t len)
{
	struct walked *w = calloc(1, sizeof(*w));
	struct span all = { data, (const uint8_t *)data + len }, b, in;
	uint64_t n, v[16];

	for (unsigned f, g; (f = walk_field(&all, &n, &b));) {
		if (w->string_count == WALK_MAX || w->sample_count == WALK_MAX ||
		    w->function_count == WALK_MAX || w->location_count == WALK_MAX)
			walk_bad("more than the test reads");
		memset(v, 0, sizeof(v));
		if (f == 6)
			w->strings[w->string_count++] = b;
		else if (f == 2)
			walk_sample(w, b);
		else if (f == 9)
			w->time_ns = n;
		else if (f == 10)
			w->duration_ns = n;
		else if (f == 12)
			w->period = n;
		else if (f == 13)
			w->comments[w->comment_count++ & 63] = n;
		else
			while ((g = walk_field(&b, &n, &in))) {
				if (g == 4 && f == 4) {
					for (unsigned h; (h = walk_field(&in, &n, &(struct span){ 0 }));)
						v[8 + h] = n;
				} else if (g < 8) {
					v[g] = n;
				}
				w->mapping_has += f == 3 && g >= 7 && n;
			}
		if (f == 1 || f == 11)
			memcpy(f == 1 ? w->types[w->type_count++] : w->period_type, v + 1, 16);
		if (f == 3)
			w->mapping_count++, w->mapping_file = v[5];
		if (f == 4) {
			w->locations[w->location_count].id = v[1];
			w->locations[w->location_count].function = v[9];
			w->locations[w->location_count++].line = v[10];
		}
		if (f == 5) {
			w->functions[w->function_count].id = v[1];
			w->functions[w->function_count].name = v[2];
			w->functions[w->function_count].system = v[3];
			w->functions[w->function_count].file = v[4];
			w->functions[w->function_count++].start = v[5];
		}
	}
	return w;
}

/* The string, valid until the next four calls. */
static inline const char *walk_string(const struct walked *w, uint64_t i)
{
	static char texts[4][8192];
	static unsigned turn;
	char *text = texts[turn++ & 3];

	if (i >= w->string_count)
		walk_bad("string number");
	snprintf(text, sizeof(texts[0]), "%.*s", (int)(w->strings[i].end - w->strings[i].p),
		 (const char *)w->strings[i].p);
	return text;
}

static inline size_t walk_location(const struct walked *w, uint64_t id)
{
	for (size_t i = 0; i < w->location_count; i++)
		if (w->locations[(i + id - 1) % w->location_count].id == id) /* dense mostly */
			return (i + id - 1) % w->location_count;
	walk_bad("location id");
	return 0;
}

static inline size_t walk_function(const struct walked *w, uint64_t id)
{
	for (size_t i = 0; i < w->function_count; i++)
		if (w->functions[i].id == id)
			return i;
	walk_bad("function id");
	return 0;
}

/* Leaf first: `name file:line < name file:line`; with `[thread]` in front when labelled. */
static inline void walk_stack(const struct walked *w, size_t sample, struct buf *b)
{
	struct span ids = w->samples[sample].ids;

	if (w->samples[sample].thread_name)
		buf_addf(b, "[%s] ", walk_string(w, w->samples[sample].thread_name));
	for (const char *sep = ""; ids.p < ids.end; sep = " < ") {
		size_t l = walk_location(w, walk_number(&ids));
		size_t f = walk_function(w, w->locations[l].function);

		buf_addf(b, "%s%s %s:%d", sep, walk_string(w, w->functions[f].name),
			 walk_string(w, w->functions[f].file), (int)w->locations[l].line);
	}
}

static inline size_t walk_depth(const struct walked *w, size_t sample)
{
	struct span ids = w->samples[sample].ids;
	size_t n = 0;

	for (; ids.p < ids.end; n++)
		walk_location(w, walk_number(&ids));
	return n;
}

static inline uint64_t walk_total(const struct walked *w, size_t type)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < w->sample_count; i++)
		sum += w->samples[i].values[type];
	return sum;
}

/* The values of all samples with this stack; 0: none. */
static inline uint64_t walk_value(const struct walked *w, const char *stack)
{
	struct buf b = BUF_INIT;
	uint64_t sum = 0;

	for (size_t i = 0; i < w->sample_count; i++) {
		buf_clear(&b);
		walk_stack(w, i, &b);
		if (b.data && !strcmp(b.data, stack))
			sum += w->samples[i].values[0];
	}
	buf_release(&b);
	return sum;
}

/* Whether some string is it. */
static inline int walk_has(const struct walked *w, const char *text)
{
	for (size_t i = 0; i < w->string_count; i++)
		if ((size_t)(w->strings[i].end - w->strings[i].p) == strlen(text) &&
		    !memcmp(w->strings[i].p, text, strlen(text)))
			return 1;
	return 0;
}

#endif
