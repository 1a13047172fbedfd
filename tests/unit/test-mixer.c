/* SPDX-License-Identifier: MIT
 * Looks with registers and a stack become stacks: names and merge over this very process, and what the
 * mixer's thread makes of clients that come and go, of rings that are full and of `same` looks. */
#include "mix/mixer.h"
#include "../../src/mix/ring.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "mem/procfs.h"
#include "tap.h"
#include "util/clock.h"

enum { NAMES = 256, CLIENTS = 6, ROUNDS = 20, LOOKS = 60, PATIENCE_S = 60, STACK_MAX = 256 << 10 };

/* --- who takes the stacks ----------------------------------------------------------------------- */

struct taker {
	struct symtab symtab;
	struct py_target target;
	struct mixer_client *client;
	struct sampler_ops ops;       /* into the mixer */
	_Atomic uint32_t taken, wrong, announced;
	uint32_t expected;            /* thread number of the next look; checked if `ordered` */
	bool ordered;
	_Atomic bool blocks;                /* on_look waits for `go` */
	_Atomic bool again;           /* on_look puts the look in once more */
	sem_t in, go;
	char text[NAMES * 64];        /* of the last look: names, leaf first, each followed by ';' */
	struct look last;
	uint32_t marked, emptied;
};

static struct look plain;

static void take_text(struct taker *t, const struct look *l)
{
	size_t at = 0;

	t->text[0] = '\0';
	for (uint32_t i = 0; i < l->count && i < NAMES; i++) {
		const struct sym_func *f = symtab_func_at(&t->symtab, l->frames[i].func);
		int n = snprintf(t->text + at, sizeof(t->text) - at, "%s;", f->name);

		if (n < 0 || (size_t)n >= sizeof(t->text) - at)
			break;
		at += (size_t)n;
	}
}

static uint32_t on_thread(void *arg, const struct sampler_thread_info *info)
{
	struct taker *t = arg;

	t->announced++;
	return (uint32_t)info->tid + 7;
}

static void on_look(void *arg, const struct look *l)
{
	struct taker *t = arg;

	take_text(t, l);
	t->last = *l;
	if (t->ordered && l->thread != t->expected++)
		t->wrong++;
	if (l->same || l->native)
		t->wrong++;
	t->marked += strstr(t->text, "too many at once") != NULL;
	t->emptied += !l->count;
	t->taken++;
	if (t->again && t->taken == 1) /* a ring has one writer: the one before us is done */
		sem_wait(&t->go);
	if (t->again)
		t->ops.on_look(t->ops.arg, &plain);
	if (t->blocks) {
		sem_post(&t->in);
		sem_wait(&t->go);
	}
}

static void taker_join(struct taker *t, struct mixer *m, pid_t pid)
{
	const struct sampler_ops ops = { .on_thread = on_thread, .on_look = on_look, .arg = t };

	memset(t, 0, sizeof(*t));
	symtab_init(&t->symtab);
	sem_init(&t->in, 0, 0);
	sem_init(&t->go, 0, 0);
	t->target.pid = pid;
	t->client = mixer_join(m, &t->target, &t->symtab, &ops);
	t->ops = mixer_ops(t->client);
}

static void taker_leave(struct taker *t)
{
	mixer_leave(t->client);
	symtab_release(&t->symtab);
	sem_destroy(&t->in);
	sem_destroy(&t->go);
}

static struct mixer *new_mixer(enum native_level level)
{
	const struct mixer_config c = { .level = level };
	struct mixer *m = mixer_new(&c, NULL);

	if (!m)
		abort();
	return m;
}

static void put(struct taker *t, const struct look *l)
{
	t->ops.on_look(t->ops.arg, l);
}

static void flush(struct taker *t)
{
	if (!mixer_flush(t->client, PATIENCE_S * NSEC_PER_SEC)) {
		ok(false, "the mixer is stuck");
		exit(1);
	}
}

/* --- a stack of this process -------------------------------------------------------------------- */

#ifdef __x86_64__
static struct look_native native;
static uint8_t stack[STACK_MAX];
static uint64_t anchor;

static uint64_t stack_end(uint64_t sp)
{
	struct err err = { 0 };
	struct maps maps;
	uint64_t end = 0;

	if (maps_read(&maps, getpid(), &err))
		abort();
	for (size_t i = 0; i < maps.count; i++)
		if (sp >= maps.list[i].start && sp < maps.list[i].end)
			end = maps.list[i].end;
	maps_release(&maps);
	return end;
}

/* DWARF's order: System V ABI x86-64 1.0, figure 3.36. */
static const int general[REGISTERS] = {
	REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8, REG_R9,
	REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
};

__attribute__((noinline)) int leaf_of_test(int n);
__attribute__((noinline)) int middle_of_test(int n);
__attribute__((noinline)) int outer_of_test(int n);

int leaf_of_test(int n)
{
	volatile int keep = n;
	ucontext_t u;
	struct iovec to, from;
	uint64_t end;

	getcontext(&u);
	native = (struct look_native){ 0 };
	for (unsigned int i = 0; i < REGISTERS; i++)
		register_set(&native.registers, i, (uint64_t)u.uc_mcontext.gregs[general[i]]);
	native.stack_lo = native.registers.value[REGISTER_SP] - 128;
	end = stack_end(native.stack_lo);
	native.stack_len = end - native.stack_lo > STACK_MAX ? STACK_MAX
							     : (uint32_t)(end - native.stack_lo);
	native.stack = stack;
	to = (struct iovec){ stack, native.stack_len };
	from = (struct iovec){ (void *)(uintptr_t)native.stack_lo, native.stack_len };
	if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != (ssize_t)native.stack_len)
		abort();
	return keep;
}

int middle_of_test(int n)
{
	volatile int here = n;

	anchor = (uintptr_t)&here;
	return leaf_of_test(here) + here;
}

int outer_of_test(int n)
{
	volatile int here = n;

	return middle_of_test(here) + here;
}

static bool in_order(const char *text, const char *const *names)
{
	for (; *names; names++) {
		text = strstr(text, *names);
		if (!text)
			return false;
		text += strlen(*names);
	}
	return true;
}

static void is_order(const struct taker *t, const char *const *names, const char *what)
{
	if (!ok(in_order(t->text, names), "%s", what))
		printf("# got: %s\n", t->text);
}

static void names_and_merge(void)
{
	static const char *const all[] = { "leaf_of_test;", "middle_of_test;", "outer_of_test;", NULL };
	static const char *const merged[] = { "leaf_of_test;", "a_python_function;", "outer_of_test;",
					      NULL };
	static const char *const eval[] = { "leaf_of_test;", "a_python_function;", "middle_of_test;",
					    "outer_of_test;", NULL };
	const enum native_level levels[] = { NATIVE_USUAL, NATIVE_ALL };

	outer_of_test(1);
	for (int i = 0; i < 2; i++) {
		struct mixer *m = new_mixer(levels[i]);
		struct sampler_thread_info info = { .tid = 5 };
		struct raw_entry entry = { anchor, 1 };
		struct mixer_stats stats;
		struct sym_frame python;
		struct taker t;
		struct look l = { .native = &native, .thread = 12, .when_ns = 3, .wall_ns = 4,
				  .cpu_ns = 5, .state = 'S' };

		taker_join(&t, m, getpid());
		is_int(t.ops.on_thread(t.ops.arg, &info), 12, "a thread is announced");
		native.entries = NULL;
		native.entry_count = 0;
		put(&t, &l);
		flush(&t);
		is_order(&t, all, "native frames of this process, in order");
		ok(t.last.thread == 12 && t.last.when_ns == 3 && t.last.wall_ns == 4 &&
		   t.last.cpu_ns == 5 && t.last.state == 'S', "what else a look says stays");
		python.func = symtab_func(&t.symtab, SYM_PYTHON, "a_python_function", 17, 0, 0);
		python.line = 3;
		native.entries = &entry;
		native.entry_count = 1;
		l.frames = &python;
		l.count = 1;
		put(&t, &l);
		flush(&t);
		is_order(&t, i ? eval : merged, "a Python frame in the place of what runs it");
		is_int(strstr(t.text, "middle_of_test") != NULL, i, "which is shown if all is");
		mixer_stats(t.client, &stats);
		ok(stats.looks == 2 && stats.merged == 2 && stats.walks == 2 && stats.walk_frames > 6,
		   "both are counted as merged");
		taker_leave(&t);
		mixer_free(m);
	}
}

/* The process whose stack it is has ended: no mappings, no memory. */
static void target_is_gone(void)
{
	struct mixer *m = new_mixer(NATIVE_USUAL);
	struct look l = { .native = &native };
	struct taker t;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	native.entry_count = 0;
	taker_join(&t, m, pid);
	put(&t, &l);
	flush(&t);
	is_int(t.taken, 1, "a look at a process that is gone comes out");
	ok(strstr(t.text, "[unknown code];") != NULL, "its code is unknown: %s", t.text);
	taker_leave(&t);
	mixer_free(m);
}

/* Values that no thread has. */
static void hostile(void)
{
	static const uint64_t values[] = { 0, 1, 4095, 1ULL << 47, 1ULL << 56, UINT64_MAX - 127, UINT64_MAX };
	static uint64_t kernel[64];
	struct mixer *m = new_mixer(NATIVE_KERNEL);
	struct raw_entry entries[2] = { { UINT64_MAX, 0 }, { 1, 0 } };
	uint32_t n = 0;
	struct taker t;

	taker_join(&t, m, getpid());
	memset(kernel, 0xff, sizeof(kernel));
	for (size_t i = 0; i < 7; i++) {
		for (size_t k = 0; k < 7; k++) {
			struct look_native v = { .stack = stack, .stack_len = 4096,
						 .stack_lo = values[k] & ~7ULL, .entries = entries,
						 .entry_count = 2, .kernel = kernel,
						 .kernel_count = 64 };
			struct look l = { .native = &v };

			for (unsigned int r = 0; r < REGISTERS; r++)
				register_set(&v.registers, r, values[i]);
			put(&t, &l);
			v.registers.known = 1u << REGISTER_SP;
			put(&t, &l);
			n += 2;
		}
	}
	flush(&t);
	is_int(t.taken, n, "registers and stacks near 0 and 2^64 come out as something");
	is_int(t.emptied, 0, "never as nothing");
	taker_leave(&t);
	mixer_free(m);
}
#else
static void names_and_merge(void) { }
static void target_is_gone(void) { }
static void hostile(void) { }
#endif

/* --- same, lost, full --------------------------------------------------------------------------- */

static struct look same_look(uint32_t thread)
{
	return (struct look){ .thread = thread, .same = true };
}

static struct look python_look(struct taker *t, uint32_t thread, const char *name,
			       struct sym_frame *frame)
{
	*frame = (struct sym_frame){
		.func = symtab_func(&t->symtab, SYM_PYTHON, name, strlen(name), 0, 0) };
	return (struct look){ .thread = thread, .frames = frame, .count = 1 };
}

static const char no_registers[] = "[no native frames: registers unknown];";

static void same(void)
{
	struct mixer *m = new_mixer(NATIVE_USUAL);
	struct sym_frame frames[2];
	struct look a, b, again;
	struct taker t;

	taker_join(&t, m, getpid());
	a = python_look(&t, 3, "a", &frames[0]);
	b = python_look(&t, 900, "b", &frames[1]);
	put(&t, &a);
	flush(&t);
	ok(!strncmp(t.text, no_registers, sizeof(no_registers) - 1) && strstr(t.text, "a;"),
	   "without registers: a mark, and Python's frames");
	put(&t, &b);
	again = same_look(3);
	put(&t, &again);
	flush(&t);
	ok(strstr(t.text, "a;") != NULL, "the same again is the thread's last stack");
	again = same_look(900);
	put(&t, &again);
	flush(&t);
	ok(strstr(t.text, "b;") != NULL, "each thread its own");
	again = same_look(4);
	put(&t, &again);
	flush(&t);
	is_str(t.text, "[no frames: too many at once];", "of a thread never seen: a mark, not nothing");
	again = same_look(UINT32_MAX);
	put(&t, &again);
	flush(&t);
	is_str(t.text, "[no frames: too many at once];", "so for one beyond what is kept");
	b.when_ns = 3600 * NSEC_PER_SEC;
	put(&t, &b);
	again = same_look(3);
	put(&t, &again);
	flush(&t);
	is_str(t.text, "[no frames: too many at once];", "what was not seen for an hour is not kept");
	taker_leave(&t);
	mixer_free(m);
}

/* The reader stands still; the writer does not wait. */
static void full(void)
{
	static uint8_t big[1 << 20];
	struct look_native v = { .stack = big, .stack_len = sizeof(big), .stack_lo = 4096 };
	struct mixer *m = new_mixer(NATIVE_USUAL);
	struct mixer_stats stats;
	struct sym_frame frames[2];
	struct look first, second, again = same_look(1);
	bool refused = false;
	uint32_t puts = 0;
	struct taker t;

	taker_join(&t, m, getpid());
	t.blocks = true;
	first = python_look(&t, 1, "first", &frames[0]);
	second = python_look(&t, 1, "second", &frames[1]);
	put(&t, &first);
	sem_wait(&t.in);
	first.refused = &refused;
	ok(!mixer_flush(t.client, NSEC_PER_MSEC), "flush has patience, not for ever");
	for (size_t i = 0; i < RING_BYTES / sizeof(big) + 6; i++, puts++) {
		struct look l = first;

		l.native = &v;
		put(&t, &l);
	}
	ok(refused, "a look that lost its native part: who gave it is told");
	do { /* no room for the smallest look */
		put(&t, &first);
		puts++;
		mixer_stats(t.client, &stats);
	} while (!stats.lost);
	refused = false;
	second.refused = &refused;
	put(&t, &second);
	ok(refused, "so for one that was lost");
	t.blocks = false;
	sem_post(&t.go);
	flush(&t);
	ok(t.marked >= 6, "%u looks lost their native part to a full ring: marked", t.marked);
	mixer_stats(t.client, &stats);
	is_int((long long)stats.lost, 2, "and those without any room are counted");
	is_int(t.taken, 1 + puts - 1, "all others come out");
	put(&t, &again);
	flush(&t);
	is_str(t.text, "[no frames: too many at once];",
	       "the same as a look that was lost: not the stack of the one before it");
	refused = false;
	put(&t, &second);
	put(&t, &again);
	flush(&t);
	ok(!refused, "not for one that was taken");
	ok(strstr(t.text, "second;") != NULL, "the next look is known again");
	taker_leave(&t);
	mixer_free(m);
}

/* --- many --------------------------------------------------------------------------------------- */

static struct mixer *shared;

static void *comes_and_goes(void *arg)
{
	uint32_t *wrong = arg;

	for (int round = 0; round < ROUNDS; round++) {
		struct sym_frame frame;
		struct mixer_stats stats;
		struct taker t;

		taker_join(&t, shared, getpid());
		t.ordered = true;
		for (uint32_t i = 0; i < LOOKS; i++) {
			struct look l = python_look(&t, i, "x", &frame);

			put(&t, &l);
			if (i == LOOKS / 2)
				flush(&t);
			mixer_stats(t.client, &stats);
		}
		flush(&t);
		mixer_stats(t.client, &stats);
		*wrong += t.wrong + (t.taken != LOOKS) + (stats.looks != LOOKS) + (stats.lost != 0);
		taker_leave(&t);
	}
	return NULL;
}

static void many_clients(void)
{
	pthread_t threads[CLIENTS];
	uint32_t wrong[CLIENTS] = { 0 }, sum = 0;

	shared = new_mixer(NATIVE_USUAL);
	for (int i = 0; i < CLIENTS; i++)
		pthread_create(&threads[i], NULL, comes_and_goes, &wrong[i]);
	for (int i = 0; i < CLIENTS; i++) {
		pthread_join(threads[i], NULL);
		sum += wrong[i];
	}
	is_int(sum, 0, "clients that come and go: each has all its looks, in order");
	mixer_free(shared);
}

/* One whose ring is never empty: the others have their turn, and can go. */
static void one_without_end(void)
{
	struct mixer *m = new_mixer(NATIVE_USUAL);
	struct sym_frame frame;
	struct taker busy, other, third;
	struct look l;

	taker_join(&other, m, getpid());
	taker_join(&busy, m, getpid());
	busy.again = true;
	put(&busy, &plain);
	sem_post(&busy.go);
	while (busy.taken < 2)
		sched_yield();
	l = python_look(&other, 1, "x", &frame);
	put(&other, &l);
	flush(&other);
	is_int(other.taken, 1, "a ring that is never empty keeps nobody waiting");
	taker_join(&third, m, getpid());
	l = python_look(&third, 1, "x", &frame);
	put(&third, &l);
	taker_leave(&other);
	taker_leave(&third);
	ok(true, "clients leave beside it");
	busy.again = false;
	taker_leave(&busy);
	mixer_free(m);
}

static void texts(void)
{
	struct mixer_stats a = { .looks = 2, .mismatched = 3, .truncated = 1 }, b = { .looks = 5 };
	struct buf text = BUF_INIT;

	mixer_stats_text(&b, &text);
	is_int((long long)text.len, 0, "nothing to say when all is well");
	mixer_stats_add(&b, &a);
	ok(b.looks == 7 && b.mismatched == 3, "added");
	mixer_stats_text(&b, &text);
	is_str(text.data, "mismatched 3, deeper than copied 1", "what went wrong");
	buf_release(&text);
	mixer_free(NULL);
	mixer_leave(NULL);
}

int main(void)
{
	alarm(300); /* a mixer that hangs is a failure */
	names_and_merge();
	target_is_gone();
	hostile();
	same();
	full();
	many_clients();
	one_without_end();
	texts();
	return tap_done();
}
