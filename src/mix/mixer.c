/* SPDX-License-Identifier: MIT
 * The mixer's thread and its clients. */
#include "mix/mixer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "blend.h"
#include "ring.h"
#include "util/clock.h"
#include "util/counters.h"
#include "util/xalloc.h"

enum {
	WAKE_MS = 40,              /* from one round to the next */
	/* Threads whose last stack is kept; PROFILE_THREADS_MAX's last place is shared. */
	LAST_MAX = (1 << 20) - 1,
	LAST_FIRST = 64,
};

#define NAP_NS (100 * NSEC_PER_USEC)
/* Nobody tells when a thread ends. One that is at rest is looked at every half second at least. */
#define LAST_KEPT_NS (60 * NSEC_PER_SEC)
#define SWEEP_NS (10 * NSEC_PER_SEC)

/* The stack a thread was last seen with. */
struct last {
	struct sym_frame *frames;
	uint32_t count, room;
	uint64_t epoch;                /* the client's then; 0: none */
	uint64_t when_ns;
};

struct mixer_client {
	struct mixer *mixer;
	struct mixer_client *next;
	struct sampler_ops ops;        /* who takes the finished looks */
	struct remote remote;          /* the mixer's own handle */
	bool remote_open;
	struct ring ring;
	struct blend blend;
	struct mixer_stats stats;
	struct last *last;             /* by the look's thread number */
	uint32_t last_count;
	uint64_t epoch;                /* begins anew when looks were lost: they had stacks */
	uint64_t swept_ns;
	bool lossy;                    /* a look was lost since the last one put in; sampling thread's */
	bool told;                     /* the mixer was woken for this ring; sampling thread's */
};

struct mixer {
	struct mixer_config config;
	struct modules modules;
	struct kallsyms kallsyms;
	struct scratch scratch;
	struct mixer_client *_Atomic clients; /* joined at the front at any time */
	pthread_mutex_t lock;          /* held during a round, and to take a client out */
	_Atomic uint32_t leaving;      /* want the lock: the next round waits for them */
	pthread_t thread;
	int wake_fd;
	_Atomic bool stop;
};

/* --- the mixer's thread ------------------------------------------------------------------------- */

static struct last *last_of(struct mixer_client *c, uint32_t thread)
{
	if (thread >= LAST_MAX)
		return NULL;
	if (thread >= c->last_count) {
		uint32_t n = 2 * thread + LAST_FIRST;

		c->last = xreallocarray(c->last, n, sizeof(c->last[0]));
		memset(c->last + c->last_count, 0, (n - c->last_count) * sizeof(c->last[0]));
		c->last_count = n;
	}
	return &c->last[thread];
}

static void last_keep(struct last *last, const struct scratch *s, uint64_t epoch)
{
	if (!last)
		return;
	if (s->count > last->room) {
		last->room = s->count;
		last->frames = xreallocarray(last->frames, last->room, sizeof(last->frames[0]));
	}
	memcpy(last->frames, s->frames, s->count * sizeof(s->frames[0]));
	last->count = s->count;
	last->epoch = epoch;
}

/* Forgets the stacks of threads that have ended. */
static void last_sweep(struct mixer_client *c, uint64_t now_ns)
{
	if (now_ns - c->swept_ns < SWEEP_NS)
		return;
	c->swept_ns = now_ns;
	for (uint32_t i = 0; i < c->last_count; i++) {
		if (now_ns - c->last[i].when_ns < LAST_KEPT_NS)
			continue;
		free(c->last[i].frames);
		c->last[i] = (struct last){ 0 };
	}
}

/* The look's stack to where on_look finds it. */
static void finish_stack(struct mixer_client *c, const struct ring_look *rec, struct last *last,
			 struct look *look)
{
	const struct scratch *s = &c->mixer->scratch;
	bool known = look->same && last && last->epoch == c->epoch;

	if (!look->same) {
		blend_look(&c->blend, &rec->look, rec->lost_native, clock_mono_ns());
		last_keep(last, s, c->epoch);
	} else if (!known) {
		blend_unknown(&c->blend);
	}
	look->frames = known ? last->frames : s->frames;
	look->count = known ? last->count : s->count;
}

static void finish(struct mixer_client *c, const struct ring_look *rec)
{
	struct last *last = last_of(c, rec->look.thread);
	struct look look = rec->look;

	c->epoch += rec->after_loss;
	finish_stack(c, rec, last, &look);
	if (last)
		last->when_ns = look.when_ns;
	look.native = NULL;
	look.refused = NULL;
	look.same = false;
	c->ops.on_look(c->ops.arg, &look);
	last_sweep(c, look.when_ns);
}

/* What is there now: one client must not keep the others waiting. True: there is more by now. */
static bool drain(struct mixer_client *c)
{
	uint64_t until = atomic_load(&c->ring.head);
	struct ring_look *rec;

	while (atomic_load(&c->ring.tail) < until && (rec = ring_get(&c->ring))) {
		finish(c, rec);
		ring_next(&c->ring);
	}
	return ring_used(&c->ring) != 0;
}

static bool drain_all(struct mixer *m)
{
	bool more = false;

	pthread_mutex_lock(&m->lock);
	for (struct mixer_client *c = atomic_load(&m->clients); c; c = c->next)
		more = drain(c) || more;
	pthread_mutex_unlock(&m->lock);
	return more;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
}

static void *mixing_thread(void *arg)
{
	struct mixer *m = arg;
	struct pollfd fd = { .fd = m->wake_fd, .events = POLLIN };
	uint64_t n;

	while (!atomic_load(&m->stop)) {
		bool more = drain_all(m);

		while (atomic_load(&m->leaving)) /* a mutex is not fair */
			nap();
		if (poll(&fd, 1, more ? 0 : WAKE_MS) > 0 && read(m->wake_fd, &n, sizeof(n)) < 0)
			continue; /* EAGAIN: somebody else's wake-up */
	}
	return NULL;
}

static void wake(struct mixer *m)
{
	const uint64_t one = 1;

	if (write(m->wake_fd, &one, sizeof(one)) < 0)
		return; /* EAGAIN: it is awake */
}

/* --- the sampling thread's side ----------------------------------------------------------------- */

static uint32_t on_thread(void *arg, const struct sampler_thread_info *info)
{
	struct mixer_client *c = arg;

	return c->ops.on_thread(c->ops.arg, info);
}

static bool put(struct mixer_client *c, const struct look *look, bool lost_native)
{
	if (!ring_put(&c->ring, look, lost_native, c->lossy))
		return false;
	c->lossy = false;
	return true;
}

static void on_look(void *arg, const struct look *look)
{
	struct mixer_client *c = arg;

	if (!put(c, look, false)) {
		struct look bare = *look;

		bare.native = NULL;
		if (look->refused)
			*look->refused = true;
		if (!put(c, &bare, true)) {
			__atomic_add_fetch(&c->stats.lost, 1, __ATOMIC_RELAXED);
			c->lossy = c->lossy || !look->same;
		}
	}
	if (ring_used(&c->ring) < RING_BYTES / 4)
		c->told = false;
	else if (!c->told)
		wake(c->mixer);
	c->told = ring_used(&c->ring) >= RING_BYTES / 4;
}

/* --- life --------------------------------------------------------------------------------------- */

struct mixer *mixer_new(const struct mixer_config *config, struct err *err)
{
	struct mixer *m = xcalloc(1, sizeof(*m));
	sigset_t all, old;

	m->config = *config;
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	modules_init(&m->modules);
	m->modules.debuginfod = config->debuginfod;
	kallsyms_init(&m->kallsyms);
	scratch_init(&m->scratch);
	pthread_mutex_init(&m->lock, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (m->wake_fd < 0 || pthread_create(&m->thread, NULL, mixing_thread, m)) {
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		atomic_store(&m->stop, true);
		mixer_free(m);
		err_set(err, -EAGAIN, EXIT_FAILED, "cannot start the thread that unwinds");
		return NULL;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return m;
}

void mixer_free(struct mixer *m)
{
	if (!m)
		return;
	if (!atomic_exchange(&m->stop, true)) {
		wake(m);
		pthread_join(m->thread, NULL);
	}
	if (m->wake_fd >= 0)
		close(m->wake_fd);
	pthread_mutex_destroy(&m->lock);
	scratch_release(&m->scratch);
	kallsyms_release(&m->kallsyms);
	modules_release(&m->modules);
	free(m);
}

struct mixer_client *mixer_join(struct mixer *m, const struct py_target *t, struct symtab *symtab,
				const struct sampler_ops *ops)
{
	struct mixer_client *c = xcalloc(1, sizeof(*c));
	struct err err = { 0 };

	c->mixer = m;
	c->ops = *ops;
	c->epoch = 1;
	ring_init(&c->ring);
	/* Without memory of its own there is no vdso and no code to decode; walks go on. */
	c->remote_open = !remote_open_process(&c->remote, t->pid, &err);
	blend_init(&c->blend, &(struct blend_init){
		.config = &m->config, .modules = &m->modules, .kallsyms = &m->kallsyms, .target = t,
		.remote = c->remote_open ? &c->remote : NULL, .symtab = symtab, .stats = &c->stats,
		.scratch = &m->scratch });
	/* Without the lock: a round may take as long as a debug file's download. */
	c->next = atomic_load(&m->clients);
	while (!atomic_compare_exchange_weak(&m->clients, &c->next, c))
		;
	return c;
}

struct sampler_ops mixer_ops(struct mixer_client *c)
{
	return (struct sampler_ops){ .on_thread = on_thread, .on_look = on_look, .arg = c };
}

bool mixer_flush(struct mixer_client *c, uint64_t patience_ns)
{
	uint64_t until = atomic_load(&c->ring.head), begin = clock_mono_ns();

	while (atomic_load(&c->ring.tail) < until) {
		if (clock_mono_ns() - begin > patience_ns)
			return false;
		wake(c->mixer);
		nap();
	}
	return true;
}

/* Others may join at the front meanwhile, nobody else leaves. */
static void take_out(struct mixer *m, struct mixer_client *c)
{
	struct mixer_client *before = c;

	if (atomic_compare_exchange_strong(&m->clients, &before, c->next))
		return;
	while (before->next != c) /* it has what is at the front now */
		before = before->next;
	before->next = c->next;
}

void mixer_leave(struct mixer_client *c)
{
	struct mixer *m;

	if (!c)
		return;
	m = c->mixer;
	mixer_flush(c, MIXER_FOREVER);
	atomic_fetch_add(&m->leaving, 1);
	pthread_mutex_lock(&m->lock);
	atomic_fetch_sub(&m->leaving, 1);
	take_out(m, c);
	blend_release(&c->blend);
	pthread_mutex_unlock(&m->lock);
	if (c->remote_open)
		remote_close(&c->remote);
	for (uint32_t i = 0; i < c->last_count; i++)
		free(c->last[i].frames);
	free(c->last);
	ring_release(&c->ring);
	free(c);
}

/* --- counters ----------------------------------------------------------------------------------- */

void mixer_stats(const struct mixer_client *c, struct mixer_stats *ret)
{
	counters_load((uint64_t *)ret, (const uint64_t *)&c->stats, sizeof(*ret));
}

void mixer_stats_add(struct mixer_stats *sum, const struct mixer_stats *add)
{
	counters_add((uint64_t *)sum, (const uint64_t *)add, sizeof(*sum));
}

void mixer_stats_subtract(struct mixer_stats *from, const struct mixer_stats *what)
{
	counters_subtract((uint64_t *)from, (const uint64_t *)what, sizeof(*from));
}

void mixer_stats_text(const struct mixer_stats *s, struct buf *out)
{
	const struct { const char *word; uint64_t n; } rows[] = {
		{ "cut short", s->partly }, { "mismatched", s->mismatched },
		{ "without registers", s->no_registers }, { "too many at once", s->ring_full },
		{ "lost", s->lost }, { "with frames missing", s->resynced },
		{ "deeper than copied", s->truncated },
	};
	const char *separator = "";

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].n)
			continue;
		buf_addf(out, "%s%s %llu", separator, rows[i].word, (unsigned long long)rows[i].n);
		separator = ", ";
	}
}
