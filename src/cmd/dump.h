/* SPDX-License-Identifier: MIT
 * Private to cmd/: what `pystoker dump` was asked for. */
#ifndef CMD_DUMP_H
#define CMD_DUMP_H

#include <sys/types.h>

#include "native_options.h"

struct dump_options {
	pid_t pid;
	bool json, full_filenames;
	bool blocking, nonblocking;
	struct native_options native;
};

extern const struct option_row dump_options[];

/* As record_parse(). */
int dump_parse(int argc, char **argv, struct dump_options *o, struct err *err) _must_check_;

#endif
