/* SPDX-License-Identifier: MIT
 * What is hard on a profiler of native stacks, for targets/bad.py. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

typedef int bad_callback(int);

#define FRAME __attribute__((noinline, noclone))
enum { DEEP_BYTES = 4000, HANDLER_STACK = 64 << 10 };

static volatile unsigned sink;
static volatile long handled, ended;

FRAME static void bad_spin(unsigned loops)
{
	unsigned x = 1;

	for (unsigned i = 0; i < loops; i++)
		x = x * 1664525u + 1013904223u + (x >> 7);
	sink = x;
}

/* More stack than is copied. */
FRAME int bad_deep(bad_callback *call, int depth)
{
	volatile char room[DEEP_BYTES];
	int r;

	room[0] = room[DEEP_BYTES - 1] = (char)depth;
	r = depth ? bad_deep(call, depth - 1) : call(7);
	return r + (room[0] == (char)depth) + (room[DEEP_BYTES - 1] == (char)depth) - 1;
}

/* A handler on a stack of its own. */
FRAME static void bad_handler(int number)
{
	bad_spin(100000);
	handled += number == SIGALRM;
}

int bad_alarms(long us)
{
	struct itimerval t = { { 0, us }, { 0, us } };
	struct sigaction a = { .sa_handler = bad_handler, .sa_flags = SA_ONSTACK | SA_RESTART };
	stack_t own = { .ss_sp = malloc(HANDLER_STACK), .ss_size = HANDLER_STACK };

	return sigaltstack(&own, NULL) || sigaction(SIGALRM, &a, NULL) ||
	       setitimer(ITIMER_REAL, &t, NULL);
}

long bad_handled(void)
{
	return handled;
}

/* Threads that are hardly there. */
static void *bad_short_thread(void *arg)
{
	bad_spin((unsigned)(long)arg);
	__sync_fetch_and_add(&ended, 1);
	return NULL;
}

long bad_threads(int count)
{
	long before = ended;

	for (int i = 0; i < count; i++) {
		pthread_t t[3];
		int started = 0;

		while (started < 3 && !pthread_create(&t[started], NULL, bad_short_thread,
						      (void *)(long)(started * 20000)))
			started++;
		while (started > 0)
			pthread_join(t[--started], NULL);
	}
	return ended - before;
}

FRAME int bad_call(bad_callback *call, int n)
{
	int r = call(n);

	sink = (unsigned)r;
	return r + n;
}
