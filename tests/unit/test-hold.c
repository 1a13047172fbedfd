/* SPDX-License-Identifier: MIT
 * Stopping a thread for a look, and what its process notices of that: nothing. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "hold_target.h"

enum {
	SIGNALS = 20000, CHILDREN = 200, KILLS = 50, EXECS = 40, LOOKS = 6000, THREADS_SHORT = 300,
	OWN_ENDS = 30, MET = 5, WAITERS = 4, LATES = 3, LATE_S = 15,
	ALARM_NS = 1000000, WAIT_MS = 2, LONG_WAIT_MS = 1000,
};

static pid_t target; /* for the bodies of samplers */
static bool can_see_calls;

static void spin(void)
{
	atomic_store(&sh->ready, true);
	for (;;)
		atomic_fetch_add_explicit(&sh->turns, 1, memory_order_relaxed);
}

static void ok_quietly(bool good, bool *all)
{
	*all = *all && good;
}

static pid_t start_spinning(void)
{
	shared_reset();
	target = child_start(spin);
	comes(sh->ready);
	return target;
}

/* Looks until the target is stopped for it: on a busy machine that may take more than one. */
static bool stops(struct hold *h)
{
	uint64_t before = h->counts.stops;

	return comes((look(h, target, target, true), h->counts.stops > before || h->counts.denied)) &&
	       !h->counts.denied;
}

/* --- what is read ------------------------------------------------------------------------------- */

#if defined(__x86_64__)

extern const char marked_start[], marked_end[];

static void spin_marked(void)
{
	atomic_store(&sh->ready, true);
	__asm__ volatile("mov %0, %%r12\n\tlea 5(%%r12), %%r13\n\tlea 7(%%r12), %%rbx\n"
			 ".globl marked_start\nmarked_start:\n\tpause\n\tjmp marked_start\n"
			 ".globl marked_end\nmarked_end:\n"
			 : : "r"((uint64_t)MARK) : "r12", "r13", "rbx");
}

static void registers(void)
{
	struct registers r = { 0 };
	struct proc_stat where = { .state = 'R' };
	struct task task;
	struct hold h;

	shared_reset();
	target = child_start(spin_marked);
	comes(sh->ready && state_of(target) == 'R');
	nap_us(2000); /* into the loop; else the checks below tell */
	hold_init(&h, &hold_ptrace);
	task_open(&task, target, target);
	/* On a busy machine its stop may come late. */
	ok(comes(h.ops->acquire(&h, &task, &where) == HOLD_FROZEN &&
		 !h.ops->registers(&h, &task, &r)),
	   "a running thread is stopped, its registers are read");
	ok(state_of(target) == 't', "it does not run");
	ok(r.value[REGISTER_PC] >= (uintptr_t)marked_start && r.value[REGISTER_PC] < (uintptr_t)marked_end,
	   "the program counter");
	ok(r.value[12] == MARK && r.value[13] == MARK + 5 && r.value[3] == MARK + 7, "r12, r13, rbx");
	is_int(r.known, (1 << REGISTERS) - 1, "all are known");
	h.ops->release(&h, &task);
	ok(comes(state_of(target) == 'R'), "and it goes on");
	h.ops->detach(&h, &task);
	task_close(&task);
	child_kill(target);
}

#endif

/* --- signals ------------------------------------------------------------------------------------ */

static timer_t alarm_timer;

static void on_queued(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	atomic_fetch_add(&sh->got, 1);
	atomic_fetch_add(&sh->sum, (uint64_t)info->si_value.sival_int);
}

static void on_own(int sig)
{
	(void)sig;
	atomic_fetch_add(&sh->own_got, 1);
}

static void on_alarm(int sig)
{
	(void)sig;
	atomic_fetch_add(&sh->alarms, 1 + (uint64_t)timer_getoverrun(alarm_timer));
}

static void on_child(int sig)
{
	(void)sig;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		atomic_fetch_add(&sh->chld, 1);
}

static void take_signals(void)
{
	struct sigaction queued = { .sa_sigaction = on_queued, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction own = { .sa_handler = on_own, .sa_flags = SA_RESTART };
	struct sigaction timed = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct sigaction child = { .sa_handler = on_child, .sa_flags = SA_RESTART };

	sigaction(SIGRTMIN + 1, &queued, NULL);
	sigaction(SIGRTMIN + 2, &own, NULL);
	sigaction(SIGALRM, &timed, NULL);
	sigaction(SIGCHLD, &child, NULL);
}

/* Each child's SIGCHLD is the only one there is: if it is lost, nobody reaps that child. */
static void one_child(void)
{
	uint64_t end = clock_mono_ns() + PATIENCE_S * NSEC_PER_SEC;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	atomic_fetch_add(&sh->forked, 1);
	while (sh->chld < sh->forked && clock_mono_ns() < end)
		atomic_fetch_add(&sh->turns, 1);
	if (sh->chld < sh->forked)
		_exit(1);
}

static void alarms_start(void)
{
	struct itimerspec every = { { 0, ALARM_NS }, { 0, ALARM_NS } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };

	timer_create(CLOCK_MONOTONIC, &event, &alarm_timer);
	sh->started_ns = clock_mono_ns();
	timer_settime(alarm_timer, 0, &every, NULL);
	sh->stopped_ns = clock_mono_ns();
}

/* Up to the next alarm, which counts all that were due before it. The bounds are as far apart as this
 * process was kept from running at either end. */
static void alarms_count(void)
{
	uint64_t before = clock_mono_ns(), seen = sh->alarms, end = before + PATIENCE_S * NSEC_PER_SEC;

	while (sh->alarms == seen && clock_mono_ns() < end)
		;
	sh->alarms_got = sh->alarms;
	sh->alarms_least = (before - sh->stopped_ns) / ALARM_NS;
	sh->alarms_most = (clock_mono_ns() - sh->started_ns) / ALARM_NS;
	timer_delete(alarm_timer);
}

static void storm(void)
{
	take_signals();
	alarms_start();
	atomic_store(&sh->ready, true);
	while (!sh->end) {
		if (sh->forked < CHILDREN)
			one_child();
		/* The surest way for a signal to be taken just as the sampler comes. */
		atomic_fetch_add(&sh->own_sent, !sigqueue(getpid(), SIGRTMIN + 2, (union sigval){ 0 }));
		atomic_fetch_add(&sh->turns, 1);
	}
	alarms_count();
}

/* Looks without a pause, until the test says that it is enough. */
static void sample_target(void)
{
	struct hold h;

	hold_init(&h, &hold_ptrace);
	while (!sh->ended) {
		look(&h, target, target, false);
		h.ops->sleep(&h, 0); /* what stops late is let go there */
		sh->counts = h.counts;
	}
	h.ops->sleep(&h, clock_mono_ns() + NSEC_PER_MSEC);
	sh->owed = h.owed;
}

static void send_all(pid_t pid, int first, int count)
{
	for (int i = 0; i < count; i++) {
		union sigval value = { .sival_int = first + i };

		while (sigqueue(pid, SIGRTMIN + 1, value) && errno == EAGAIN)
			nap_us(100);
		if (i % 16 == 0)
			nap_us(50);
	}
}

static void signals(void)
{
	uint64_t sum = (uint64_t)SIGNALS * (SIGNALS - 1) / 2;
	pid_t sampler;

	shared_reset();
	target = child_start(storm);
	comes(sh->ready);
	sampler = child_start(sample_target);
	send_all(target, 0, SIGNALS);
	ok(comes(sh->got == SIGNALS && sh->chld == CHILDREN), "%d queued signals and %d SIGCHLD arrive",
	   SIGNALS, CHILDREN);
	ok(comes(sh->counts.signals >= MET), "%d looks and more meet a signal", MET);
	sh->end = true;
	is_int(end_of(target), 0, "the target ends well");
	is_int((long long)sh->own_got, (long long)sh->own_sent, "it got all that it sent itself");
	is_int((long long)sh->sum, (long long)sum, "with their values");
	ok(sh->alarms_got >= sh->alarms_least && sh->alarms_got <= sh->alarms_most,
	   "and every SIGALRM of the timer");
	sh->ended = true;
	end_of(sampler);
	ok(sh->counts.stops > 100, "while it was looked at");
	printf("# %llu looks, %llu met a signal, %llu alarms in %llu to %llu periods\n",
	       (unsigned long long)sh->counts.stops, (unsigned long long)sh->counts.signals,
	       (unsigned long long)sh->alarms_got, (unsigned long long)sh->alarms_least,
	       (unsigned long long)sh->alarms_most);
}

/* --- stops that are not ours -------------------------------------------------------------------- */

static void group_stop(void)
{
	siginfo_t info = { 0 };
	uint64_t before;
	struct hold h;
	bool still = true;

	start_spinning();
	hold_init(&h, &hold_ptrace);
	kill(target, SIGSTOP);
	waitid(P_PID, (id_t)target, &info, WSTOPPED);
	before = sh->turns;
	is_int(look(&h, target, target, false), HOLD_GONE, "a stopped thread is not looked at");
	for (int i = 0; i < 50; i++) {
		look(&h, target, target, true); /* as if it had been running a moment ago */
		still = comes(state_of(target) == 'T') && still;
	}
	ok(still, "one that stops meanwhile stays stopped");
	ok(sh->turns == before, "and does not take a step");
	info.si_pid = 0;
	waitid(P_PID, (id_t)target, &info, WSTOPPED | WNOHANG);
	is_int(info.si_pid, 0, "its parent hears of no second stop");
	kill(target, SIGCONT);
	ok(goes_on(), "SIGCONT still works");
	child_kill(target);
	h.ops->detach(&h, &(struct task){ .tid = target });
}

/* Stopped and continued many times while it is looked at without a pause. */
static void stop_and_go(void)
{
	siginfo_t info;
	bool good = true;
	pid_t sampler;

	start_spinning();
	sampler = child_start(sample_target);
	for (int i = 0; i < 200; i++) {
		kill(target, SIGSTOP);
		info.si_pid = 0;
		good = comes(!waitid(P_PID, (id_t)target, &info, WSTOPPED | WNOHANG) &&
			     info.si_pid == target) && good;
		good = comes(state_of(target) == 'T') && good;
		kill(target, SIGCONT);
		good = goes_on() && good;
	}
	ok(good, "200 times SIGSTOP and SIGCONT while it is looked at");
	sh->ended = true;
	end_of(sampler);
	child_kill(target);
}

static void trace(void)
{
	ptrace(PTRACE_SEIZE, target, NULL, NULL);
	atomic_store(&sh->wakes, 1);
	while (!sh->end)
		nap_us(1000);
}

static void other_tracer(void)
{
	struct hold h;
	pid_t tracer;

	start_spinning();
	hold_init(&h, &hold_ptrace);
	ok(stops(&h), "before another tracer comes");
	tracer = child_start(trace);
	ok(comes(sh->wakes) && h.counts.traced == 0, "it can come between two looks");
	sh->registers_bad = false;
	is_int(look(&h, target, target, true), HOLD_FROZEN, "then the thread is read in its place");
	ok(sh->registers_bad, "without registers");
	ok(h.counts.traced > 0 && !h.counts.denied, "which is counted with its reason");
	ok(goes_on(), "the thread goes on meanwhile");
	sh->end = true;
	end_of(tracer);
	ok(stops(&h) && h.cpu < 0, "when it has left, threads are stopped again");
	child_kill(target);
	h.ops->detach(&h, &(struct task){ .tid = target });
}

/* --- the sampler dies --------------------------------------------------------------------------- */

/* Dies with the thread in its hands. */
static void hold_for_ever(void)
{
	struct proc_stat where = { .state = 'R' };
	struct task task;
	struct hold h;

	hold_init(&h, &hold_ptrace);
	task_open(&task, target, target);
	h.ops->acquire(&h, &task, &where);
	atomic_store(&sh->wakes, 1);
	for (;;)
		pause();
}

static void killed(void)
{
	bool good = true;

	shared_reset();
	target = child_start(storm);
	comes(sh->ready && sh->chld == CHILDREN);
	for (int i = 0; i < KILLS; i++) {
		bool held = i % 2;
		pid_t sampler;

		sh->wakes = 0;
		sampler = child_start(held ? hold_for_ever : sample_target);
		ok_quietly(comes(held ? sh->wakes : sh->looks > (uint64_t)i), &good);
		nap_us((unsigned int)(i * 37 % 500));
		child_kill(sampler);
		ok_quietly(comes(state_of(target) != 't' && state_of(target) != 'T'), &good);
		ok_quietly(goes_on(), &good);
	}
	ok(good, "%d times kill -9 of the sampler: the target goes on", KILLS);
	sh->end = true;
	is_int(end_of(target), 0, "and ends well");
	is_int((long long)sh->own_got, (long long)sh->own_sent, "and no signal is lost");
}

/* --- waits that a stop cuts short ---------------------------------------------------------------- */

static int wait_ms = WAIT_MS;

static void *wait_in_epoll(void *arg)
{
	struct epoll_event event;
	int fd = epoll_create1(0);

	(void)arg;
	sh->tid[0] = gettid();
	while (!sh->end) {
		atomic_fetch_add(&sh->eintr, epoll_wait(fd, &event, 1, wait_ms) < 0 && errno == EINTR);
		atomic_fetch_add(&sh->calls, 1);
	}
	return NULL;
}

static void *wait_in_sem(void *arg)
{
	struct timespec limit = { 0, WAIT_MS * 1000000L };
	struct sembuf down = { 0, -1, 0 };
	int sem = semget(IPC_PRIVATE, 1, 0600);

	(void)arg;
	sh->tid[1] = gettid();
	while (!sh->end) {
		atomic_fetch_add(&sh->eintr, semtimedop(sem, &down, 1, &limit) < 0 && errno == EINTR);
		atomic_fetch_add(&sh->calls, 1);
	}
	semctl(sem, 0, IPC_RMID);
	return NULL;
}

static void *wait_in_sigwait(void *arg)
{
	struct timespec limit = { 0, WAIT_MS * 1000000L };
	sigset_t set;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sh->tid[2] = gettid();
	while (!sh->end) {
		atomic_fetch_add(&sh->eintr, sigtimedwait(&set, NULL, &limit) < 0 && errno == EINTR);
		atomic_fetch_add(&sh->calls, 1);
	}
	return NULL;
}

static void *wait_in_recv(void *arg)
{
	struct timeval limit = { 0, WAIT_MS * 1000 };
	int pair[2];
	char byte;

	(void)arg;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return NULL;
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	sh->tid[3] = gettid();
	while (!sh->end) {
		atomic_fetch_add(&sh->eintr, recv(pair[0], &byte, 1, 0) < 0 && errno == EINTR);
		atomic_fetch_add(&sh->calls, 1);
	}
	return NULL;
}

static void wait_much(void)
{
	void *(*const bodies[WAITERS])(void *) = {
		wait_in_epoll, wait_in_sem, wait_in_sigwait, wait_in_recv,
	};
	pthread_t threads[WAITERS];

	for (int i = 0; i < WAITERS; i++)
		pthread_create(&threads[i], NULL, bodies[i], NULL);
	for (int i = 0; i < WAITERS; i++)
		pthread_join(threads[i], NULL);
}

static void waits(bool forced)
{
	const char *what = forced ? "stopped in its wait" : "stopped as it runs";
	int looks = forced ? LOOKS / 10 : LOOKS;
	struct task tasks[WAITERS];
	struct hold h;

	shared_reset();
	target = child_start(wait_much);
	hold_init(&h, &hold_ptrace);
	for (int i = 0; i < WAITERS; i++) {
		comes(sh->tid[i]);
		tasks[i] = (struct task){ .tid = sh->tid[i] };
	}
	for (int i = 0; i < looks; i++) {
		look(&h, target, sh->tid[i % WAITERS], forced);
		h.ops->sleep(&h, clock_mono_ns() + (uint64_t)(i % 8) * 100 * NSEC_PER_USEC);
	}
	if (forced)
		ok(h.counts.restarted > 0, "%s: waits are cut short", what);
	printf("# %s: %d looks, %llu in time, %llu late, %llu in a call, %llu made anew, %llu EINTR in "
	       "%llu calls\n", what, looks, (unsigned long long)h.counts.stops,
	       (unsigned long long)h.counts.late,
	       (unsigned long long)h.counts.in_syscall, (unsigned long long)h.counts.restarted,
	       (unsigned long long)sh->eintr, (unsigned long long)sh->calls);
	for (int i = 0; i < WAITERS; i++)
		h.ops->detach(&h, &tasks[i]);
	ok(comes(sh->calls > 100), "waits end in time");
	sh->end = true;
	is_int(end_of(target), 0, "the target ends well");
	is_int((long long)sh->eintr, 0, "and no thread gets EINTR");
}

static void wait_long(void)
{
	wait_ms = LONG_WAIT_MS;
	wait_in_epoll(NULL);
}

/* SIGSTOP ends an epoll_wait() with EINTR once there is SIGCONT; that is not ours to change. */
static void wait_stopped(void)
{
	siginfo_t info = { 0 };
	struct hold h;

	shared_reset();
	target = child_start(wait_long);
	hold_init(&h, &hold_ptrace);
	comes(sh->tid[0] && state_of(target) == 'S');
	kill(target, SIGSTOP);
	waitid(P_PID, (id_t)target, &info, WSTOPPED);
	ok(comes((look(&h, target, target, true), h.counts.stops > 0)), "stopped in its wait by a signal");
	h.ops->detach(&h, &(struct task){ .tid = target });
	kill(target, SIGCONT);
	ok(comes(sh->calls > 0) && sh->eintr == 1, "the wait ends as without us");
	child_kill(target);
}

/* --- ends --------------------------------------------------------------------------------------- */

static void *live_shortly(void *arg)
{
	uint64_t until = clock_mono_ns() + NSEC_PER_MSEC;

	(void)arg;
	while (clock_mono_ns() < until)
		atomic_fetch_add(&sh->turns, 1);
	return NULL;
}

static void start_many(void)
{
	pthread_t threads[2];

	for (int i = 0; i < THREADS_SHORT; i++) {
		for (int k = 0; k < 2; k++)
			pthread_create(&threads[k], NULL, live_shortly, NULL);
		for (int k = 0; k < 2; k++)
			pthread_join(threads[k], NULL);
	}
}

/* Looks at every thread of a process; false when there is none any more. */
static bool look_at_all(struct hold *h, pid_t pid)
{
	char path[64];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while ((d = readdir(dir)))
		if (atoi(d->d_name) > 0)
			look(h, pid, atoi(d->d_name), false);
	closedir(dir);
	return state_of(pid) != 'Z';
}

static void sample_all(void)
{
	struct hold h;

	hold_init(&h, &hold_ptrace);
	while (!sh->ended && look_at_all(&h, target))
		h.ops->sleep(&h, 0);
	for (int i = 0; h.owed && i < 1000; i++)
		h.ops->sleep(&h, clock_mono_ns() + NSEC_PER_MSEC);
	sh->counts = h.counts;
	sh->owed = h.owed;
}

static void thread_ends(void)
{
	pid_t sampler;

	shared_reset();
	target = child_start(start_many);
	sampler = child_start(sample_all);
	ok(end_of(target) == 0, "%d threads of 1 ms come and go while they are looked at",
	   2 * THREADS_SHORT);
	sh->ended = true;
	is_int(end_of(sampler), 0, "the sampler ends, too");
	ok(!sh->owed, "and owes nothing");
	printf("# %llu stops, %llu gone, %llu late\n", (unsigned long long)sh->counts.stops,
	       (unsigned long long)sh->gone, (unsigned long long)sh->counts.late);
}

static const char *self;

static void *run_again(void *arg)
{
	nap_us((unsigned int)(rand() % 1500));
	execl(self, self, "exec-storm", (char *)arg, (char *)NULL);
	_exit(3);
}

/* Replaces itself, `left` more times: every other time from a thread that is not the leader. */
static int exec_storm(int left)
{
	char text[16];
	pthread_t thread;

	if (left == 0)
		_exit(42); /* not exit(): LeakSanitizer ends with 1 if it is traced */
	srand((unsigned int)left);
	snprintf(text, sizeof(text), "%d", left - 1);
	if (left % 2)
		run_again(text);
	pthread_create(&thread, NULL, run_again, text);
	for (volatile uint64_t i = 0;; i++)
		;
}

static void execs(void)
{
	_exit(exec_storm(EXECS));
}

static void exec_ends(void)
{
	pid_t sampler;
	int status;

	shared_reset();
	target = child_start(execs);
	sampler = child_start(sample_all);
	status = end_of(target);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 42, "%d times exec while it is looked at", EXECS);
	sh->ended = true;
	end_of(sampler);
	ok(!sh->owed, "nothing is owed");
	printf("# status %#x, %llu stops, %llu gone, %llu late\n", (unsigned int)status,
	       (unsigned long long)sh->counts.stops, (unsigned long long)sh->gone,
	       (unsigned long long)sh->counts.late);
}

static void *sample_in_thread(void *arg)
{
	(void)arg;
	sample_all();
	return NULL;
}

static void end_soon(void)
{
	uint64_t until = clock_mono_ns() + 3 * NSEC_PER_MSEC;

	while (clock_mono_ns() < until)
		atomic_fetch_add(&sh->turns, 1);
	_exit(42);
}

/* `record -- program`: the tracer is a thread of the parent. */
static void own_child(void)
{
	pthread_t thread;
	bool good = true;
	int status;

	for (int i = 0; i < OWN_ENDS; i++) {
		shared_reset();
		target = child_start(end_soon);
		pthread_create(&thread, NULL, sample_in_thread, NULL);
		comes(state_of(target) == 'Z');
		status = 0;
		good = waitpid(target, &status, 0) == target && WIFEXITED(status) &&
		       WEXITSTATUS(status) == 42 && good;
		sh->ended = true;
		pthread_join(thread, NULL);
	}
	ok(good, "a child of ours: its status is there for waitpid(), %d times", OWN_ENDS);
}

/* --- stops that come late ------------------------------------------------------------------------ */

/* A parent in vfork() sleeps deep until its child has ended. */
static void sleep_deep(void)
{
	pid_t pid;

	atomic_store(&sh->ready, true);
	pid = vfork();
	if (!pid) {
		while (!sh->wakes)
			nap_us(200);
		sh->started_ns = clock_mono_ns();
		_exit(0);
	}
	sh->stopped_ns = clock_mono_ns();
	spin();
}

/* In a thread without children of its own, as the sampler is. */
static void *look_late(void *arg)
{
	struct hold h;

	(void)arg;
	hold_init(&h, &hold_ptrace);
	look(&h, target, target, true);
	ok(h.counts.late > 0 && !h.counts.stops, "a thread in deep sleep does not stop");
	ok(h.owed, "which is counted and remembered");
	look(&h, target, target, true);
	is_int((long long)h.counts.stops, 0, "nor does it at the next look");
	sh->wakes = 1;
	for (int i = 0; h.owed && i < 10000; i++)
		h.ops->sleep(&h, clock_mono_ns() + 10 * NSEC_PER_MSEC);
	ok(!h.owed, "when it wakes, it is let go");
	ok(goes_on(), "and goes on");
	printf("# %llu us from its child's end to its next step\n",
	       (unsigned long long)(sh->stopped_ns - sh->started_ns) / 1000);
	ok(stops(&h), "and can be stopped as ever");
	h.ops->detach(&h, &(struct task){ .tid = target });
	return NULL;
}

static void late(void)
{
	pthread_t thread;

	shared_reset();
	target = child_start(sleep_deep);
	comes(state_of(target) == 'D');
	pthread_create(&thread, NULL, look_late, NULL);
	pthread_join(thread, NULL);
	child_kill(target);
}

/* On the test's own CPU, to which the target has no right while somebody else wants it. */
static void share_cpu(int policy)
{
	struct sched_param param = { 0 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sh->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	sched_setscheduler(0, policy, &param);
}

static void wait_starved(void)
{
	share_cpu(SCHED_IDLE);
	wait_long();
}

static void take_cpu(void)
{
	share_cpu(SCHED_OTHER);
	spin();
}

static void *look_starved(void *arg)
{
	uint64_t end = clock_mono_ns() + LATE_S * NSEC_PER_SEC;
	struct hold h;

	(void)arg;
	hold_init(&h, &hold_ptrace);
	while (h.counts.late < LATES && clock_mono_ns() < end) {
		look(&h, target, target, true);
		do
			h.ops->sleep(&h, clock_mono_ns() + 10 * NSEC_PER_MSEC);
		while (h.owed);
	}
	if (h.counts.late) /* the scheduler is not always that unfair */
		ok(true, "on a busy CPU stops come late");
	else
		tap_skip("on a busy CPU stops come late", "none did: a busier machine may do");
	ok(!h.owed && h.counts.restarted > 0, "but they come, and cut waits short");
	printf("# %llu in time, %llu late, %llu waits made anew\n", (unsigned long long)h.counts.stops,
	       (unsigned long long)h.counts.late, (unsigned long long)h.counts.restarted);
	return NULL;
}

/* A wait that a stop cuts short is made anew even if nobody waits for that stop any more. */
static void late_waits(void)
{
	pthread_t thread;
	pid_t busy;

	shared_reset();
	sh->cpu = sched_getcpu();
	target = child_start(wait_starved);
	comes(sh->tid[0] && state_of(target) == 'S');
	busy = child_start(take_cpu);
	comes(sh->turns);
	pthread_create(&thread, NULL, look_starved, NULL);
	pthread_join(thread, NULL);
	child_kill(busy);
	sh->end = true;
	is_int(end_of(target), 0, "the target ends well");
	is_int((long long)sh->eintr, 0, "and does not get EINTR");
}

/* Not where ptrace is filtered, or where the processor's registers are not known here. */
static bool can_stop(void)
{
	struct hold h;
	bool can;

	start_spinning();
	hold_init(&h, &hold_ptrace);
	can = stops(&h);
	can_see_calls = h.registers.known;
	child_kill(target);
	h.ops->detach(&h, &(struct task){ .tid = target });
	return can;
}

int main(int argc, char **argv)
{
	self = "/proc/self/exe";
	if (argc == 3 && !strcmp(argv[1], "exec-storm"))
		return exec_storm(atoi(argv[2]));
	if (!can_stop()) {
		tap_skip("stops of a thread", "ptrace is not permitted here");
		return tap_done();
	}
#if defined(__x86_64__)
	registers();
#endif
	signals();
	group_stop();
	stop_and_go();
	other_tracer();
	killed();
	if (can_see_calls) {
		waits(false);
		waits(true);
		wait_stopped();
	}
	thread_ends();
	exec_ends();
	own_child();
	late();
	if (can_see_calls)
		late_waits();
	return tap_done();
}
