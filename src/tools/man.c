/* SPDX-License-Identifier: MIT
 * The section OPTIONS of a manual page, in mdoc. */
#include <stdio.h>
#include <string.h>

#include "options.h"

#define LINE_LEN 78 /* mandoc -Tlint wants lines below 80 */

/* A word as roff text: no line may start with a control character, dashes stay dashes. */
static void print_word(const char *word, size_t len, bool starts_line)
{
	if (starts_line && len && (*word == '.' || *word == '\''))
		fputs("\\&", stdout);
	for (; len > 0; len--, word++) {
		if (*word == '\\')
			fputs("\\e", stdout);
		else if (*word == '-')
			fputs("\\-", stdout);
		else
			putchar(*word);
	}
}

/* A sentence, broken into lines at blanks. */
static void print_text(const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t len = strcspn(text, " ");
		bool fits = column && column + 1 + len <= LINE_LEN;

		if (column)
			putchar(fits ? ' ' : '\n');
		print_word(text, len, !fits);
		column = fits ? column + 1 + len : len;
		text += len + strspn(text + len, " ");
	}
}

static void print_choices(const struct option_row *row)
{
	const char *word;

	for (size_t i = 0; row->choices && (word = row->choices(i)); i++) {
		fputs(i ? ",\n" : ".\nOne of\n", stdout);
		print_text(word);
	}
}

static void print_row(const struct command *cmd, const struct option_row *row)
{
	char room[OPTION_ENV_MAX];
	const char *env = cmd ? option_env(cmd, row, room) : NULL;

	fputs(".It ", stdout);
	if (row->letter && row->argument && !row->without)
		printf("Fl %c Ar %s , ", row->letter, row->argument);
	else if (row->letter)
		printf("Fl %c , ", row->letter);
	fputs("Fl \\-", stdout);
	print_text(row->name);
	if (row->argument)
		printf(row->without ? " Ns Op = Ns Ar %s" : " Ar %s", row->argument);
	putchar('\n');
	print_text(row->help);
	print_choices(row);
	fputs(".\n", stdout);
	if (row->without) {
		fputs("Without a value: ", stdout);
		print_text(row->without);
		fputs(".\n", stdout);
	}
	if (row->fallback) {
		fputs("Default: ", stdout);
		print_text(row->fallback);
		fputs(".\n", stdout);
	}
	if (row->conflicts)
		printf("Excludes\n.Fl \\-%s .\n", row->conflicts);
	if (row->needs)
		printf("Only with\n.Fl \\-%s .\n", row->needs);
	if (env)
		printf("Environment:\n.Ev %s .\n", env);
}

void man_write(const struct command *cmd)
{
	const struct option_row *row = cmd ? cmd->options : global_options;
	bool open = false;

	for (; row->name; row++) {
		if (row->hidden)
			continue;
		if (row->group) {
			printf("%s.Ss %s\n.Bl -tag -width Ds\n", open ? ".El\n" : "", row->group);
			open = true;
		}
		print_row(cmd, row);
	}
	if (open)
		puts(".El");
}
