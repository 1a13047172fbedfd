/* SPDX-License-Identifier: MIT
 * What is copied of a stack, and whose registers they are. */
#include "../../src/sampler/capture.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>

#include "native/unwind.h"
#include "process.h"
#include "tap.h"
#include "util/clock.h"

enum { RED = UNWIND_RED_ZONE, LOOKS = 20000, DEPTHS = 13 };

static const char text[] =
	"00400000-00500000 r-xp 00000000 08:01 11 /bin/python\n"
	"7f0000000000-7f0000001000 ---p 00000000 00:00 0 \n"
	"7f0000001000-7f0000801000 rw-p 00000000 00:00 0 \n"
	"7f0000900000-7f0010900000 rw-p 00000000 00:00 0 \n"
	"7ffc00100000-7ffc00120000 rw-p 00000000 00:00 0 [stack]\n";

#define THREAD_HI 0x7f0000801000ULL
#define MAIN_LO 0x7ffc00100000ULL
#define MAIN_HI 0x7ffc00120000ULL

static struct stack_maps maps;
static struct capture fresh(void)
{
	maps.stale = false;
	return (struct capture){ .log.fd = -1, .most = NATIVE_STACK_MAX };
}

static void is_part(struct stack_part p, uint64_t from, uint64_t to, bool cut, const char *what)
{
	if (!ok(p.addr == from && p.len == to - from && p.cut == cut, "%s", what))
		printf("# got %llx + %x, cut %d; want %llx + %llx, cut %d\n", (unsigned long long)p.addr,
		       p.len, p.cut, (unsigned long long)from, (unsigned long long)(to - from), cut);
}

static void usual(void)
{
	struct capture c = fresh();
	struct stack_part p;

	p = capture_stack(&c, &maps, MAIN_HI - 0x2000, 0);
	is_part(p, MAIN_HI - 0x2000 - RED, MAIN_HI, false, "to the mapping's end");
	is_part(capture_stack(&c, &maps, MAIN_LO + 40, 0), MAIN_LO, MAIN_HI, false,
		"nothing below the mapping: it may not be there");
	is_part(capture_stack(&c, &maps, MAIN_LO - 0x11000 + 40, 0), MAIN_LO - 0x11000, MAIN_HI, false,
		"a stack that has grown since: from its page");
	ok(!maps.stale, "no need to read the mappings");
	is_part(capture_stack(&c, &maps, THREAD_HI - 0x900, THREAD_HI - 0x740),
		THREAD_HI - 0x900 - RED, THREAD_HI - 0x740, false, "another stack: up to the TCB");
	is_part(capture_stack(&c, &maps, THREAD_HI - 0x900, THREAD_HI - 0x910),
		THREAD_HI - 0x900 - RED, THREAD_HI, false, "a TCB below SP is none");
	is_part(capture_stack(&c, &maps, THREAD_HI - 0x900, THREAD_HI + 0x910),
		THREAD_HI - 0x900 - RED, THREAD_HI, false, "nor is one beyond the mapping");
	is_part(capture_stack(&c, &maps, THREAD_HI - 0x900, UINT64_MAX),
		THREAD_HI - 0x900 - RED, THREAD_HI, false, "nor is 2^64 - 1");
}

static void limits(void)
{
	struct capture c = fresh();
	uint64_t sp = 0x7f0000a00000ULL;
	struct stack_part p = capture_stack(&c, &maps, sp, 0);

	is_part(p, sp - RED, sp - RED + NATIVE_STACK_MAX, true, "not more than NATIVE_STACK_MAX");
	ok(!p.guess, "which is not for want of a mapping");
	is_part(capture_stack(&c, &maps, sp, sp + 64), sp - RED, sp + 64, false, "unless the TCB is near");
	sp = 0x7f0010900000ULL - NATIVE_STACK_MAX + RED;
	is_part(capture_stack(&c, &maps, sp, 0), sp - RED, sp - RED + NATIVE_STACK_MAX, false,
		"exactly so much");
	is_part(capture_stack(&c, &maps, sp - 1, 0), sp - 1 - RED, sp - 1 - RED + NATIVE_STACK_MAX, true,
		"a byte more");
}

static void unknown(void)
{
	struct capture c = fresh();
	struct stack_part p = capture_stack(&c, &maps, 0x600000000040ULL, 0);

	is_part(p, 0x600000000000ULL, 0x600000001000ULL, true, "in no mapping: its page");
	ok(p.guess && maps.stale, "and the mappings are to be read");
	p = capture_stack(&c, &maps, 0x600000000800ULL, 0);
	is_part(p, 0x600000000800ULL - RED, 0x600000001000ULL, true, "with what is below SP");
	maps.stale = false;
	p = capture_stack(&c, &maps, MAIN_LO - (9 << 20), 0);
	ok(p.guess && maps.stale, "a stack grows by so much, not more");
	maps.stale = false;
	p = capture_stack(&c, &maps, MAIN_HI, 0);
	ok(p.guess && maps.stale, "behind the last mapping");
}

static void hostile(void)
{
	static const uint64_t none[] = { 0, 1, 127, 4095, 1ULL << 56, UINT64_MAX, UINT64_MAX - 127,
					 0x8000000000000000ULL };
	static const uint64_t some[] = { 4096, 4097, 4096 + 127, (1ULL << 56) - 1, (1ULL << 56) - 4096,
					 0x7fffffffffffULL, 0x400000 };
	struct stack_maps empty = { 0 };
	struct capture c = fresh();

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		is_int(capture_stack(&c, &maps, none[i], none[i] + 1).len, 0, "no stack can be there");
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		struct stack_part p = capture_stack(&c, &empty, some[i], UINT64_MAX);

		ok(p.len && p.len <= NATIVE_STACK_MAX && p.addr <= some[i] && some[i] - p.addr < p.len &&
		   p.guess, "%#llx: a part with SP in it", (unsigned long long)some[i]);
	}
}

/* --- live --------------------------------------------------------------------------------------- */

static int out[2];

/* Sleeps at another depth each time. */
static __attribute__((noinline)) int sleeps_at(volatile int depth)
{
	volatile char room[256];
	char c;

	room[depth] = 1;
	if (depth)
		return sleeps_at(depth - 1) + room[depth];
	if (read(out[0], &c, 1) != 1)
		_exit(0);
	return room[0];
}

static void sleeper(void)
{
	for (int i = 0;; i = (i + 1) % DEPTHS)
		sleeps_at(i);
}

static void waker(void)
{
	const struct timespec nap = { .tv_nsec = 20000 };

	while (write(out[1], "", 1) == 1)
		nanosleep(&nap, NULL);
}

/* What was taken for a sleeper's registers are those of this sleep, not of the one before. */
static void of_this_sleep(enum native_way way)
{
	struct hold hold;
	struct capture c;
	struct task task;
	int wrong = 0, right = 0, looks = 0;
	pid_t pids[2];

	if (pipe(out))
		abort();
	pids[0] = child_start(sleeper);
	pids[1] = child_start(waker);
	hold_init(&hold, &hold_on_cpu);
	if (task_open(&task, pids[0], pids[0]))
		abort();
	capture_open(&c, pids[0], way, false);
	while (looks < LOOKS) {
		struct switch_record r;
		struct sched_stat before, after;
		struct proc_stat where;
		uint64_t sp, pc;

		if (task_run(&task, &before) || task_where(&task, &where))
			break;
		looks += where.state == 'S';
		if (where.state != 'S' || capture_registers(&c, &hold, &task, false, &r) != CAPTURED)
			continue;
		if (task_syscall(&task, &sp, &pc) || task_run(&task, &after) ||
		    after.slices != before.slices)
			continue;
		if (r.registers.value[REGISTER_SP] == sp && r.registers.value[REGISTER_PC] == pc)
			right++;
		else
			wrong++;
	}
	ok(looks == LOOKS && right > 0, "%d of %d looks at a sleeper", right, looks);
	is_int(wrong, 0, "none with the registers of another sleep");
	capture_close(&c);
	task_close(&task);
	for (int i = 0; i < 2; i++)
		child_kill(pids[i]);
	close(out[0]);
	close(out[1]);
}

static void read_anew(void)
{
	struct stack_maps m = { 0 };
	struct capture c = fresh();
	int here;
	uint64_t sp = (uintptr_t)&here;

	stack_maps_refresh(&m, getpid(), 1000);
	is_int((long long)m.maps.count, 0, "not read unless somebody asks");
	ok(capture_stack(&c, &m, sp, 0).guess && m.stale, "somebody asks");
	stack_maps_refresh(&m, getpid(), 1000);
	ok(!m.stale && !capture_stack(&c, &m, sp, 0).guess, "read, and found");
	m.stale = true;
	stack_maps_refresh(&m, getpid(), 2000);
	ok(m.stale, "not read again at once");
	stack_maps_refresh(&m, 0x3fffffff, 2000 + NSEC_PER_SEC);
	ok(!m.stale && m.maps.count, "what was read stays when the process is gone");
	stack_maps_release(&m);
}

int main(void)
{
	char *copy = strdup(text);
	struct switch_log log;
	int r;

	if (maps_parse(&maps.maps, copy))
		abort();
	usual();
	limits();
	unknown();
	hostile();
	read_anew();
	stack_maps_release(&maps);
	free(copy);
	of_this_sleep(NATIVE_PTRACE);
	r = switch_log_open(&log, gettid(), false);
	switch_log_close(&log);
	if (r)
		tap_skip("registers of sleepers, from records", strerror(-r));
	else
		of_this_sleep(NATIVE_PERF);
	return tap_done();
}
