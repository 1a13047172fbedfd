/* SPDX-License-Identifier: MIT
 * Private to cmd/: what doctor has checked, a line each. */
#ifndef CMD_CHECKS_H
#define CMD_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/err.h"

enum check_verdict { CHECK_OK, CHECK_WARN, CHECK_FAIL };

#define CHECK_FIGURES_MAX 8u

struct check {
	const char *id;            /* "ready"; static, documented in man/pystoker-doctor.1 */
	enum check_verdict verdict;
	pid_t pid;                 /* 0: not about one process */
	bool printed;
	struct err err;            /* text, hint, and the exit status that it asks for; 0: none */
	/* Where in the text the reason stands that others may share; 0, 0: none. */
	size_t reason_at, reason_end;
	struct {
		const char *name;  /* static */
		uint64_t value;
	} figures[CHECK_FIGURES_MAX]; /* for JSON only */
	size_t figure_count;
};

struct checks {
	struct check *list;        /* owned */
	size_t count, printed;  /* all before `printed` are */
};

void checks_release(struct checks *c);

/* The new check, to be filled; valid until the next one. */
struct check *checks_add(struct checks *c, const char *id, enum check_verdict verdict);
/* The same with its words. `status` is an enum exit_status, 0 with CHECK_OK. */
struct check *checks_say(struct checks *c, const char *id, enum check_verdict verdict, int status,
			 const char *fmt, ...) _printf_(5, 6);

/* A number that JSON shows beside the text; those over CHECK_FIGURES_MAX are left out. */
void checks_figure(struct check *check, const char *name, uint64_t value);
/* Says that text[at..end) is why, in words that do not name the process: when printed, all of the same
 * name, verdict, status and reason are one line. */
void checks_reason(struct check *check, size_t at, size_t end);

/* Prints to stdout those that were not printed yet: "verdict  id  text -> hint". */
void checks_print(struct checks *c);
void checks_json(const struct checks *c); /* all, as an array */

/* Of several, the one that stands first on the way of a profile from the process to the server:
 * the rest follows from it. */
int checks_status(const struct checks *c);

#endif
