/* SPDX-License-Identifier: MIT
 * `pystoker dump`: prints the stacks of a process once. */
#include "dump.h"

#include "cmd/command.h"

static int dump_run(const struct command *cmd _unused_, int argc, char **argv)
{
	struct dump_options o;
	struct err err;
	int ret = dump_parse(argc, argv, &o, &err);

	if (ret > 0)
		return EXIT_OK;
	if (ret == 0)
		err_set(&err, 0, EXIT_FAILED, "dump: not there yet");
	err_print(&err);
	return err.status;
}

static const char *const dump_examples[] = {
	"pystoker dump -p 4242",
	"what every thread of process 4242 is doing right now",
	"pystoker dump -p 4242 --json | python3 -m json.tool",
	"the same for programs",
	NULL,
};

const struct command cmd_dump = {
	.name = "dump",
	.summary = "Print the stacks of all threads of a process once",
	.synopsis = "[OPTIONS] -p PID",
	.examples = dump_examples,
	.options = dump_options,
	.run = dump_run,
};
