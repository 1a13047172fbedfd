/* SPDX-License-Identifier: MIT
 * Private to cmd/: what `pystoker exec` was asked for, and the command line of its pusher. */
#ifndef CMD_EXEC_H
#define CMD_EXEC_H

#include "push.h"

struct exec_options {
	struct push_options push;
	bool supervise;
	uint64_t grace_ns;   /* 0: as long as it takes */
	char **program;      /* into argv */
	int words;           /* argv[1] … argv[words - 1] are the options */
};

extern const struct option_row exec_options[];

/* As record_parse(), but lenient: with `program` set, -EINVAL (in the options) and -EDOM (in the
 * environment) are mistakes that do not keep the program from being run. */
int exec_parse(int argc, char **argv, struct exec_options *o, struct err *err) _must_check_;

/* The command line of the pusher of `tree`: "pystoker push --tree 42 …  --log FILE", NULL-terminated,
 * owned by the caller as are its words. Paths are absolute in it. */
char **exec_pusher_words(const struct exec_options *o, char **argv, pid_t tree);

#endif
