/* SPDX-License-Identifier: MIT
 * Writers of the option tables in the languages of shells and manuals; all to stdout. */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include "cmd/command.h"

void bash_write(void);
void zsh_write(void);
void fish_write(void);
/* The body of the section OPTIONS; NULL: of pystoker itself. */
void man_write(const struct command *cmd);

#define GENERATED "Made by `make update-options` from the option tables in src/cmd/; do not edit."

#endif
