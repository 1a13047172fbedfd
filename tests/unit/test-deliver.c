/* SPDX-License-Identifier: MIT
 * Days of outages in milliseconds: a made-up clock, spool and server. */
#include "../../src/ship/deliver.h"

#include "fake_spool.h"
#include "tap.h"
#include "util/clock.h"

#define SEC NSEC_PER_SEC
#define MINUTE (60 * SEC)
#define HOUR (60 * MINUTE)
#define EPOCH (1795246045 * SEC)
#define VERSION_1 "{\"status\":\"success\",\"data\":{\"version\":\"1.15.3\"}}"
#define VERSION_2 "{\"status\":\"success\",\"data\":{\"version\":\"2.0.6\"}}"

enum { TRIES = 16384 };

static struct {
	uint64_t now;              /* monotonic; real time is EPOCH later */
	struct spool spool;
	struct deliver d;
	/* what the server does with a push; and its version */
	void (*serve)(const struct fake_profile *p, struct http_answer *a);
	const char *version;       /* body of buildinfo */
	int version_status;
	uint64_t up_ns;            /* some of `serve` */
	bool fresh;                /* the next answer comes by a new connection */
	bool always_fresh;         /* and all others */
	/* what happened */
	struct {
		uint64_t at, time_ns;
	} tries[TRIES];
	size_t try_count, version_count;
	size_t events[PUSH_RESENDING + 1], resent;
	struct push_event last;
	char why[256];
} w;

static void reply(struct http_answer *a, int status, const char *body)
{
	a->status = status;
	a->error = 0;
	a->body_len = strlen(body);
	memcpy(a->body, body, a->body_len + 1);
}

static void refuse(struct http_answer *a)
{
	reply(a, 0, "");
	a->error = ECONNREFUSED;
}

static void serve_all(const struct fake_profile *p, struct http_answer *a)
{
	(void)p;
	reply(a, 200, "");
}

/* The fake body is the profile itself. */
static void on_push(const struct http_request *r, struct http_answer *a)
{
	struct fake_profile p;

	memcpy(&p, r->body, sizeof(p));
	if (w.try_count < TRIES) {
		w.tries[w.try_count].at = w.now;
		w.tries[w.try_count++].time_ns = p.time_ns;
	}
	w.serve(&p, a);
}

static void request(void *arg, const struct http_request *r, struct http_answer *a)
{
	(void)arg;
	a->date_ns = 0;
	a->closing = false;
	a->text[0] = '\0';
	a->connected = w.fresh || w.always_fresh;
	w.fresh = false;
	w.now += NSEC_PER_MSEC;
	w.spool.now_real_ns = EPOCH + w.now;
	if (!strcmp(r->path, OUTAGE_PATH)) {
		w.version_count++;
		reply(a, w.version_status, w.version);
	} else {
		on_push(r, a);
	}
	if (!a->status)
		w.fresh = true;
}

static uint64_t mono(void *arg)
{
	(void)arg;
	return w.now;
}

static uint64_t real(void *arg)
{
	(void)arg;
	return EPOCH + w.now;
}

static void on_event(void *arg, const struct push_event *e)
{
	(void)arg;
	w.events[e->kind]++;
	w.resent += e->count;
	w.last = *e;
	snprintf(w.why, sizeof(w.why), "%s", e->why);
}

static void begin(void (*serve)(const struct fake_profile *p, struct http_answer *a))
{
	static struct pusher_config config = { .seed = 7 };
	static const struct deliver_ops ops = { request, mono, real, NULL };

	memset(&w, 0, sizeof(w));
	w.now = HOUR;
	w.serve = serve;
	w.version = VERSION_1;
	w.version_status = 200;
	w.fresh = true;
	fake_spool_init(&w.spool);
	deliver_init(&w.d, &config, &w.spool, &ops);
	w.d.on_event = on_event;
}

/* An interval that started `ago` seconds ago. */
static uint64_t add(uint64_t ago)
{
	return fake_add(&w.spool, EPOCH + w.now - ago * SEC, 100, 1000);
}

/* Lives for so long. False: it turns in circles. */
static bool run(uint64_t for_ns)
{
	uint64_t until = w.now + for_ns;

	for (int i = 0; w.now < until; i++) {
		uint64_t due = deliver_step(&w.d);

		if (i > 100000)
			return ok(false, "it turns in circles");
		if (due == 0)
			continue;
		w.now = due < until ? due : until;
	}
	return true;
}

static void end(void)
{
	deliver_release(&w.d);
}

static void newest_first(void)
{
	bool sorted = true;

	begin(serve_all);
	for (int i = 100; i > 0; i--)
		add((uint64_t)(i * 7 % 101));
	run(MINUTE);
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 100, "all arrive");
	is_int((long long)w.try_count, 100, "once");
	for (size_t i = 1; i < w.try_count; i++)
		sorted = sorted && w.tries[i].time_ns < w.tries[i - 1].time_ns;
	ok(sorted, "newest first");
	ok(w.d.stats.sent == 100 && w.d.stats.sent_bytes == 100000 && w.d.stats.failed == 0, "counted");
	is_int((long long)w.events[PUSH_SENT], 100, "said");
	ok(deliver_step(&w.d) == DELIVER_NEVER, "and then nothing is to do");
	is_int((long long)w.version_count, 1, "the version is asked for once");
	is_int((long long)w.spool.resends, 0, "nothing is sent again");
	end();
}

static void serve_later(const struct fake_profile *p, struct http_answer *a)
{
	(void)p;
	if (w.now < w.up_ns)
		refuse(a);
	else
		reply(a, 200, "");
}

static void away_for_50_minutes(void)
{
	bool calm = true;
	size_t tried;

	begin(serve_later);
	w.up_ns = w.now + 50 * MINUTE;
	for (int i = 0; i < 100; i++) {
		add(0);
		run(30 * SEC);
	}
	tried = w.try_count;
	for (size_t i = 1; i < tried; i++)
		calm = calm && w.tries[i].at - w.tries[i - 1].at >= BACKOFF_FLOOR_NS &&
		       w.tries[i].at - w.tries[i - 1].at <= PUSHER_RETRY_MAX_NS + SEC;
	ok(calm, "tries are 0.1 to 60 s apart");
	ok(tried >= 50 && tried <= 300, "about two per minute, not more: %zu", tried);
	run(MINUTE);
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 100, "nothing is lost");
	is_int((long long)w.d.stats.dropped, 0, "nor dropped");
	is_int((long long)w.d.outage.suspect, 0, "before the first contact no memory can be lost");
	end();
}

static void waits(void)
{
	uint64_t random = 1, sum = 0, least = UINT64_MAX, most = 0;

	for (int i = 0; i < 10000; i++) {
		uint64_t ns = backoff_ns(4, PUSHER_RETRY_MAX_NS, &random);

		sum += ns;
		least = ns < least ? ns : least;
		most = ns > most ? ns : most;
	}
	ok(least >= BACKOFF_FLOOR_NS && least < 300 * NSEC_PER_MSEC, "full jitter starts near nothing");
	ok(most <= 4 * SEC && most > 39 * SEC / 10, "and ends at the doubled wait");
	ok(sum / 10000 > 19 * SEC / 10 && sum / 10000 < 21 * SEC / 10, "half of it in the middle");
	ok(backoff_ns(0, PUSHER_RETRY_MAX_NS, &random) <= PUSHER_RETRY_MIN_NS, "no failure at all");
	ok(backoff_ns(UINT32_MAX, PUSHER_RETRY_MAX_NS, &random) <= PUSHER_RETRY_MAX_NS, "very many");
}

static uint64_t bad_time;

static void serve_malformed(const struct fake_profile *p, struct http_answer *a)
{
	if (p->time_ns == bad_time)
		reply(a, 500, "{\"code\":\"unknown\",\"message\":\"proto: illegal wireType 7\"}");
	else
		reply(a, 200, "");
}

static void few_tries(void)
{
	uint64_t id;

	begin(serve_malformed);
	for (uint64_t i = 1; i <= 10; i++)
		add(i * 30);
	id = add(0);
	bad_time = fake_item(&w.spool, id)->profile.time_ns;
	run(MINUTE);
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 10, "a malformed profile stops no other");
	is_int(fake_item(&w.spool, id)->state, FAKE_REFUSED, "and is given up");
	is_int((long long)w.events[PUSH_FAILED], VERDICT_FEW - 1, "after a few tries");
	is_int((long long)w.events[PUSH_DROPPED], 1, "which is said");
	is_str(w.why, "proto: illegal wireType 7", "in the server's words");
	ok(w.last.kind == PUSH_DROPPED && w.last.status == 500 && w.last.key.pid == 42, "and all");
	end();
}

static void serve_500(const struct fake_profile *p, struct http_answer *a)
{
	if (p->time_ns == bad_time)
		reply(a, 500, "{\"code\":\"unknown\",\"message\":\"who knows\"}");
	else
		reply(a, 200, "");
}

/* The answer blames the server, the facts do not. */
static void one_that_always_fails(void)
{
	uint64_t id;

	begin(serve_500);
	for (uint64_t i = 1; i <= 50; i++)
		add(i * 30);
	id = add(0);
	bad_time = fake_item(&w.spool, id)->profile.time_ns;
	run(10 * SEC);
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 50, "a profile no server takes stops no other");
	is_int(fake_item(&w.spool, id)->state, FAKE_WAITS, "but is kept");
	run(50 * MINUTE);
	ok(w.d.stats.failed > 20 && w.d.stats.failed < 200, "and tried slowly: %llu",
	   (unsigned long long)w.d.stats.failed);
	end();
}

static void serve_404(const struct fake_profile *p, struct http_answer *a)
{
	(void)p;
	if (w.now < w.up_ns)
		reply(a, 404, "404 page not found\n");
	else
		reply(a, 200, "");
}

static void misconfigured(void)
{
	bool slow = true;

	begin(serve_404);
	w.up_ns = w.now + HOUR;
	for (uint64_t i = 1; i <= 5; i++)
		add(i);
	run(HOUR);
	ok(w.try_count >= 59 && w.try_count <= 61, "404: once a minute (%zu)", w.try_count);
	for (size_t i = 1; i < w.try_count; i++)
		slow = slow && w.tries[i].at - w.tries[i - 1].at >= PUSHER_CONFIG_NS;
	ok(slow, "not faster");
	ok(w.last.verdict == VERDICT_CONFIG && w.last.again_in_ns == PUSHER_CONFIG_NS, "said");
	run(2 * MINUTE);
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 5, "all are kept and arrive");
	end();
}

static char quota[256];

static void serve_quota(const struct fake_profile *p, struct http_answer *a)
{
	(void)p;
	if (w.now < w.up_ns)
		reply(a, 429, quota);
	else
		reply(a, 200, "");
}

static void quotas(void)
{
	time_t at;
	struct tm tm;
	char when[32];

	begin(serve_quota);
	w.up_ns = w.now + 3 * HOUR;
	at = (time_t)((EPOCH + w.up_ns) / SEC) + 1;
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
	snprintf(quota, sizeof(quota), "{\"code\":\"resource_exhausted\",\"message\":\"limit of 1 MiB/day "
		 "reached, next reset at %s\"}", when);
	add(0);
	add(30);
	run(3 * HOUR - MINUTE);
	is_int((long long)w.try_count, 1, "a quota is waited for");
	run(2 * MINUTE);
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 2, "not longer than it lasts");
	end();

	begin(serve_quota);
	w.up_ns = UINT64_MAX;
	snprintf(quota, sizeof(quota), "{\"message\":\"reached, next reset at 2099-01-01T00:00:00Z\"}");
	add(0);
	run(25 * HOUR);
	is_int((long long)w.try_count, 2, "but a day at most");
	end();

	begin(serve_quota);
	w.up_ns = UINT64_MAX;
	snprintf(quota, sizeof(quota), "{\"message\":\"reached, next reset at 1999-01-01T00:00:00Z\"}");
	add(0);
	run(HOUR);
	ok(w.try_count >= 59 && w.try_count <= 61, "one that is over already does not hurry us");
	end();
}

static void serve_early(const struct fake_profile *p, struct http_answer *a)
{
	if (p->time_ns > EPOCH + w.now + 10 * MINUTE)
		reply(a, 400, "{\"code\":\"invalid_argument\",\"message\":\"profile with labels '{}' is outside "
			    "of ingestion window (profile timestamp: x, the ingestion window ends at y)\"}");
	else
		reply(a, 200, "");
}

static void clock_ahead(void)
{
	begin(serve_early);
	for (uint64_t i = 0; i < 20; i++)
		fake_add(&w.spool, EPOCH + w.now + 30 * MINUTE + i * SEC, 100, 1000);
	add(0);
	run(MINUTE / 2);
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 1, "profiles of the future stop no other");
	run(22 * MINUTE);
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 21, "and arrive when their time has come");
	ok(w.try_count < 21 * 25, "tried once a minute: %zu", w.try_count);
	end();
}

static void serve_never_yet(const struct fake_profile *p, struct http_answer *a)
{
	(void)p;
	reply(a, 429, "{\"message\":\"Maximum active series limit exceeded (5000/5000)\"}");
}

static void many_in_trouble(void)
{
	begin(serve_never_yet);
	for (uint64_t i = 0; i < 1000; i++)
		add(i);
	run(10 * MINUTE);
	ok(w.try_count <= 11 * (DELIVER_TROUBLED_MAX + 1), "1000 in trouble do not become a storm: %zu",
	   w.try_count);
	is_int((long long)fake_count(&w.spool, FAKE_WAITS), 1000, "none is lost");
	end();
}

static void serve_small(const struct fake_profile *p, struct http_answer *a)
{
	if (p->size > 20000)
		reply(a, 413, "");
	else
		reply(a, 200, "");
}

static void halves(void)
{
	uint64_t start, samples = 0;
	bool distinct = true, inside = true;

	begin(serve_small);
	start = EPOCH + w.now;
	fake_add(&w.spool, start, 1000, 150000);
	fake_add(&w.spool, start + NSEC_PER_MSEC, 1000, 150000); /* the next chunk of the interval */
	run(10 * MINUTE);
	for (size_t i = 0; i < w.spool.count; i++) {
		const struct fake_profile *p = &w.spool.items[i].profile;

		if (w.spool.items[i].state != FAKE_SENT)
			continue;
		samples += p->samples;
		inside = inside && p->time_ns >= start && p->time_ns < start + SEC;
		for (size_t k = 0; k < i; k++)
			distinct = distinct && (w.spool.items[k].state != FAKE_SENT ||
						w.spool.items[k].profile.time_ns / NSEC_PER_MSEC !=
						p->time_ns / NSEC_PER_MSEC);
	}
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 16, "two times eight parts");
	is_int((long long)samples, 2000, "of all samples");
	ok(distinct, "no two share a millisecond");
	ok(inside, "all within a second");
	is_int((long long)fake_count(&w.spool, FAKE_WAITS), 0, "nothing is left");
	is_int((long long)w.d.stats.split, 14, "counted");
	end();

	begin(serve_small);
	fake_add(&w.spool, EPOCH, 1, 150000);
	run(MINUTE);
	is_int((long long)fake_count(&w.spool, FAKE_REFUSED), 1, "what cannot be halved is given up");
	ok(w.try_count == 1 && strstr(w.why, "not to be halved"), "at once: %s", w.why);
	end();

	begin(serve_small);
	fake_add(&w.spool, EPOCH, 100, 150000);
	w.spool.full = true;
	run(10 * MINUTE);
	is_int((long long)fake_count(&w.spool, FAKE_WAITS), 1, "a full spool: the whole is kept");
	ok(w.try_count <= 11, "and seldom tried: %zu", w.try_count);
	w.spool.full = false;
	run(2 * MINUTE);
	ok(fake_count(&w.spool, FAKE_WAITS) == 0 && w.d.stats.dropped == 0, "until there is room");
	end();

	begin(serve_all);
	fake_add(&w.spool, EPOCH, 100, WIRE_PROFILE_BYTES_MAX + 100);
	run(MINUTE);
	ok(w.try_count == 2 && w.d.stats.failed == 0, "beyond every server's limit: halved unasked");
	end();
}

static void serve_small_burst(const struct fake_profile *p, struct http_answer *a)
{
	if (p->size > 100000)
		reply(a, 429, "{\"code\":\"resource_exhausted\",\"message\":\"push rate limit (391 KiB) "
			      "exceeded while adding 474 KiB\"}");
	else
		reply(a, 200, "");
}

static void small_burst(void)
{
	uint64_t samples = 0;

	begin(serve_small_burst);
	for (uint64_t i = 0; i < 4; i++)
		fake_add(&w.spool, EPOCH + w.now - i * SEC, 1000, 480000);
	add(0);
	run(2 * MINUTE);
	for (size_t i = 0; i < w.spool.count; i++)
		if (w.spool.items[i].state == FAKE_SENT)
			samples += w.spool.items[i].profile.samples;
	is_int((long long)samples, 4100, "a burst smaller than usual is found by halving");
	ok(w.d.stats.failed <= 30, "and remembered: %llu failures", (unsigned long long)w.d.stats.failed);
	is_int((long long)w.d.stats.dropped, 0, "nothing is lost by it");
	end();
}

static void serve_garbage(const struct fake_profile *p, struct http_answer *a)
{
	(void)p;
	if (w.try_count <= 4 || w.up_ns) {
		reply(a, 0, "");
		a->error = EPROTO;
	} else {
		reply(a, 200, "");
	}
}

static void garbage(void)
{
	begin(serve_garbage);
	add(0);
	run(10 * SEC);
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 1, "a little garbage is soon over");
	end();

	begin(serve_garbage);
	w.up_ns = UINT64_MAX;
	add(0);
	run(5 * MINUTE);
	deliver_hurry(&w.d);
	run(30 * SEC);
	ok(w.try_count <= 11, "garbage without end is tried once a minute: %zu", w.try_count);
	end();
}

static void pace(void)
{
	uint64_t start, least = UINT64_MAX;

	begin(serve_all);
	start = w.now;
	for (uint64_t i = 0; i < 40; i++)
		fake_add(&w.spool, EPOCH + i * SEC, 100, 1000000);
	run(MINUTE);
	for (size_t i = 0; i + 5 < w.try_count; i++)
		if (w.tries[i + 5].at - w.tries[i].at < least)
			least = w.tries[i + 5].at - w.tries[i].at;
	is_int((long long)w.try_count, 40, "40 MB");
	ok(w.tries[39].at - start >= 38 * SEC / 4, "need 9.5 s at 4 MB/s and 2 MB at once: %llu ms",
	   (unsigned long long)((w.tries[39].at - start) / NSEC_PER_MSEC));
	ok(w.tries[39].at - start <= 11 * SEC, "not much longer");
	ok(least >= 3 * SEC / 4, "no 5 MB within less than 0.75 s");
	end();
}

static void broken_items(void)
{
	uint64_t gone, unreadable, no_profile;

	begin(serve_all);
	gone = add(0);
	fake_item(&w.spool, gone)->read_error = -ENOENT;
	unreadable = add(1);
	fake_item(&w.spool, unreadable)->read_error = -EMFILE;
	no_profile = add(2);
	fake_item(&w.spool, no_profile)->profile.broken = 1;
	add(3);
	run(10 * MINUTE);
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 1, "what is gone or broken stops no other");
	is_int(fake_item(&w.spool, no_profile)->state, FAKE_REFUSED, "no profile: dropped");
	is_int((long long)w.d.stats.dropped, 1, "once");
	is_int(fake_item(&w.spool, unreadable)->state, FAKE_WAITS, "what cannot be read now is kept");
	fake_item(&w.spool, unreadable)->read_error = 0;
	run(2 * MINUTE);
	is_int(fake_item(&w.spool, unreadable)->state, FAKE_SENT, "for when it can");
	end();
}

/* --- What the server may have lost --------------------------------------------- */

/* Ten intervals arrive, then the server is away for a minute, as `gone` makes it. */
static void outage(void (*gone)(const struct fake_profile *p, struct http_answer *a))
{
	begin(serve_all);
	for (int i = 0; i < 10; i++) {
		add(0);
		run(30 * SEC);
	}
	w.serve = gone;
	add(0);
	run(MINUTE);
	w.serve = serve_all;
}

static void serve_refused(const struct fake_profile *p, struct http_answer *a)
{
	(void)p;
	refuse(a);
}

static void serve_stopping(const struct fake_profile *p, struct http_answer *a)
{
	(void)p;
	if (w.try_count < 14)
		reply(a, 500, "{\"code\":\"unknown\",\"message\":\"at least 1 live replicas required, could "
			    "only find 0\"}");
	else
		refuse(a);
}

static void serve_502(const struct fake_profile *p, struct http_answer *a)
{
	(void)p;
	reply(a, 502, "<html>");
}

static void serve_429(const struct fake_profile *p, struct http_answer *a)
{
	(void)p;
	reply(a, 429, "push rate limit");
}

static void killed(void)
{
	outage(serve_refused);
	is_int((long long)w.spool.resends, 0, "not before it is back");
	run(2 * MINUTE);
	is_int((long long)w.resent, 10, "killed, 1.x: all of the last hour is sent again");
	is_int((long long)w.events[PUSH_RESENDING], 1, "which is said once");
	is_int((long long)w.d.stats.resent, 10, "and counted");
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 11, "and arrives");
	run(HOUR);
	is_int((long long)w.spool.resends, 1, "once per outage");
	end();

	outage(serve_refused);
	w.version = VERSION_2;
	run(2 * MINUTE);
	ok(w.spool.resends == 0 && w.version_count == 2, "2.x remembers");
	end();

	outage(serve_502);
	run(2 * MINUTE);
	is_int((long long)w.resent, 10, "killed behind a gateway");
	end();

	outage(serve_429);
	run(2 * MINUTE);
	is_int((long long)w.spool.resends, 0, "a 429 is no outage");
	end();

	outage(serve_stopping);
	run(2 * MINUTE);
	is_int((long long)w.spool.resends, 0, "stopped in order: nothing is lost");
	for (int i = 0; i < 5; i++) { /* and then it is killed */
		add(0);
		run(30 * SEC);
	}
	w.serve = serve_refused;
	add(0);
	run(MINUTE);
	w.serve = serve_all;
	run(2 * MINUTE);
	is_int((long long)w.resent, 16, "its next end is another matter");
	end();
}

static void versions(void)
{
	static const struct {
		int status;
		const char *body;
		size_t resends;
	} rows[] = {
		{ 200, VERSION_1, 1 }, { 200, VERSION_2, 0 },
		{ 200, "{\"data\":{\"version\":\"v1.9.0\"}}", 1 },
		{ 200, "{\"data\":{\"version\":\"\"}}", 0 }, /* 2.0.0 */
		{ 200, "{\"data\":{\"version\":\"main-3fe6a457\"}}", 0 },
		{ 200, "{\"data\":{\"version\":17}}", 0 }, { 200, "{\"data\":{}}", 0 }, { 200, "[]", 0 },
		{ 200, "<html>", 0 }, { 200, "", 0 }, { 404, VERSION_1, 0 }, { 401, "", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		outage(serve_refused);
		w.d.outage.memory = SERVER_UNKNOWN;
		w.version = rows[i].body;
		w.version_status = rows[i].status;
		run(5 * MINUTE);
		ok(w.spool.resends == rows[i].resends, "%d %s: %zu", rows[i].status, rows[i].body,
		   w.spool.resends);
		is_int((long long)w.version_count, 2, "asked once more");
		end();
	}

	outage(serve_refused);
	w.version_status = 503;
	run(2 * MINUTE);
	add(0);
	run(MINUTE);
	is_int((long long)w.spool.resends, 0, "buildinfo is not up yet");
	w.version_status = 200;
	add(0);
	run(MINUTE);
	is_int((long long)w.spool.resends, 1, "the next push asks again");
	end();
}

static void kept_connection(void)
{
	begin(serve_all);
	for (int i = 0; i < 10; i++) {
		add(0);
		run(30 * SEC);
	}
	w.fresh = true;
	add(0);
	run(30 * SEC);
	is_int((long long)w.resent, 10, "a kept connection broke while nobody looked: killed in between");
	end();

	begin(serve_all);
	for (int i = 0; i < 10; i++) {
		w.fresh = i > 5;
		add(0);
		run(110 * SEC);
	}
	is_int((long long)w.spool.resends, 0, "a connection that was idle for long may end");
	end();

	begin(serve_all);
	w.always_fresh = true;
	for (int i = 0; i < 100; i++) {
		add(0);
		run(30 * SEC);
	}
	is_int((long long)w.spool.resends, 0, "a gateway that keeps no connections is no outage");
	end();

	begin(serve_all);
	for (int i = 0; i < 100; i++) {
		w.fresh = true;
		add(1);
		add(0);
		run(30 * SEC);
	}
	is_int((long long)w.spool.resends, 0, "nor one that ends them after a short silence");
	end();

	begin(serve_all);
	for (int i = 0; i < 480; i++) { /* four hours */
		w.fresh = i % 5 == 0;
		add(0);
		run(30 * SEC);
	}
	is_int((long long)w.spool.resends, 1, "one that ends every fifth has deceived us once");
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 480, "and nothing waits for it");
	end();
}

/* Killed and back every five minutes, for a day. */
static void crash_loop(void)
{
	begin(serve_all);
	for (int i = 0; i < 2880; i++) {
		w.serve = i % 10 == 9 ? serve_refused : serve_all;
		add(0);
		run(30 * SEC);
	}
	ok(w.spool.resends >= 24 && w.spool.resends <= 34, "a server that dies and dies: %zu times in a day",
	   w.spool.resends);
	end();
}

static void old_ones_stay(void)
{
	begin(serve_all);
	for (int i = 0; i < 150; i++) {
		add(0);
		run(30 * SEC);
	}
	w.serve = serve_refused;
	add(0);
	run(MINUTE);
	w.serve = serve_all;
	run(2 * MINUTE);
	ok(w.resent >= 115 && w.resent <= 119, "only the last hour is sent again: %zu", w.resent);
	end();
}

/* --- The end ----------------------------------------------------------------------- */

static void hurrying(void)
{
	uint64_t due;

	begin(serve_refused);
	for (uint64_t i = 0; i < 3; i++)
		add(i);
	run(20 * MINUTE);
	w.serve = serve_all;
	do
		due = deliver_step(&w.d);
	while (due == 0);
	ok(due > w.now && due < DELIVER_NEVER, "it waits");
	deliver_hurry(&w.d);
	while (deliver_step(&w.d) == 0)
		;
	is_int((long long)fake_count(&w.spool, FAKE_SENT), 3, "in a hurry nothing is waited for");
	end();

	begin(serve_refused);
	add(0);
	deliver_hurry(&w.d);
	run(20 * SEC);
	ok(w.try_count >= 20, "tries follow each other within a second: %zu in 20 s", w.try_count);
	end();

	begin(serve_404);
	w.up_ns = UINT64_MAX;
	add(0);
	deliver_hurry(&w.d);
	deliver_step(&w.d);
	ok(deliver_step(&w.d) >= w.now + PUSHER_CONFIG_NS - SEC, "except for a human's doing");
	end();
}

static void serve_canceled(const struct fake_profile *p, struct http_answer *a)
{
	(void)p;
	reply(a, 0, "");
	a->error = ECANCELED;
}

static void canceled(void)
{
	begin(serve_canceled);
	add(0);
	deliver_step(&w.d);
	ok(w.d.stats.failed == 0 && w.events[PUSH_FAILED] == 0, "a cut-off try is no failure");
	is_int((long long)fake_count(&w.spool, FAKE_WAITS), 1, "and loses nothing");
	end();
}

int main(void)
{
	newest_first();
	away_for_50_minutes();
	waits();
	few_tries();
	one_that_always_fails();
	misconfigured();
	quotas();
	clock_ahead();
	many_in_trouble();
	halves();
	small_burst();
	garbage();
	pace();
	broken_items();
	killed();
	versions();
	kept_connection();
	crash_loop();
	old_ones_stay();
	hurrying();
	canceled();
	return tap_done();
}
