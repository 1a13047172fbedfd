/* SPDX-License-Identifier: MIT
 * The options of `pystoker dump`. */
#include <errno.h>

#include "cmd/command.h"
#include "dump.h"

#define AT(field) .offset = offsetof(struct dump_options, field)

const struct option_row dump_options[] = {
	{ .group = "What to show", .name = "pid", .letter = 'p', .type = OPT_PID, AT(pid),
	  .argument = "PID", .help = "The running process to look into, in decimal or 0x hex" },
	{ .name = "json", .letter = 'j', .type = OPT_FLAG, AT(json),
	  .help = "Print JSON, with the keys of py-spy's dump --json and more" },
	{ .name = "full-filenames", .type = OPT_FLAG, AT(full_filenames),
	  .help = "Show whole paths, not only the part below the package's folder" },

	{ .group = "How to sample", .name = "nonblocking", .type = OPT_FLAG, AT(nonblocking),
	  .conflicts = "blocking",
	  .help = "Never stop the process; this is the default, the option is for py-spy's users" },
	{ .name = "blocking", .type = OPT_FLAG, AT(blocking),
	  .help = "Stop the process with ptrace while it is read: exact" },
	NATIVE_ROWS(native),
	OPTION_HELP_ROW("Other"),
	{ .name = NULL },
};

int dump_parse(int argc, char **argv, struct dump_options *o, struct err *err)
{
	int rest, ret;

	*o = (struct dump_options){ 0 };
	ret = options_parse(&cmd_dump, argc, argv, o, &rest, err);
	if (ret)
		return ret;
	if (rest == argc && o->pid)
		return native_options_check(&o->native, "dump", o->blocking, err);
	if (rest < argc)
		err_set(err, 0, EXIT_USAGE, "dump: unexpected word '%.80s'", argv[rest]);
	else
		err_set(err, 0, EXIT_USAGE, "dump: no PID is given");
	err_hint(err, "pystoker dump -p PID");
	return -EINVAL;
}
