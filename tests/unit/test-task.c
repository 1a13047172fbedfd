/* SPDX-License-Identifier: MIT
 * Where threads sleep, and which there are: made-up texts, and threads of this process. */
#include "mem/task.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "process.h"
#include "tap.h"

enum { THREADS = 40 };

static void where_it_sleeps(void)
{
	static const struct { const char *text, *what; int want; uint64_t sp, pc; } cases[] = {
		{ "0 0x3 0x7f 0x1 0x0 0x0 0x0 0x7ffd1000 0x7f0042\n", "a call", 0, 0x7ffd1000, 0x7f0042 },
		{ "-1 0x7ffd1000 0x7f0042\n", "a page fault", 0, 0x7ffd1000, 0x7f0042 },
		{ "-1 0x7ffd1000 0x7f0042", "no end of line", 0, 0x7ffd1000, 0x7f0042 },
		{ "35 0x1 0xffffffffffffffff 0xfffffffffffffffe\n", "the highest addresses", 0,
		  UINT64_MAX, UINT64_MAX - 1 },
		{ "running\n", "running", -EAGAIN, 0, 0 },
		{ "running 0x1 0x2\n", "running, and more", -EAGAIN, 0, 0 },
		{ "", "nothing", -EAGAIN, 0, 0 },
		{ "7\n", "one word", -EAGAIN, 0, 0 },
		{ "7 0x1\n", "two words", -EAGAIN, 0, 0 },
		{ "0 0x7ffd1000 0x0\n", "PC 0", -EAGAIN, 0, 0 },
		{ "0 0x7ffd1000 0x7f00zz\n", "no number", -EAGAIN, 0, 0 },
		{ "0 0x7ffdzz 0x7f00\n", "no number for SP", -EAGAIN, 0, 0 },
		{ "0 0x1 0x2 ", "nothing behind the last space", -EAGAIN, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t sp = 0, pc = 0;

		is_int(task_syscall_parse(cases[i].text, &sp, &pc), cases[i].want, cases[i].what);
		if (!cases[i].want)
			ok(sp == cases[i].sp && pc == cases[i].pc, "%s: SP and PC", cases[i].what);
	}
}

static sem_t go, up;
static _Atomic uint32_t started;
static pid_t tids[THREADS];

static void *waits(void *arg)
{
	(void)arg;
	tids[atomic_fetch_add(&started, 1)] = gettid();
	sem_post(&up);
	sem_wait(&go);
	return NULL;
}

static bool has(const struct task_list *l, pid_t tid)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->tids[i] == tid)
			return true;
	return false;
}

static bool task_alive(pid_t tid)
{
	struct task t;
	bool alive = task_open(&t, getpid(), tid) == 0;

	task_close(&t);
	return alive;
}

static void which_there_are(void)
{
	pthread_t threads[THREADS];
	struct task_list l;
	bool all = true, ascending = true;
	size_t before;
	int files;

	sem_post(&go); /* with the first thread a sanitizer may start one of its own */
	pthread_create(&threads[0], NULL, waits, NULL);
	pthread_join(threads[0], NULL);
	sem_wait(&up);
	started = 0;
	while (task_alive(tids[0]))
		sched_yield();
	task_list_init(&l, getpid());
	task_list_read(&l);
	before = l.count;
	ok(has(&l, gettid()), "this thread is listed");
	ok(!task_list_changed(&l), "and nothing has changed");
	for (int i = 0; i < THREADS; i++) {
		pthread_create(&threads[i], NULL, waits, NULL);
		sem_wait(&up);
	}
	ok(task_list_changed(&l), "threads were started: it has changed");
	files = process_files_open();
	task_list_read(&l);
	is_int(process_files_open(), files, "reading leaves no file open");
	is_int((long long)(l.count - before), THREADS, "all are there");
	for (int i = 0; i < THREADS; i++)
		all = all && has(&l, tids[i]);
	ok(all, "each of them");
	for (size_t i = 1; i < l.count; i++)
		ascending = ascending && l.tids[i - 1] < l.tids[i];
	ok(ascending, "in order");
	ok(!task_list_changed(&l), "and now it has not changed any more");
	for (int i = 0; i < THREADS; i++)
		sem_post(&go);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	while (!task_list_changed(&l)) /* joined: their end is on its way */
		sched_yield();
	task_list_release(&l);
	task_list_release(&l);
}

static void nobody(void)
{
	struct task_list l;

	task_list_init(&l, 0x3fffffff);
	ok(!task_list_changed(&l), "a process that is not: nothing changes");
	task_list_read(&l);
	is_int((long long)l.count, 0, "and has no threads");
	task_list_release(&l);
}

int main(void)
{
	sem_init(&go, 0, 0);
	sem_init(&up, 0, 0);
	where_it_sleeps();
	which_there_are();
	nobody();
	return tap_done();
}
