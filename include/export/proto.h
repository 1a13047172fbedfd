/* SPDX-License-Identifier: MIT
 * The messages of profile.proto (github.com/google/pprof/blob/main/proto/profile.proto): their field
 * numbers, and a writer with one function per message. Fields may come in any order, so each is
 * written as it is met; the numbers that tie them together are the caller's. */
#ifndef EXPORT_PROTO_H
#define EXPORT_PROTO_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"

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

/* All zero is a writer that has written nothing. */
struct proto {
	struct buf out;                /* fields of Profile; the caller may take them out at any time */
	uint32_t strings;              /* in the table so far; the first must be "" */
	struct buf message, part;      /* private */
	struct buf lines, labels;      /* private: of the next location, the next sample */
};

void proto_release(struct proto *w);
void proto_clear(struct proto *w);     /* keeps the memory */

/* Adds to the string table, which must be UTF-8; returns the string's number. */
uint32_t proto_string(struct proto *w, const char *s, size_t len);
/* A field of Profile that is a number, or a string by its number. */
void proto_number(struct proto *w, unsigned field, uint64_t value);
void proto_value_type(struct proto *w, unsigned field, uint32_t type, uint32_t unit);
/* The only mapping; all locations are in it. */
void proto_mapping(struct proto *w, uint32_t filename, bool has_lines);
void proto_function(struct proto *w, uint64_t id, uint32_t name, uint32_t filename, int64_t start_line);
/* First the lines of the location (one, or more for inlined calls, innermost first), then it. */
void proto_line(struct proto *w, uint64_t function, int64_t line);
void proto_location(struct proto *w, uint64_t id);
/* First the labels of the sample, then it: packed location ids, leaf first, and packed values. */
void proto_label(struct proto *w, uint32_t key, uint32_t str, uint64_t num);
void proto_sample(struct proto *w, const struct buf *locations, const struct buf *values);

#endif
