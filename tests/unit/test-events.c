/* SPDX-License-Identifier: MIT
 * Events come back as they were added: joined where they touch, per thread, also when another
 * thread adds them, and losses are counted. */
#include "profile/events.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tap.h"

enum { MANY = 300000, THREADS = 3 };

struct seen {
	struct event last, first;
	uint64_t count, wall, cpu, disorder;
};

static int see(void *arg, const struct event *e)
{
	struct seen *s = arg;

	if (!s->count)
		s->first = *e;
	s->disorder += s->count && e->when_ns - e->wall_ns < s->last.when_ns;
	s->last = *e;
	s->count++;
	s->wall += e->wall_ns;
	s->cpu += e->cpu_ns;
	return 0;
}

static struct seen read_all(struct events *e, uint32_t thread)
{
	struct seen s = { 0 };

	is_int(events_each(e, thread, see, &s), 0, "events can be read");
	return s;
}

static void put(struct events *e, uint32_t thread, uint32_t node, uint64_t when, uint64_t wall)
{
	struct event event = { when, wall, wall / 2, thread, node };

	events_add(e, &event);
}

static void test_join(void)
{
	struct events *e = events_open(NULL, NULL);
	struct seen s;

	put(e, 0, 1, 10000, 10000);
	put(e, 1, 1, 15000, 10000);
	put(e, 0, 1, 20500, 10000); /* 500 ns late: still the same stretch */
	put(e, 0, 2, 30500, 10000);
	events_drain(e, 0);
	put(e, 0, 2, 40500, 10000); /* goes on after a drain */
	put(e, 0, 2, 90500, 10000); /* 40 us later */
	put(e, 0, 3, 90500, 0);     /* stands for no time */
	is_int(events_drain(e, 1), 0, "drained");
	s = read_all(e, 0);
	is_int((long long)s.count, 3, "neighbours of one stack are joined, others are not");
	is_int((long long)s.first.when_ns, 20500, "a joined stretch ends with its last event");
	is_int((long long)s.first.wall_ns, 20500, "and has no hole");
	is_int((long long)s.first.cpu_ns, 10000, "its CPU time is the sum");
	is_int((long long)s.last.when_ns, 90500, "a gap is kept");
	is_int((long long)s.last.wall_ns, 10000, "with the stretch behind it");
	s = read_all(e, 1);
	is_int((long long)s.count, 1, "threads are kept apart");
	s = read_all(e, 7);
	is_int((long long)s.count, 0, "an unknown thread has none");
	events_free(e);
}

static int stop_at_two(void *arg, const struct event *e)
{
	(void)e;
	return ++*(int *)arg == 2 ? 42 : 0;
}

static void test_stop(void)
{
	struct events *e = events_open(NULL, NULL);
	int n = 0;

	for (uint64_t i = 1; i < 10; i++)
		put(e, 0, (uint32_t)i, i * 10000, 10000);
	events_drain(e, 1);
	is_int(events_each(e, 0, stop_at_two, &n), 42, "reading stops when told to");
	events_free(e);
}

static void test_lost(void)
{
	struct events *e = events_open(NULL, NULL);
	struct seen s;

	for (uint64_t i = 1; i <= EVENTS_RING + 5; i++)
		put(e, 0, (uint32_t)(i % 2), i * 10000, 10000);
	is_int((long long)events_lost(e), 5, "a full ring loses and counts");
	events_drain(e, 1);
	s = read_all(e, 0);
	is_int((long long)s.count, EVENTS_RING, "the rest is there");
	events_free(e);
}

static atomic_bool adding = true;

static void *adder(void *arg)
{
	struct events *e = arg;

	for (uint64_t i = 1; i <= MANY; i++)
		put(e, (uint32_t)(i % THREADS), (uint32_t)(i * 2654435761u), i * 10000, 10000);
	atomic_store(&adding, false);
	return NULL;
}

static void test_two_threads(void)
{
	struct events *e = events_open(NULL, NULL);
	uint64_t count = 0, disorder = 0;
	pthread_t t;

	pthread_create(&t, NULL, adder, e);
	while (atomic_load(&adding))
		events_drain(e, 0);
	pthread_join(t, NULL);
	is_int(events_drain(e, 1), 0, "all is written");
	for (uint32_t i = 0; i < THREADS; i++) {
		struct seen s = read_all(e, i);

		count += s.count;
		disorder += s.disorder;
	}
	is_int((long long)(count + events_lost(e)), MANY, "nothing is lost uncounted");
	is_int((long long)disorder, 0, "all in order");
	events_free(e);
}

static void test_errors(void)
{
	struct err err = { 0 };
	struct events *e = events_open("/nowhere", &err);

	ok(!e, "a folder that is not there is refused");
	ok(strstr(err.text, "/nowhere") != NULL, "and named");
	e = events_open(NULL, NULL);
	is_int(events_drain(e, 1), 0, "nothing can be drained");
	events_free(e);
	events_free(NULL);
}

int main(void)
{
	test_join();
	test_stop();
	test_lost();
	test_two_threads();
	test_errors();
	return tap_done();
}
