/* SPDX-License-Identifier: MIT
 * The folder of one run, ours or an ended one's: its lock, and files that appear whole or not at all.
 * Functions return -errno. One thread at a time. */
#ifndef SHIP_SPOOL_RUN_H
#define SHIP_SPOOL_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "ship/spool.h"
#include "util/buf.h"

enum spool_place {
	SPOOL_WAITING = 0,
	SPOOL_SENT,
	SPOOL_RUNNING,
	SPOOL_PLACES,          /* as many have a folder */
	SPOOL_MEMORY = SPOOL_PLACES,
};

struct spool_run {
	int folder[SPOOL_PLACES]; /* -1: none */
	int lock;                 /* -1: not held */
	bool by_name;             /* temporaries have names: O_TMPFILE does not work here */
	unsigned temporaries;     /* made so far */
	struct spool_run *next;   /* private: all whose lock is held */
};

/* Makes DIR/NAME and takes its lock. -EEXIST: somebody else has, or had, that name. */
int spool_run_make(struct spool_run *r, int dir, const char *name) _must_check_;
/* Takes over DIR/NAME of an ended run. -EBUSY: it lives; anything else: leave it alone. */
int spool_run_take(struct spool_run *r, int dir, const char *name) _must_check_;
/* Gives the lock up and closes; removes the folder before when `remove` and it is empty. */
void spool_run_leave(struct spool_run *r, int dir, const char *name, bool remove);
bool spool_run_lost(const struct spool_run *r); /* somebody removed the folder */

/* A regular file of our user with one name and at most SPOOL_FILE_MAX bytes? */
bool spool_run_is_ours(const struct stat *st);
int spool_run_stat(const struct spool_run *r, enum spool_place place, const struct spool_key *key,
		   struct stat *ret) _must_check_;
/* A new file, synced; -EEXIST when there is one of that name. Non-zero `mtime_ns` is its mtime. */
int spool_run_put(struct spool_run *r, enum spool_place place, const struct spool_key *key,
		  const void *data, size_t len, uint64_t mtime_ns) _must_check_;
/* A new checkpoint instead of one of the same name; not synced. */
int spool_run_checkpoint(struct spool_run *r, const struct spool_key *key, const void *data,
			 size_t len) _must_check_;
/* An open file that is ours. */
int spool_run_open(const struct spool_run *r, enum spool_place place, const struct spool_key *key)
	_must_check_;
int spool_run_slurp(int fd, struct buf *ret) _must_check_; /* appends all of it; closes it */
/* Renames without overwriting: -EEXIST. The runs may be the same. */
int spool_run_move(const struct spool_run *from, enum spool_place place,
		   const struct spool_key *key, const struct spool_run *to,
		   enum spool_place to_place, const struct spool_key *to_key) _must_check_;
int spool_run_mark_sent(const struct spool_run *r, const struct spool_key *key, uint64_t real_ns);
int spool_run_remove(const struct spool_run *r, enum spool_place place, const struct spool_key *key);
int spool_run_sync(const struct spool_run *r);

/* The names of items in a folder, in their order; *ret is the caller's to free. At most `max`; removes
 * left temporaries on the way and counts into *ignored what is not ours by name or over `max`. */
size_t spool_run_list(const struct spool_run *r, enum spool_place place, size_t max,
		      struct spool_key **ret, uint64_t *ignored);

#endif
