/* SPDX-License-Identifier: MIT
 * One look at one thread: hold it, read it, prove that it did not run meanwhile, deliver it. */
#include <errno.h>
#include <string.h>

#include "internal.h"
#include "util/clock.h"
#include "util/xalloc.h"

enum {
	LOOK_TRIES = 8,              /* failed attempts before a look is dropped */
	LOOK_HOPS = 4,               /* moves to another CPU within one look */
	PLAN_REFRESH = 16,           /* looks after which pieces not needed any more are forgotten */
};

#define RETRY_PAUSE_NS (10 * NSEC_PER_USEC) /* lets the target run a little; doubles each time */
#define FRESH_NS (1 * NSEC_PER_MSEC)  /* off-cpu: how long "it is running" is believed */
#define VERIFY_NS (200 * NSEC_PER_USEC) /* off-cpu: how long a code object is believed */

enum attempt {
	TRY_DELIVERED,
	TRY_ASLEEP,      /* sleeping, not wanted */
	TRY_UNMOVED,     /* still sleeping, nothing has changed */
	TRY_EMPTY,
	TRY_ELSEWHERE,   /* not permitted to hop now */
	TRY_MOVED,       /* hopped: try again */
	TRY_ENDED,
	TRY_FAILED,      /* reason in look.why */
};

struct look_state {
	struct sched_stat before, after;
	struct proc_stat where;
	bool running, frozen, proven, holds_gil;
	bool stopped;      /* held by s->stopped */
	bool whole;        /* config.native: nothing is missing of what the kernel could give */
	unsigned int why;  /* enum drop */
};

/* Turns raw frames into names and lines; the entries' ends then count those that are shown. WALK_OK
 * or the reason. */
static unsigned int resolve(struct sampler *s, bool verify)
{
	struct raw_entry *entry = s->raw->entries, *end = entry + s->raw->entry_count;
	bool generator = false;

	s->count = 0;
	code_cache_look(&s->codes, &s->snap, s->raw->interp, verify);
	for (uint32_t i = 0; i < s->raw->count; i++) {
		switch (code_resolve(&s->codes, &s->snap, &s->raw->frames[i],
				     &s->frames[s->count], &generator)) {
		case CODE_OK:
			s->count++;
			break;
		case CODE_HIDDEN:
			break;
		case CODE_INVALID:
			return DROP_NO_CODE;
		case CODE_UNREADABLE:
			return WALK_UNREADABLE;
		}
		while (entry < end && entry->end == i + 1)
			(entry++)->end = s->count;
	}
	/* Up to 3.10 only the code tells that a chain ends at a generator whose link to its caller
	 * was cut; no thread starts with a generator. */
	if (s->target->layout.frames == FRAMES_OBJECT && generator && !s->raw->skipped)
		return WALK_UNROOTED;
	return WALK_OK;
}

static bool verify_due(struct sampler *s, bool frozen)
{
	uint64_t now;

	if (frozen)
		return true;
	now = clock_mono_ns();
	if (now - s->verified_ns < VERIFY_NS)
		return false;
	s->verified_ns = now;
	return true;
}

/* Python's frames into s->frames. WALK_OK, WALK_EMPTY or the reason of a failure. */
static unsigned int read_python(struct sampler *s, struct sampled *th, bool frozen)
{
	unsigned int result = frames_walk(s->target, &s->snap, th->py.tstate, frozen, s->raw);
	if (result != WALK_OK && result != WALK_EMPTY)
		return result;
	if (s->raw->interp != th->py.interp || s->raw->thread_id != th->py.thread_id) {
		s->relist = true;
		return WALK_TORN;
	}
	if (result == WALK_OK)
		result = resolve(s, verify_due(s, frozen));
	if (result == WALK_OK && s->count == 0)
		result = WALK_EMPTY;
	if (!s->watched)
		roster_watch(s);
	if (s->snap.reads != 1 || ++th->looks % PLAN_REFRESH == 0)
		plan_learn(&th->plan, &s->snap);
	return result;
}

/* Reads the thread's stack into s->frames. WALK_OK, WALK_EMPTY or the reason of a failure. */
static unsigned int read_stack(struct sampler *s, struct sampled *th, struct look_state *l)
{
	struct hold *by = l->stopped ? &s->stopped : &s->hold;
	struct stack_part part = { 0 };
	unsigned int result = WALK_EMPTY;

	if (s->config.native && !look_native_begin(s, th, l->frozen ? by : NULL,
						   l->running || l->stopped, &part))
		return DROP_UNPROVEN;
	snapshot_begin_with(&s->snap, &th->plan, part.addr, part.len);
	s->count = 0;
	if (!th->native_only)
		result = read_python(s, th, l->frozen);
	else if (s->snap.error)
		result = WALK_GONE;
	if (s->config.native)
		l->whole = look_native_end(s, th, &part);
	/* Without Python there may be native frames still. */
	return result == WALK_EMPTY && s->config.native ? WALK_OK : result;
}

static bool thread_holds_gil(const struct sampler *s, const struct sampled *th)
{
	if (s->target->layout.free_threaded)
		return s->raw->state == 1;
	return gil_holder(s->target, th->py.interp) == th->py.tstate;
}

/* A slice is counted when it begins, its time at each tick and at its end. So a thread of which we
 * thought wrongly that it sleeps or waits (it called itself asleep, and changed its mind) gives itself
 * away by the time, long before its slice ends. */
static bool same_counts(const struct sched_stat *a, const struct sched_stat *b)
{
	return a->slices == b->slices && a->run_ns == b->run_ns;
}

/* Whether the thread did not run between the two counts. */
static bool did_not_run(struct sampled *th, struct look_state *l)
{
	struct proc_stat again;

	if (l->before.slices)
		return same_counts(&l->before, &l->after);
	/* A kernel that does not count slices: its place and state must at least be the same. */
	return !task_where(&th->task, &again) && again.state == l->where.state &&
	       again.processor == l->where.processor;
}

/* Of a thread that was just stopped. */
static enum attempt count_anew(struct sampled *th, struct look_state *l, struct hold *h)
{
	if (!task_run(&th->task, &l->before))
		return TRY_DELIVERED;
	h->ops->release(h, &th->task);
	return TRY_ENDED;
}

/* Makes sure that a running thread does not run now, as far as that can be had. */
static enum attempt hold_thread(struct sampler *s, struct sampled *th, struct look_state *l,
				bool may_hop)
{
	if (!may_hop && !s->hold.ops->tracer && l->where.processor != s->hold.cpu)
		return TRY_ELSEWHERE;
	switch (s->hold.ops->acquire(&s->hold, &th->task, &l->where)) {
	case HOLD_FROZEN:
		l->frozen = true;
		/* Being stopped is itself a turn on the CPU. */
		return s->hold.ops->tracer ? count_anew(th, l, &s->hold) : TRY_DELIVERED;
	case HOLD_MOVED:
		return TRY_MOVED;
	case HOLD_LOOSE:
		l->frozen = false;
		l->why = DROP_UNPROVEN;
		return s->hold.ops->tracer ? TRY_FAILED : TRY_DELIVERED;
	case HOLD_GONE:
		break;
	}
	return TRY_ENDED;
}

/* A thread that a signal has stopped shows its registers to ptrace alone, and no harm is done by that:
 * it goes back to its stop. Where that is not permitted its system call's, if any, must do. */
static enum attempt hold_stopped(struct sampler *s, struct sampled *th, struct look_state *l)
{
	switch (s->stopped.ops->acquire(&s->stopped, &th->task, &l->where)) {
	case HOLD_FROZEN:
		l->stopped = true;
		return count_anew(th, l, &s->stopped);
	case HOLD_GONE:
		return TRY_ENDED;
	case HOLD_LOOSE:
	case HOLD_MOVED:
		break;
	}
	return TRY_DELIVERED;
}

/* Reads the held thread and lets it go. */
static enum attempt read_held(struct sampler *s, struct sampled *th, struct look_state *l)
{
	unsigned int result = read_stack(s, th, l);
	bool ended = false;

	if (result == WALK_OK && (s->config.gil || s->config.gil_only) && !th->native_only)
		l->holds_gil = thread_holds_gil(s, th);
	if (l->frozen) {
		ended = task_run(&th->task, &l->after) != 0;
		l->proven = !ended && did_not_run(th, l);
	} else {
		l->after = l->before;
	}
	if (l->stopped)
		s->stopped.ops->release(&s->stopped, &th->task);
	else if (l->running)
		s->hold.ops->release(&s->hold, &th->task);
	if (ended || result == WALK_GONE)
		return TRY_ENDED;
	if (l->frozen && !l->proven)
		result = DROP_UNPROVEN;
	if (result == WALK_EMPTY)
		return TRY_EMPTY;
	l->why = result;
	return result == WALK_OK ? TRY_DELIVERED : TRY_FAILED;
}

/* Off-cpu at high rates: what the scheduler said a moment ago is good enough. */
static bool still_fresh(const struct sampler *s, const struct sampled *th, uint64_t now_ns)
{
	return s->hold.ops == &hold_off_cpu && th->checked_ns && now_ns - th->checked_ns < FRESH_NS;
}

/* Whether what is known of the thread from its last look is true still. */
static bool unmoved(const struct sampler *s, const struct sampled *th, const struct sched_stat *now)
{
	const struct sched_stat then = { .run_ns = th->run_ns, .slices = th->slices };

	if (!now->slices || !same_counts(now, &then))
		return false;
	if (!s->config.native || s->config.gil_only || !s->want_asleep)
		return th->asleep || (th->kept && !s->config.gil_only);
	return th->kept; /* else there is more to be had */
}

static enum attempt attempt(struct sampler *s, struct sampled *th, struct look_state *l,
			    bool may_hop, uint64_t now_ns)
{
	enum attempt held;
	int r;

	*l = (struct look_state){ 0 };
	if (still_fresh(s, th, now_ns)) {
		l->running = true;
		l->where.state = 'R';
		l->before.run_ns = th->run_ns;
		l->before.slices = th->slices;
		return read_held(s, th, l);
	}
	if (task_run(&th->task, &l->before))
		return TRY_ENDED;
	if (unmoved(s, th, &l->before))
		return TRY_UNMOVED;
	r = task_where(&th->task, &l->where);
	if (r == -EMFILE || r == -ENFILE) {
		l->why = DROP_NO_FILES;
		return TRY_FAILED;
	}
	if (r || l->where.state == 'Z' || l->where.state == 'X')
		return TRY_ENDED;
	l->running = l->where.state == 'R';
	if (!l->running && !s->want_asleep) {
		l->after = l->before;
		return TRY_ASLEEP;
	}
	l->frozen = true;
	if (l->running) {
		held = hold_thread(s, th, l, may_hop);
		if (held != TRY_DELIVERED)
			return held;
		th->checked_ns = now_ns;
	}
	if (s->stopped.ops && l->where.state == 'T') {
		held = hold_stopped(s, th, l);
		if (held != TRY_DELIVERED)
			return held;
	}
	return read_held(s, th, l);
}

/* Takes over the scheduler's counts. */
static void account(struct sampled *th, const struct look_state *l)
{
	th->pending_ns += l->after.run_ns - th->run_ns;
	th->run_ns = l->after.run_ns;
	th->slices = l->after.slices;
	th->asleep = !l->running;
	if (th->asleep)
		th->checked_ns = 0;
}

static void deliver(struct sampler *s, struct sampled *th, const struct sym_frame *frames,
		    uint32_t count, uint64_t now_ns, const struct look_state *l)
{
	bool refused = false;
	struct look look = {
		.thread = th->number,
		.frames = frames,
		.count = count,
		.skipped = th->skipped,
		.when_ns = now_ns,
		.wall_ns = now_ns - th->last_ns,
		.state = l->where.state,
		.holds_gil = l->holds_gil,
		.same = frames == NULL,
		.native = frames && s->config.native ? &s->native : NULL,
		.refused = &refused,
	};

	if (l->running) {
		look.cpu_ns = th->pending_ns;
		th->pending_ns = 0;
	}
	th->last_ns = now_ns;
	stat_add(&s->stats.samples, 1);
	s->ops.on_look(s->ops.arg, &look);
	th->kept = th->kept && !refused;
}

/* Keeps a sleeper's stack: it stays true until the thread runs again. */
static void keep_stack(struct sampler *s, struct sampled *th)
{
	if (s->count > th->cap) {
		th->cap = s->count;
		th->frames = xreallocarray(th->frames, th->cap, sizeof(th->frames[0]));
	}
	memcpy(th->frames, s->frames, s->count * sizeof(s->frames[0]));
	th->count = s->count;
}

static void finish_delivered(struct sampler *s, struct sampled *th, struct look_state *l,
			     uint64_t now_ns)
{
	account(th, l);
	s->moved++;
	th->skipped = s->raw->skipped;
	if (s->want_asleep && !l->running && !s->config.native)
		keep_stack(s, th);
	th->kept = s->config.native && l->proven && l->whole;
	if (s->config.gil_only && !l->holds_gil) {
		th->last_ns = now_ns;
		stat_add(&s->stats.asleep, 1);
		return;
	}
	stat_add(&s->stats.proven, l->proven);
	stat_add(&s->stats.repaired, s->raw->repaired != 0);
	deliver(s, th, s->frames, s->count, now_ns, l);
}

static void finish_unmoved(struct sampler *s, struct sampled *th, struct look_state *l,
			   uint64_t now_ns)
{
	bool wanted = s->want_asleep || !th->asleep;

	th->still += th->asleep;
	if (!wanted || s->config.gil_only || (th->count == 0 && !th->kept)) {
		th->last_ns = now_ns;
		stat_add(&s->stats.asleep, 1);
		return;
	}
	l->where.state = th->asleep ? 'S' : 'R';
	stat_add(&s->stats.proven, 1);
	deliver(s, th, th->kept ? NULL : th->frames, th->kept ? 0 : th->count, now_ns, l);
}

static void finish(struct sampler *s, struct sampled *th, enum attempt result,
		   struct look_state *l, uint64_t now_ns)
{
	if (result != TRY_UNMOVED)
		th->still = 0;
	switch (result) {
	case TRY_DELIVERED:
		finish_delivered(s, th, l, now_ns);
		break;
	case TRY_UNMOVED:
		finish_unmoved(s, th, l, now_ns);
		break;
	case TRY_ASLEEP:
	case TRY_EMPTY:
		account(th, l);
		th->count = 0;
		th->kept = false;
		th->last_ns = now_ns;
		stat_add(result == TRY_EMPTY ? &s->stats.empty : &s->stats.asleep, 1);
		break;
	case TRY_FAILED:
		th->kept = false;
		stat_add(&s->stats.dropped[l->why], 1);
		break;
	case TRY_ENDED:
		th->gone = s->relist = true;
		break;
	case TRY_ELSEWHERE:
	case TRY_MOVED:
		break;
	}
}

/* A look without registers of a thread that will have some in a moment. */
static bool lacks_record(const struct sampler *s, const struct sampled *th,
			 const struct look_state *l, enum attempt result)
{
	return result == TRY_DELIVERED && l->running && l->frozen &&
	       look_native_lacks_record(s, th);
}

enum look_result look_at(struct sampler *s, struct sampled *th, bool may_hop)
{
	struct look_state l;
	enum attempt result;
	uint64_t now_ns;
	int tries = 0, hops = 0;

	for (;;) {
		now_ns = sampler_now(s, clock_mono_ns());
		result = attempt(s, th, &l, may_hop, now_ns);
		if (result == TRY_ELSEWHERE)
			return LOOK_ELSEWHERE;
		if (result == TRY_MOVED && ++hops < LOOK_HOPS)
			continue;
		if (result == TRY_MOVED) {
			l.why = DROP_UNPROVEN;
			result = TRY_FAILED;
		}
		if (result != TRY_FAILED && !lacks_record(s, th, &l, result))
			break;
		if (++tries == LOOK_TRIES || l.why == DROP_NO_FILES)
			break;
		stat_add(&s->stats.retries, 1);
		if (result != TRY_FAILED || l.why != DROP_UNPROVEN)
			hold_nap(&s->hold, clock_mono_ns() + (RETRY_PAUSE_NS << tries));
	}
	finish(s, th, result, &l, now_ns);
	return LOOK_DONE;
}
