/* SPDX-License-Identifier: MIT
 * Native frames made ready. */
#include "native.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PERMIT "CAP_PERFMON, or 1 or less in /proc/sys/kernel/perf_event_paranoid, lets it be done"

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
		  char *why, size_t why_size, struct err *err)
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
		snprintf(why, why_size, "no switch records (%s): the running thread is stopped by ptrace "
			 "for each look; " PERMIT " without", strerror(no));
	if (no && config->native_kernel) {
		err_set(err, -no, EXIT_DENIED, "--native=kernel: the kernel gives no switch records: %s",
			strerror(no));
		err_hint(err, PERMIT);
		return -no;
	}
	return 0;
}

int native_begin(const struct native_options *o, pid_t pid, struct sampler_config *config,
		 struct mixer **ret, char *why, size_t why_size, struct err *err)
{
	const struct mixer_config c = {
		.level = o->level, .engine = o->engine, .debuginfod = o->debuginfod,
	};
	int r;

	*ret = NULL;
	why[0] = '\0';
	if (!o->on)
		return 0;
	r = choose(o, pid, config, why, why_size, err);
	if (r)
		return r;
	*ret = mixer_new(&c);
	return *ret ? 0 : err_set(err, -EAGAIN, EXIT_FAILED, "cannot start the thread that unwinds");
}
