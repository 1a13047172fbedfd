/* SPDX-License-Identifier: MIT
 * Threads that have nothing to do with Python, for targets/nativethreads.py: each has a name of its
 * own, waits in a way of its own, and counts the times that a wait was interrupted (EINTR): nobody
 * sends them signals. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <time.h>
#include <unistd.h>

#define FRAME __attribute__((noinline, noclone))
enum { KINDS = 5, THREADS_MAX = 1000 };

static const char *const kinds[KINDS] = { "epoll", "sem", "futex", "sigwait", "spin" };
static volatile int stopping;
static volatile long waits, interrupted, rounds;
static pthread_t threads[THREADS_MAX];
static int count, semaphores = -1;
static volatile unsigned sink;

static void note(int r)
{
	__sync_fetch_and_add(&waits, 1);
	if (r < 0 && errno == EINTR)
		__sync_fetch_and_add(&interrupted, 1);
}

FRAME void native_spin(unsigned loops)
{
	unsigned x = 1;

	for (unsigned i = 0; i < loops; i++)
		x = x * 1664525u + 1013904223u + (x >> 7);
	sink = x;
}

FRAME void native_epoll(int fd)
{
	struct epoll_event event;

	note(epoll_wait(fd, &event, 1, 20));
}

/* System V: semtimedop(2) returns EINTR after a mere stop, sem_timedwait(3) does not. */
FRAME void native_sem(void)
{
	struct sembuf op = { .sem_op = -1 };
	struct timespec t = { .tv_nsec = 20000000 };

	note(semtimedop(semaphores, &op, 1, &t));
}

FRAME void native_futex(sem_t *s)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += 20000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	note(sem_timedwait(s, &t));
}

FRAME void native_sigwait(void)
{
	struct timespec t = { .tv_nsec = 20000000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMAX);
	note(sigtimedwait(&set, NULL, &t));
}

FRAME void native_round(int kind, int fd, sem_t *s)
{
	switch (kind) {
	case 0: native_epoll(fd); break;
	case 1: native_sem(); break;
	case 2: native_futex(s); break;
	case 3: native_sigwait(); break;
	default: native_spin(20000); usleep(20000); break;
	}
	__sync_fetch_and_add(&rounds, 1);
}

static void *native_thread(void *arg)
{
	int number = (int)(long)arg, kind = number % KINDS, fd = epoll_create1(EPOLL_CLOEXEC);
	char name[16];
	sigset_t all;
	sem_t s;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	snprintf(name, sizeof(name), "%s-%d", kinds[kind], number);
	prctl(PR_SET_NAME, name);
	sem_init(&s, 0, 0);
	while (!stopping)
		native_round(kind, fd, &s);
	close(fd);
	return NULL;
}

int native_start(int n)
{
	pthread_attr_t attr;

	semaphores = semget(IPC_PRIVATE, 1, 0600 | IPC_CREAT);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	for (count = 0; count < n && count < THREADS_MAX; count++)
		if (pthread_create(&threads[count], &attr, native_thread, (void *)(long)count))
			break;
	pthread_attr_destroy(&attr);
	return semaphores < 0 ? -errno : count;
}

void native_stop(long ret[3])
{
	stopping = 1;
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	semctl(semaphores, 0, IPC_RMID);
	ret[0] = waits;
	ret[1] = interrupted;
	ret[2] = rounds;
}

long native_rounds(void)
{
	return rounds;
}
