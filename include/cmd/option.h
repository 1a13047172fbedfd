/* SPDX-License-Identifier: MIT
 * Options as a table: one row feeds parsing, --help, the completions and the man page. */
#ifndef CMD_OPTION_H
#define CMD_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attr.h"
#include "util/err.h"

enum option_type {
	OPT_FLAG,      /* bool: no argument, sets true */
	OPT_STRING,    /* const char * */
	OPT_FILE,      /* const char *, completed as a file name */
	OPT_PID,       /* pid_t: 1 … PID_MAX_LIMIT, decimal or 0x hex */
	OPT_SECONDS,   /* uint64_t nanoseconds; fractions allowed; "unlimited" is 0 */
	OPT_RATE,      /* double, Hz */
	OPT_CHOICE,    /* const char *: one of `choices`, the canonical name is stored */
};

struct option_row {
	const char *name;          /* long name without dashes; NULL ends the table */
	char letter;               /* short name, 0: none */
	enum option_type type;
	size_t offset;             /* of the value in the command's options struct */
	const char *argument;      /* "PID", "FILE": shown in help; NULL for flags */
	const char *(*choices)(size_t i); /* OPT_CHOICE: i-th accepted word, NULL at the end */
	const char *fallback;      /* default, as shown in help; NULL: none */
	double min, max;           /* OPT_SECONDS (seconds), OPT_RATE */
	const char *help;          /* one sentence, ends without full stop */
	const char *conflicts;     /* long name of an option that excludes this one; NULL */
	bool hidden;               /* accepted, not shown */
};

struct command;

/* Parses argv[1..] into the struct at `values` (already holding the defaults). Stops at "--" or at
 * the first word that is no option; *ret_rest is its index in argv (argc when none).
 * -EINVAL with EXIT_USAGE in err, with a suggestion where one is near. --help prints the help to
 * stdout and returns 1. */
int options_parse(const struct command *cmd, int argc, char **argv, void *values, int *ret_rest,
		  struct err *err) _must_check_;

#endif
