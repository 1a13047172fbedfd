/* SPDX-License-Identifier: MIT
 * Judging whether data have arrived. */
#include "arrival.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/option.h"
#include "util/buf.h"
#include "util/xalloc.h"

#define SERIES_MAX 1024u   /* of an answer; without groupBy there is one */
#define POINTS_MAX 65536u  /* of a series */
#define NAME_BYTES_MAX 256u /* of a service's name kept */
#define NAMES_SHOWN 8u

const char *const arrival_type_ids[ARRIVAL_TYPES] = {
	[ARRIVAL_CPU] = "process_cpu:cpu:nanoseconds:cpu:nanoseconds",
	[ARRIVAL_WALL] = "wall:wall:nanoseconds:wall:nanoseconds",
};

/* --- reading the answers ---------------------------------------------------------------------- */

static json_t *load_object(const struct http_answer *a)
{
	json_t *root = json_loadb(a->body, a->body_len, 0, NULL);

	if (json_is_object(root))
		return root;
	json_decref(root);
	return NULL;
}

/* int64 are strings in protobuf's JSON; numbers are taken as well. Digits only. */
static uint64_t timestamp_of(const json_t *t)
{
	const char *text = json_string_value(t);

	if (json_is_integer(t) && json_integer_value(t) > 0)
		return (uint64_t)json_integer_value(t);
	if (!text || !*text || strlen(text) > 18 || text[strspn(text, "0123456789")])
		return 0;
	return strtoull(text, NULL, 10);
}

static uint64_t newest_point(const json_t *series)
{
	const json_t *points = json_object_get(series, "points");
	size_t n = json_array_size(points);
	uint64_t newest = 0;

	for (size_t i = 0; i < n && i < POINTS_MAX; i++) {
		const json_t *point = json_array_get(points, i);
		uint64_t at = timestamp_of(json_object_get(point, "timestamp"));

		if (json_number_value(json_object_get(point, "value")) > 0 && at > newest)
			newest = at;
	}
	return newest;
}

int arrival_newest(uint64_t *ret_ms, const struct http_answer *a)
{
	json_t *root = load_object(a), *series;
	uint64_t newest = 0;

	if (!root)
		return -EBADMSG;
	series = json_object_get(root, "series"); /* absent when there is none */
	for (size_t i = 0; i < json_array_size(series) && i < SERIES_MAX; i++) {
		uint64_t at = newest_point(json_array_get(series, i));

		newest = at > newest ? at : newest;
	}
	json_decref(root);
	*ret_ms = newest;
	return 0;
}

int arrival_names(struct arrival_names *ret, const struct http_answer *a)
{
	json_t *root = load_object(a), *names;

	*ret = (struct arrival_names){ 0 };
	if (!root && a->body_len == HTTP_BODY_MAX && !strncmp(a->body, "{\"names\":", 9)) {
		ret->total = ARRIVAL_NAMES_MAX; /* cut: there are many */
		return 0;
	}
	if (!root)
		return -EBADMSG;
	names = json_object_get(root, "names"); /* absent when there is none */
	ret->total = json_array_size(names);
	for (size_t i = 0; i < ret->total && ret->count < ARRIVAL_NAMES_MAX; i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (name)
			ret->list[ret->count++] = xstrndup(name, NAME_BYTES_MAX);
	}
	json_decref(root);
	return 0;
}

void arrival_names_release(struct arrival_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->list[i]);
	*n = (struct arrival_names){ 0 };
}

/* --- judging ---------------------------------------------------------------------------------- */

static const char *span_text(char out[32], uint64_t ms)
{
	uint64_t s = ms / 1000;

	if (s < 180)
		snprintf(out, 32, "%" PRIu64 " s", s);
	else if (s < 180 * 60)
		snprintf(out, 32, "%" PRIu64 " min", s / 60);
	else
		snprintf(out, 32, "%" PRIu64 " h", s / 3600);
	return out;
}

static uint64_t age_ms(const struct arrival *f, uint64_t at_ms)
{
	return at_ms < f->now_ms ? f->now_ms - at_ms : 0;
}

/* "CPU 12 s ago, wall clock 14 s ago" */
static void add_ages(struct buf *b, const struct arrival *f)
{
	static const char *const words[ARRIVAL_TYPES] = { "CPU", "wall clock" };
	char span[32];

	for (size_t i = 0; i < ARRIVAL_TYPES; i++) {
		buf_addf(b, "%s%s ", i ? ", " : "", words[i]);
		if (f->newest_ms[i])
			buf_addf(b, "%s ago", span_text(span, age_ms(f, f->newest_ms[i])));
		else
			buf_adds(b, "none");
	}
}

static void add_names(struct buf *b, const struct arrival_names *n)
{
	size_t shown = n->count < NAMES_SHOWN ? n->count : NAMES_SHOWN;

	for (size_t i = 0; i < shown; i++)
		buf_addf(b, "%s%.80s", i ? ", " : "", n->list[i]);
	if (n->total > shown)
		buf_addf(b, "%s%zu%s", shown ? " and " : "", n->total - shown,
			 shown ? " more" : " or more");
}

static void add_tenant(struct buf *b, const struct arrival *f)
{
	if (f->tenant)
		buf_addf(b, " of tenant %s", f->tenant);
}

/* The server has just started: what it shows may be all, or not yet. */
static void say_starting(struct checks *c, const char *what)
{
	struct check *check = checks_say(c, "fresh", CHECK_WARN, EXIT_UNCERTAIN,
					 "cannot be told yet: %s, and the server is not ready", what);

	err_hint(&check->err, "ask again when /ready says 200; pushes are taken before that");
}

static void judge_seen(const struct arrival *f, struct checks *c, uint64_t newest)
{
	uint64_t limit = ARRIVAL_INTERVALS * f->interval_ms;
	struct buf ages = BUF_INIT;
	char span[32];

	add_ages(&ages, f);
	if (age_ms(f, newest) <= limit) {
		checks_say(c, "fresh", CHECK_OK, 0, "newest data of %.200s: %s", f->app, ages.data);
	} else if (f->starting) {
		say_starting(c, "the newest data are old");
	} else {
		struct check *check = checks_say(
			c, "fresh", CHECK_FAIL, EXIT_STALE,
			"the newest data of %.200s are older than %u intervals (%s): %s", f->app,
			ARRIVAL_INTERVALS, span_text(span, limit), ages.data);

		err_hint(&check->err, "look into push's log there: is it running, what does the "
			 "server answer?");
	}
	buf_release(&ages);
}

static void judge_quiet(const struct arrival *f, struct checks *c)
{
	struct check *check;
	char span[32];

	if (f->starting) {
		say_starting(c, "nothing of the service is seen of late");
		return;
	}
	check = checks_say(c, "fresh", CHECK_FAIL, EXIT_STALE, "%.200s has no CPU or wall-clock "
			   "data of the last %s, though it is known from the last day", f->app,
			   span_text(span, f->lookback_ms));
	err_hint(&check->err, "look into push's log there: is it running, what does the server "
		 "answer?");
}

static const char *next_name(const void *from, size_t i)
{
	return ((const struct arrival_names *)from)->list[i];
}

static void judge_others(const struct arrival *f, struct checks *c)
{
	struct check *check;
	struct buf b = BUF_INIT;

	if (f->starting) {
		say_starting(c, "nothing of the service is seen");
		return;
	}
	add_names(&b, &f->others);
	check = checks_say(c, "fresh", CHECK_FAIL, EXIT_NO_SERVICE,
			   "there is no service %.200s; there %s %s", f->app,
			   f->others.total == 1 ? "is" : "are", b.data ? b.data : "others");
	if (!suggest(&check->err, f->app, "", next_name, &f->others))
		err_hint(&check->err, "--app must be push's --app (SERVICE_NAME), letter for letter");
	buf_release(&b);
}

static void judge_nothing(const struct arrival *f, struct checks *c)
{
	struct check *check;
	struct buf tenant = BUF_INIT;

	add_tenant(&tenant, f);
	if (f->starting) {
		say_starting(c, "nothing is seen of any service");
	} else if (f->major != 1) {
		check = checks_say(c, "fresh", CHECK_WARN, EXIT_UNCERTAIN, "cannot be told yet: "
				   "nothing%s is seen of any service; either nothing was pushed, or "
				   "the server is too fresh: one of 2.x shows what it has taken only "
				   "after its first compaction", tenant.data ? tenant.data : "");
		err_hint(&check->err, "let push run and ask again in 5 minutes; its log says what "
			 "was taken%s", f->tenant ? "; check --tenant" : "");
	} else if (f->tenant) {
		check = checks_say(c, "fresh", CHECK_FAIL, EXIT_AUTH, "tenant %s has no data of any "
				   "service: it is another one, or nothing was ever pushed",
				   f->tenant);
		err_hint(&check->err, "--tenant must be that of push");
	} else {
		check = checks_say(c, "fresh", CHECK_FAIL, EXIT_STALE,
				   "the server has no data of any service");
		err_hint(&check->err, "is push running, with this --url? Its log says what the "
			 "server answers");
	}
	buf_release(&tenant);
}

void arrival_judge(const struct arrival *f, struct checks *c)
{
	uint64_t newest = 0;

	for (size_t i = 0; i < ARRIVAL_TYPES; i++)
		newest = f->newest_ms[i] > newest ? f->newest_ms[i] : newest;
	if (newest)
		judge_seen(f, c, newest);
	else if (f->known)
		judge_quiet(f, c);
	else if (f->others.total)
		judge_others(f, c);
	else
		judge_nothing(f, c);
}

void arrival_list(const struct arrival *f, struct checks *c)
{
	struct buf b = BUF_INIT;
	struct check *check;

	add_names(&b, &f->others);
	add_tenant(&b, f);
	if (f->others.total)
		check = checks_say(c, "services", CHECK_OK, 0, "data of %s in the last day",
				   b.data ? b.data : "some");
	else
		check = checks_say(c, "services", CHECK_WARN, 0, "no data%s are seen%s",
				   b.data ? b.data : "", f->major == 1 ? "" : "; a server of 2.x "
				   "lists them only minutes after they came");
	err_hint(&check->err, "--app NAME asks whether those of a service are fresh");
	buf_release(&b);
}
