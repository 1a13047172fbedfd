/* SPDX-License-Identifier: MIT
 * Judging a server by its answers. */
#include "health.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ship/verdict.h"
#include "util/clock.h"

#define VERSION_SHOWN_MAX 64

/* The server's own words, for a message. */
struct words {
	char text[sizeof(((struct judgement *)0)->why) + 8];
};

static const char *words_of(struct words *w, const struct http_answer *a)
{
	struct judgement j;

	verdict_of(&j, a, 0);
	snprintf(w->text, sizeof(w->text), "%s%s", j.why[0] ? ": " : "", j.why);
	return w->text;
}

/* --- reachable -------------------------------------------------------------------------------- */

static const struct {
	int error;
	const char *what, *hint;
} failures[] = {
	{ ECONNREFUSED, "nothing listens there", "is the server running, is the port in --url right?" },
	{ EHOSTUNREACH, "no such name, or no way there",
	  "check the name in --url; does it resolve here, on this network or in this container?" },
	{ ETIMEDOUT, "no answer in time",
	  "a firewall may drop it, the server may be overloaded, --timeout too short" },
	{ ECONNRESET, "the connection broke off", "http or https? A proxy in between?" },
	{ EPROTO, "no HTTP, or the TLS connection failed",
	  "http or https? --ca-file FILE for certificates of your own" },
	{ EMSGSIZE, "the answer does not end", "this is no Pyroscope: check --url" },
	{ 0, "no answer", "check --url" },
};

static size_t failure_of(const struct http_answer *a)
{
	size_t i = 0;

	while (failures[i].error && failures[i].error != a->error)
		i++;
	return i;
}

static void say_unreached(struct checks *c, const char *id, const char *base,
			  const struct http_answer *a)
{
	size_t i = failure_of(a);
	struct check *check = checks_say(c, id, CHECK_FAIL, EXIT_UNREACHABLE, "%.300s: %s%s%s%s",
					 base, failures[i].what, a->text[0] ? " (" : "", a->text,
					 a->text[0] ? ")" : "");

	err_hint(&check->err, "%s", failures[i].hint);
}

bool health_reach(struct health *h, struct checks *c, const struct http_answer *a)
{
	if (!a->status) {
		say_unreached(c, "server", h->base, a);
		return false;
	}
	h->ready = a->status;
	checks_say(c, "server", CHECK_OK, 0, "%.300s answers within %" PRIu64 " ms", h->base,
		   (uint64_t)(a->latency_ns / NSEC_PER_MSEC + 1));
	return true;
}

void health_ready(struct health *h, struct checks *c, const struct http_answer *a)
{
	struct words w;
	struct check *check;

	(void)h;
	switch (a->status) {
	case 200:
		checks_say(c, "ready", CHECK_OK, 0, "the server says that it is ready");
		return;
	case 404: case 405:
		checks_say(c, "ready", CHECK_OK, 0, "/ready is not there (%d): a gateway, maybe; no harm",
			   a->status);
		return;
	case 401: case 403:
		checks_say(c, "ready", CHECK_OK, 0, "/ready is not for us (%d); no harm", a->status);
		return;
	case 503:
		check = checks_say(c, "ready", CHECK_WARN, 0, "not ready yet (503%s)", words_of(&w, a));
		err_hint(&check->err, "that is so for 15 to 90 s after a start, while pushes are "
			 "taken already");
		return;
	default:
		checks_say(c, "ready", CHECK_WARN, 0, "/ready answers %d%s", a->status, words_of(&w, a));
	}
}

/* --- clock ------------------------------------------------------------------------------------ */

/* The Date header has whole seconds: less than 2 s tell nothing. */
#define SKEW_TELLS_NS (2 * 1000000000ll)

void health_clock(struct health *h, struct checks *c, const struct http_answer *a, uint64_t now_ns)
{
	int64_t skew, size;
	struct check *check;
	const char *where;
	bool fails;

	if (!a->date_ns) {
		checks_say(c, "clock", CHECK_OK, 0, "the server states no time to compare ours with");
		return;
	}
	skew = (int64_t)(a->date_ns + NSEC_PER_SEC / 2) - (int64_t)(now_ns - a->latency_ns / 2);
	size = skew < 0 ? -skew : skew;
	where = skew < 0 ? "ahead of" : "behind";
	fails = size > (skew < 0 ? HEALTH_AHEAD_FAIL_NS : HEALTH_BEHIND_FAIL_NS);
	h->skew_ns = size < SKEW_TELLS_NS ? 0 : skew;
	if (size <= HEALTH_SKEW_WARN_NS) {
		checks_say(c, "clock", CHECK_OK, 0, "our clock and the server's are at most %" PRId64
			   " s apart", size / (int64_t)NSEC_PER_SEC + 1);
		return;
	}
	check = checks_say(c, "clock", fails ? CHECK_FAIL : CHECK_WARN, fails ? EXIT_NOT_TAKEN : 0,
			   "our clock is %" PRId64 " s %s the server's%s",
			   size / (int64_t)NSEC_PER_SEC, where, fails ? ", which refuses such profiles" :
			   ": profiles appear at the wrong time");
	err_hint(&check->err, "set one of them right (timedatectl, chronyc tracking); a server takes "
		 "what is at most 1 h old and 10 min ahead");
}

/* --- version ---------------------------------------------------------------------------------- */

/* "v1.15.3", "2.0.6-dirty"; false for "", "main-1a2b3c". */
static bool version_parse(struct health *h, const char *text)
{
	unsigned int major, minor;

	if (*text == 'v')
		text++;
	if (strspn(text, "0123456789") > 4 || sscanf(text, "%4u.%4u", &major, &minor) != 2 || !major)
		return false;
	h->major = major;
	h->minor = minor;
	return true;
}

static void say_version(struct health *h, struct checks *c, const char *text)
{
	struct check *check;

	if (!version_parse(h, text)) {
		checks_say(c, "version", CHECK_OK, 0, "the server states no version%s%.*s%s",
			   *text ? " (\"" : "", VERSION_SHOWN_MAX, text, *text ? "\")" : "");
	} else if (h->major == 1 && h->minor < 9) {
		check = checks_say(c, "version", CHECK_WARN, 0, "Pyroscope %.*s is older than 1.9, the "
				   "oldest known to take what push sends", VERSION_SHOWN_MAX, text);
		err_hint(&check->err, "update the server");
	} else {
		checks_say(c, "version", CHECK_OK, 0, "Pyroscope %.*s", VERSION_SHOWN_MAX, text);
	}
}

void health_version(struct health *h, struct checks *c, const struct http_answer *a)
{
	json_t *root = a->status == 200 ? json_loadb(a->body, a->body_len, 0, NULL) : NULL;
	const json_t *data = json_object_get(root, "data");
	const char *text = json_string_value(json_object_get(data, "version"));

	if (text)
		say_version(h, c, text);
	else if (a->status)
		checks_say(c, "version", CHECK_OK, 0, "the server states no version (%d): a gateway, "
			   "maybe", a->status);
	else
		checks_say(c, "version", CHECK_WARN, 0, "no version: %s",
			   failures[failure_of(a)].what);
	json_decref(root);
}

/* --- push ------------------------------------------------------------------------------------- */

static void say_refused(const struct health *h, struct checks *c, const struct http_answer *a)
{
	struct words w;
	struct check *check = checks_say(c, "push", CHECK_FAIL, EXIT_AUTH, "refused (%d%s)",
					 a->status, words_of(&w, a));

	if (strstr(w.text, "org id") || strstr(w.text, "tenant"))
		err_hint(&check->err, "--tenant ID (PYROSCOPE_TENANT_ID)%s",
			 h->tenant ? ": the one given is not taken" : " is asked for");
	else
		err_hint(&check->err, "--auth-file, --token-file or --tenant: what does the server, or "
			 "the gateway before it, ask for?");
}

static void say_wrong_path(const struct health *h, struct checks *c, const struct http_answer *a)
{
	struct words w;
	struct check *check = checks_say(c, "push", CHECK_FAIL, EXIT_NOT_TAKEN,
					 "%.300s/push.v1.PusherService/Push takes no profiles (%d%s)",
					 h->base, a->status, words_of(&w, a));

	err_hint(&check->err, "check --url and its path; a proxy that knows only /ingest wants "
		 "push --transport ingest");
}

static void say_doubtful(struct checks *c, const struct http_answer *a)
{
	struct words w;
	struct check *check = checks_say(c, "push", CHECK_WARN, EXIT_UNCERTAIN, "the server is in "
					 "trouble (%d%s)", a->status, words_of(&w, a));

	err_hint(&check->err, "it may be starting or stopping: ask again in a minute; push keeps what "
		 "is not taken and tries again");
}

/* What a server of ours says to a push without profiles: 400, or 500 where Alloy stands between. */
static bool misses_profiles(const struct http_answer *a)
{
	return (a->status == 400 || a->status == 500) && strstr(a->body, "no profiles received");
}

bool health_push(struct health *h, struct checks *c, const struct http_answer *a)
{
	if (misses_profiles(a) || a->status == 200) {
		checks_say(c, "push", CHECK_OK, 0, "profiles are taken%s%.150s",
			   h->tenant ? " for tenant " : "", h->tenant ? h->tenant : "");
		return true;
	}
	switch (a->status) {
	case 0: case 502: case 504:
		if (a->status)
			checks_say(c, "push", CHECK_FAIL, EXIT_UNREACHABLE,
				   "a gateway answers, but no server behind it (%d)", a->status);
		else
			say_unreached(c, "push", h->base, a);
		return false;
	case 401: case 403:
		say_refused(h, c, a);
		return false;
	case 301: case 302: case 303: case 307: case 308:
	case 404: case 405: case 410: case 415: case 501:
		say_wrong_path(h, c, a);
		return false;
	case 408: case 429: case 500: case 503:
		say_doubtful(c, a);
		return true;
	default:
		say_wrong_path(h, c, a);
		return false;
	}
}

/* --- queries ---------------------------------------------------------------------------------- */

void health_query_failed(struct checks *c, const char *id, const struct http_answer *a)
{
	struct words w;
	struct check *check;

	if (!a->status) {
		checks_say(c, id, CHECK_WARN, EXIT_UNCERTAIN, "cannot be told: the query failed: %s",
			   failures[failure_of(a)].what);
		return;
	}
	check = checks_say(c, id, CHECK_WARN, EXIT_UNCERTAIN, "cannot be told: the query is answered "
			   "by %d%s", a->status, a->status == 200 ? " and garbage" : words_of(&w, a));
	if (a->status == 401 || a->status == 403)
		err_hint(&check->err, "what is given may push but not read: ask with rights to read");
	else if (a->status == 404)
		err_hint(&check->err, "only pushes are taken here (a gateway, an agent): ask the "
			 "server behind it, --url");
}
