/* SPDX-License-Identifier: MIT
 * options-tool bash|zsh|fish|man [COMMAND]: prints what scripts/update-options puts into files.
 * options-tool formats: "NAME:SUFFIX,SUFFIX" per line, for the test of the manual. */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "export/exporter.h"

static int usage(void)
{
	fputs("usage: options-tool bash|zsh|fish|formats|man [COMMAND]\n", stderr);
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
	man_write(cmd);
	return EXIT_OK;
}

static int formats(void)
{
	for (size_t i = 0; exporters[i]; i++) {
		printf("%s", exporters[i]->name);
		for (const char *const *s = exporters[i]->suffixes; *s; s++)
			printf("%c%s", s == exporters[i]->suffixes ? ':' : ',', *s);
		putchar('\n');
	}
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage();
	if (!strcmp(argv[1], "man"))
		return man(argv[2]);
	if (!strcmp(argv[1], "formats"))
		return formats();
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
