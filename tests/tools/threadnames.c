/* SPDX-License-Identifier: MIT
 * Prints the thread names that threadnames_read() finds in a process, in every interpreter of it:
 * "ID<tab>NAME" each, after "microseconds<tab>N" of the reading alone. threadnames PID [TIMES]
 * reads again and again; a reading that failed prints "failed<tab>ERRNO" and is no error then. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "py/target.h"
#include "py/threadname.h"
#include "util/clock.h"

enum { INTERPRETERS_MAX = 64 };

struct text {
	char *data;
	size_t len;
	FILE *file;
};

static void print_name(void *arg, uint64_t thread_id, const char *name)
{
	fprintf(((struct text *)arg)->file, "%" PRIu64 "\t%s\n", thread_id, name);
}

/* Every interpreter's names; the number of them or the first error. */
static int names_of_all(const struct py_target *t, struct text *text)
{
	remote_addr interp;
	int total = 0;
	int err = remote_read_u64(t->remote, t->runtime + t->layout.runtime.interpreters_head,
				  &interp);

	for (int i = 0; !err && interp && i < INTERPRETERS_MAX; i++) {
		int n = threadnames_read(t, interp, print_name, text);

		if (n < 0 && n != -ENOENT /* threading is not imported there */)
			return n;
		total += n > 0 ? n : 0;
		err = remote_read_u64(t->remote, interp + t->layout.interp.next, &interp);
	}
	return err ? err : total;
}

static int read_once(const struct py_target *t)
{
	struct text text = { 0 };
	uint64_t before = clock_mono_ns();
	int n;

	text.file = open_memstream(&text.data, &text.len);
	n = names_of_all(t, &text);
	fclose(text.file);
	printf("microseconds\t%llu\n",
	       (unsigned long long)(clock_mono_ns() - before) / NSEC_PER_USEC);
	fputs(text.data, stdout);
	if (n < 0)
		printf("failed\t%d\n", n);
	free(text.data);
	return n;
}

int main(int argc, char **argv)
{
	struct err err = { 0 };
	struct py_target t;
	struct remote r;
	int n = 0;
	pid_t pid;

	if (argc < 2)
		return EXIT_USAGE;
	pid = (pid_t)strtol(argv[1], NULL, 10);
	if (remote_open_process(&r, pid, &err) < 0 || target_locate(&t, pid, &r, &err) < 0) {
		err_print(&err);
		return err.status;
	}
	for (long times = argc > 2 ? strtol(argv[2], NULL, 10) : 1; times > 0; times--)
		n = read_once(&t);
	remote_close(&r);
	return argc == 2 && n < 0;
}
