/* SPDX-License-Identifier: MIT
 * Prints the thread names that threadnames_read() finds in a process, in every interpreter of it:
 * "ID<tab>NAME" each, after "microseconds<tab>N" of the reading alone. threadnames PID. */
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

int main(int argc, char **argv)
{
	struct err err = { 0 };
	struct text text = { 0 };
	struct py_target t;
	struct remote r;
	uint64_t before;
	int n;
	pid_t pid;

	if (argc != 2)
		return EXIT_USAGE;
	pid = (pid_t)strtol(argv[1], NULL, 10);
	if (remote_open_process(&r, pid, &err) < 0 || target_locate(&t, pid, &r, &err) < 0) {
		err_print(&err);
		return err.status;
	}
	text.file = open_memstream(&text.data, &text.len);
	before = clock_mono_ns();
	n = names_of_all(&t, &text);
	printf("microseconds\t%llu\n",
	       (unsigned long long)(clock_mono_ns() - before) / NSEC_PER_USEC);
	fclose(text.file);
	fputs(text.data, stdout);
	free(text.data);
	remote_close(&r);
	if (n < 0)
		fprintf(stderr, "threadnames: returned %d\n", n);
	return n < 0;
}
