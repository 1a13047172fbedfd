/* SPDX-License-Identifier: MIT
 * An error carried upwards: what failed, what to do about it, and the exit status it means.
 * Filled where the failure is understood, printed once by cmd/. Never used per sample. */
#ifndef UTIL_ERR_H
#define UTIL_ERR_H

#include "util/attr.h"

/* Exit statuses of pystoker's own; documented in man/pystoker.1 (EXIT STATUS). */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,      /* anything without a number of its own */
	EXIT_USAGE = 2,       /* bad option, command or value */
	EXIT_GONE = 3,        /* no such process, or it ended before the first sample */
	EXIT_NOT_PYTHON = 4,  /* the process runs no CPython that could be found */
	EXIT_UNSUPPORTED = 5, /* a CPython older or newer than what is known */
	EXIT_DENIED = 6,      /* not permitted to read the process */
	EXIT_OUTPUT = 7,      /* the output could not be written */
	/* What doctor finds out about the server; 3 to 6 it gives for processes. */
	EXIT_STALE = 8,       /* the service's newest data are old, or there are none */
	EXIT_NO_SERVICE = 9,  /* other services have data, this one has not */
	EXIT_AUTH = 10,       /* the server refuses the tenant, user or token */
	EXIT_UNREACHABLE = 11, /* no answer from the server */
	EXIT_NOT_TAKEN = 12,  /* something answers there, but takes no profiles: wrong path or clock */
	EXIT_UNCERTAIN = 13,  /* cannot be told (yet) */
	EXIT_NOT_EXECUTABLE = 126, /* the program to start is there but cannot be run */
	EXIT_NO_PROGRAM = 127,     /* the program to start was not found */
};

#define ERR_TEXT_MAX 1024

struct err {
	int status;               /* enum exit_status; 0: nothing set yet */
	char text[ERR_TEXT_MAX];  /* one sentence without newline: what, on which PID or file, errno */
	char hint[ERR_TEXT_MAX];  /* what to do; may be empty */
};

/* Sets status and text, drops any hint. A NULL err is fine. Returns `ret`, so that
 * `return err_set(err, -ENOENT, EXIT_GONE, "...")` reads in one line. */
int err_set(struct err *err, int ret, int status, const char *fmt, ...) _printf_(4, 5);

/* Adds (replaces) the hint. */
void err_hint(struct err *err, const char *fmt, ...) _printf_(2, 3);

/* Puts "context: " in front of the text. */
void err_prefix(struct err *err, const char *fmt, ...) _printf_(2, 3);

/* Prints "pystoker: text\n" and "  hint\n" to stderr in one write. */
void err_print(const struct err *err);

/* One message line to stderr in one write: "pystoker: ...\n". */
void say(const char *fmt, ...) _printf_(1, 2);

#endif
