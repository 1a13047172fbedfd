/* SPDX-License-Identifier: MIT
 * Records what is read of a live target's memory when all its stacks are read: fixtures for test-frames.
 * usage: record-pages PID EXPECTED OUT; EXPECTED are lines for the header, see tests/fixtures/record. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem/procfs.h"
#include "mem/task.h"
#include "py/fixture.h"
#include "stack_reader.h"

static void read_all(const struct py_target *t)
{
	struct stack_reader r;
	enum code_result code;

	stack_reader_init(&r, t);
	if (r.thread_count < 0)
		fprintf(stderr, "record-pages: threads: %zd\n", r.thread_count);
	for (ssize_t i = 0; i < r.thread_count; i++) {
		enum walk walked = stack_read(&r, i, true, &code);

		if ((walked != WALK_OK && walked != WALK_EMPTY) || code != CODE_OK)
			fprintf(stderr, "record-pages: a stack is %s, code %d\n", walk_text(walked),
				(int)code);
	}
	stack_reader_release(&r);
}

static int header_append(struct buf *header, const char *path)
{
	FILE *f = fopen(path, "r");
	char piece[4096];
	size_t got;

	if (!f)
		return -1;
	while ((got = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(header, piece, got);
	return fclose(f);
}

static int record(pid_t pid, const char *expected, const char *out, struct err *err)
{
	struct remote live, recorder;
	struct buf header = BUF_INIT;
	struct py_target t;
	pid_t nspid;
	int r = remote_open_process(&live, pid, err);

	if (!r)
		r = target_locate(&t, pid, &live, err);
	if (r)
		return r;
	task_foreign_namespace(pid, &nspid);
	threads_calibrate(&t, nspid);
	fixture_recorder_open(&recorder, &live);
	t.remote = &recorder;
	read_all(&t);
	r = target_to_fixture(&t, &recorder, &header);
	if (!r && header_append(&header, expected))
		r = err_set(err, -EIO, EXIT_FAILED, "%s: cannot be read", expected);
	if (!r)
		r = fixture_save(&recorder, header.data, out, err);
	buf_release(&header);
	remote_close(&recorder);
	remote_close(&live);
	return r;
}

int main(int argc, char **argv)
{
	struct err err = { 0 };

	if (argc != 4) {
		fputs("usage: record-pages PID EXPECTED OUT\n", stderr);
		return 2;
	}
	if (record((pid_t)atoi(argv[1]), argv[2], argv[3], &err)) {
		err_print(&err);
		return 1;
	}
	return 0;
}
