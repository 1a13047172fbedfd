/* SPDX-License-Identifier: MIT
 * The labels a pushed profile carries, checked by the strictest rules of the servers (Pyroscope
 * before 2.0), so that no server refuses a profile for its labels. */
#ifndef SHIP_LABELS_H
#define SHIP_LABELS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/attr.h"
#include "util/err.h"

#define LABELS_MAX 20u            /* servers take 30, of series and samples together with their own */
#define LABELS_NAME_BYTES 1024u   /* max_length_label_name */
#define LABELS_VALUE_BYTES 2048u  /* max_length_label_value */

struct label {
	char *name, *value;       /* owned */
};

struct labels {
	struct label list[LABELS_MAX]; /* in the order of their names */
	size_t count;
};

void labels_release(struct labels *l);

/* Adds or replaces. Names are [a-zA-Z_][a-zA-Z0-9_]*, not reserved ("__…", profile_id, span_id,
 * trace_id, app_name, pyroscope_spy). Values are UTF-8, cut nowhere: a long one is refused. An empty
 * value removes the label. -EINVAL with EXIT_USAGE in err (which may be NULL), -E2BIG when full. */
int labels_set(struct labels *l, const char *name, const char *value, struct err *err) _must_check_;
/* The same from "name=value". */
int labels_parse(struct labels *l, const char *text, struct err *err) _must_check_;
const char *labels_get(const struct labels *l, const char *name); /* NULL: absent */
void labels_copy(struct labels *to, const struct labels *from);   /* `to` is empty */

#endif
