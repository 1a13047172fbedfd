/* SPDX-License-Identifier: MIT
 * Native frames made ready. */
#include "native.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PERMIT "CAP_PERFMON, or 1 or less in /proc/sys/kernel/perf_event_paranoid, lets it be done"

const char *native_way_text(enum native_way way)
{
	switch (way) {
	case NATIVE_PERF: return "from the kernel's switch records, nothing is stopped";
	case NATIVE_PTRACE: return "by stopping the running thread for each look (ptrace)";
	case NATIVE_NONE: break;
	}
	return "none";
}

static int refuse_perf(int why, struct err *err)
{
	err_set(err, -why, EXIT_DENIED, "--unwind=perf: the kernel gives no switch records: %s",
		strerror(why));
	err_hint(err, PERMIT "; in a container its seccomp profile has to allow perf_event_open too; "
		 "--unwind=ptrace does without");
	return -why;
}

/* Level and way into the sampler's config. */
static int choose(const struct native_options *o, pid_t pid, struct sampler_config *config,
		  char *how, size_t how_size, struct err *err)
{
	int no = 0;

	config->native = sampler_native_way(pid ? pid : getpid(), o->way, &no);
	config->native_kernel = o->level == NATIVE_KERNEL;
	if (no == ENOTSUP)
		return err_set(err, -no, EXIT_UNSUPPORTED,
			       "--native: native frames are known on x86-64 only so far");
	if (no == ESRCH) /* what follows will say so */
		return 0;
	if (no && o->way == NATIVE_PERF)
		return refuse_perf(no, err);
	if (no && o->way == NATIVE_NONE)
		snprintf(how, how_size, "%s, as there are no switch records (%s); " PERMIT " without",
			 native_way_text(config->native), strerror(no));
	else
		snprintf(how, how_size, "%s", native_way_text(config->native));
	if (no && config->native_kernel) {
		err_set(err, -no, EXIT_DENIED, "--native=kernel: the kernel gives no switch records: %s",
			strerror(no));
		err_hint(err, PERMIT);
		return -no;
	}
	return 0;
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
	*ret = mixer_new(&c);
	return *ret ? 0 : err_set(err, -EAGAIN, EXIT_FAILED, "cannot start the thread that unwinds");
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
