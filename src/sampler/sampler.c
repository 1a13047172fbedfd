/* SPDX-License-Identifier: MIT
 * The sampling thread: sleeps until the next random moment and looks at everybody. */
#include "sampler/sampler.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"
#include "util/clock.h"
#include "util/counters.h"
#include "util/xalloc.h"

enum { JOIN_PERIOD_S = 1 };
#define REST_MAX_NS (500 * NSEC_PER_MSEC) /* a resting thread is looked at this often at least */
#define ASK_AGAIN_NS (1 * NSEC_PER_MSEC)
#define SLICE_NS (100 * NSEC_PER_USEC)
#define SPIN_NS (60 * NSEC_PER_USEC) /* off-cpu: gaps too short for the kernel's timers */

static const struct hold_ops *hold_choose(const struct sampler_config *c)
{
	if (c->native == NATIVE_PTRACE)
		return &hold_ptrace;
	switch (c->placement) {
	case PLACE_BLOCKING: return &hold_ptrace;
	case PLACE_OFF_CPU: return &hold_off_cpu;
	case PLACE_ON_CPU: return &hold_on_cpu;
	case PLACE_AUTO: break;
	}
	return c->rate_hz > PLACE_ON_CPU_MAX_HZ ? &hold_off_cpu : &hold_on_cpu;
}

struct sampler *sampler_new(const struct py_target *t, struct symtab *symtab,
			    const struct sampler_config *config, const struct sampler_ops *ops)
{
	struct sampler *s = xcalloc(1, sizeof(*s));

	s->target = t;
	s->symtab = symtab;
	s->config = *config;
	s->ops = *ops;
	s->want_asleep = config->idle;
	s->rest_max = (uint32_t)(config->rate_hz * (double)REST_MAX_NS / (double)NSEC_PER_SEC);
	s->start_ns = clock_mono_ns();
	code_cache_init(&s->codes, t, symtab);
	snapshot_init(&s->snap, t->remote);
	s->raw = xmalloc(sizeof(*s->raw));
	s->raw->entries_wanted = config->native != NATIVE_NONE;
	s->frames = xmalloc(FRAMES_MAX * sizeof(s->frames[0]));
	hold_init(&s->hold, hold_choose(config));
	roster_init(s);
	return s;
}

void sampler_free(struct sampler *s)
{
	if (!s)
		return;
	roster_release(s);
	code_cache_release(&s->codes);
	snapshot_release(&s->snap);
	free(s->raw);
	free(s->frames);
	free(s);
}

/* A thread that was found asleep and unmoved many times rests: its looks come less often. Each look
 * stands for the time since the one before, so the sums stay right on average; and its scheduler
 * counts tell at the next one how long it ran, so no CPU time is lost. Taking the GIL ends the rest
 * at once (roster_watch). */
static const struct {
	uint32_t still;    /* looks in a row that found it so */
	uint32_t every;    /* ticks from look to look */
} rest_steps[] = {
	{ 64, 64 }, { 32, 16 }, { 8, 4 },
};

static bool rests(const struct sampler *s, const struct sampled *th, uint32_t i)
{
	uint32_t every = 0;

	for (size_t k = 0; k < ARRAY_SIZE(rest_steps) && !every; k++)
		if (th->still >= rest_steps[k].still)
			every = rest_steps[k].every;
	if (every > s->rest_max)
		every = s->rest_max;
	return every > 1 && !s->everybody && !s->crowded && (s->stats.ticks + i) % every != 0;
}

/* Looks at everybody: first those here, then those on other CPUs. */
static void look_around(struct sampler *s)
{
	uint32_t elsewhere = 0;

	for (uint32_t i = 0; i < s->thread_count; i++) {
		struct sampled *th = s->threads[i];

		th->listed = true;
		if (th->gone || crowd_waits(s, th) || rests(s, th, i))
			continue;
		if (look_at(s, th, false) == LOOK_ELSEWHERE) {
			th->listed = false;
			elsewhere++;
		}
	}
	for (uint32_t i = 0; elsewhere && i < s->thread_count; i++) {
		if (!s->threads[i]->listed) {
			s->threads[i]->listed = true;
			look_at(s, s->threads[i], true);
			elsewhere--;
		}
	}
	crowd_round(s);
}

/* ptrace belongs to the thread that attached: in the looking thread, when its last look is done. */
static void let_go(struct sampler *s)
{
	for (uint32_t i = 0; s->hold.ops->detach && i < s->thread_count; i++)
		s->hold.ops->detach(&s->hold, &s->threads[i]->task);
}

static void count_stops(struct sampler *s)
{
	const struct hold_counts *c = &s->hold.counts;

	stat_set(&s->stats.stops, c->stops);
	stat_set(&s->stats.stopped_ns, c->stopped_ns);
	stat_set(&s->stats.stopped_max_ns, c->stopped_max_ns);
	stat_set(&s->stats.stops_late, c->late);
	stat_set(&s->stats.stops_traced, c->traced);
	stat_set(&s->stats.stops_denied, c->denied);
	stat_set(&s->stats.restarted, c->restarted);
}

ssize_t sampler_once(struct sampler *s)
{
	s->want_asleep = true;
	if (s->config.native)
		hold_init(&s->stopped, &hold_ptrace);
	if (roster_update(s, sampler_now(s, clock_mono_ns())) != SAMPLER_RUNNING)
		return -ESRCH;
	look_around(s);
	count_stops(s);
	let_go(s);
	hold_unpin(&s->hold);
	if (s->stopped.ops)
		s->stopped.ops->detach(&s->stopped, &s->process);
	return (ssize_t)s->thread_count;
}

/* Asks the kernel to wake us promptly: exact timers, and a short time slice, which lets a thread
 * that sleeps most of the time preempt one that does not (EEVDF with custom slices, Linux 6.12;
 * older kernels ignore it). */
static void be_prompt(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = sizeof(attr), .runtime = SLICE_NS };

	prctl(PR_SET_TIMERSLACK, 1);
	syscall(SYS_sched_setattr, 0, &attr, 0);
}

/* Sleeps until the next look; counts how late it comes. */
static void sleep_until_due(struct sampler *s)
{
	uint64_t skipped, now, due = pace_next(&s->pace, clock_mono_ns(), &skipped);

	stat_add(&s->stats.late, skipped);
	now = clock_mono_ns();
	if (due > now + SPIN_NS || s->hold.ops != &hold_off_cpu)
		s->hold.ops->sleep(&s->hold, due);
	else
		while (clock_mono_ns() < due)
			;
	now = clock_mono_ns();
	if (now > due) {
		stat_add(&s->stats.wake_ns, now - due);
		if (now - due > s->stats.wake_max_ns)
			stat_add(&s->stats.wake_max_ns, now - due - s->stats.wake_max_ns);
	}
}

/* One round; SAMPLER_RUNNING, or how the target has ended. */
static enum sampler_end look(struct sampler *s)
{
	uint64_t woke = clock_mono_ns();
	uint32_t asked = atomic_load(&s->asked);
	enum sampler_end end;

	s->everybody = asked != atomic_load(&s->answered);
	end = roster_update(s, sampler_now(s, woke));
	if (end != SAMPLER_RUNNING)
		return end;
	look_around(s);
	atomic_store(&s->answered, asked);
	stat_add(&s->stats.ticks, 1);
	stat_add(&s->stats.look_ns, clock_mono_ns() - woke);
	stat_set(&s->stats.hops, s->hold.hops);
	count_stops(s);
	return end;
}

static void *sampling_thread(void *arg)
{
	struct sampler *s = arg;
	enum sampler_end end = SAMPLER_RUNNING;

	be_prompt();
	pace_init(&s->pace, s->start_ns, s->config.rate_hz, s->start_ns ^ (uint64_t)getpid());
	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		end = look(s);
		if (end != SAMPLER_RUNNING)
			break;
		sleep_until_due(s);
	}
	/* Told to stop before a look that was asked for: on a busy CPU we may have slept for long. */
	if (end == SAMPLER_RUNNING && atomic_load(&s->asked) != atomic_load(&s->answered))
		end = look(s);
	if (end == SAMPLER_RUNNING)
		end = SAMPLER_STOPPED;
	stat_add(&s->stats.cpu_ns, clock_thread_cpu_ns());
	let_go(s);
	atomic_store(&s->end, end);
	return NULL;
}

static void no_op(int sig)
{
	(void)sig;
}

int sampler_start(struct sampler *s, uint64_t start_ns, struct err *err)
{
	struct sigaction wake = { .sa_handler = no_op };
	sigset_t all, old;
	int r;

	sigaction(SIGRTMIN, &wake, NULL);
	sigfillset(&all);
	sigdelset(&all, SIGRTMIN);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	s->start_ns = start_ns;
	r = pthread_create(&s->thread, NULL, sampling_thread, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r)
		return err_set(err, -r, EXIT_FAILED, "cannot start the sampling thread: %s",
			       strerror(r));
	s->started = true;
	return 0;
}

void sampler_stop(struct sampler *s)
{
	atomic_store(&s->stop, true);
	if (s->started)
		pthread_kill(s->thread, SIGRTMIN);
}

void sampler_look_now(struct sampler *s, uint64_t patience_ns)
{
	const struct timespec again = { .tv_nsec = ASK_AGAIN_NS };
	uint64_t end = clock_mono_ns() + patience_ns;
	uint32_t mine = atomic_fetch_add(&s->asked, 1) + 1;

	/* A wake-up sent between the thread's look at `asked` and its sleep is lost: hence again. */
	while (s->started && sampler_state(s) == SAMPLER_RUNNING &&
	       atomic_load(&s->answered) != mine && clock_mono_ns() < end) {
		pthread_kill(s->thread, SIGRTMIN);
		nanosleep(&again, NULL);
	}
}

enum sampler_end sampler_join(struct sampler *s)
{
	struct timespec until;

	while (s->started) {
		/* A wake-up sent between the thread's look at `stop` and its sleep is lost. */
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += JOIN_PERIOD_S;
		if (!pthread_timedjoin_np(s->thread, NULL, &until))
			s->started = false;
		else if (atomic_load(&s->stop))
			pthread_kill(s->thread, SIGRTMIN);
	}
	return sampler_state(s);
}

enum sampler_end sampler_state(const struct sampler *s)
{
	return (enum sampler_end)atomic_load(&s->end);
}

void sampler_stats(const struct sampler *s, struct sampler_stats *ret)
{
	counters_load((uint64_t *)ret, (const uint64_t *)&s->stats, sizeof(*ret));
}

const char *sampler_how(const struct sampler *s)
{
	if (s->config.native == NATIVE_PERF && s->hold.ops == &hold_on_cpu)
		return "on the target's CPU, without stopping it; native frames from the kernel's switch records";
	return s->hold.ops->how;
}

bool sampler_proves(const struct sampler *s)
{
	return s->hold.ops != &hold_off_cpu;
}
