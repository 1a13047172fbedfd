/* SPDX-License-Identifier: MIT
 * `pystoker record`: samples a process for a while and writes a profile. */
#include "record.h"

#include "cmd/command.h"

static int record_run(const struct command *cmd _unused_, int argc, char **argv)
{
	struct record_options o;
	struct err err;
	int ret = record_parse(argc, argv, &o, &err);

	if (ret > 0)
		return EXIT_OK;
	if (ret == 0)
		err_set(&err, 0, EXIT_FAILED, "record: not there yet");
	err_print(&err);
	return err.status;
}

static const char *const record_examples[] = {
	"pystoker record -p 4242 -d 10 -o profile.svg",
	"ten seconds of process 4242 as a flame graph for the browser",
	"pystoker record -o profile.speedscope.json -- python3 app.py",
	"start a program and record it until it ends; its exit status is kept",
	"pystoker record -p 4242 -f raw -o - -d 5 | sort | head",
	"stacks and counts as text on stdout",
	NULL,
};

const struct command cmd_record = {
	.name = "record",
	.summary = "Record where a process spends its time, into a file",
	.synopsis = "[OPTIONS] -p PID\n[OPTIONS] [--] PROGRAM [ARGUMENT...]",
	.examples = record_examples,
	.options = record_options,
	.takes_program = true,
	.run = record_run,
};
