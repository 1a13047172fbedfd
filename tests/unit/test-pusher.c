/* SPDX-License-Identifier: MIT
 * The pusher's thread with a real connection to a server in the test; the spool is made up. */
#include "ship/pusher.h"

#include "fake_spool.h"
#include "http_server.h"
#include "tap.h"
#include "util/clock.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define FOREVER_NS (300 * NSEC_PER_SEC)
#define EPOCH (1795246045 * NSEC_PER_SEC)

static struct spool spool;
static struct http_server server;
static char url[64];

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t count[PUSH_RESENDING + 1];
	struct pusher_stats stats; /* as the listener saw them at the last event */
	struct pusher *pusher;     /* NULL: not known yet */
} heard = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void on_event(void *arg, const struct push_event *e)
{
	(void)arg;
	pthread_mutex_lock(&heard.lock);
	heard.count[e->kind]++;
	if (heard.pusher)
		pusher_stats(heard.pusher, &heard.stats);
	pthread_cond_broadcast(&heard.changed);
	pthread_mutex_unlock(&heard.lock);
}

static void await(enum push_event_kind kind, size_t count)
{
	pthread_mutex_lock(&heard.lock);
	while (heard.count[kind] < count)
		pthread_cond_wait(&heard.changed, &heard.lock);
	pthread_mutex_unlock(&heard.lock);
}

static struct pusher *start(const struct scene *scenes, size_t count)
{
	struct pusher_config c = { .http = { .base = url, .timeout_ns = FOREVER_NS }, .seed = 3 };
	struct pusher *p = NULL;
	struct err err = { 0 };

	server_start(&server, scenes, count);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u", server.port);
	memset(heard.count, 0, sizeof(heard.count));
	if (pusher_start(&p, &c, &spool, on_event, NULL, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	pthread_mutex_lock(&heard.lock);
	heard.pusher = p;
	pthread_mutex_unlock(&heard.lock);
	return p;
}

static size_t stop(struct pusher *p, uint64_t patience_ns)
{
	size_t left;

	pthread_mutex_lock(&heard.lock);
	heard.pusher = NULL;
	pthread_mutex_unlock(&heard.lock);
	left = pusher_stop(p, patience_ns, NULL);
	server_stop(&server);
	return left;
}

static bool posted(size_t i)
{
	return i < server.count && strstr(server.requests[i], "POST /push.v1.PusherService/Push HTTP/1.1\r\n");
}

static void pushing(void)
{
	static const struct scene scenes[] = { { .say = OK_EMPTY } };
	struct pusher_stats stats;
	struct pusher *p;

	fake_spool_init(&spool);
	fake_add(&spool, EPOCH, 10, 1000);
	fake_add(&spool, EPOCH + 1, 10, 2000);
	p = start(scenes, 1);
	await(PUSH_SENT, 2);
	fake_add(&spool, EPOCH + 2, 10, 3000);
	pusher_wake(p);
	await(PUSH_SENT, 3);
	pusher_stats(p, &stats);
	is_int((long long)stop(p, FOREVER_NS), 0, "nothing is left");
	is_int((long long)stats.sent, 3, "three are sent");
	is_int((long long)stats.sent_bytes, 6000, "whole");
	ok(stats.last_status == 200 && stats.latency_ns > 0 && stats.latency_max_ns >= stats.latency_ns,
	   "in some time");
	is_int((long long)server.count, 4, "in three pushes and a question");
	ok(posted(0) && posted(2) && posted(3), "posted");
	ok(strstr(server.requests[1], "GET /api/v1/status/buildinfo "), "for the version");
	is_int((long long)server.connections, 1, "by one connection");
	ok(spool.tended >= 1, "the spool is tended");
	server_free(&server);
}

static void outage_over_stop(void)
{
	static const struct scene scenes[] = {
		{ .say = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" }, { .say = OK_EMPTY },
	};
	struct pusher *p;

	fake_spool_init(&spool);
	fake_add(&spool, EPOCH, 10, 1000);
	p = start(scenes, 2);
	await(PUSH_FAILED, 1);
	is_int((long long)stop(p, FOREVER_NS), 0, "the last try goes through");
	ok(server.count == 3 && server.lens[0] == server.lens[1] &&
	   !memcmp(server.requests[0], server.requests[1], server.lens[0]), "with the same bytes");
	server_free(&server);
}

static void hopeless_stop(void)
{
	static const struct scene scenes[] = { { .say = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n" } };
	uint64_t start_ns;
	struct pusher *p;

	fake_spool_init(&spool);
	fake_add(&spool, EPOCH, 10, 1000);
	p = start(scenes, 1);
	await(PUSH_FAILED, 1);
	start_ns = clock_mono_ns();
	is_int((long long)stop(p, PUSHER_CONFIG_NS / 2), 1, "a 404 stays one");
	ok(clock_mono_ns() - start_ns < PUSHER_CONFIG_NS / 4, "and is not waited for");
	server_free(&server);
}

static void hanging_stop(void)
{
	static const struct scene scenes[] = { { .after = HANG } };
	uint64_t start_ns;
	struct pusher *p;

	fake_spool_init(&spool);
	fake_add(&spool, EPOCH, 10, 1000);
	p = start(scenes, 1);
	server_await(&server, 1);
	start_ns = clock_mono_ns();
	is_int((long long)stop(p, 50 * NSEC_PER_MSEC), 1, "a server that hangs has taken nothing");
	ok(clock_mono_ns() - start_ns < FOREVER_NS / 2, "and holds nobody up");
	is_int((long long)fake_count(&spool, FAKE_WAITS), 1, "the item waits for the next run");
	server_free(&server);
}

static void garbage(void)
{
	static const struct scene scenes[] = {
		{ .say = OK_EMPTY }, { .say = OK_EMPTY }, { .say = "SSH-2.0-x\r\n", .after = CLOSE },
		{ .say = OK_EMPTY },
	};
	struct pusher *p;

	fake_spool_init(&spool);
	fake_add(&spool, EPOCH, 10, 1000);
	p = start(scenes, 4);
	await(PUSH_SENT, 1);
	fake_add(&spool, EPOCH + NSEC_PER_SEC, 10, 1000);
	pusher_wake(p);
	await(PUSH_FAILED, 1);
	pthread_mutex_lock(&heard.lock);
	is_int((long long)heard.stats.failed, 1, "a listener may ask for the figures");
	pthread_mutex_unlock(&heard.lock);
	is_int((long long)stop(p, FOREVER_NS), 0, "garbage loses nothing");
	server_free(&server);
}

static void wrongly_configured(void)
{
	struct pusher_config c = { .http = { .base = "nowhere" } };
	struct pusher *p = NULL;
	struct err err = { 0 };

	fake_spool_init(&spool);
	ok(pusher_start(&p, &c, &spool, NULL, NULL, &err) == -EINVAL && !p && err.status == EXIT_USAGE,
	   "no URL: %s", err.text);
}

static void idle_stop(void)
{
	static const struct scene scenes[] = { { .say = OK_EMPTY } };

	fake_spool_init(&spool);
	is_int((long long)stop(start(scenes, 1), FOREVER_NS), 0, "nothing to do, nothing to wait for");
	is_int((long long)server.connections, 0, "and nobody is called");
	server_free(&server);
}

int main(void)
{
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	pushing();
	outage_over_stop();
	hopeless_stop();
	hanging_stop();
	garbage();
	wrongly_configured();
	idle_stop();
	return tap_done();
}
