/* SPDX-License-Identifier: MIT
 * Which processes there are, in a /proc of our own making. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mem/processes.h"
#include "mem/procfs.h"
#include "tap.h"

static char root[] = "/tmp/pystoker-proc-XXXXXX";

static void put(const char *name, const char *text, size_t len)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	if (!f || fwrite(text, 1, len, f) != len || fclose(f))
		exit(99);
}

static void process(pid_t pid, pid_t ppid, unsigned long long start, const char *cmdline, size_t len)
{
	char name[64], text[256];

	snprintf(name, sizeof(name), "%s/%d", root, (int)pid);
	mkdir(name, 0755);
	snprintf(name, sizeof(name), "%d/stat", (int)pid);
	snprintf(text, sizeof(text), "%d (a) b) S %d 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 %llu 1 1 1 "
		 "1 1 1 1 1 0 0 0 0 0 0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0", (int)pid, (int)ppid, start);
	put(name, text, strlen(text));
	snprintf(name, sizeof(name), "%d/cmdline", (int)pid);
	put(name, cmdline, len);
}

#define ARGS(text) text, sizeof(text) - 1

static void make_proc(void)
{
	if (!mkdtemp(root))
		exit(99);
	procfs_root = root;
	process(1, 0, 5, ARGS("/sbin/init\0"));
	process(900, 1, 10, ARGS("gunicorn: master\0app:app\0"));
	process(901, 900, 11, ARGS("gunicorn: worker\0"));
	process(120, 901, 12, ARGS("python3\0-m\0worker\0")); /* PIDs have wrapped around */
	process(121, 120, 13, ARGS("sleep\0" "1\0"));
	process(500, 1, 14, ARGS("python3.11\0other.py\0"));
	put("loadavg", "0.00 0.01 0.05 1/123 4567\n", 26);
}

static void is_list(const struct process_id *got, size_t n, const char *expected, const char *what)
{
	char text[256] = "";

	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d@%llu", i ? " " : "",
			 (int)got[i].pid, (unsigned long long)got[i].start_ticks);
	is_str(text, expected, what);
}

static size_t matching(const char *expression, struct process_id *out)
{
	regex_t re;
	size_t n;

	if (regcomp(&re, expression, REG_EXTENDED | REG_NOSUB))
		exit(99);
	n = processes_matching(&re, out, 8);
	regfree(&re);
	return n;
}

int main(void)
{
	struct process_id list[8];

	make_proc();
	is_list(list, processes_below(900, list, 8), "120@12 121@13 900@10 901@11", "a tree");
	is_list(list, processes_below(900, list, 2), "120@12 121@13", "no more than there is room for");
	is_list(list, processes_below(121, list, 8), "121@13", "a leaf");
	is_list(list, processes_below(4242, list, 8), "", "none");
	is_list(list, matching("python|uvicorn", list), "120@12 500@14", "by expression");
	is_list(list, matching("master app", list), "900@10", "arguments are joined by blanks");
	is_list(list, matching("^$", list), "", "nothing matches");
	is_int(processes_last(), 4567, "the last PID given out");
	put("loadavg", "garbage", 7);
	is_int(processes_last(), 0, "unknown");
	return tap_done();
}
