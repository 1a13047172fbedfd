/* SPDX-License-Identifier: MIT
 * Prints what target_locate() finds in a process, one "key value" per line: locate-pid PID.
 * Exits with the status that pystoker would. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "py/target.h"
#include "util/clock.h"

static void print_target(const struct py_target *t)
{
	char version[PYVER_TEXT_MAX];

	printf("version %s\n", pyver_text(t->version, version));
	printf("layout %s\n", pyver_text(t->layout.version | 0xf0, version));
	printf("free_threaded %d\ntrace_refs %d\n", t->layout.free_threaded, t->layout.trace_refs);
	printf("how %s\n", t->how);
	printf("debug_offsets %d\nversion_guessed %d\n", t->debug_offsets, t->version_guessed);
	printf("runtime %" PRIraddr "\n", t->runtime);
	printf("tstate_current %" PRIraddr "\n", t->tstate_current);
	printf("runtime.tstate_current %d\n", (int)t->layout.runtime.tstate_current);
	printf("tstate.base_frame %d\n", (int)t->layout.tstate.base_frame);
	printf("code_type %" PRIraddr "\n", t->code_type);
	printf("module %" PRIraddr "-%" PRIraddr "\n", t->module_start, t->module_end);
	printf("path %s\n", t->path);
}

int main(int argc, char **argv)
{
	uint64_t before = clock_mono_ns();
	struct py_target t;
	struct err err = { 0 };
	struct remote r = { 0 };
	pid_t pid;

	if (argc != 2)
		return EXIT_USAGE;
	pid = (pid_t)strtol(argv[1], NULL, 10);
	if (remote_open_process(&r, pid, &err) < 0 || target_locate(&t, pid, &r, &err) < 0) {
		err_print(&err);
		remote_close(&r);
		return err.status;
	}
	print_target(&t);
	printf("microseconds %llu\n",
	       (unsigned long long)(clock_mono_ns() - before) / NSEC_PER_USEC);
	remote_close(&r);
	return 0;
}
