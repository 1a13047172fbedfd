/* SPDX-License-Identifier: MIT
 * Every row of the table of answers, with the bodies that servers were seen to send. */
#include "ship/verdict.h"

#include <stdlib.h>

#include "tap.h"
#include "util/clock.h"

enum { SMALL = 100000, LARGE = 1900 * 1024 + 1 };

static struct http_answer *answer(int status, const char *body)
{
	struct http_answer *a = calloc(1, sizeof(*a));

	a->status = status;
	a->body_len = strlen(body);
	memcpy(a->body, body, a->body_len + 1);
	return a;
}

static const struct {
	int status;
	const char *body;
	size_t raw;
	enum verdict want;
	bool orderly;
	const char *why; /* NULL: not looked at */
} cases[] = {
	{ 200, "", SMALL, VERDICT_SENT, false, "" },
	{ 200, "{}", SMALL, VERDICT_SENT, false, "" },
	{ 200, "\x1f\x8b\x08 half of a gzip", SMALL, VERDICT_SENT, false, "" },
	{ 204, "", SMALL, VERDICT_SENT, false, "" },
	{ 101, "", SMALL, VERDICT_CONFIG, false, "" },
	{ 301, "<a href=\"/push.v1.PusherService/Push\">Moved Permanently</a>.\n\n", SMALL,
	  VERDICT_CONFIG, false, "Moved Permanently ." },
	{ 302, "", SMALL, VERDICT_CONFIG, false, "" },

	{ 400, "{\"code\":\"invalid_argument\",\"message\":\"profile with labels '{foo=\\\"bar\\\"}' is "
	       "outside of ingestion window (profile timestamp: 2026-11-21 11:12:14 +0000 UTC, the "
	       "ingestion window starts at 2026-11-21 11:13:14 +0000 UTC)\"}", SMALL, VERDICT_DROP,
	  false, NULL },
	{ 400, "{\"code\":\"invalid_argument\",\"message\":\"profile with labels '{foo=\\\"bar\\\"}' is "
	       "outside of ingestion window (profile timestamp: 2026-11-21 13:13:14 +0000 UTC, the "
	       "ingestion window ends at 2026-11-21 12:23:14 +0000 UTC)\"}", SMALL, VERDICT_LATER,
	  false, NULL },
	{ 400, "{\"code\":\"invalid_argument\",\"message\":\"no profiles received\"}", SMALL,
	  VERDICT_DROP, false, "no profiles received" },
	{ 400, "{\"code\":\"invalid_argument\",\"message\":\"profile series '{}' has 31 label names; "
	       "limit 30\"}", SMALL, VERDICT_DROP, false, "profile series '{}' has 31 label names; limit 30" },
	{ 400, "{\"code\":\"invalid_argument\",\"message\":\"uncompressed profile payload size exceeds "
	       "limit of 4.2 MB\"}", SMALL, VERDICT_SPLIT, false, NULL },
	{ 400, "{\"code\":\"invalid_argument\",\"message\":\"the profile with labels '{}' exceeds the "
	       "size limit (max_profile_size_byte, actual: 5, limit: 4)\"}", SMALL, VERDICT_SPLIT,
	  false, NULL },
	{ 400, "{\"code\":\"invalid_argument\",\"message\":\"the profile with labels '{}' exceeds the "
	       "samples count limit (max_profile_stacktrace_samples, actual: 16001, limit: 16000)\"}",
	  SMALL, VERDICT_SPLIT, false, NULL },
	{ 400, "Client sent an HTTP request to an HTTPS server.\n", SMALL, VERDICT_CONFIG, false,
	  "Client sent an HTTP request to an HTTPS server." },
	{ 400, "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>",
	  SMALL, VERDICT_CONFIG, false, "400 The plain HTTP request was sent to HTTPS port" },
	{ 400, "<html>Bad Request</html>", SMALL, VERDICT_RETRY_FEW, false, "Bad Request" },

	{ 401, "{\"code\":\"unauthenticated\",\"message\":\"no org id\"}", SMALL, VERDICT_CONFIG, false,
	  "no org id" },
	{ 402, "", SMALL, VERDICT_CONFIG, false, "" },
	{ 403, "", SMALL, VERDICT_CONFIG, false, "" },
	{ 404, "404 page not found\n", SMALL, VERDICT_CONFIG, false, "404 page not found" },
	{ 405, "", SMALL, VERDICT_CONFIG, false, "" },
	{ 407, "", SMALL, VERDICT_CONFIG, false, "" },
	{ 408, "{\"code\":\"deadline_exceeded\",\"message\":\"context deadline exceeded\"}", SMALL,
	  VERDICT_RETRY, false, NULL },
	{ 413, "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n", SMALL,
	  VERDICT_SPLIT, false, "413 Request Entity Too Large" },
	{ 413, "{\"code\":\"invalid_argument\",\"message\":\"http: request body too large\"}\n", SMALL,
	  VERDICT_SPLIT, false, NULL },
	{ 414, "", SMALL, VERDICT_RETRY_FEW, false, "" },
	{ 415, "", SMALL, VERDICT_CONFIG, false, "" },
	{ 421, "", SMALL, VERDICT_RETRY, false, "" },
	{ 423, "", SMALL, VERDICT_RETRY, false, "" },
	{ 425, "", SMALL, VERDICT_RETRY, false, "" },
	{ 431, "", SMALL, VERDICT_RETRY_FEW, false, "" },

	{ 422, "{\"code\":\"unknown\",\"message\":\"resource_exhausted: push rate limit (4.0 MiB) "
	       "exceeded while adding 1.0 MiB\"}\n", SMALL, VERDICT_RETRY, false, NULL },
	{ 422, "{\"code\":\"unknown\",\"message\":\"push rate limit (4.0 MiB) exceeded while adding "
	       "3.0 MiB\"}\n", LARGE, VERDICT_SPLIT, false, NULL },
	{ 422, "{\"code\":\"unknown\",\"message\":\"resource_exhausted: limit of 10 GiB/day reached, next "
	       "reset at 2026-11-22T00:00:00Z\"}\n", SMALL, VERDICT_PAUSE, false, NULL },
	{ 422, "{\"code\":\"unknown\",\"message\":\"deadline_exceeded: context deadline exceeded\"}\n",
	  SMALL, VERDICT_RETRY, false, NULL },
	{ 422, "{\"code\":\"unknown\",\"message\":\"unavailable: no connection\"}\n", SMALL,
	  VERDICT_RETRY, false, NULL },
	{ 422, "{\"code\":\"unknown\",\"message\":\"rpc error: code = Unavailable desc = service is "
	       "unavailable\"}\n", SMALL, VERDICT_RETRY, true, NULL },
	{ 422, "{\"code\":\"unknown\",\"message\":\"at least 1 live replicas required, could only find "
	       "0\"}\n", SMALL, VERDICT_RETRY, true, NULL },
	{ 422, "{\"code\":\"unknown\",\"message\":\"canceled: context canceled\"}\n", SMALL,
	  VERDICT_RETRY, false, NULL },
	{ 422, "{\"code\":\"unknown\",\"message\":\"invalid_argument: profile series '{}' has 31 label "
	       "names; limit 30\"}\n", SMALL, VERDICT_DROP, false, NULL },
	{ 422, "{\"code\":\"unknown\",\"message\":\"profile with labels '{}' is outside of ingestion "
	       "window (profile timestamp: x, the ingestion window starts at y)\"}\n", SMALL,
	  VERDICT_DROP, false, NULL },
	{ 422, "{\"code\":\"unknown\",\"message\":\"uncompressed profile payload size exceeds limit of "
	       "4.2 MB\"}\n", SMALL, VERDICT_SPLIT, false, NULL },
	{ 422, "{\"code\":\"unknown\",\"message\":\"unknown profile type: seconds\"}\n", SMALL,
	  VERDICT_DROP, false, "unknown profile type: seconds" },
	{ 422, "{\"code\":\"unknown\",\"message\":\"internal: out of luck\"}\n", SMALL,
	  VERDICT_RETRY_FEW, false, "internal: out of luck" },
	{ 422, "", SMALL, VERDICT_RETRY_FEW, false, "" },

	{ 429, "{\"code\":\"resource_exhausted\",\"message\":\"push rate limit (4.0 MiB) exceeded while "
	       "adding 1.0 MiB\"}", SMALL, VERDICT_RETRY, false, NULL },
	{ 429, "{\"code\":\"resource_exhausted\",\"message\":\"push rate limit (4.0 MiB) exceeded while "
	       "adding 3.0 MiB\"}", LARGE, VERDICT_SPLIT, false, NULL },
	{ 429, "slow down", SMALL, VERDICT_RETRY, false, "slow down" },
	{ 429, "{\"code\":\"resource_exhausted\",\"message\":\"limit of 10 GiB/day reached, next reset at "
	       "2026-11-22T00:00:00Z\"}", SMALL, VERDICT_PAUSE, false, NULL },
	{ 429, "{\"code\":\"resource_exhausted\",\"message\":\"Maximum active series limit exceeded "
	       "(5000/5000), reduce the number of active streams\"}", LARGE, VERDICT_LATER, false, NULL },
	{ 429, "{\"code\":\"resource_exhausted\",\"message\":\"message size 9 is larger than configured "
	       "max 8\"}", SMALL, VERDICT_SPLIT, false, NULL },

	{ 410, "", SMALL, VERDICT_CONFIG, false, "" },
	{ 499, "{\"code\":\"canceled\",\"message\":\"\"}", SMALL, VERDICT_RETRY, false, NULL },
	{ 500, "{\"code\":\"unknown\",\"message\":\"rpc error: code = Unavailable desc = service is "
	       "unavailable\"}", SMALL, VERDICT_RETRY, true,
	  "rpc error: code = Unavailable desc = service is unavailable" },
	{ 500, "{\"code\":\"unknown\",\"message\":\"at least 1 live replicas required, could only find "
	       "0 - unhealthy instances: 127.0.0.1:9095\"}", SMALL, VERDICT_RETRY, true, NULL },
	{ 500, "{\"code\":\"unknown\",\"message\":\"rpc error: code = Unavailable desc = error reading "
	       "from server: unexpected EOF\"}", SMALL, VERDICT_RETRY, false, NULL },
	{ 500, "{\"code\":\"internal\",\"message\":\"push rate limit (4.0 MiB) exceeded while adding "
	       "3.0 MiB\"}", LARGE, VERDICT_SPLIT, false, NULL },
	{ 500, "{\"code\":\"internal\",\"message\":\"resource_exhausted\"}", SMALL, VERDICT_RETRY, false,
	  NULL },
	{ 500, "{\"code\":\"internal\",\"message\":\"unauthenticated: no org id\"}", SMALL,
	  VERDICT_CONFIG, false, NULL },
	{ 500, "{\"code\":\"internal\",\"message\":\"profile is outside of ingestion window\"}", SMALL,
	  VERDICT_RETRY_FEW, false, NULL },
	{ 500, "{\"code\":\"internal\",\"message\":\"invalid_argument: labels\"}", SMALL,
	  VERDICT_RETRY_FEW, false, NULL },
	{ 500, "{\"code\":\"internal\",\"message\":\"pyroscope write error: status=400\"}", SMALL,
	  VERDICT_RETRY_FEW, false, NULL },
	{ 500, "{\"code\":\"unknown\",\"message\":\"proto: illegal wireType 7\"}", SMALL,
	  VERDICT_RETRY_FEW, false, NULL },
	{ 500, "{\"code\":\"unknown\",\"message\":\"gzip: invalid checksum\"}", SMALL, VERDICT_RETRY_FEW,
	  false, NULL },
	{ 500, "{\"code\":\"unknown\",\"message\":\"unexpected EOF\"}", SMALL, VERDICT_RETRY_FEW, false,
	  NULL },
	{ 500, "{\"code\":\"unknown\",\"message\":\"copy to buffer: flate: corrupt input before offset "
	       "5\"}", SMALL, VERDICT_RETRY_FEW, false, NULL },
	{ 500, "{\"code\":\"unknown\",\"message\":\"runtime error: invalid memory address or nil pointer "
	       "dereference\"}", SMALL, VERDICT_RETRY_FEW, false, NULL },
	{ 500, "{\"code\":\"unknown\",\"message\":\"no space left on device\"}", SMALL, VERDICT_RETRY,
	  false, "no space left on device" },
	{ 501, "", SMALL, VERDICT_CONFIG, false, "" },
	{ 502, "<html>\r\n<head><title>502 Bad Gateway</title></head>", SMALL, VERDICT_RETRY, false,
	  "502 Bad Gateway" },
	{ 503, "", SMALL, VERDICT_RETRY, false, "" },
	{ 504, "", SMALL, VERDICT_RETRY, false, "" },
	{ 505, "", SMALL, VERDICT_CONFIG, false, "" },
	{ 511, "", SMALL, VERDICT_CONFIG, false, "" },
	{ 599, "", SMALL, VERDICT_RETRY, false, "" },
	{ 777, "", SMALL, VERDICT_CONFIG, false, "" },
};

static void statuses(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_answer *a = answer(cases[i].status, cases[i].body);
		struct judgement j;

		verdict_of(&j, a, cases[i].raw);
		ok(j.verdict == cases[i].want, "%d %.60s: %s, want %s", cases[i].status, cases[i].body,
		   verdict_name(j.verdict), verdict_name(cases[i].want));
		ok(j.orderly == cases[i].orderly, "%s", j.orderly ? "orderly" : "not orderly");
		if (cases[i].why)
			is_str(j.why, cases[i].why, "the server's words");
		free(a);
	}
}

static void no_answer(void)
{
	static const struct {
		int error;
		enum verdict want;
	} errors[] = {
		{ ECONNREFUSED, VERDICT_RETRY }, { ETIMEDOUT, VERDICT_RETRY },
		{ EHOSTUNREACH, VERDICT_RETRY }, { ECONNRESET, VERDICT_RETRY },
		{ ECANCELED, VERDICT_RETRY }, { EPROTO, VERDICT_CONFIG }, { EMSGSIZE, VERDICT_CONFIG },
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct http_answer *a = answer(0, "");
		struct judgement j;

		a->error = errors[i].error;
		strcpy(a->text, "Failed to\r\n\033connect");
		verdict_of(&j, a, SMALL);
		ok(j.verdict == errors[i].want, "%s: %s", strerror(errors[i].error),
		   verdict_name(j.verdict));
		is_str(j.why, "Failed to connect", "libcurl's words in one line");
		free(a);
	}
}

static void web_page(void)
{
	struct http_answer *a = answer(200, "<html>Welcome to nginx!</html>");
	struct judgement j;

	strcpy(a->content_type, "text/html; charset=utf-8");
	verdict_of(&j, a, SMALL);
	is_int(j.verdict, VERDICT_CONFIG, "a 200 that is a web page is not Pyroscope's");
	ok(j.why[0], "and this is said: %s", j.why);
	free(a);
}

static uint64_t reset(const char *when)
{
	char body[256];
	struct http_answer *a;
	struct judgement j;

	snprintf(body, sizeof(body), "{\"code\":\"resource_exhausted\",\"message\":\"limit of 1 MiB/day "
		 "reached, next reset at %s\"}", when);
	a = answer(429, body);
	verdict_of(&j, a, SMALL);
	free(a);
	return j.until_ns;
}

static void resets(void)
{
	const uint64_t midnight = 1795305600 * NSEC_PER_SEC;

	ok(reset("2026-11-22T00:00:00Z") == midnight, "a reset in UTC");
	ok(reset("2026-11-22T01:00:00+01:00") == midnight, "east of Greenwich");
	ok(reset("2026-11-21T19:30:00.5-04:30") == midnight, "west of it, with a fraction");
	ok(reset("tomorrow") == 0, "no time");
	ok(reset("2026-11-22T00:00:00") == 0, "no zone");
	ok(reset("2026-11-22T00:00:00+99:00") == 0, "no zone of this world");
	ok(reset("") == 0, "nothing");
}

static void hostile_bodies(void)
{
	struct http_answer *a = answer(404, "");
	struct judgement j;

	memset(a->body, '[', HTTP_BODY_MAX);
	a->body_len = HTTP_BODY_MAX;
	verdict_of(&j, a, SMALL);
	is_int(j.verdict, VERDICT_CONFIG, "64 KiB of [");
	is_int((long long)strlen(j.why), sizeof(j.why) - 1, "cut");
	for (size_t i = 0; i < HTTP_BODY_MAX; i++)
		a->body[i] = (char)(i * 7);
	verdict_of(&j, a, SMALL);
	ok(strlen(j.why) < sizeof(j.why), "all bytes there are");
	for (size_t i = 0; j.why[i]; i++)
		if ((unsigned char)j.why[i] < ' ')
			ok(false, "a control character in a log line");
	memset(a->body, 0, HTTP_BODY_MAX);
	for (size_t i = 0; i + 2 < HTTP_BODY_MAX; i += 2)
		memcpy(a->body + i, "\xc3\xa9", 2);
	verdict_of(&j, a, SMALL);
	is_int((long long)strlen(j.why) % 2, 0, "no character is cut in two");
	memcpy(a->body, "{\"message\": 42}", 16);
	a->body_len = 15;
	verdict_of(&j, a, SMALL);
	is_str(j.why, "{\"message\": 42}", "JSON of another form is shown as it is");
	free(a);
}

int main(void)
{
	statuses();
	no_answer();
	web_page();
	resets();
	hostile_bodies();
	return tap_done();
}
