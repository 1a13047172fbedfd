/* SPDX-License-Identifier: MIT
 * Writers of the option tables in the languages of shells and manuals; all to stdout. */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include "cmd/command.h"

void bash_write(void);
void zsh_write(void);
void fish_write(void);
void man_write(const struct option_row *rows); /* the body of the section OPTIONS */

#define GENERATED "Made by `make update-options` from the option tables in src/cmd/; do not edit."

#endif
