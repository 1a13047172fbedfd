/* SPDX-License-Identifier: MIT
 * Commands: one row per command, one file per row. */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "cmd/option.h"

struct command {
	const char *name;              /* "record" */
	const char *summary;           /* one line, no full stop */
	const char *synopsis;          /* what follows the name: "[OPTIONS] -p PID | -- PROGRAM…" */
	const char *const *examples;   /* pairs: command line, what it does; NULL-terminated */
	const struct option_row *options; /* ends with an empty row */
	/* argv[0] is the command's name. Returns the exit status. */
	int (*run)(const struct command *cmd, int argc, char **argv);
};

extern const struct command cmd_record, cmd_dump;
extern const struct command *const commands[]; /* NULL-terminated */

#endif
