/* SPDX-License-Identifier: MIT
 * What a server's answers say about it. Bodies as measured on Pyroscope 1.15.3 and 2.0.6. */
#include "../../src/cmd/health.h"

#include <errno.h>

#include "tap.h"
#include "util/attr.h"
#include "util/clock.h"

enum question { REACH, READY, VERSION, PUSH, QUERY };

static const struct {
	const char *name;
	enum question question;
	int http, error;
	const char *body;
	enum check_verdict verdict;
	int status;
	bool go_on;              /* REACH, PUSH */
	const char *says;        /* must be in text or hint */
} cases[] = {
	{ "reached", REACH, 200, 0, "ready", CHECK_OK, 0, true, "http://p:1 answers" },
	{ "reached, whatever the status", REACH, 404, 0, "", CHECK_OK, 0, true, "answers" },
	{ "nobody listens", REACH, 0, ECONNREFUSED, "", CHECK_FAIL, EXIT_UNREACHABLE, false, "port" },
	{ "no name", REACH, 0, EHOSTUNREACH, "", CHECK_FAIL, EXIT_UNREACHABLE, false, "resolve" },
	{ "hangs", REACH, 0, ETIMEDOUT, "", CHECK_FAIL, EXIT_UNREACHABLE, false, "--timeout" },
	{ "breaks off", REACH, 0, ECONNRESET, "", CHECK_FAIL, EXIT_UNREACHABLE, false, "broke off" },
	{ "TLS", REACH, 0, EPROTO, "", CHECK_FAIL, EXIT_UNREACHABLE, false, "--ca-file" },
	{ "endless", REACH, 0, EMSGSIZE, "", CHECK_FAIL, EXIT_UNREACHABLE, false, "does not end" },
	{ "some other error", REACH, 0, EIO, "", CHECK_FAIL, EXIT_UNREACHABLE, false, "--url" },

	{ "ready", READY, 200, 0, "ready\n", CHECK_OK, 0, true, "ready" },
	{ "no /ready", READY, 404, 0, "404 page not found\n", CHECK_OK, 0, true, "gateway" },
	{ "/ready wants a token", READY, 401, 0, "", CHECK_OK, 0, true, "no harm" },
	{ "not ready", READY, 503, 0, "Ingester not ready: waiting for 15s after being ready\n",
	  CHECK_WARN, 0, true, "not ready yet (503: Ingester not ready: waiting for 15s" },
	{ "a gateway in trouble", READY, 502, 0, "<html>", CHECK_WARN, 0, true, "502" },

	{ "1.15.3", VERSION, 200, 0, "{\"status\":\"success\",\"data\":{\"version\":\"1.15.3\"}}",
	  CHECK_OK, 0, true, "Pyroscope 1.15.3" },
	{ "too old", VERSION, 200, 0, "{\"data\":{\"version\":\"v1.8.0\"}}", CHECK_WARN, 0, true, "1.9" },
	{ "2.0.0 states none", VERSION, 200, 0, "{\"status\":\"success\",\"data\":{\"version\":\"\"}}",
	  CHECK_OK, 0, true, "states no version" },
	{ "no buildinfo", VERSION, 404, 0, "404 page not found", CHECK_OK, 0, true, "no version (404)" },
	{ "garbage for a version", VERSION, 200, 0, "{\"data\":[", CHECK_OK, 0, true, "no version" },
	{ "lost meanwhile", VERSION, 0, ECONNRESET, "", CHECK_WARN, 0, true, "broke off" },

	{ "a server of ours", PUSH, 400, 0,
	  "{\"code\":\"invalid_argument\",\"message\":\"no profiles received\"}", CHECK_OK, 0, true,
	  "profiles are taken" },
	{ "Alloy in between", PUSH, 500, 0,
	  "{\"code\":\"internal\",\"message\":\"invalid_argument: no profiles received\"}", CHECK_OK, 0,
	  true, "profiles are taken" },
	{ "takes an empty push", PUSH, 200, 0, "", CHECK_OK, 0, true, "profiles are taken" },
	{ "no tenant", PUSH, 401, 0, "{\"code\":\"unauthenticated\",\"message\":\"no org id\"}",
	  CHECK_FAIL, EXIT_AUTH, false, "--tenant ID (PYROSCOPE_TENANT_ID) is asked for" },
	{ "no token", PUSH, 403, 0, "forbidden", CHECK_FAIL, EXIT_AUTH, false, "--token-file" },
	{ "wrong path", PUSH, 404, 0, "404 page not found\n", CHECK_FAIL, EXIT_NOT_TAKEN, false,
	  "/push.v1.PusherService/Push takes no profiles (404" },
	{ "redirected", PUSH, 301, 0, "", CHECK_FAIL, EXIT_NOT_TAKEN, false, "--url" },
	{ "something else", PUSH, 405, 0, "", CHECK_FAIL, EXIT_NOT_TAKEN, false, "--url" },
	{ "another kind of 400", PUSH, 400, 0, "<html>what?", CHECK_FAIL, EXIT_NOT_TAKEN, false, "400" },
	{ "a teapot", PUSH, 418, 0, "", CHECK_FAIL, EXIT_NOT_TAKEN, false, "418" },
	{ "a gateway alone", PUSH, 502, 0, "<html>", CHECK_FAIL, EXIT_UNREACHABLE, false, "behind it" },
	{ "stopping", PUSH, 500, 0, "{\"code\":\"unknown\",\"message\":\"rpc error: code = Unavailable "
	  "desc = service is unavailable\"}", CHECK_WARN, EXIT_UNCERTAIN, true, "Unavailable" },
	{ "busy", PUSH, 429, 0, "{\"code\":\"resource_exhausted\",\"message\":\"push rate limit\"}",
	  CHECK_WARN, EXIT_UNCERTAIN, true, "push rate limit" },
	{ "overloaded", PUSH, 503, 0, "", CHECK_WARN, EXIT_UNCERTAIN, true, "503" },
	{ "gone meanwhile", PUSH, 0, ECONNREFUSED, "", CHECK_FAIL, EXIT_UNREACHABLE, false, "listens" },

	{ "may push, not read", QUERY, 403, 0, "", CHECK_WARN, EXIT_UNCERTAIN, true, "rights to read" },
	{ "nobody to ask", QUERY, 404, 0, "", CHECK_WARN, EXIT_UNCERTAIN, true, "behind it" },
	{ "garbage for data", QUERY, 200, 0, "[", CHECK_WARN, EXIT_UNCERTAIN, true, "garbage" },
	{ "hangs when asked", QUERY, 0, ETIMEDOUT, "", CHECK_WARN, EXIT_UNCERTAIN, true, "in time" },
};

static struct http_answer *answer(int status, int error, const char *body)
{
	static struct http_answer a;

	a = (struct http_answer){ .status = status, .error = error, .body_len = strlen(body) };
	memcpy(a.body, body, a.body_len + 1);
	return &a;
}

static bool ask(enum question question, struct checks *c, const struct http_answer *a)
{
	struct health h = { .base = "http://p:1" };

	switch (question) {
	case REACH: return health_reach(&h, c, a);
	case READY: health_ready(&h, c, a); return true;
	case VERSION: health_version(&h, c, a); return true;
	case PUSH: return health_push(&h, c, a);
	case QUERY: health_query_failed(c, "fresh", a); return true;
	}
	return false;
}

static void test_answers(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct checks c = { 0 };
		bool go_on = ask(cases[i].question, &c,
				 answer(cases[i].http, cases[i].error, cases[i].body));
		const struct check *k = c.list;

		if (!ok(c.count == 1 && k->verdict == cases[i].verdict &&
			k->err.status == cases[i].status && go_on == cases[i].go_on &&
			(strstr(k->err.text, cases[i].says) || strstr(k->err.hint, cases[i].says)),
			"%s", cases[i].name))
			printf("# %d, status %d: %s -> %s\n", (int)k->verdict, k->err.status, k->err.text,
			       k->err.hint);
		checks_release(&c);
	}
}

static const struct {
	const char *text;
	unsigned int major, minor;
} versions[] = {
	{ "1.15.3", 1, 15 }, { "v2.0.6", 2, 0 }, { "2.1.0-rc.1+dirty", 2, 1 }, { "", 0, 0 },
	{ "main-1a2b3c", 0, 0 }, { "weekly.7", 0, 0 }, { "99999999999.1", 0, 0 }, { "2", 0, 0 },
};

static void test_versions(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct health h = { 0 };
		struct checks c = { 0 };
		char body[100];

		snprintf(body, sizeof(body), "{\"data\":{\"version\":\"%s\"}}", versions[i].text);
		health_version(&h, &c, answer(200, 0, body));
		ok(h.major == versions[i].major && h.minor == versions[i].minor, "version \"%s\"",
		   versions[i].text);
		checks_release(&c);
	}
}

static const struct {
	int64_t server_ahead_s;
	enum check_verdict verdict;
	int status;
	const char *says;
	int64_t skew_s; /* as kept */
} clocks[] = {
	{ 0, CHECK_OK, 0, "apart", 0 },
	{ 1, CHECK_OK, 0, "apart", 0 },
	{ 20, CHECK_OK, 0, "at most 21 s apart", 20 },
	{ 40, CHECK_WARN, 0, "40 s behind", 40 },
	{ -40, CHECK_WARN, 0, "39 s ahead of", -39 }, /* the header has whole seconds */
	{ -560, CHECK_WARN, 0, "ahead of", -559 },
	{ -620, CHECK_FAIL, EXIT_NOT_TAKEN, "ahead of", -619 },
	{ 620, CHECK_WARN, 0, "behind", 620 },
	{ 3590, CHECK_FAIL, EXIT_NOT_TAKEN, "behind", 3590 },
	{ -86400 * 365, CHECK_FAIL, EXIT_NOT_TAKEN, "ahead of", -86400 * 365 + 1 },
};

static void test_clocks(void)
{
	const uint64_t now_s = 1795246045;

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		struct health h = { 0 };
		struct checks c = { 0 };
		struct http_answer *a = answer(200, 0, "");

		a->date_ns = (uint64_t)((int64_t)now_s + clocks[i].server_ahead_s) * NSEC_PER_SEC;
		health_clock(&h, &c, a, now_s * NSEC_PER_SEC);
		if (!ok(c.list[0].verdict == clocks[i].verdict &&
			c.list[0].err.status == clocks[i].status &&
			strstr(c.list[0].err.text, clocks[i].says) &&
			h.skew_ns / (int64_t)NSEC_PER_SEC == clocks[i].skew_s,
			"the server's clock is %lld s ahead", (long long)clocks[i].server_ahead_s))
			printf("# %d: %s; %lld ns\n", (int)c.list[0].verdict, c.list[0].err.text,
			       (long long)h.skew_ns);
		checks_release(&c);
	}
}

static void test_no_date(void)
{
	struct health h = { 0 };
	struct checks c = { 0 };

	health_clock(&h, &c, answer(200, 0, ""), 5);
	ok(c.list[0].verdict == CHECK_OK && h.skew_ns == 0, "no Date header");
	checks_release(&c);
}

int main(void)
{
	test_answers();
	test_versions();
	test_clocks();
	test_no_date();
	return tap_done();
}
