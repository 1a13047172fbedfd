/* SPDX-License-Identifier: MIT
 * Commands: one row per command, one file per row. */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "cmd/option.h"
#include "util/buf.h"

struct command {
	const char *name;              /* "record" */
	char letter;                   /* py-spy's short name, though other commands start with it; 0 */
	const char *summary;           /* one line, no full stop */
	const char *synopsis;          /* what follows the name; one line per way to call it */
	const char *const *examples;   /* pairs: command line, what it does; NULL-terminated */
	const struct option_row *options; /* ends with an empty row */
	bool takes_program;            /* what follows the options is a command line (completions) */
	bool takes_command;            /* … is the name of a command: `help` */
	bool environment;              /* options are read from PYSTOKER_NAME too */
	bool lenient;                  /* a wrong option does not keep the others from counting */
	/* argv[0] is the command's name. Returns the exit status. */
	int (*run)(const struct command *cmd, int argc, char **argv);
};

extern const struct command cmd_record, cmd_dump, cmd_push, cmd_exec, cmd_doctor, cmd_help;
extern const struct command *const commands[]; /* NULL-terminated, in the order help shows them */
extern const struct option_row global_options[]; /* --help and --version, before the command */

/* The command called `word`: its name or a prefix that fits only one (py-spy takes `r` and `d`).
 * NULL with EXIT_USAGE and a suggestion in err. */
const struct command *command_find(const char *word, struct err *err);

/* All of pystoker but the closing of stdout: returns the exit status. */
int commands_main(int argc, char **argv);

/* The text of `pystoker CMD --help`, and with NULL that of `pystoker --help`. */
void help_text(struct buf *b, const struct command *cmd);
int help_print(const struct command *cmd); /* to stdout; returns EXIT_OK */

/* The libraries and the build, for --version. */
int version_print(void); /* to stdout; returns EXIT_OK */

#endif
