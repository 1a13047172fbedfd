/* SPDX-License-Identifier: MIT
 * Private to cmd/: what `pystoker record` was asked for. */
#ifndef CMD_RECORD_H
#define CMD_RECORD_H

#include <sys/types.h>

#include "native_options.h"

#define RECORD_RATE 100.0 /* Hz, as py-spy */

struct record_options {
	pid_t pid;              /* 0: a program is started */
	char **program;         /* NULL-terminated tail of argv; NULL: a PID was given */
	const char *output;     /* -o; NULL: record_default_output() names it */
	const char *format;     /* -f as given, in its canonical form; NULL: the suffix of -o decides */
	const struct exporter *exporter; /* never NULL after record_parse() */
	const char *placement;  /* "auto", "on-cpu" or "off-cpu" */
	uint64_t duration_ns;   /* 0: unlimited */
	double rate;            /* Hz */
	bool threads, gil, idle;
	bool function, nolineno, full_filenames;
	bool blocking, nonblocking;
	struct native_options native;
};

extern const struct option_row record_options[];

/* Fills `o` with the defaults and argv[1..], checked as a whole. 0; 1: the help was printed;
 * -EINVAL with err. `o` points into argv. */
int record_parse(int argc, char **argv, struct record_options *o, struct err *err) _must_check_;

/* "PROGRAM-2026-01-31T12-00-00.svg", or the PID in place of the program. The caller frees it. */
char *record_default_output(const struct record_options *o);

#endif
