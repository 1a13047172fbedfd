/* SPDX-License-Identifier: MIT
 * The labels of a pushed profile. */
#include "ship/labels.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/utf8.h"
#include "util/xalloc.h"

/* What servers take for themselves, change or throw profiles away for (pkg/model/labels.go and
 * pkg/ingester/pyroscope/ingest_adapter.go at grafana/pyroscope v2.2.1); beside all "__…". */
static const char *const reserved[] = {
	"app_name", "profile_id", "pyroscope_spy", "span_id", "trace_id",
};

void labels_release(struct labels *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->list[i].name);
		free(l->list[i].value);
	}
	l->count = 0;
}

/* Names as Prometheus has them: servers before 2.0 know no other. */
static bool is_name(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	while (isalnum((unsigned char)*name) || *name == '_')
		name++;
	return !*name;
}

static bool is_reserved(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (!strcmp(name, reserved[i]))
			return true;
	return !strncmp(name, "__", 2);
}

static int check(const char *name, const char *value, struct err *err)
{
	if (!is_name(name) || strlen(name) > LABELS_NAME_BYTES) {
		err_set(err, 0, EXIT_USAGE, "label \"%.80s\": this is no name for a label", name);
		err_hint(err, "Letters, digits and _, at most %u; the first is no digit.",
			 LABELS_NAME_BYTES);
		return -EINVAL;
	}
	if (is_reserved(name))
		return err_set(err, -EINVAL, EXIT_USAGE, "label \"%.80s\": Pyroscope keeps this name "
			       "for itself", name);
	if (!utf8_is(value, strlen(value)))
		return err_set(err, -EINVAL, EXIT_USAGE, "label \"%.80s\": its value is not UTF-8",
			       name);
	if (strlen(value) > LABELS_VALUE_BYTES)
		return err_set(err, -EINVAL, EXIT_USAGE, "label \"%.80s\": its value is longer than "
			       "%u bytes", name, LABELS_VALUE_BYTES);
	return 0;
}

/* Where the name is, or would be. */
static size_t place(const struct labels *l, const char *name, bool *ret_found)
{
	size_t i = 0;
	int order = -1;

	while (i < l->count && (order = strcmp(l->list[i].name, name)) < 0)
		i++;
	*ret_found = i < l->count && !order;
	return i;
}

static void remove_at(struct labels *l, size_t i)
{
	free(l->list[i].name);
	free(l->list[i].value);
	l->count--;
	memmove(&l->list[i], &l->list[i + 1], (l->count - i) * sizeof(l->list[0]));
}

int labels_set(struct labels *l, const char *name, const char *value, struct err *err)
{
	int r = check(name, value, err);
	bool found;
	size_t i;

	if (r)
		return r;
	i = place(l, name, &found);
	if (!*value) {
		if (found)
			remove_at(l, i);
		return 0;
	}
	if (found) {
		char *copy = xstrdup(value);

		free(l->list[i].value);
		l->list[i].value = copy;
		return 0;
	}
	if (l->count >= LABELS_MAX)
		return err_set(err, -E2BIG, EXIT_USAGE, "label \"%.80s\": there are %u labels already, "
			       "servers take no more", name, LABELS_MAX);
	memmove(&l->list[i + 1], &l->list[i], (l->count - i) * sizeof(l->list[0]));
	l->list[i] = (struct label){ xstrdup(name), xstrdup(value) };
	l->count++;
	return 0;
}

int labels_parse(struct labels *l, const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');
	char *name;
	int r;

	if (!equals)
		return err_set(err, -EINVAL, EXIT_USAGE, "label \"%.80s\": this should be NAME=VALUE",
			       text);
	name = xstrndup(text, (size_t)(equals - text));
	r = labels_set(l, name, equals + 1, err);
	free(name);
	return r;
}

const char *labels_get(const struct labels *l, const char *name)
{
	bool found;
	size_t i = place(l, name, &found);

	return found ? l->list[i].value : NULL;
}

void labels_copy(struct labels *to, const struct labels *from)
{
	for (to->count = 0; to->count < from->count; to->count++)
		to->list[to->count] = (struct label){ xstrdup(from->list[to->count].name),
						      xstrdup(from->list[to->count].value) };
}
