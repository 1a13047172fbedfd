/* SPDX-License-Identifier: MIT
 * Native frames made ready. */
#include "native.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem/procfs.h"

/* Documentation/admin-guide/sysctl/kernel.rst; Debian's kernels know 3 as well, which forbids all. */
static int read_paranoid(void)
{
	long level;

	return procfs_sysctl("kernel/perf_event_paranoid", &level) < 0 ? -1 : (int)level;
}

/* perf_event_open(2): EACCES is the kernel's own answer to who lacks the right; EPERM comes from
 * seccomp filters and security modules. */
void native_perf_missing(int no, struct err *err)
{
	switch (no) {
	case EACCES:
		err_set(err, -no, EXIT_DENIED, "no CAP_PERFMON, and kernel.perf_event_paranoid is %d",
			read_paranoid());
		err_hint(err, "add the capability PERFMON, or sysctl kernel.perf_event_paranoid=1");
		break;
	case EPERM:
		err_set(err, -no, EXIT_DENIED, "perf_event_open is refused, as by a seccomp filter");
		err_hint(err, "in a container add the capability PERFMON, which the default seccomp "
			 "profile goes by, or --security-opt seccomp=unconfined");
		break;
	case ENOSYS: case ENOENT: case EOPNOTSUPP:
		err_set(err, -no, EXIT_DENIED, "no perf events: the kernel has none, or a seccomp "
			"filter hides them");
		break;
	default:
		err_set(err, -no, EXIT_DENIED, "perf_event_open: %s", strerror(no));
	}
}

const char *native_way_text(enum native_way way)
{
	switch (way) {
	case NATIVE_PERF: return "from the kernel's switch records, nothing is stopped";
	case NATIVE_PTRACE: return "by stopping the running thread for each look (ptrace)";
	case NATIVE_NONE: break;
	}
	return "none";
}

static int refuse_perf(const char *option, int no, struct err *err)
{
	native_perf_missing(no, err);
	err_prefix(err, "%s needs the kernel's switch records", option);
	return -no;
}

/* Level and way into the sampler's config. */
static int choose(const struct native_options *o, pid_t pid, struct sampler_config *config,
		  char *how, size_t how_size, struct err *err)
{
	struct err missing = { 0 };
	int no = 0;

	config->native = sampler_native_way(pid ? pid : getpid(), o->way, &no);
	config->native_kernel = o->level == NATIVE_KERNEL;
	if (no == ENOTSUP)
		return err_set(err, -no, EXIT_UNSUPPORTED,
			       "--native: native frames are known on x86-64 only so far");
	if (no == ESRCH) /* what follows will say so */
		return 0;
	if (no && o->way == NATIVE_PERF)
		return refuse_perf("--unwind=perf", no, err);
	if (no && config->native_kernel)
		return refuse_perf("--native=kernel", no, err);
	snprintf(how, how_size, "%s", native_way_text(config->native));
	if (!no || o->way != NATIVE_NONE)
		return 0;
	native_perf_missing(no, &missing);
	snprintf(how, how_size, "%s, as the kernel gives no switch records: %s%s%s",
		 native_way_text(config->native), missing.text, missing.hint[0] ? " -> " : "",
		 missing.hint);
	return 0;
}

/* Asked for, and nobody to ask: said, as it changes nothing but names. */
static void say_nobody(const struct native_options *o, char *how, size_t how_size)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	size_t len = strlen(how);

	if (o->debuginfod && !(urls && *urls))
		snprintf(how + len, how_size - len,
			 "; --debuginfod asks nobody: DEBUGINFOD_URLS is not set");
}

int native_begin(const struct native_options *o, pid_t pid, struct sampler_config *config,
		 struct mixer **ret, char *how, size_t how_size, struct err *err)
{
	const struct mixer_config c = {
		.level = o->level, .engine = o->engine, .debuginfod = o->debuginfod,
	};
	int r;

	*ret = NULL;
	how[0] = '\0';
	if (!o->on)
		return 0;
	r = choose(o, pid, config, how, how_size, err);
	if (r)
		return r;
	say_nobody(o, how, how_size);
	*ret = mixer_new(&c, err);
	return *ret ? 0 : -EAGAIN;
}

void native_stats_text(const struct mixer_stats *s, struct buf *out)
{
	struct buf trouble = BUF_INIT;

	if (!s->looks)
		return;
	buf_addf(out, "native frames: %llu of %llu stacks merged", (unsigned long long)s->merged,
		 (unsigned long long)s->looks);
	if (s->walks)
		buf_addf(out, ", %.1f %% of the walks complete, %.1f us a walk",
			 100.0 * (double)s->complete / (double)s->walks,
			 (double)s->walk_ns / 1e3 / (double)s->walks);
	mixer_stats_text(s, &trouble);
	if (trouble.len)
		buf_addf(out, " (%s)", trouble.data);
	buf_release(&trouble);
}
