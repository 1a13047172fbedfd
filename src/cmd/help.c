/* SPDX-License-Identifier: MIT
 * The text of --help, made from the tables, never wider than 80 columns. */
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"

#define WIDTH 80
#define OPTION_COLUMN 30 /* where the explanation of an option starts */

/* Adds `text` wrapped at spaces; the cursor is at `column`, further lines start at `indent`. */
static void add_wrapped(struct buf *b, const char *text, size_t column, size_t indent)
{
	size_t start = column;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column > start && column + 1 + len > WIDTH) {
			buf_addf(b, "\n%*s", (int)indent, "");
			column = start = indent;
		} else if (column > start) {
			buf_addc(b, ' ');
			column++;
		}
		buf_add(b, text, len);
		column += len;
		text += len + strspn(text + len, " ");
	}
	buf_addc(b, '\n');
}

/* "  -r, --rate HZ": returns its width. */
static size_t add_names(struct buf *b, const struct option_row *row)
{
	size_t before = b->len;

	if (row->letter)
		buf_addf(b, "  -%c, --%s", row->letter, row->name);
	else
		buf_addf(b, "      --%s", row->name);
	if (row->argument)
		buf_addf(b, row->without ? "[=%s]" : " %s", row->argument);
	return b->len - before;
}

/* "The format of the file; one of flamegraph, raw … [default: 100]" */
static void option_sentence(struct buf *b, const struct command *cmd, const struct option_row *row)
{
	const char *word;

	buf_adds(b, row->help);
	for (size_t i = 0; row->choices && (word = row->choices(i)); i++)
		buf_addf(b, "%s%s", i ? ", " : "; one of ", word);
	if (row->without)
		buf_addf(b, " [without a value: %s]", row->without);
	if (row->fallback)
		buf_addf(b, " [default: %s]", row->fallback);
	if (cmd && row->env)
		buf_addf(b, " [$%s]", row->env);
}

static void add_option(struct buf *b, const struct command *cmd, const struct option_row *row)
{
	struct buf sentence = BUF_INIT;
	size_t column = add_names(b, row);

	if (column + 2 > OPTION_COLUMN)
		buf_addf(b, "\n%*s", OPTION_COLUMN, "");
	else
		buf_addf(b, "%*s", (int)(OPTION_COLUMN - column), "");
	option_sentence(&sentence, cmd, row);
	add_wrapped(b, sentence.data, OPTION_COLUMN, OPTION_COLUMN);
	buf_release(&sentence);
}

static void add_options(struct buf *b, const struct command *cmd, const struct option_row *row)
{
	for (; row->name; row++) {
		if (row->hidden)
			continue;
		if (row->group)
			buf_addf(b, "\n%s:\n", row->group);
		add_option(b, cmd, row);
	}
}

static void add_usage(struct buf *b, const struct command *cmd)
{
	const char *line = cmd->synopsis, *lead = "Usage: ";

	while (*line) {
		size_t len = strcspn(line, "\n");

		buf_addf(b, "%spystoker %s %.*s\n", lead, cmd->name, (int)len, line);
		lead = "       ";
		line += len + (line[len] == '\n');
	}
}

static void add_examples(struct buf *b, const char *const *example)
{
	if (!example || !*example)
		return;
	buf_adds(b, "\nExamples:\n");
	for (; example[0]; example += 2) {
		buf_addf(b, "  %s\n%*s", example[0], 6, "");
		add_wrapped(b, example[1], 6, 6);
	}
}

static void add_commands(struct buf *b)
{
	buf_adds(b, "Usage: pystoker COMMAND [OPTIONS]\n\n"
		    "Looks into a running Python process from outside, without stopping it, and\n"
		    "shows where its time goes.\n\nCommands:\n");
	for (size_t i = 0; commands[i]; i++)
		buf_addf(b, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	add_options(b, NULL, global_options);
	buf_adds(b, "\nFirst steps:\n"
		    "  pystoker record -p PID -d 10 -o profile.svg   then open it in a browser\n"
		    "  pystoker help record                          explains a command\n");
}

void help_text(struct buf *b, const struct command *cmd)
{
	if (!cmd) {
		add_commands(b);
		return;
	}
	add_usage(b, cmd);
	buf_addf(b, "\n%s.\n", cmd->summary);
	add_options(b, cmd, cmd->options);
	if (cmd->environment)
		buf_adds(b, "\nEach option can also be given by the environment: the variable named in [$...],\n"
			    "otherwise PYSTOKER_ and the option's name in capitals (PYSTOKER_SPOOL).\n");
	add_examples(b, cmd->examples);
	buf_addf(b, "\nMore in the manual page: man pystoker%s%s\n",
		 cmd->takes_command ? "" : "-", cmd->takes_command ? "" : cmd->name);
}

int help_print(const struct command *cmd)
{
	struct buf b = BUF_INIT;

	help_text(&b, cmd && cmd->name[0] ? cmd : NULL); /* "": the options before a command */
	fwrite(b.data, 1, b.len, stdout); /* errors show when main() closes stdout */
	buf_release(&b);
	return EXIT_OK;
}

static int help_run(const struct command *cmd, int argc, char **argv)
{
	struct err err;
	int rest, ret = options_parse(cmd, argc, argv, NULL, &rest, &err);

	if (ret > 0)
		return EXIT_OK;
	if (ret == 0 && rest == argc)
		return help_print(NULL);
	if (ret == 0 && rest + 1 < argc) {
		err_set(&err, 0, EXIT_USAGE, "help: one command at a time");
	} else if (ret == 0) {
		cmd = command_find(argv[rest], &err);
		if (cmd)
			return help_print(cmd);
	}
	err_print(&err);
	return err.status;
}

static const struct option_row help_options[] = {
	OPTION_HELP_ROW("Options"),
	{ .name = NULL },
};

const struct command cmd_help = {
	.name = "help",
	.summary = "Explain pystoker or one of its commands",
	.synopsis = "[COMMAND]",
	.options = help_options,
	.takes_command = true,
	.run = help_run,
};
