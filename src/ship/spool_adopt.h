/* SPDX-License-Identifier: MIT
 * What ended runs have left becomes ours. */
#ifndef SHIP_SPOOL_ADOPT_H
#define SHIP_SPOOL_ADOPT_H

#include "spool_run.h"

struct spool_adopter {
	/* Moves one file of `from` into our run and remembers it. -E2BIG: no room for more. */
	int (*take)(void *arg, const struct spool_run *from, enum spool_place place,
		    const struct spool_key *key, const struct stat *st);
	void *arg;
	uint64_t broken, ignored;  /* files removed, files left alone */
};

/* Goes through all runs below `dir` but our own whose lock can be had, the newest first. */
void spool_adopt(struct spool_adopter *a, int dir, const struct spool_run *own);

#endif
