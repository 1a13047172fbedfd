/* SPDX-License-Identifier: MIT
 * Private to cmd/: what ps and pgrep call us. */
#ifndef CMD_TITLE_H
#define CMD_TITLE_H

#define TITLE_GUARDIAN "pystoker-guard"

/* Replaces the process's name, cut at 15 bytes (TASK_COMM_LEN). */
void title_set_name(const char *name);

/* Replaces the command line as others see it; `argv` is main()'s and unusable after. */
void title_set_words(int argc, char **argv, const char *text);

#endif
