/* SPDX-License-Identifier: MIT
 * The completion for fish: one `complete` line per option. */
#include <stdio.h>

#include "options.h"

/* A single-quoted word of fish: \ and ' are escaped inside. */
static void print_quoted(const char *text)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('\'');
}

static void print_value(const struct option_row *row)
{
	const char *word;

	if (row->type == OPT_FILE) {
		fputs(" -rF", stdout);
	} else if (row->type == OPT_PID) {
		fputs(" -xa '(__fish_complete_pids)'", stdout);
	} else if (row->type == OPT_CHOICE) {
		fputs(row->without ? " -a '" : " -xa '", stdout);
		for (size_t i = 0; (word = row->choices(i)); i++)
			printf("%s%s", i ? " " : "", word);
		putchar('\'');
	} else {
		fputs(" -x", stdout);
	}
}

static void print_options(const struct option_row *row, const char *condition)
{
	for (; row->name; row++) {
		if (row->hidden)
			continue;
		printf("complete -c pystoker -n '%s' -l %s", condition, row->name);
		if (row->letter)
			printf(" -s %c", row->letter);
		if (row->argument)
			print_value(row);
		fputs(" -d ", stdout);
		print_quoted(row->help);
		putchar('\n');
	}
}

static void print_command(const struct command *cmd)
{
	char condition[80];

	printf("complete -c pystoker -n __fish_use_subcommand -a %s -d ", cmd->name);
	print_quoted(cmd->summary);
	putchar('\n');
	snprintf(condition, sizeof(condition), "__fish_seen_subcommand_from %s", cmd->name);
	print_options(cmd->options, condition);
	if (cmd->takes_program)
		printf("complete -c pystoker -n '%s' -F\n", condition);
	for (size_t i = 0; cmd->takes_command && commands[i]; i++)
		printf("complete -c pystoker -n '%s' -a %s\n", condition, commands[i]->name);
}

void fish_write(void)
{
	puts("# fish completion for pystoker. " GENERATED);
	puts("complete -c pystoker -f");
	print_options(global_options, "__fish_use_subcommand");
	for (size_t i = 0; commands[i]; i++)
		print_command(commands[i]);
}
