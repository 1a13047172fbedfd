/* SPDX-License-Identifier: MIT
 * The completion for bash: one function, one case per command. */
#include <stdio.h>

#include "options.h"

/* "--pid -p " */
static void print_words(const struct option_row *row)
{
	for (; row->name; row++) {
		if (row->hidden)
			continue;
		printf(" --%s", row->name);
		if (row->letter)
			printf(" -%c", row->letter);
	}
}

static void print_value(const struct option_row *row)
{
	const char *word;

	if (row->hidden || !row->argument)
		return;
	printf("\t\t--%s", row->name);
	if (row->letter && !row->without)
		printf(" | -%c", row->letter);
	fputs(") ", stdout);
	if (row->type == OPT_CHOICE) {
		fputs("words='", stdout);
		for (size_t i = 0; (word = row->choices(i)); i++)
			printf("%s%s", i ? " " : "", word);
		fputs("' ;;\n", stdout);
	} else if (row->type == OPT_PID) {
		puts("words=$(cd /proc && echo [0-9]*) ;;");
	} else if (row->type == OPT_FILE) {
		puts("compopt -o default; return ;;");
	} else {
		puts("return ;;");
	}
}

static void print_rest(const struct command *cmd)
{
	if (cmd->takes_program)
		puts("\t\t*) compopt -o default; return ;;");
	else if (cmd->takes_command)
		puts("\t\t*) words=$commands ;;");
	else
		puts("\t\t*) return ;;");
}

static void print_command(const struct command *cmd)
{
	printf("\t%s)\n", cmd->name);
	for (const struct option_row *row = cmd->options; row->name; row++)
		if (row->without) /* its value stands behind "=" only */
			printf("\t\t[ \"$prev$equals\" != --%s ] || prev=''\n", row->name);
	puts("\t\tcase $prev in");
	for (const struct option_row *row = cmd->options; row->name; row++)
		print_value(row);
	puts("\t\t*) case $cur in");
	fputs("\t\t-*) words='", stdout);
	print_words(cmd->options);
	puts("' ;;");
	print_rest(cmd);
	puts("\t\tesac ;;\n\t\tesac ;;");
}

void bash_write(void)
{
	puts("# bash completion for pystoker. " GENERATED);
	puts("# shellcheck shell=bash");
	puts("_pystoker()\n{");
	puts("\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words='' equals=''");
	fputs("\tlocal commands='", stdout);
	for (size_t i = 0; commands[i]; i++)
		printf("%s%s", i ? " " : "", commands[i]->name);
	puts("'");
	puts("\n\tCOMPREPLY=()");
	puts("\t# --format=raw arrives as three words");
	puts("\t[ \"$cur\" != = ] || { prev='='; cur=''; COMP_CWORD=$((COMP_CWORD + 1)); }");
	puts("\t[ \"$prev\" != = ] || { prev=${COMP_WORDS[COMP_CWORD-2]}; equals='='; }");
	puts("\tif [ \"$COMP_CWORD\" -le 1 ]; then");
	fputs("\t\twords=\"$commands", stdout);
	print_words(global_options);
	puts("\"\n\telse case ${COMP_WORDS[1]} in");
	for (size_t i = 0; commands[i]; i++)
		print_command(commands[i]);
	puts("\tesac fi");
	puts("\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")");
	puts("}\ncomplete -F _pystoker pystoker");
}
