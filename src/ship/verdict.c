/* SPDX-License-Identifier: MIT
 * Answers and what they mean: one table, walked from its top. "Seen" are answers of Pyroscope 1.15.3
 * and 2.0.6; the rest is read from the sources named. */
#include "ship/verdict.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"
#include "util/utf8.h"

enum {
	ORDERLY = 1,   /* the server says that it is stopping */
	BY_SIZE = 2,   /* VERDICT_SPLIT instead when the profile alone is beyond the burst */
	RESET = 4,     /* the message says until when */
};

struct row {
	int first, last;      /* HTTP statuses */
	const char *text;     /* somewhere in the body, any case; NULL: any body */
	enum verdict verdict;
	unsigned int flags;
	int as;               /* not 0: the rows of this status decide, from the table's top */
};

/* Any body of Pyroscope's own: {"code":"…","message":"…"} (connect-go error_writer.go,
 * pkg/util/http/error.go). What comes without is a gateway's. */
#define OWN_BODY "{\"code\":\""

static const struct row rows[] = {
	{ 200, 299, NULL, .verdict = VERDICT_SENT },

	/* A redirect (seen: "//push.v1…" => 301), a switch to another protocol: a wrong URL. */
	{ 100, 199, NULL, .verdict = VERDICT_CONFIG },
	{ 300, 399, NULL, .verdict = VERDICT_CONFIG },

	/* Validation, pkg/validation/validate.go. In the future by more than 10 min: one of both clocks
	 * is wrong, and the time comes when it is taken. In the past: never more. */
	{ 400, 400, "the ingestion window ends at", .verdict = VERDICT_LATER },
	{ 400, 400, "outside of ingestion window", .verdict = VERDICT_DROP },
	/* ProfileTooBig, ProfileTooManySamples and pkg/pprof (seen: 2.0.6, above 4 MiB) */
	{ 400, 400, "payload size exceeds limit", .verdict = VERDICT_SPLIT },
	{ 400, 400, "exceeds the size limit", .verdict = VERDICT_SPLIT },
	{ 400, 400, "exceeds the samples count limit", .verdict = VERDICT_SPLIT },
	/* http:// spoken to a TLS port: Go's net/http, nginx */
	{ 400, 400, "HTTP request to an HTTPS server", .verdict = VERDICT_CONFIG },
	{ 400, 400, "plain HTTP request was sent", .verdict = VERDICT_CONFIG },
	{ 400, 400, OWN_BODY, .verdict = VERDICT_DROP },
	{ 400, 400, NULL, .verdict = VERDICT_RETRY_FEW },

	/* A gateway's timeout, connect-go's body read failure (1.14 on) */
	{ 408, 408, NULL, .verdict = VERDICT_RETRY },
	{ 413, 413, NULL, .verdict = VERDICT_SPLIT },
	/* Address or header fields too long: /ingest carries the labels there */
	{ 414, 414, NULL, .verdict = VERDICT_RETRY_FEW },
	{ 431, 431, NULL, .verdict = VERDICT_RETRY_FEW },
	/* Misdirected, locked, too early: a gateway's passing troubles */
	{ 421, 421, NULL, .verdict = VERDICT_RETRY },
	{ 423, 423, NULL, .verdict = VERDICT_RETRY },
	{ 425, 425, NULL, .verdict = VERDICT_RETRY },

	/* /ingest of pprof and speedscope: 422 "unknown" for everything (ingest_handler.go:104-113;
	 * seen: window, labels, rate limit). The message holds the code that push.v1 would give. */
	{ 422, 422, "push rate limit", .as = 429 },
	{ 422, 422, "resource_exhausted", .as = 429 },
	{ 422, 422, "deadline_exceeded", .as = 504 },
	{ 422, 422, "unavailable", .as = 500 },
	{ 422, 422, "live replicas required", .as = 500 },
	{ 422, 422, "canceled", .as = 504 },
	{ 422, 422, "invalid_argument", .as = 400 },
	{ 422, 422, "ingestion window", .as = 400 },
	{ 422, 422, "payload size exceeds limit", .as = 400 },
	{ 422, 422, "unknown profile type", .verdict = VERDICT_DROP },
	{ 422, 422, NULL, .verdict = VERDICT_RETRY_FEW },

	/* pkg/distributor/distributor.go checkIngestLimit: "limit of 10 GiB/day reached, next reset at
	 * 2026-11-22T00:00:00Z" */
	{ 429, 429, "next reset at", .verdict = VERDICT_PAUSE, .flags = RESET },
	/* connect-go WithReadMaxBytes (seen: 2.0.6): "message size 9 is larger than configured max 8" */
	{ 429, 429, "larger than configured max", .verdict = VERDICT_SPLIT },
	/* SeriesLimitErrorMsg (seen: 1.15.3, 5000 series): for new series alone */
	{ 429, 429, "active series limit", .verdict = VERDICT_LATER },
	/* "push rate limit (4.0 MiB) exceeded while adding 1.2 MiB", and a gateway's own limits */
	{ 429, 429, NULL, .verdict = VERDICT_RETRY, .flags = BY_SIZE },

	{ 499, 499, NULL, .verdict = VERDICT_RETRY },
	/* 401 no tenant, 403, 404 wrong prefix or read-only part, 405, 407 proxy, 415: our mistake */
	{ 400, 499, NULL, .verdict = VERDICT_CONFIG },

	/* A stopping server, which has saved what it acknowledged. Seen: 2.0.6 for 30 s after SIGTERM
	 * ("rpc error: code = Unavailable desc = service is unavailable"), 1.15.3 for 0.1 s ("at least 1
	 * live replicas required, could only find 0"). Other "code = Unavailable" are broken links. */
	{ 500, 500, "desc = service is unavailable", .verdict = VERDICT_RETRY, .flags = ORDERLY },
	{ 500, 500, "live replicas required", .verdict = VERDICT_RETRY, .flags = ORDERLY },
	{ 500, 500, "code = Unavailable", .verdict = VERDICT_RETRY },
	/* Relayed by Alloy, which makes 500 of every status (receive_http.go) */
	{ 500, 500, "push rate limit", .as = 429 },
	{ 500, 500, "resource_exhausted", .as = 429 },
	{ 500, 500, "unauthenticated", .verdict = VERDICT_CONFIG },
	{ 500, 500, "ingestion window", .verdict = VERDICT_RETRY_FEW },
	{ 500, 500, "invalid_argument", .verdict = VERDICT_RETRY_FEW },
	{ 500, 500, "status=400", .verdict = VERDICT_RETRY_FEW },
	/* A malformed profile (1.18 on), or a panic over it */
	{ 500, 500, "proto:", .verdict = VERDICT_RETRY_FEW },
	{ 500, 500, "gzip", .verdict = VERDICT_RETRY_FEW },
	{ 500, 500, "unexpected EOF", .verdict = VERDICT_RETRY_FEW },
	{ 500, 500, "copy to buffer", .verdict = VERDICT_RETRY_FEW },
	{ 500, 500, "runtime error", .verdict = VERDICT_RETRY_FEW },
	/* Not implemented (an encoding the server does not know), HTTP version, a login page */
	{ 501, 501, NULL, .verdict = VERDICT_CONFIG },
	{ 505, 505, NULL, .verdict = VERDICT_CONFIG },
	{ 511, 511, NULL, .verdict = VERDICT_CONFIG },
	{ 500, 599, NULL, .verdict = VERDICT_RETRY },
	/* 600 to 999: libcurl lets them through, no server has them */
	{ 1, 999, NULL, .verdict = VERDICT_CONFIG },
};

/* No answer, by class; what is not here is no Pyroscope, or not our protocol: slowly again. */
static const int passing_errors[] = {
	ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ECONNRESET, ECANCELED,
};

static const char *const names[] = {
	[VERDICT_SENT] = "sent", [VERDICT_RETRY] = "retry", [VERDICT_RETRY_FEW] = "retry a few times",
	[VERDICT_CONFIG] = "misconfigured", [VERDICT_LATER] = "later", [VERDICT_PAUSE] = "pause",
	[VERDICT_SPLIT] = "split", [VERDICT_DROP] = "drop",
};

const char *verdict_name(enum verdict v)
{
	return (size_t)v < ARRAY_SIZE(names) ? names[v] : "?";
}

static const struct row *row_of(int status, const char *body)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		if (status < r->first || status > r->last || (r->text && !strcasestr(body, r->text)))
			continue;
		return r;
	}
	return NULL;
}

/* --- Words ------------------------------------------------------------------- */

/* Writes s as one line: blanks for what is none, markup left out. */
static void one_line(char *out, size_t size, const char *s, size_t len, bool markup)
{
	size_t used = 0;
	bool in_tag = false, gap = false;

	while (len > 0) {
		uint32_t c;
		char bytes[4];
		size_t taken = utf8_next(s, len, &c), n;

		s += taken;
		len -= taken;
		in_tag = markup && (c == '<' || (in_tag && c != '>'));
		if (in_tag || c <= ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0) ||
		    (markup && c == '>')) {
			gap = used > 0;
			continue;
		}
		n = utf8_put(bytes, c);
		if (used + gap + n >= size)
			break;
		if (gap)
			out[used++] = ' ';
		gap = false;
		memcpy(out + used, bytes, n);
		used += n;
	}
	out[used] = '\0';
}

/* The message of {"code","message"}; false: the body is none. */
static bool own_message(char *out, size_t size, const struct http_answer *a)
{
	json_t *root = json_loadb(a->body, a->body_len, 0, NULL);
	const json_t *message = json_object_get(root, "message");

	if (message && json_is_string(message))
		one_line(out, size, json_string_value(message), json_string_length(message), false);
	json_decref(root);
	return out[0] != '\0';
}

static void set_why(struct judgement *j, const struct http_answer *a)
{
	if (!a->status)
		one_line(j->why, sizeof(j->why), a->text, strlen(a->text), false);
	else if (a->status >= 300 && !own_message(j->why, sizeof(j->why), a))
		one_line(j->why, sizeof(j->why), a->body, a->body_len, a->body[0] == '<');
}

/* --- Times ------------------------------------------------------------------- */

/* Seconds of "Z", "+02:00", "-0330"; false: none of these. */
static bool zone_seconds(const char *s, long *ret)
{
	int hours, minutes;

	if (*s == 'Z' || *s == 'z') {
		*ret = 0;
		return true;
	}
	if ((*s != '+' && *s != '-') || (sscanf(s + 1, "%2d:%2d", &hours, &minutes) != 2 &&
					 sscanf(s + 1, "%2d%2d", &hours, &minutes) != 2))
		return false;
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*ret = (*s == '-' ? -1L : 1L) * (hours * 3600L + minutes * 60L);
	return true;
}

/* RFC 3339 at the start of s, as Go writes it: "2026-11-22T00:00:00Z". 0: none. */
static uint64_t rfc3339_ns(const char *s)
{
	struct tm tm = { 0 };
	const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	long zone;
	time_t t;

	if (rest && *rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (!rest || !zone_seconds(rest, &zone))
		return 0;
	t = timegm(&tm) - zone;
	return t > 0 ? (uint64_t)t * NSEC_PER_SEC : 0;
}

static uint64_t reset_ns(const char *body, const char *before)
{
	const char *p = strcasestr(body, before);

	if (!p)
		return 0;
	p += strlen(before);
	return rfc3339_ns(p + strspn(p, " "));
}

/* ------------------------------------------------------------------------------- */

static enum verdict verdict_of_error(int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(passing_errors); i++)
		if (passing_errors[i] == error)
			return VERDICT_RETRY;
	return VERDICT_CONFIG;
}

/* A login page or the start page of something else answers 200 to everything. Pyroscope's 200 has
 * the type of the request, or none. */
static bool is_web_page(const struct http_answer *a)
{
	return a->status < 300 && !strncasecmp(a->content_type, "text/html", strlen("text/html"));
}

static void judge_status(struct judgement *j, const struct http_answer *a, size_t raw_bytes)
{
	const struct row *r = row_of(a->status, a->body);

	if (r && r->as)
		r = row_of(r->as, a->body);
	if (!r) {
		j->verdict = VERDICT_CONFIG;
		return;
	}
	j->verdict = r->verdict;
	j->orderly = r->flags & ORDERLY;
	j->rate = r->flags & BY_SIZE;
	if (j->rate && raw_bytes > VERDICT_RATE_BYTES)
		j->verdict = VERDICT_SPLIT;
	if (r->flags & RESET)
		j->until_ns = reset_ns(a->body, r->text);
}

void verdict_of(struct judgement *ret, const struct http_answer *a, size_t raw_bytes)
{
	memset(ret, 0, sizeof(*ret));
	set_why(ret, a);
	if (!a->status) {
		ret->verdict = verdict_of_error(a->error);
	} else if (is_web_page(a)) {
		ret->verdict = VERDICT_CONFIG;
		snprintf(ret->why, sizeof(ret->why), "the answer is a web page, not Pyroscope's");
	} else {
		judge_status(ret, a, raw_bytes);
	}
}
