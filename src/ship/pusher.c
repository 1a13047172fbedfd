/* SPDX-License-Identifier: MIT
 * The thread around deliver: sleeps until something is due, is woken, or is to end. */
#include "ship/pusher.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "deliver.h"
#include "util/clock.h"
#include "util/xalloc.h"

struct pusher {
	struct deliver deliver;    /* the thread's own */
	struct http *http;
	struct spool *spool;
	struct labels more;
	void (*on_event)(void *arg, const struct push_event *e);
	void *event_arg;
	pthread_t thread;
	pthread_mutex_t lock;      /* all below */
	pthread_cond_t changed;    /* woken, stopping, ended */
	bool woken, stopping, ended;
	uint64_t stop_ns;          /* monotonic; when stopping: the end at last */
	struct pusher_stats stats; /* a copy of the deliverer's */
};

static uint64_t now_mono(void *arg)
{
	(void)arg;
	return clock_mono_ns();
}

static uint64_t now_real(void *arg)
{
	(void)arg;
	return clock_real_ns();
}

static void request(void *arg, const struct http_request *r, struct http_answer *a)
{
	struct pusher *p = arg;

	http_do(p->http, r, a);
}

static void copy_stats(struct pusher *p)
{
	pthread_mutex_lock(&p->lock);
	p->stats = p->deliver.stats;
	pthread_mutex_unlock(&p->lock);
}

static void on_deliver_event(void *arg, const struct push_event *e)
{
	struct pusher *p = arg;

	copy_stats(p); /* the listener may ask for them */
	if (p->on_event)
		p->on_event(p->event_arg, e);
}

/* Waits for `changed` until the monotonic time; the lock is held. */
static void wait_until(struct pusher *p, uint64_t when_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(when_ns / NSEC_PER_SEC),
		.tv_nsec = (long)(when_ns % NSEC_PER_SEC),
	};

	pthread_cond_timedwait(&p->changed, &p->lock, &ts);
}

/* Sleeps until `due_ns`, the next tending or a call. False: it is over. */
static bool sleep_or_end(struct pusher *p, uint64_t due_ns, uint64_t tend_ns)
{
	uint64_t until = due_ns < tend_ns ? due_ns : tend_ns;
	bool go_on = true;

	pthread_mutex_lock(&p->lock);
	while (!p->woken && clock_mono_ns() < until && !(p->stopping && !p->deliver.hurry)) {
		if (p->stopping && (due_ns > p->stop_ns || clock_mono_ns() >= p->stop_ns))
			break;
		wait_until(p, until);
	}
	p->woken = false;
	if (p->stopping && !p->deliver.hurry)
		deliver_hurry(&p->deliver); /* and step at once, whatever was due */
	else if (p->stopping && (due_ns > p->stop_ns || clock_mono_ns() >= p->stop_ns))
		go_on = false;
	pthread_mutex_unlock(&p->lock);
	return go_on;
}

static void *pusher_thread(void *arg)
{
	struct pusher *p = arg;
	uint64_t due, tend_ns = 0;

	do {
		if (clock_mono_ns() >= tend_ns) {
			spool_tend(p->spool);
			tend_ns = clock_mono_ns() + PUSHER_TEND_NS;
		}
		due = deliver_step(&p->deliver);
		copy_stats(p);
	} while (sleep_or_end(p, due, tend_ns));

	pthread_mutex_lock(&p->lock);
	p->ended = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void init_lock(struct pusher *p)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static void free_pusher(struct pusher *p)
{
	deliver_release(&p->deliver);
	http_close(p->http);
	labels_release(&p->more);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static int start_thread(struct pusher *p)
{
	sigset_t all, old;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&p->thread, NULL, pusher_thread, p);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r == 0)
		pthread_setname_np(p->thread, "push");
	return -r;
}

int pusher_start(struct pusher **ret, const struct pusher_config *c, struct spool *spool,
		 void (*on_event)(void *arg, const struct push_event *e), void *arg, struct err *err)
{
	struct pusher *p = xcalloc(1, sizeof(*p));
	struct pusher_config own = *c;
	struct deliver_ops ops = { request, now_mono, now_real, p };
	int r;

	init_lock(p);
	labels_copy(&p->more, &c->more);
	own.more = p->more;
	deliver_init(&p->deliver, &own, spool, &ops);
	p->deliver.more = p->more.count ? &p->more : NULL;
	p->deliver.on_event = on_deliver_event;
	p->deliver.event_arg = p;
	p->spool = spool;
	p->on_event = on_event;
	p->event_arg = arg;
	r = http_open(&p->http, &c->http, err);
	if (r == 0) {
		r = start_thread(p);
		if (r < 0)
			err_set(err, r, EXIT_FAILED, "cannot start a thread: %s", strerror(-r));
	}
	if (r < 0) {
		free_pusher(p);
		return r;
	}
	*ret = p;
	return 0;
}

void pusher_wake(struct pusher *p)
{
	pthread_mutex_lock(&p->lock);
	p->woken = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

size_t pusher_stop(struct pusher *p, uint64_t patience_ns, struct pusher_stats *ret_stats)
{
	struct spool_stats left;
	struct spool *spool = p->spool;

	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	p->stop_ns = clock_mono_ns() + patience_ns;
	pthread_cond_broadcast(&p->changed);
	while (!p->ended && clock_mono_ns() < p->stop_ns)
		wait_until(p, p->stop_ns);
	pthread_mutex_unlock(&p->lock);
	http_interrupt(p->http);
	pthread_join(p->thread, NULL);
	if (ret_stats)
		*ret_stats = p->stats;
	free_pusher(p);
	spool_stats(spool, &left);
	return left.waiting;
}

void pusher_stats(struct pusher *p, struct pusher_stats *ret)
{
	pthread_mutex_lock(&p->lock);
	*ret = p->stats;
	pthread_mutex_unlock(&p->lock);
}
