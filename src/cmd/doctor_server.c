/* SPDX-License-Identifier: MIT
 * doctor's questions to the server, one after the other; what the answers mean is judged in health.c
 * and arrival.c. */
#include "doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrival.h"
#include "folder.h"
#include "health.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define POINTS_WANTED 400u        /* of a series: so many fit into HTTP_BODY_MAX */
#define LOOKBACK_MS (3600 * 1000ull)
#define FUTURE_MS (60 * 1000ull)  /* a pusher's clock may be a little ahead */

struct asking {
	const struct doctor_options *o;
	struct http *http;
	struct checks *c;
	struct health health;
	struct arrival arrival;
	struct http_answer a;         /* the last one */
};

int doctor_server_open(const struct doctor_options *o, struct http **ret, struct err *err)
{
	struct http_config config;
	struct server_secrets secrets;
	int r = server_config(&o->server, &config, &secrets, err);

	*ret = NULL;
	if (r == -ENOTSUP) {
		err_set(err, 0, 0, "%s", "");
		return 0;
	}
	if (!r) {
		r = http_open(ret, &config, err);
		server_secrets_release(&secrets);
	}
	if (r)
		err_prefix(err, "doctor");
	return r;
}

static void get(struct asking *q, const char *path)
{
	http_do(q->http, &(struct http_request){ .method = "GET", .path = path }, &q->a);
}

/* --- queries ---------------------------------------------------------------------------------- */

/* {service_name="…"}, quoted as PromQL has it; owned by the caller. */
static char *selector_of(const char *app)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, "{service_name=\"");
	for (const char *c = app; *c; c++) {
		if (*c == '"' || *c == '\\')
			buf_addc(&b, '\\');
		if (*c == '\n')
			buf_adds(&b, "\\n");
		else
			buf_addc(&b, *c);
	}
	buf_adds(&b, "\"}");
	return buf_detach(&b);
}

/* int64 are strings in protobuf's JSON. */
static void set_time(json_t *body, const char *key, uint64_t ms)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, ms);
	json_object_set_new(body, key, json_string(text));
}

/* Both ends are always stated: without them storage of 2.x answers 400, and 1.x looks only at its
 * ingesters. Takes `body`. True when there is an answer to judge. */
static bool query(struct asking *q, const char *call, json_t *body, uint64_t lookback_ms)
{
	uint64_t now = q->arrival.now_ms;
	char *path = xasprintf("/querier.v1.QuerierService/%s", call), *text;

	set_time(body, "start", now > lookback_ms ? now - lookback_ms : 1);
	set_time(body, "end", now + FUTURE_MS);
	text = json_dumps(body, JSON_COMPACT);
	http_do(q->http, &(struct http_request){
		.method = "POST", .path = path, .content_type = "application/json",
		.body = text, .len = text ? strlen(text) : 0 }, &q->a);
	json_decref(body);
	free(text);
	free(path);
	return q->a.status == 200;
}

static bool ask_newest(struct asking *q, const char *selector, uint64_t lookback_ms)
{
	uint64_t step = (lookback_ms + FUTURE_MS) / 1000 / POINTS_WANTED;
	bool good = true;

	for (size_t i = 0; good && i < ARRIVAL_TYPES; i++) {
		json_t *body = json_pack("{s:s, s:s, s:I}", "profileTypeID", arrival_type_ids[i],
					 "labelSelector", selector, "step",
					 (json_int_t)(step ? step : 1));

		good = query(q, "SelectSeries", body, lookback_ms) &&
		       !arrival_newest(&q->arrival.newest_ms[i], &q->a);
	}
	return good;
}

/* Services; with a selector only the one, which a server of 2.x tells earlier. */
static bool ask_names(struct asking *q, const char *selector, struct arrival_names *ret)
{
	json_t *body = json_pack("{s:s}", "name", "service_name");

	if (selector)
		json_object_set_new(body, "matchers", json_pack("[s]", selector));
	return query(q, "LabelValues", body, ARRIVAL_LISTED_MS) && !arrival_names(ret, &q->a);
}

static bool ask_known(struct asking *q, const char *selector)
{
	struct arrival_names names = { 0 };

	if (!ask_names(q, selector, &names))
		return false;
	for (size_t i = 0; i < names.count; i++)
		q->arrival.known |= !strcmp(names.list[i], q->o->app);
	arrival_names_release(&names);
	return true;
}

static bool seen(const struct arrival *f)
{
	return f->newest_ms[ARRIVAL_CPU] || f->newest_ms[ARRIVAL_WALL];
}

/* A point stands for the time of a step up to it, so its data may be older by a long step; they are
 * known not to be younger than this. */
static void no_younger_than(struct arrival *f, uint64_t age_ms)
{
	uint64_t at = f->now_ms > age_ms ? f->now_ms - age_ms : 0;

	for (size_t i = 0; i < ARRIVAL_TYPES; i++)
		if (f->newest_ms[i] > at)
			f->newest_ms[i] = at;
}

/* First a few intervals in short steps, then more in long ones. False: one of the questions had no
 * answer. */
static bool ask_app(struct asking *q, const char *selector)
{
	struct arrival *f = &q->arrival;
	uint64_t few_ms = (ARRIVAL_INTERVALS + 1) * f->interval_ms;

	if (!ask_newest(q, selector, few_ms))
		return false;
	if (seen(f))
		return true;
	if (!ask_newest(q, selector, f->lookback_ms))
		return false;
	no_younger_than(f, few_ms);
	if (seen(f))
		return true;
	return ask_known(q, selector) && (f->known || ask_names(q, NULL, &f->others));
}

static void arrival_ask(struct asking *q)
{
	struct arrival *f = &q->arrival;
	const char *id = f->app ? "fresh" : "services";
	char *selector = f->app ? selector_of(f->app) : NULL;

	if (selector ? !ask_app(q, selector) : !ask_names(q, NULL, &f->others)) {
		health_query_failed(q->c, id, &q->a);
		if (!f->app) /* nothing hangs on it */
			q->c->list[q->c->count - 1].err.status = 0;
	} else if (f->app) {
		arrival_judge(f, q->c);
	} else {
		arrival_list(f, q->c);
	}
	arrival_names_release(&f->others);
	free(selector);
}

/* Age is measured by the server's clock: by it the data are shown, and ours may be wrong. */
static void arrival_prepare(struct asking *q)
{
	const struct doctor_options *o = q->o;
	uint64_t interval_ms = o->interval_ns / NSEC_PER_MSEC;

	q->arrival = (struct arrival){
		.app = o->app, .tenant = o->server.tenant, .interval_ms = interval_ms,
		.lookback_ms = LOOKBACK_MS + ARRIVAL_INTERVALS * interval_ms,
		.now_ms = (uint64_t)((int64_t)clock_real_ns() + q->health.skew_ns) / NSEC_PER_MSEC,
		.major = q->health.major, .starting = q->health.ready == 503,
	};
}

/* --- the server ------------------------------------------------------------------------------- */

static void ask_all(struct asking *q, doctor_tell_fn tell, void *arg)
{
	uint64_t now_ns;

	get(q, "/ready");
	now_ns = clock_real_ns();
	if (!health_reach(&q->health, q->c, &q->a))
		return;
	health_ready(&q->health, q->c, &q->a);
	health_clock(&q->health, q->c, &q->a, now_ns);
	tell(arg);
	get(q, "/api/v1/status/buildinfo");
	health_version(&q->health, q->c, &q->a);
	http_do(q->http, &(struct http_request){
		.method = "POST", .path = "/push.v1.PusherService/Push",
		.content_type = "application/proto", .body = "" }, &q->a);
	if (!health_push(&q->health, q->c, &q->a))
		return;
	tell(arg);
	arrival_prepare(q);
	arrival_ask(q);
}

/* Profiles that go to a folder need only that. */
static void check_folder(const char *dir, struct checks *c)
{
	struct folder f;
	int r = folder_try(&f, dir);

	if (!r)
		checks_say(c, "server", CHECK_OK, 0, "none: profiles collect in %.300s, which can be "
			   "written", dir);
	else
		checks_say(c, "server", CHECK_FAIL, EXIT_NOT_TAKEN, "none, and %.300s cannot be "
			   "written: %s", f.path, strerror(-r));
}

void doctor_server(const struct doctor_options *o, struct http *h, struct checks *c,
		   doctor_tell_fn tell, void *arg)
{
	struct asking *q;

	if (!h) {
		check_folder(o->server.url + strlen("file:"), c);
		return;
	}
	q = xcalloc(1, sizeof(*q));
	*q = (struct asking){ .o = o, .http = h, .c = c,
			      .health = { .base = http_base(h), .tenant = o->server.tenant } };
	tell(arg);
	ask_all(q, tell, arg);
	free(q);
}
