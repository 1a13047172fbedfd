/* SPDX-License-Identifier: MIT
 * Private to cmd/: which processes push is to watch, looked for again whenever there are new ones. */
#ifndef CMD_FIND_H
#define CMD_FIND_H

#include <regex.h>

#include "mem/processes.h"
#include "push.h"

#define FIND_MAX 1024u /* processes watched at once */

/* A process that was tried in vain. */
struct find_refused {
	struct process_id id;
	uint64_t inode;        /* of its executable: after an exec it is tried again */
	uint64_t again_ns;     /* CLOCK_MONOTONIC */
	uint64_t pause_ns;     /* doubles up to FIND_PAUSE_MAX_NS */
	bool told;             /* its reason is in the log */
	bool seen;             /* in the last listing */
};

struct finder {
	const struct push_options *o;
	regex_t re;
	pid_t last;            /* processes_last() at the last listing */
	uint64_t listed_ns;    /* when that was; CLOCK_MONOTONIC */
	uint64_t retry_ns;     /* when the first refused one is due; 0: none */
	struct find_refused *refused; /* owned */
	size_t refused_count, refused_room;
};

/* -EINVAL, EXIT_USAGE for a bad expression. */
int finder_init(struct finder *f, const struct push_options *o, struct err *err) _must_check_;
void finder_release(struct finder *f);

/* Lists candidates that are not among `known` and are due for a try; returns how many. Cheap while
 * there is no new process. */
size_t finder_look(struct finder *f, const struct process_id *known, size_t n_known,
		   struct process_id *out, size_t max);
/* The candidate could not be watched; tried again later, ever less often. True the first time for
 * this program: then it is worth a line in the log. */
bool finder_refuse(struct finder *f, const struct process_id *id);

#endif
