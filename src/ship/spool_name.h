/* SPDX-License-Identifier: MIT
 * Names in the spool: of items, of runs, of temporaries. A name is ours only when it is exactly what
 * we would have written. */
#ifndef SHIP_SPOOL_NAME_H
#define SHIP_SPOOL_NAME_H

#include <stdbool.h>

#include "ship/spool.h"

enum { SPOOL_NAME_MAX = 80 }; /* the longest: "18446744073709-2147483647.KIND.pb.gz", and NUL */

/* September 2001; an earlier clock counts as this. "2024-11" is a folder of somebody's, not a run. */
#define SPOOL_RUN_SECONDS_MIN 1000000000u

struct spool_run_name {
	uint64_t seconds;          /* at least SPOOL_RUN_SECONDS_MIN */
	pid_t pid;
};

bool spool_name_valid(const struct spool_key *key);
bool spool_name_same(const struct spool_key *a, const struct spool_key *b); /* the same name */
/* By time, then by the rest: as qsort(3) wants it. Equal (0) means the same name. */
int spool_name_order(const struct spool_key *a, const struct spool_key *b);

/* `suffix` is "pb" or "pb.gz". */
void spool_name_item(char out[SPOOL_NAME_MAX], const struct spool_key *key, const char *suffix);
bool spool_name_parse_item(struct spool_key *ret, const char *name, const char *suffix);

void spool_name_run(char out[SPOOL_NAME_MAX], const struct spool_run_name *run);
bool spool_name_parse_run(struct spool_run_name *ret, const char *name);

void spool_name_temp(char out[SPOOL_NAME_MAX], unsigned number);
bool spool_name_is_temp(const char *name);

#endif
