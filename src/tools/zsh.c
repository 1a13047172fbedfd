/* SPDX-License-Identifier: MIT
 * The completion for zsh: _arguments with one list of specs per command. */
#include <stdio.h>
#include <string.h>

#include "options.h"

/* Inside '…' and as a part of a spec: quotes, and the brackets and colons that end a part. */
static void print_quoted(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void print_action(const struct option_row *row)
{
	const char *word;

	printf("%s%s:", row->without ? "::" : ":", row->argument);
	if (row->type == OPT_CHOICE) {
		for (size_t i = 0; (word = row->choices(i)); i++)
			printf("%s%s", i ? " " : "(", word);
		putchar(')');
	} else if (row->type == OPT_PID) {
		fputs("_pystoker_pids", stdout);
	} else if (row->type == OPT_FILE) {
		fputs("_files", stdout);
	}
}

/* '(-r --rate)-r+[help]:HZ:' and its twin '--rate='; names that exclude it stand in the brackets.
 * '--native=-[help]::LEVEL:' has a value in the same word, if any. */
static void print_spec(const struct option_row *row, bool letter)
{
	fputs("\t\t'(", stdout);
	if (row->letter)
		printf("-%c ", row->letter);
	printf("--%s", row->name);
	if (row->conflicts)
		printf(" --%s", row->conflicts);
	putchar(')');
	if (letter)
		printf("-%c%s[", row->letter, option_takes_word(row) ? "+" : "");
	else
		printf("--%s%s[", row->name, row->without ? "=-" : row->argument ? "=" : "");
	print_quoted(row->help);
	putchar(']');
	if (row->argument && !(letter && row->without))
		print_action(row);
	puts("' \\");
}

static void print_specs(const struct option_row *row)
{
	for (; row->name; row++) {
		if (!row->hidden && row->letter)
			print_spec(row, true);
		if (!row->hidden)
			print_spec(row, false);
	}
}

static void print_command(const struct command *cmd)
{
	printf("\t(%s)\n\t\t_arguments -s -S -A '-*' \\\n", cmd->name);
	print_specs(cmd->options);
	if (cmd->takes_program)
		puts("\t\t'*::program:_normal'");
	else if (cmd->takes_command)
		puts("\t\t'1:command:_pystoker_commands'");
	else
		puts("\t\t&& return");
	puts("\t\t;;");
}

void zsh_write(void)
{
	puts("#compdef pystoker");
	puts("# zsh completion for pystoker. " GENERATED);
	puts("_pystoker_commands() {\n\tlocal -a commands=(");
	for (size_t i = 0; commands[i]; i++) {
		printf("\t\t'%s:", commands[i]->name);
		print_quoted(commands[i]->summary);
		puts("'");
	}
	puts("\t)\n\t_describe command commands\n}\n");
	puts("# All of them: _pids shows only those of the terminal by itself.");
	puts("_pystoker_pids() {\n\tlocal -a pids=(/proc/<1->(N:t))\n\n\tcompadd -V pids -a pids\n}\n");
	puts("_pystoker() {\n\tlocal curcontext=$curcontext state line\n\n\t_arguments -C \\");
	print_specs(global_options);
	puts("\t\t'1:command:_pystoker_commands' \\\n\t\t'*::argument:->rest'\n");
	puts("\t[[ $state == rest ]] || return\n\tcase $line[1] in");
	for (size_t i = 0; commands[i]; i++)
		print_command(commands[i]);
	puts("\tesac\n}\n\n_pystoker \"$@\"");
}
