/* SPDX-License-Identifier: MIT
 * The floor of every sampler that wakes: sleeps to RATE moments a second on the CPU where PID runs, and does
 * nothing. Prints its own CPU time in % of a core.
 * usage: wake PID RATE SECONDS */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "mem/task.h"
#include "util/clock.h"

int main(int argc, char **argv)
{
	struct proc_stat where;
	struct task task;
	cpu_set_t cpus;
	uint64_t begin, cpu, step, looks;
	pid_t pid;

	if (argc != 4)
		return 2;
	pid = (pid_t)atoi(argv[1]);
	step = (uint64_t)(NSEC_PER_SEC / atof(argv[2]));
	looks = (uint64_t)(atof(argv[3]) * atof(argv[2]));
	if (task_open(&task, pid, pid) || task_where(&task, &where))
		return 1;
	CPU_ZERO(&cpus);
	CPU_SET((size_t)where.processor, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	prctl(PR_SET_TIMERSLACK, 1);
	begin = clock_mono_ns();
	cpu = clock_process_cpu_ns();
	for (uint64_t i = 1; i <= looks; i++) {
		uint64_t due = begin + i * step;
		struct timespec ts = { .tv_sec = (time_t)(due / NSEC_PER_SEC),
				       .tv_nsec = (long)(due % NSEC_PER_SEC) };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
	}
	printf("%.4f\n", 100.0 * (double)(clock_process_cpu_ns() - cpu) /
			 (double)(clock_mono_ns() - begin));
	task_close(&task);
	return 0;
}
