/* SPDX-License-Identifier: MIT
 * Threads that take turns. */
#include "../../src/sampler/internal.h"

#include <string.h>
#include <unistd.h>

#include "tap.h"

enum { THREADS = 40, TURNS = 4, ROTATION = THREADS / TURNS };

static struct sampler s;
static struct sampled threads[THREADS];
static struct sampled *list[THREADS];

static void fresh(enum native_way way, uint32_t count)
{
	for (int i = 0; i < THREADS; i++)
		capture_log_close(&threads[i].capture);
	memset(&s, 0, sizeof(s));
	memset(threads, 0, sizeof(threads));
	for (int i = 0; i < THREADS; i++) {
		list[i] = &threads[i];
		threads[i].capture.log.fd = -1;
		threads[i].task.tid = gettid();
	}
	s.threads = list;
	s.thread_count = count;
	s.config.native = way;
}

static int waiting(void)
{
	int n = 0;

	for (uint32_t i = 0; i < s.thread_count; i++)
		n += crowd_waits(&s, list[i]);
	return n;
}

static int logs(void)
{
	int n = 0;

	for (uint32_t i = 0; i < s.thread_count; i++)
		n += threads[i].capture.log.fd >= 0;
	return n;
}

/* A round in which so many were found to have run. */
static void after(uint32_t moved)
{
	s.moved += moved;
	crowd_round(&s);
}

static void turns(void)
{
	int had[THREADS] = { 0 }, once = 0;

	fresh(NATIVE_PERF, THREADS);
	after(16);
	is_int(waiting(), 0, "sixteen that run are no crowd");
	after(17);
	is_int(waiting(), THREADS - TURNS, "of a crowd all but four wait");
	ok(logs() <= TURNS, "only those whose turn it is have a log: %d", logs());
	s.everybody = true;
	is_int(waiting(), 0, "at a border nobody waits");
	s.everybody = false;
	for (int round = 0; round < ROTATION; round++) {
		for (int i = 0; i < THREADS; i++)
			had[i] += !crowd_waits(&s, list[i]);
		after(TURNS);
	}
	for (int i = 0; i < THREADS; i++)
		once += had[i] == 1;
	is_int(once, THREADS, "each has one turn in ten rounds");
	is_int(waiting(), THREADS - TURNS, "it goes on as long as they run");
	is_int((long long)s.stats.crowded, ROTATION + 1, "rounds are counted");
}

static void ends(void)
{
	fresh(NATIVE_PERF, THREADS);
	after(30);
	for (int round = 0; round < 2 * ROTATION; round++)
		after(0);
	is_int(waiting(), 0, "when few have run for a whole rotation, nobody waits any more");
	after(30);
	s.thread_count = 16;
	after(4);
	is_int(waiting(), 0, "nor when there are no more than sixteen");
	fresh(NATIVE_PTRACE, THREADS);
	after(40);
	is_int(waiting(), 0, "without logs there is no need");
	fresh(NATIVE_PERF, THREADS);
	s.everybody = true;
	after(40);
	is_int(waiting(), 0, "a border makes no crowd");
	after(0);
	s.everybody = false;
	after(3);
	is_int(waiting(), 0, "and what it found is forgotten");
}

static void gone(void)
{
	fresh(NATIVE_PERF, THREADS);
	for (int i = 0; i < THREADS; i++)
		threads[i].gone = true;
	after(40);
	is_int(logs(), 0, "threads that have ended get no log");
	s.thread_count = 0;
	after(0);
	is_int(waiting(), 0, "nor is a process without threads a crowd");
	fresh(NATIVE_NONE, 0);
}

int main(void)
{
	turns();
	ends();
	gone();
	return tap_done();
}
