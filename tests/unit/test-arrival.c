/* SPDX-License-Identifier: MIT
 * Whether data have arrived: reading the answers, and judging what was read. */
#include "../../src/cmd/arrival.h"

#include <errno.h>
#include <stdlib.h>

#include "tap.h"
#include "util/attr.h"

static struct http_answer *answer(const char *body)
{
	static struct http_answer a;

	a = (struct http_answer){ .status = 200, .body_len = strlen(body) };
	memcpy(a.body, body, a.body_len + 1);
	return &a;
}

/* --- SelectSeries ----------------------------------------------------------------------------- */

static const struct {
	const char *name, *body;
	int ret;
	uint64_t newest;
} series[] = {
	{ "nothing", "{}", 0, 0 },
	{ "an empty list", "{\"series\":[]}", 0, 0 },
	{ "the newest of two points, whatever their order",
	  "{\"series\":[{\"points\":[{\"value\":3e7,\"timestamp\":\"1795246045138\"},"
	  "{\"value\":1,\"timestamp\":\"1795246030000\"}]}]}", 0, 1795246045138 },
	{ "points of 0 are none", "{\"series\":[{\"points\":[{\"value\":1,\"timestamp\":\"1000\"},"
	  "{\"value\":0,\"timestamp\":\"2000\"},{\"timestamp\":\"3000\"}]}]}", 0, 1000 },
	{ "the newest of two series", "{\"series\":[{\"points\":[{\"value\":1,\"timestamp\":\"5\"}]},"
	  "{\"points\":[{\"value\":1,\"timestamp\":\"7\"}]}]}", 0, 7 },
	{ "a number for a time", "{\"series\":[{\"points\":[{\"value\":1,\"timestamp\":9}]}]}", 0, 9 },
	{ "no time at all", "{\"series\":[{\"points\":[{\"value\":1,\"timestamp\":\"-5\"},"
	  "{\"value\":1,\"timestamp\":\"99999999999999999999\"},{\"value\":1,\"timestamp\":{}},"
	  "{\"value\":1,\"timestamp\":\"\"},{\"value\":\"x\",\"timestamp\":\"5\"},7,null]}]}", 0, 0 },
	{ "other kinds of things", "{\"series\":{\"points\":7}}", 0, 0 },
	{ "no object", "[]", -EBADMSG, 0 },
	{ "no JSON", "<html>", -EBADMSG, 0 },
	{ "cut", "{\"series\":[{\"points\":[{\"val", -EBADMSG, 0 },
	{ "empty", "", -EBADMSG, 0 },
};

static void test_newest(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(series); i++) {
		uint64_t newest = 0;

		is_int(arrival_newest(&newest, answer(series[i].body)), series[i].ret, series[i].name);
		is_int((long long)newest, (long long)series[i].newest, series[i].name);
	}
}

/* jansson ends at a depth of its own: hostile nesting must not end us. */
static void test_deep(void)
{
	struct http_answer *a = answer("{\"series\":");
	uint64_t newest;

	memset(a->body + a->body_len, '[', HTTP_BODY_MAX - a->body_len);
	a->body_len = HTTP_BODY_MAX;
	is_int(arrival_newest(&newest, a), -EBADMSG, "64 KB of brackets are refused");
}

/* --- LabelValues ------------------------------------------------------------------------------ */

static void test_names(void)
{
	struct arrival_names n;
	struct http_answer *a;

	is_int(arrival_names(&n, answer("{}")), 0, "no names: an answer");
	is_int((long long)n.total, 0, "no names: none");
	is_int(arrival_names(&n, answer("{\"names\":[\"api\",7,\"web\"]}")), 0, "names: an answer");
	ok(n.total == 3 && n.count == 2 && !strcmp(n.list[1], "web"), "names: those that are text");
	arrival_names_release(&n);
	is_int(arrival_names(&n, answer("[\"api\"]")), -EBADMSG, "no object");
	a = answer("{\"names\":[\"");
	memset(a->body + a->body_len, 'x', HTTP_BODY_MAX - a->body_len);
	a->body_len = HTTP_BODY_MAX;
	is_int(arrival_names(&n, a), 0, "a list too long to be kept: an answer");
	ok(n.total > 0 && n.count == 0, "a list too long to be kept: there are some");
}

static void test_many_names(void)
{
	struct arrival_names n;
	struct http_answer *a = answer("{\"names\":[\"a\"");

	for (size_t i = 1; i < 1000; i++, a->body_len += 4)
		memcpy(a->body + a->body_len, ",\"b\"", 4);
	memcpy(a->body + a->body_len, "]}", 3);
	a->body_len += 2;
	is_int(arrival_names(&n, a), 0, "1000 names: an answer");
	ok(n.total == 1000 && n.count == ARRIVAL_NAMES_MAX, "1000 names: counted, some kept");
	arrival_names_release(&n);
}

/* --- judging ---------------------------------------------------------------------------------- */

/* Each case is the usual facts with some of them replaced. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define NOW 1795246045138ull
#define USUAL .app = "api", .now_ms = NOW, .interval_ms = 30000, .lookback_ms = 3600000
#define SECONDS_AGO(s) (NOW - (s) * 1000ull)
#define OTHERS .others = { .list = { apis, web }, .count = 2, .total = 2 }
static char apis[] = "apis", web[] = "web";

static const struct {
	const char *name;
	struct arrival facts;
	enum check_verdict verdict;
	int status;
	const char *text, *hint; /* must be contained; hint NULL: there is none */
} cases[] = {
	{ "fresh", { USUAL, .newest_ms = { SECONDS_AGO(12), SECONDS_AGO(14) }, .major = 1 },
	  CHECK_OK, 0, "CPU 12 s ago, wall clock 14 s ago", NULL },
	{ "fresh wall clock, idle CPU", { USUAL, .newest_ms = { 0, SECONDS_AGO(80) }, .major = 2 },
	  CHECK_OK, 0, "CPU none, wall clock 80 s ago", NULL },
	{ "exactly three intervals", { USUAL, .newest_ms = { SECONDS_AGO(90) } }, CHECK_OK, 0,
	  "CPU 90 s ago", NULL },
	{ "a pusher whose clock is ahead", { USUAL, .newest_ms = { NOW + 20000 } }, CHECK_OK, 0,
	  "CPU 0 s ago", NULL },
	{ "stale", { USUAL, .newest_ms = { SECONDS_AGO(91), SECONDS_AGO(1200) }, .major = 2 },
	  CHECK_FAIL, EXIT_STALE, "older than 3 intervals (90 s): CPU 91 s ago, wall clock 20 min ago",
	  "push's log" },
	{ "stale, the server is starting", { USUAL, .newest_ms = { SECONDS_AGO(91) },
	    .starting = true }, CHECK_WARN, EXIT_UNCERTAIN, "cannot be told yet", "/ready" },
	{ "a longer interval", { USUAL, .interval_ms = 300000, .newest_ms = { SECONDS_AGO(890) } },
	  CHECK_OK, 0, "14 min ago", NULL },
	{ "quiet for hours", { USUAL, .known = true, .major = 2 }, CHECK_FAIL, EXIT_STALE,
	  "no CPU or wall-clock data of the last 60 min", "push's log" },
	{ "another service", { USUAL, OTHERS, .major = 1 }, CHECK_FAIL, EXIT_NO_SERVICE,
	  "there is no service api; there are apis, web", "did you mean apis?" },
	{ "another service, 2.x", { USUAL, OTHERS, .major = 2 }, CHECK_FAIL, EXIT_NO_SERVICE,
	  "there is no service api", "apis" },
	{ "others without names", { USUAL, .others = { .total = 64 } }, CHECK_FAIL, EXIT_NO_SERVICE,
	  "there are 64 or more", "--app" },
	{ "another service, the server is starting", { USUAL, OTHERS, .starting = true }, CHECK_WARN,
	  EXIT_UNCERTAIN, "cannot be told yet", "/ready" },
	{ "nothing at all on 1.x", { USUAL, .major = 1 }, CHECK_FAIL, EXIT_STALE,
	  "no data of any service", "is push running" },
	{ "nothing at all of a tenant on 1.x", { USUAL, .major = 1, .tenant = "ops" }, CHECK_FAIL,
	  EXIT_AUTH, "tenant ops has no data", "--tenant" },
	{ "nothing at all on 2.x", { USUAL, .major = 2 }, CHECK_WARN, EXIT_UNCERTAIN,
	  "cannot be told yet: nothing is seen", "5 minutes" },
	{ "nothing at all of a tenant on 2.x", { USUAL, .major = 2, .tenant = "ops" }, CHECK_WARN,
	  EXIT_UNCERTAIN, "nothing of tenant ops is seen", "check --tenant" },
	{ "nothing at all, version unknown", { USUAL }, CHECK_WARN, EXIT_UNCERTAIN, "2.x", "minutes" },
};

static void test_judge(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct checks c = { 0 };
		const struct check *k;

		arrival_judge(&cases[i].facts, &c);
		k = c.list;
		if (!ok(c.count == 1 && !strcmp(k->id, "fresh") && k->verdict == cases[i].verdict &&
			k->err.status == cases[i].status && strstr(k->err.text, cases[i].text) &&
			(cases[i].hint ? strstr(k->err.hint, cases[i].hint) != NULL : !k->err.hint[0]),
			"%s", cases[i].name))
			printf("# %zu checks; %d, status %d: %s -> %s\n", c.count, (int)k->verdict,
			       k->err.status, k->err.text, k->err.hint);
		is_int(checks_status(&c), cases[i].status, cases[i].name);
		checks_release(&c);
	}
}

static void test_list(void)
{
	struct checks c = { 0 };
	struct arrival some = { OTHERS }, none = { .major = 2, .tenant = "ops" };

	arrival_list(&some, &c);
	arrival_list(&none, &c);
	ok(strstr(c.list[0].err.text, "apis, web") && !c.list[0].err.status, "services are listed");
	ok(strstr(c.list[1].err.text, "tenant ops") && strstr(c.list[1].err.text, "minutes") &&
	   !c.list[1].err.status, "none are no failure when none was asked for");
	checks_release(&c);
}

/* --- several checks, one status --------------------------------------------------------------- */

static void test_status(void)
{
	struct checks c = { 0 };

	is_int(checks_status(&c), EXIT_OK, "no checks, no failure");
	checks_say(&c, "a", CHECK_WARN, 0, "a warning");
	is_int(checks_status(&c), EXIT_OK, "warnings are none");
	checks_say(&c, "b", CHECK_FAIL, EXIT_FAILED, "something else");
	is_int(checks_status(&c), EXIT_FAILED, "a failure without a number of its own");
	checks_say(&c, "c", CHECK_FAIL, EXIT_STALE, "stale");
	checks_say(&c, "d", CHECK_FAIL, EXIT_DENIED, "denied");
	checks_say(&c, "e", CHECK_FAIL, EXIT_UNREACHABLE, "unreachable");
	is_int(checks_status(&c), EXIT_DENIED, "the first on the way counts");
	checks_release(&c);
}

int main(void)
{
	test_newest();
	test_deep();
	test_names();
	test_many_names();
	test_judge();
	test_list();
	test_status();
	return tap_done();
}
