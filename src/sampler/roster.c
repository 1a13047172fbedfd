/* SPDX-License-Identifier: MIT
 * Which threads there are: listed when the heads of the target's lists change, when a thread ends, and now
 * and then. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "internal.h"
#include "util/clock.h"
#include "util/idmap.h"
#include "util/xalloc.h"

/* Of more interpreters than that only the newest are watched; the others' new threads are found
 * by the listing that comes anyway. */
enum { LIST_TRIES = 8, GROW = 32, WORDS_WATCHED = 64, PYTHONS = THREADS_MAX };

#define RELIST_NS (5 * NSEC_PER_SEC)      /* listed anew at least this often */
#define WATCH_NS (500 * NSEC_PER_USEC)    /* at high rates the words are not compared every time */
#define TASKS_NS (100 * NSEC_PER_MSEC)    /* native threads are counted this often */
#define LOST_NS (100 * NSEC_PER_MSEC)     /* no good listing for so long: another program */

static void raise_limit(int which)
{
	struct rlimit limit;

	if (!getrlimit(which, &limit) && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(which, &limit);
	}
}

/* Each thread keeps up to four files open, and with native frames 8 KiB locked. */
static void raise_limits(void)
{
	raise_limit(RLIMIT_NOFILE);
	raise_limit(RLIMIT_MEMLOCK);
}

void roster_init(struct sampler *s)
{
	pid_t nspid;

	raise_limits();
	s->list = xmalloc(THREADS_MAX * sizeof(s->list[0]));
	s->foreign = task_foreign_namespace(s->target->pid, &nspid);
	if (task_open(&s->process, s->target->pid, s->target->pid))
		s->process.schedstat_fd = -1;
	s->relist = true;
	if (s->config.native) {
		task_list_init(&s->tasks, s->target->pid);
		s->stacks.stale = true;
	}
}

static void sampled_free(struct sampler *s, struct sampled *th)
{
	if (s->hold.ops->detach)
		s->hold.ops->detach(&s->hold, &th->task);
	stat_add(&s->stats.unattributed_ns, th->pending_ns);
	task_close(&th->task);
	if (s->config.native)
		capture_close(&th->capture);
	plan_release(&th->plan);
	free(th->frames);
	free(th);
}

void roster_release(struct sampler *s)
{
	for (uint32_t i = 0; i < s->thread_count; i++)
		sampled_free(s, s->threads[i]);
	s->thread_count = 0;
	task_close(&s->process);
	if (s->config.native)
		task_list_release(&s->tasks);
	stack_maps_release(&s->stacks);
	free(s->threads);
	free(s->list);
	free(s->words);
	plan_release(&s->watch_plan);
}

static bool same_thread(const struct py_thread *a, const struct py_thread *b)
{
	return a->tstate == b->tstate && a->interp == b->interp && a->thread_id == b->thread_id &&
	       a->unique_id == b->unique_id && a->native_id == b->native_id;
}

/* Which of the known threads this is; both lists are in the same order, so the search starts
 * behind the last one found. */
static struct sampled *known(struct sampler *s, const struct py_thread *py, uint32_t *cursor)
{
	for (uint32_t n = 0; n < s->thread_count; n++) {
		struct sampled *th = s->threads[(*cursor + n) % s->thread_count];

		if (!th->gone && !th->listed && !th->native_only && same_thread(&th->py, py)) {
			*cursor = *cursor + n + 1;
			return th;
		}
	}
	return NULL;
}

/* Starts to watch a thread; NULL when it has ended already. */
static struct sampled *sampled_open(struct sampler *s, const struct sampler_thread_info *info,
				    uint64_t now_ns)
{
	struct sched_stat run = { 0 };
	struct sampled *th = xcalloc(1, sizeof(*th));

	th->py = info->py;
	th->last_ns = now_ns;
	if (task_open(&th->task, s->target->pid, info->tid) || task_run(&th->task, &run)) {
		task_close(&th->task);
		free(th);
		return NULL;
	}
	th->run_ns = run.run_ns;
	if (s->config.native)
		capture_open(&th->capture, info->tid, s->crowded ? NATIVE_NONE : s->config.native,
			     s->config.native_kernel);
	th->number = s->ops.on_thread(s->ops.arg, info);
	return th;
}

/* A thread seen for the first time; NULL when it has ended already or has no native thread yet. */
static struct sampled *sampled_new(struct sampler *s, const struct py_thread *py, uint64_t now_ns)
{
	struct sampler_thread_info info = { .py = *py };

	info.tid = task_find(s->target->pid, py->native_id, !s->foreign);
	return info.tid > 0 ? sampled_open(s, &info, now_ns) : NULL;
}

/* --- threads that Python knows nothing of ----------------------------------------------------- */

static struct sampled *native_new(struct sampler *s, pid_t tid, uint64_t now_ns)
{
	struct sampler_thread_info info = { .py = { .native_id = tid }, .tid = tid };
	struct sampled *th = sampled_open(s, &info, now_ns);

	if (th)
		th->native_only = true;
	return th;
}

static void word_add(struct sampler *s, remote_addr at, bool holder)
{
	struct watch_word word = { .at = at, .holder = holder };

	if (remote_read_u64(s->target->remote, at, &word.value))
		return;
	if (s->word_count == s->word_cap) {
		s->word_cap += GROW;
		s->words = xreallocarray(s->words, s->word_cap, sizeof(s->words[0]));
	}
	s->words[s->word_count++] = word;
}

/* New interpreters and threads are always put at the head of their list; a thread that runs Python
 * holds its interpreter's GIL. */
static void words_learn(struct sampler *s, size_t n)
{
	const struct py_layout *l = &s->target->layout;
	remote_addr interp = 0;

	s->word_count = 0;
	word_add(s, s->target->runtime + l->runtime.interpreters_head, false);
	for (size_t i = 0; i < n && s->word_count < WORDS_WATCHED; i++) {
		if (s->list[i].interp == interp)
			continue;
		interp = s->list[i].interp;
		word_add(s, interp + l->interp.threads_head, false);
		if (gil_holder_address(s->target, interp))
			word_add(s, gil_holder_address(s->target, interp), true);
	}
}

static void wake(struct sampler *s, remote_addr tstate)
{
	for (uint32_t i = 0; i < s->thread_count; i++)
		if (s->threads[i]->py.tstate == tstate)
			s->threads[i]->still = 0;
}

/* The words are pieces of every look: watching them costs no read of its own. */
void roster_watch(struct sampler *s)
{
	for (uint32_t i = 0; i < s->word_count; i++) {
		struct watch_word *w = &s->words[i];
		const uint8_t *b = snapshot_get(&s->snap, w->at, sizeof(w->value));

		if (b && load_u64(b) == w->value)
			continue;
		if (b && w->holder) {
			w->value = load_u64(b);
			wake(s, w->value);
		} else {
			s->relist = true;
		}
	}
	s->watched_ns = clock_mono_ns();
	s->watched = true;
}

/* Thread ids of Python's threads (NULL) and of the native ones that are known. */
static void tids_put(struct idmap *map, struct sampled *const *threads, uint32_t count, bool natives)
{
	for (uint32_t i = 0; i < count; i++)
		if (!natives || (threads[i]->native_only && !threads[i]->gone))
			*idmap_put(map, (uint64_t)threads[i]->task.tid) = natives ? i : PYTHONS;
}

/* Adds the threads that are none of the `count` of Python's at the start of threads[]. */
static uint32_t natives_apply(struct sampler *s, struct sampled **threads, uint32_t count,
			      uint64_t now_ns)
{
	struct idmap map;

	idmap_init(&map);
	tids_put(&map, s->threads, s->thread_count, true);
	tids_put(&map, threads, count, false);
	for (size_t i = 0; i < s->tasks.count && count < THREADS_MAX; i++) {
		uint32_t at = *idmap_put(&map, (uint64_t)s->tasks.tids[i]);
		struct sampled *th;

		if (at == PYTHONS)
			continue;
		th = at == IDMAP_NONE ? native_new(s, s->tasks.tids[i], now_ns) : s->threads[at];
		if (!th)
			continue;
		th->listed = true;
		threads[count++] = th;
	}
	idmap_release(&map);
	return count;
}

/* Makes the roster what the listing says; keeps what is known of threads that are still there. */
static void roster_apply(struct sampler *s, size_t n, uint64_t now_ns)
{
	struct sampled **threads = xmalloc((n + s->tasks.count + 1) * sizeof(threads[0]));
	uint32_t count = 0, cursor = 0;

	for (uint32_t i = 0; i < s->thread_count; i++)
		s->threads[i]->listed = false;
	for (size_t i = 0; i < n; i++) {
		struct sampled *th = known(s, &s->list[i], &cursor);

		if (!th)
			th = sampled_new(s, &s->list[i], now_ns);
		if (!th) {
			s->relist = true;
			continue;
		}
		th->listed = true;
		threads[count++] = th;
	}
	count = natives_apply(s, threads, count, now_ns);
	for (uint32_t i = 0; i < s->thread_count; i++)
		if (!s->threads[i]->listed)
			sampled_free(s, s->threads[i]);
	free(s->threads);
	s->threads = threads;
	s->thread_count = count;
}

static bool process_ended(const struct sampler *s)
{
	struct sched_stat run;

	return s->process.schedstat_fd < 0 || task_run(&s->process, &run);
}

/* Native threads come and go without a word of Python's. */
static void natives_watch(struct sampler *s, uint64_t now_ns)
{
	stack_maps_refresh(&s->stacks, s->target->pid, now_ns);
	if (now_ns - s->counted_ns < TASKS_NS)
		return;
	s->counted_ns = now_ns;
	s->relist = s->relist || task_list_changed(&s->tasks);
}

enum sampler_end roster_update(struct sampler *s, uint64_t now_ns)
{
	ssize_t n = -EAGAIN;

	if (!s->watched) {
		snapshot_begin(&s->snap, &s->watch_plan);
		roster_watch(s);
		plan_learn(&s->watch_plan, &s->snap);
	}
	s->watched = clock_mono_ns() - s->watched_ns < WATCH_NS;
	if (s->config.native)
		natives_watch(s, now_ns);
	if (!s->relist && now_ns - s->listed_ns < RELIST_NS)
		return SAMPLER_RUNNING;
	if (process_ended(s))
		return SAMPLER_GONE;
	s->relist = false;
	for (int i = 0; i < LIST_TRIES && n == -EAGAIN; i++)
		n = threads_list(s->target, s->list, THREADS_MAX);
	if (n == -ESRCH)
		return SAMPLER_GONE;
	if (n < 0) {
		s->relist = true;
		return now_ns - s->listed_ns > LOST_NS ? SAMPLER_LOST : SAMPLER_RUNNING;
	}
	s->listed_ns = now_ns;
	if (s->config.native) {
		task_list_read(&s->tasks);
		s->stacks.stale = true; /* of a new thread, perhaps */
		stack_maps_refresh(&s->stacks, s->target->pid, now_ns);
	}
	words_learn(s, (size_t)n);
	roster_apply(s, (size_t)n, now_ns);
	return SAMPLER_RUNNING;
}
