/* SPDX-License-Identifier: MIT
 * Private to cmd/: what `pystoker doctor` was asked for, and its two halves. */
#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

#include <regex.h>
#include <sys/types.h>

#include "checks.h"
#include "server.h"

struct doctor_options {
	pid_t pid;
	const char *match;
	regex_t regex;               /* compiled `match` */
	const char *app;
	uint64_t interval_ns;
	bool local, remote, json;
	const char *spool;           /* NULL: the default folder */
	const char *log;             /* NULL: exec's; "-": none */
	struct server_options server;
};

#define DOCTOR_DEFAULTS { .interval_ns = 30000000000ull, .server = SERVER_DEFAULTS }

extern const struct option_row doctor_options[];

/* As record_parse(). */
int doctor_parse(int argc, char **argv, struct doctor_options *o, struct err *err) _must_check_;
void doctor_options_release(struct doctor_options *o);

/* Where a check costs time, those before it are printed first: `tell` is called in between. */
typedef void (*doctor_tell_fn)(void *arg);

/* This machine: our rights, the processes, the folders. */
void doctor_local(const struct doctor_options *o, struct checks *c, doctor_tell_fn tell, void *arg);

/* A part of it: the pusher of the service, as far as its spool and its log tell. */
void doctor_pusher(const struct doctor_options *o, struct checks *c);

/* The server made ready to be asked; *ret is NULL where profiles go to a folder (file:DIR). 0, or
 * -errno with err where the options make no sense. */
int doctor_server_open(const struct doctor_options *o, struct http **ret, struct err *err)
	_must_check_;
/* Asks it; `h` may be NULL. */
void doctor_server(const struct doctor_options *o, struct http *h, struct checks *c,
		   doctor_tell_fn tell, void *arg);

#endif
