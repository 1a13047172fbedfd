/* SPDX-License-Identifier: MIT
 * The table of commands, and the way from argv to one of them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"

const struct command *const commands[] = {
	&cmd_record,
	&cmd_dump,
	&cmd_push,
	&cmd_exec,
	&cmd_doctor,
	&cmd_help,
	NULL,
};

struct global_values {
	bool version;
};

const struct option_row global_options[] = {
	OPTION_HELP_ROW("Options"),
	{ .name = "version", .letter = 'V', .type = OPT_FLAG,
	  .offset = offsetof(struct global_values, version),
	  .help = "Print the version and those of the libraries, and exit" },
	{ .name = NULL },
};

static const char *next_command(const void *from, size_t i)
{
	const struct command *const *table = from;

	return table[i] ? table[i]->name : NULL;
}

static const struct command *unknown_command(const char *word, struct err *err)
{
	err_set(err, 0, EXIT_USAGE, "unknown command '%.80s'", word);
	if (!suggest(err, word, "", next_command, commands))
		err_hint(err, "pystoker --help lists the commands");
	return NULL;
}

const struct command *command_find(const char *word, struct err *err)
{
	const struct command *match = NULL;
	size_t len = strlen(word);

	for (size_t i = 0; len && commands[i]; i++) {
		if (strncmp(commands[i]->name, word, len))
			continue;
		if (!commands[i]->name[len] || (len == 1 && commands[i]->letter == *word))
			return commands[i];
		if (match) {
			err_set(err, 0, EXIT_USAGE, "the command '%s' is ambiguous: %s, %s", word,
				match->name, commands[i]->name);
			return NULL;
		}
		match = commands[i];
	}
	return match ? match : unknown_command(word, err);
}

/* `pystoker` alone: the help, but as words on stderr and as an error, for scripts. */
static int no_command(void)
{
	struct buf b = BUF_INIT;

	help_text(&b, NULL);
	if (write(STDERR_FILENO, b.data, b.len) < 0) {
		/* nobody left to tell */
	}
	buf_release(&b);
	return EXIT_USAGE;
}

/* The words before the command are parsed by the same parser, as a command without a name. */
static int parse_global(int argc, char **argv, struct global_values *v, int *ret_rest,
			struct err *err)
{
	static const struct command global = { .name = "", .options = global_options };

	return options_parse(&global, argc, argv, v, ret_rest, err);
}

int commands_main(int argc, char **argv)
{
	struct global_values v = { false };
	const struct command *cmd = NULL;
	struct err err;
	int rest, ret = parse_global(argc, argv, &v, &rest, &err);

	if (ret > 0)
		return EXIT_OK;
	if (ret == 0 && v.version)
		return version_print();
	if (ret == 0 && rest >= argc)
		return no_command();
	if (ret == 0)
		cmd = command_find(argv[rest], &err);
	if (cmd)
		return cmd->run(cmd, argc - rest, argv + rest);
	err_print(&err);
	return err.status;
}
