/* SPDX-License-Identifier: MIT
 * options-tool bash|zsh|fish|man [COMMAND]: prints what scripts/update-options puts into files. */
#include "options.h"

#include <stdio.h>
#include <string.h>

static int usage(void)
{
	fputs("usage: options-tool bash|zsh|fish|man [COMMAND]\n", stderr);
	return EXIT_USAGE;
}

static int man(const char *name)
{
	struct err err;
	const struct command *cmd = name ? command_find(name, &err) : NULL;

	if (name && !cmd) {
		err_print(&err);
		return err.status;
	}
	man_write(cmd ? cmd->options : global_options);
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage();
	if (!strcmp(argv[1], "man"))
		return man(argv[2]);
	if (!strcmp(argv[1], "bash"))
		bash_write();
	else if (!strcmp(argv[1], "zsh"))
		zsh_write();
	else if (!strcmp(argv[1], "fish"))
		fish_write();
	else
		return usage();
	return EXIT_OK;
}
