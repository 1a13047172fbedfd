/* SPDX-License-Identifier: MIT
 * Options as a table: one row feeds parsing, --help, the completions and the man page. */
#ifndef CMD_OPTION_H
#define CMD_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attr.h"
#include "util/err.h"

#define OPTIONS_MAX 64u /* rows of one table: what was given is kept in one uint64_t */

enum option_type {
	OPT_FLAG,      /* bool: no argument, sets true */
	OPT_STRING,    /* const char * */
	OPT_FILE,      /* const char *, completed as a file name */
	OPT_PID,       /* pid_t: 1 … PID_MAX_LIMIT, decimal or 0x hex */
	OPT_SECONDS,   /* uint64_t nanoseconds; fractions allowed; "unlimited" is 0 */
	OPT_RATE,      /* double, Hz */
	OPT_BYTES,     /* uint64_t: a number with k, M or G (1024s) behind it */
	OPT_LIST,      /* struct option_list: may be given again and again */
	OPT_CHOICE,    /* const char *: one of `choices`, the canonical name is stored */
	OPT_HELP,      /* --help: the parser prints the help; no value */
};

#define OPTION_LIST_MAX 32u

/* The values of an option that may be repeated; they point into argv or the environment's copy. */
struct option_list {
	const char *items[OPTION_LIST_MAX + 1]; /* NULL-terminated */
	size_t count;
};

struct option_row {
	const char *name;          /* long name without dashes; NULL ends the table */
	char letter;               /* short name, 0: none */
	enum option_type type;
	size_t offset;             /* of the value in the command's options struct */
	const char *group;         /* heading above this row in --help and the man page; NULL: none */
	const char *argument;      /* "PID", "FILE": shown in help; NULL for flags */
	const char *(*choices)(size_t i); /* OPT_CHOICE: i-th canonical word, NULL at the end */
	/* OPT_CHOICE: the canonical word that `word` is another name of, or NULL; the slot itself may
	 * be NULL. Canonical words need not be known to it. */
	const char *(*alias)(const char *word);
	/* OPT_CHOICE: the word stored when the option is given without a value; one can then only be
	 * given behind "=", and the letter takes none, so that it may stand in a cluster. NULL: a
	 * value must follow. */
	const char *without;
	const char *fallback;      /* default, as shown in help; NULL: none */
	double min, max;           /* OPT_SECONDS (seconds), OPT_RATE, OPT_BYTES */
	const char *help;          /* one sentence, ends without full stop */
	const char *conflicts;     /* long name of an option that excludes this one; NULL */
	const char *needs;         /* long name of an option without which this one means nothing; NULL */
	const char *env;           /* variable that stands for it; NULL: see command.environment */
	bool hidden;               /* accepted, not shown */
};

struct command;

/* The row every command's table ends with, before the empty one. */
#define OPTION_HELP_ROW(group_) \
	{ .name = "help", .letter = 'h', .type = OPT_HELP, .group = (group_), \
	  .help = "Print this help and exit" }

/* The variable that stands for an option not given, or NULL: the row's own, or else, where the
 * command reads the environment, "PYSTOKER_RATE" for --rate. `name` has room for it. */
#define OPTION_ENV_MAX 64u
const char *option_env(const struct command *cmd, const struct option_row *row,
		       char name[OPTION_ENV_MAX]);

/* Whether the word behind the option is its value. */
static inline bool option_takes_word(const struct option_row *row)
{
	return row->type != OPT_FLAG && row->type != OPT_HELP && !row->without;
}

/* 1, yes, on, true in any case. */
bool option_is_true(const char *text);

/* Parses argv[1..] into the struct at `values` (already holding the defaults). Stops at "--" or at
 * the first word that is no option; *ret_rest is its index in argv (argc when none), after "--".
 * -EINVAL with EXIT_USAGE in err, with a suggestion where one is near. --help prints the help to
 * stdout and returns 1. What is not given is taken from the environment where the command says so;
 * an empty variable counts as absent, one that contradicts an option given is ignored, as
 * is one whose option needs another that is not given. In a variable of an option with `without`,
 * 1, yes, on, true stand for that word, and 0, no, off, false for the option not given.
 * Where the command is lenient, a mistake does not end it: -EINVAL, or -EDOM if only the environment
 * is wrong, and err are for the first; everything else is in `values`, and *ret_rest is known: behind a wrong option it is what follows the next "--", or,
 * where there is none, the first word that is neither an option nor a known one's value. */
int options_parse(const struct command *cmd, int argc, char **argv, void *values, int *ret_rest,
		  struct err *err) _must_check_;

/* The row that a word such as "--rate", "--rate=5" or "--ra" names, or NULL. */
const struct option_row *option_find(const struct command *cmd, const char *word);

/* Puts "did you mean …?" into err's hint when one of the known words is near `word`. True if so.
 * next(from, i) gives the i-th of them, NULL at the end; `prefix` goes before the word shown. */
bool suggest(struct err *err, const char *word, const char *prefix,
	     const char *(*next)(const void *from, size_t i), const void *from);

#endif
