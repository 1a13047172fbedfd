/* SPDX-License-Identifier: MIT
 * doctor's look at this machine: what we may, found out by doing it. */
#include "doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "folder.h"
#include "mem/permission.h"
#include "mem/processes.h"
#include "mem/procfs.h"
#include "native.h"
#include "native/kallsyms.h"
#include "py/attach.h"
#include "py/guess.h"
#include "sampler/sampler.h"
#include "ship/spool.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define TRIED_MAX 256u                       /* processes looked into; more are only counted */
#define PATIENCE_NS (200 * NSEC_PER_MSEC)    /* for the process that was named and is just starting */
#define ROOM_BYTES (256ull << 20)            /* push's --spool-size, unless told otherwise */
#define CMDLINE_SHOWN 120

/* --- our rights ------------------------------------------------------------------------------- */

static void check_reading(const struct permission_facts *f, struct checks *c)
{
	if (f->probe_refused) {
		struct check *check = checks_add(c, "rights", CHECK_FAIL);

		permission_explain(f, &check->err);
		return;
	}
	checks_say(c, "rights", CHECK_OK, 0, "memory can be read (process_vm_readv); we are user %u "
		   "%s CAP_SYS_PTRACE%s", (unsigned int)f->uid,
		   f->caps >> CAP_SYS_PTRACE & 1 ? "with" : "without",
		   f->seccomp ? ", below a seccomp filter" : "");
}

/* Documentation/admin-guide/LSM/Yama.rst at v6.1. Whether it matters the processes tell. */
static void check_yama(const struct permission_facts *f, struct checks *c)
{
	static const char *const meanings[] = {
		"a process of our own user may be read",
		"only descendants may be read, unless with CAP_SYS_PTRACE",
		"only with CAP_SYS_PTRACE a process may be read",
		"no process may be read",
	};
	bool free_to = f->yama_scope <= 0 ||
		       (f->yama_scope < 3 && (f->caps >> CAP_SYS_PTRACE & 1));
	struct check *check;

	if (f->yama_scope < 0 || f->yama_scope >= (int)ARRAY_SIZE(meanings)) {
		checks_say(c, "yama", CHECK_OK, 0, "the kernel has no ptrace_scope");
		return;
	}
	check = checks_say(c, "yama", free_to ? CHECK_OK : CHECK_WARN, 0,
			   "kernel.yama.ptrace_scope is %d: %s", f->yama_scope,
			   meanings[f->yama_scope]);
	if (!free_to)
		err_hint(&check->err, "%s", f->yama_scope == 3 ? "only a reboot undoes this" :
			 "add the capability SYS_PTRACE, or start the program by pystoker exec, which "
			 "needs none");
}

/* PROC_PID_INIT_INO, include/linux/proc_ns.h. */
#define PIDNS_INITIAL "pid:[4026531836]"

static void check_namespaces(const struct permission_facts *f, struct checks *c)
{
	static const char *const user[] = {
		[PERMISSION_UNKNOWN] = "unknown", [PERMISSION_NO] = "one of its own",
		[PERMISSION_YES] = "the host's",
	};
	char pid[64];
	bool known = !procfs_readlink(getpid(), "ns/pid", pid, sizeof(pid));
	bool host = known && !strcmp(pid, PIDNS_INITIAL);

	checks_say(c, "namespace", CHECK_OK, 0, "PID namespace: %s; user namespace: %s%s",
		   !known ? "unknown" : host ? "the host's" : "one of its own",
		   user[f->own_userns_initial],
		   known && !host ? "; processes outside cannot be seen" : "");
}

/* A process that cannot be: the call itself says whether it is let through. */
static bool ptrace_refused(void)
{
	return ptrace(PTRACE_SEIZE, INT_MAX, NULL, NULL) < 0 && errno == EPERM;
}

static const char *kernel_names(void)
{
	struct kallsyms k;
	const char *said;

	kallsyms_init(&k);
	kallsyms_find(&k, 0);
	said = k.hidden ? "; --native=kernel has no names: kernel.kptr_restrict, or no CAP_SYSLOG" : "";
	kallsyms_release(&k);
	return said;
}

/* Tried on ourselves; whether others may be looked into is the checks' of processes. */
static void check_native(struct checks *c)
{
	struct check *check;
	struct err missing = { 0 };
	int no;
	enum native_way way = sampler_native_way(getpid(), NATIVE_NONE, &no);

	if (no == ENOTSUP) {
		checks_say(c, "native", CHECK_WARN, 0, "--native works on x86-64 only so far");
		return;
	}
	if (way == NATIVE_PERF) {
		checks_say(c, "native", CHECK_OK, 0, "--native works %s%s", native_way_text(way),
			   kernel_names());
		return;
	}
	native_perf_missing(no, &missing);
	if (ptrace_refused())
		check = checks_say(c, "native", CHECK_WARN, 0, "--native does not work: ptrace is "
				   "refused, and no switch records: %s", missing.text);
	else
		check = checks_say(c, "native", CHECK_OK, 0, "--native works %s; no switch records: %s",
				   native_way_text(way), missing.text);
	err_hint(&check->err, "%s", missing.hint);
}

/* --- processes -------------------------------------------------------------------------------- */

struct tried {
	const struct doctor_options *o;
	struct checks *c;
	bool selected;        /* by PID or expression: each must be readable */
	size_t read, failed, more;
	cpu_set_t ours, foreign; /* CPUs we may run on; those of processes where we may not */
};

static uint32_t on_thread(void *arg _unused_, const struct sampler_thread_info *info _unused_)
{
	return 0;
}

static void on_look(void *arg _unused_, const struct look *look _unused_)
{
}

/* One look at each thread, as a recording would take it. */
static ssize_t look_once(const struct attached *a, struct sampler_stats *ret)
{
	static const struct sampler_config config = { .rate_hz = 1, .idle = true,
						      .placement = PLACE_ON_CPU };
	static const struct sampler_ops ops = { .on_thread = on_thread, .on_look = on_look };
	struct symtab symtab;
	struct sampler *s;
	ssize_t n;

	symtab_init(&symtab);
	s = sampler_new(&a->target, &symtab, &config, &ops);
	n = sampler_once(s);
	sampler_stats(s, ret);
	sampler_free(s);
	symtab_release(&symtab);
	return n;
}

static void say_read(struct tried *t, const struct attached *a, ssize_t threads,
		     const struct sampler_stats *stats)
{
	char version[PYVER_TEXT_MAX], cmdline[CMDLINE_SHOWN];
	uint64_t dropped = stats_dropped(stats);
	bool poor = dropped || stats->proven < stats->samples;
	struct check *check;

	if (procfs_cmdline(a->target.pid, cmdline, sizeof(cmdline)) < 0)
		cmdline[0] = '\0';
	check = checks_say(t->c, "process", poor || a->target.version_guessed ? CHECK_WARN : CHECK_OK,
			   0, "PID %d: Python %s%s, threads %zd, stacks read %" PRIu64 ", proven %" PRIu64
			   ": %s", (int)a->target.pid, pyver_text(a->target.version, version),
			   a->target.layout.free_threaded ? " free-threading" : "", threads,
			   stats->samples, stats->proven, cmdline);
	check->pid = a->target.pid;
	if (poor)
		err_hint(&check->err, "the threads run too fast to be read in one look; where this "
			 "remains, see the check cpus");
	else if (a->target.version_guessed)
		err_hint(&check->err, "newer than the newest version this pystoker knows: update it");
	t->read++;
}

/* Processes that only looked like Python, or are gone meanwhile, are no complaint; nor are others
 * whose command line matches, as that of the sudo or shell that started us does. */
static void say_unread(struct tried *t, pid_t pid, const struct err *err)
{
	struct check *check;
	char cmdline[CMDLINE_SHOWN], who[32];
	size_t len;

	if (!t->o->pid && (err->status == EXIT_NOT_PYTHON || err->status == EXIT_GONE))
		return;
	check = checks_add(t->c, "process", CHECK_FAIL);
	check->pid = pid;
	check->err = *err;
	len = strlen(check->err.text);
	snprintf(who, sizeof(who), "PID %d: ", (int)pid);
	if (!strncmp(check->err.text, who, strlen(who)))
		checks_reason(check, strlen(who), len);
	if (!procfs_cmdline(pid, cmdline, sizeof(cmdline)))
		snprintf(check->err.text + len, sizeof(check->err.text) - len, ": %s", cmdline);
	t->failed++;
}

/* Samples are proven on the CPU that the target runs on: sampler/hold.c. */
static void note_cpus(struct tried *t, pid_t pid)
{
	cpu_set_t theirs;

	if (sched_getaffinity(pid, sizeof(theirs), &theirs))
		return;
	for (size_t i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &theirs) && !CPU_ISSET(i, &t->ours))
			CPU_SET(i, &t->foreign);
}

static void try_process(struct tried *t, pid_t pid)
{
	struct sampler_stats stats;
	struct attached *a = xcalloc(1, sizeof(*a));
	struct err err = { 0 };
	ssize_t threads;

	if (!attach_open(a, pid, t->o->pid ? PATIENCE_NS : 0, NULL, NULL, &err)) {
		threads = look_once(a, &stats);
		if (threads >= 0)
			say_read(t, a, threads, &stats);
		else
			err_set(&err, 0, EXIT_GONE, "PID %d: the process ended before it could be "
				"read", (int)pid);
		note_cpus(t, pid);
		attach_close(a);
	}
	if (err.status)
		say_unread(t, pid, &err);
	free(a);
}

/* Every process, where no expression is given: those that do not look like Python are left out then. */
static size_t list_processes(const struct doctor_options *o, struct process_id *out)
{
	regex_t any;
	size_t n;

	if (o->match)
		return processes_matching(&o->regex, out, PROCESSES_MAX);
	if (regcomp(&any, ".", REG_EXTENDED | REG_NOSUB))
		return 0;
	n = processes_matching(&any, out, PROCESSES_MAX);
	regfree(&any);
	return n;
}

static void try_all(struct tried *t)
{
	struct process_id *list = xcalloc(PROCESSES_MAX, sizeof(*list));
	size_t n = list_processes(t->o, list);

	for (size_t i = 0; i < n; i++) {
		if (!t->o->match && !guess_python(list[i].pid))
			continue;
		if (t->read + t->failed < TRIED_MAX)
			try_process(t, list[i].pid);
		else
			t->more++;
	}
	free(list);
}

/* Of all there are, some that may not be read are no failure as long as others may. */
static void soften(struct tried *t)
{
	for (size_t i = 0; i < t->c->count; i++) {
		struct check *check = &t->c->list[i];

		if (strcmp(check->id, "process") || check->verdict != CHECK_FAIL)
			continue;
		check->verdict = CHECK_WARN;
		check->err.status = 0;
	}
}

static void say_none(struct tried *t)
{
	/* Who asks for a service's data may sit elsewhere. */
	bool elsewhere = t->o->app && !t->o->local && !t->selected;
	struct check *check = checks_say(t->c, "process", elsewhere ? CHECK_WARN : CHECK_FAIL,
					 elsewhere ? 0 : EXIT_NOT_PYTHON, "no Python process %s",
					 t->o->match ? "whose command line matches" : "can be seen");
	struct proc_stat st;

	if (proc_stat_read(&st, 1))
		err_hint(&check->err, "/proc hides processes of others here (hidepid): run it as root, "
			 "or as the user of the service");
	else
		err_hint(&check->err, "run it where the service runs: in its container (docker exec, "
			 "kubectl exec), or on the host");
}

static void check_cpus(const struct tried *t)
{
	struct check *check;
	int n = CPU_COUNT(&t->foreign);

	if (!t->read)
		return;
	if (!n) {
		checks_say(t->c, "cpus", CHECK_OK, 0, "we may run on every CPU that they may run on");
		return;
	}
	check = checks_say(t->c, "cpus", CHECK_WARN, 0, "CPUs where they may run and we may not: %d; "
			   "stacks read while they run there are not proven", n);
	err_hint(&check->err, "give pystoker the same cpuset (docker --cpuset-cpus, taskset, "
		 "systemd AllowedCPUs)");
}

static void check_processes(const struct doctor_options *o, struct checks *c)
{
	struct tried t = { .o = o, .c = c, .selected = o->pid || o->match };

	if (sched_getaffinity(0, sizeof(t.ours), &t.ours))
		memset(&t.ours, 0xff, sizeof(t.ours)); /* more CPUs than fit: nothing is said */
	if (o->pid)
		try_process(&t, o->pid);
	else
		try_all(&t);
	if (t.read && t.failed && !t.selected)
		soften(&t);
	if (!t.read && !t.failed)
		say_none(&t);
	if (t.more)
		checks_say(c, "process", CHECK_WARN, 0, "%zu more were not looked at", t.more);
	check_cpus(&t);
}

/* --- folders ---------------------------------------------------------------------------------- */

static void check_spool(const struct doctor_options *o, struct checks *c)
{
	char *dir = o->spool ? xstrdup(o->spool) : spool_default_dir(o->app ? o->app : "pystoker");
	struct folder f;
	struct check *check;
	int r = folder_try(&f, dir);

	if (r) {
		check = checks_say(c, "spool", CHECK_WARN, 0, "%.300s cannot be written: %s; what the "
				   "server does not take at once is kept in memory only", f.path,
				   strerror(-r));
		err_hint(&check->err, "--spool DIR (PYSTOKER_SPOOL) names another folder");
	} else if (f.free_bytes < ROOM_BYTES) {
		check = checks_say(c, "spool", CHECK_WARN, 0, "%.300s has only %" PRIu64 " MiB left",
				   dir, f.free_bytes >> 20);
		err_hint(&check->err, "push wants up to 256 MiB (--spool-size); --spool DIR names "
			 "another folder");
	} else {
		checks_say(c, "spool", CHECK_OK, 0, "%.300s can be written", dir);
	}
	free(dir);
}

void doctor_local(const struct doctor_options *o, struct checks *c, doctor_tell_fn tell, void *arg)
{
	struct permission_facts f;

	permission_collect(&f, getpid());
	check_reading(&f, c);
	check_yama(&f, c);
	check_namespaces(&f, c);
	check_native(c);
	tell(arg);
	check_processes(o, c);
	tell(arg);
	check_spool(o, c);
	doctor_pusher(o, c);
}
