/* SPDX-License-Identifier: MIT
 * Intervals on disk until a server has them, and an hour longer where a server may lose them.
 *
 *   DIR/RUN/lock                              held (flock) as long as the run lives
 *   DIR/RUN/1795246045138-4242.cpu.pb.gz      waits to be sent; the number is its time in ms
 *   DIR/RUN/sent/….pb.gz                      sent; the file's mtime says when
 *   DIR/RUN/running/….pb                      the interval under way, as far as it is known
 *
 * RUN is a folder of one run of pystoker ("1795246045-17": its start in seconds, its PID). Opening
 * DIR adopts what ended runs have left there (their lock is free): running/ becomes waiting,
 * everything moves into our folder. A checkpoint whose interval is there complete is removed instead.
 * Where the disk fails, items stay in memory, up to SPOOL_MEMORY_MAX, and go to the disk when it
 * works again. All functions may be called from any thread of the process that opened the spool; in
 * a child made by fork only spool_close(), which frees memory there and touches nothing else.
 *
 * Nothing found in DIR is trusted: only regular files of ours (our user, one name, the form above,
 * SPOOL_FILE_MAX at most) are moved, read or removed; links are never followed; the rest is left
 * alone. DIR must belong to us, and what lies above it in a folder open to all (/var/tmp) to us or
 * root: else it is memory only.
 *
 * Clocks: an item is as old as the wall clock says, but never older than it was when this run learned
 * of it (0 for its own) plus the monotonic time since. So a wall clock that jumps forth drops nothing
 * of this run; one that jumps back keeps items longer, within bytes_max. What ended runs have left is
 * judged by the wall clock at adoption: was that ahead by more than age_max_ns, it is dropped (a
 * server would refuse it by the same clock). Sent items are kept by the same rule without the wall
 * clock. */
#ifndef SHIP_SPOOL_H
#define SHIP_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/attr.h"
#include "util/buf.h"
#include "util/err.h"

#define SPOOL_MEMORY_MAX (4u << 20)   /* bytes kept in memory while the disk fails */
#define SPOOL_ITEMS_MAX 65536u        /* waiting and sent together; adopting leaves more alone */
#define SPOOL_FILE_MAX (16u << 20)    /* bytes of one file; larger ones are none of ours */

struct spool_config {
	const char *dir;           /* made, with parents, mode 0700, when missing */
	uint64_t bytes_max;        /* of waiting and sent together; sent ones go first, then the oldest;
				    * 0: no limit */
	uint64_t age_max_ns;       /* waiting ones older than that (by their time) are dropped; 0: never */
	uint64_t keep_sent_ns;     /* sent ones are kept so long after sending; 0: not at all */
	uint64_t (*now_real_ns)(void); /* NULL: clock_real_ns; tests inject theirs */
	uint64_t (*now_mono_ns)(void); /* NULL: clock_mono_ns */
};

/* What names an item; the time counts to the millisecond. No two items have the same name: the
 * later one is put as many milliseconds later as it takes. That changes its name alone, not its bytes
 * (two profiles of the same labels and time_nanos are one for a server: the caller's business). */
struct spool_key {
	uint64_t time_ns;          /* start of the interval, since the epoch; given back in whole ms */
	pid_t pid;
	char kind[16];             /* "cpu", "wall"; [A-Za-z0-9_] */
};

struct spool_item {
	uint64_t id;               /* within this run */
	struct spool_key key;
	size_t bytes;
	uint64_t sent_ns;          /* real time it was sent; 0: waits */
	bool in_memory;            /* the disk did not take it */
};

struct spool_stats {
	uint64_t waiting, waiting_bytes, sent_kept, in_memory, adopted;
	uint64_t oldest_ns;        /* time of the oldest that waits; 0: none */
	uint64_t dropped_age, dropped_size, dropped_refused; /* waiting items since the start */
	uint64_t dropped_broken;   /* files of ended runs removed: empty, or a checkpoint too large */
	uint64_t ignored;          /* files of ended runs left alone: not ours, or too many */
	int disk_error;            /* errno of the last write that failed; 0: the disk works */
};

struct spool;

/* Never fails for a disk that does not work: then it is memory only until spool_tend() gets through,
 * and err says why (return 0 with err->text set; text also tells of files left alone; else it is "").
 * -errno with EXIT_USAGE only for what is asked wrongly (dir is a file, or ""). May take a second
 * where much is adopted. */
int spool_open(struct spool **ret, const struct spool_config *c, struct err *err) _must_check_;
/* Leaves waiting items, and checkpoints, for the next run; tries the disk once more for what is in
 * memory, which is lost otherwise; removes its own folder when that is empty. NULL is fine. */
void spool_close(struct spool *s);

/* Makes an item of gzip'd pprof, atomically and synced: waits for the disk. Returns 0 also when only
 * memory took it; -ENOSPC when nothing did (counted as dropped_size): too large, or older than all
 * that fills the spool. -EINVAL: no bytes, or a key that is none. */
int spool_add(struct spool *s, const struct spool_key *key, const void *data, size_t len);
/* Replaces the checkpoint of the interval under way (one per pid and kind); atomically, not synced:
 * it survives our end, not the machine's. Uncompressed pprof. -errno of the disk: nothing changed. */
int spool_checkpoint(struct spool *s, const struct spool_key *key, const void *data, size_t len);
/* The interval is complete, or its process gone: its checkpoint is of no use any more. */
void spool_checkpoint_drop(struct spool *s, pid_t pid, const char *kind);

/* The waiting item with the newest time not in `except` (ids; NULL, 0: none). False: none waits. */
bool spool_next(struct spool *s, const uint64_t *except, size_t n, struct spool_item *ret);
/* Its bytes, appended. -ENOENT: it is gone meanwhile (dropped for age or size, or by somebody). Any
 * other -errno: cannot be read. Where that may pass (-EMFILE, -ENFILE, -ENOMEM) it still waits; else
 * this run offers it no more and leaves its file to the next. */
int spool_read(struct spool *s, uint64_t id, struct buf *ret) _must_check_;
void spool_sent(struct spool *s, uint64_t id);     /* kept for keep_sent_ns */
void spool_refuse(struct spool *s, uint64_t id);   /* will never be taken: removed, dropped_refused */
void spool_remove(struct spool *s, uint64_t id);   /* replaced by others (halves): removed, uncounted */
/* Lets sent items wait again that were sent at `since_ns` (real time) or later, or so short a time
 * ago by the monotonic clock; how many. */
size_t spool_resend(struct spool *s, uint64_t since_ns);
/* Drops what has become too old and too much; tries the disk again for what is in memory, and the
 * folder where it could not be opened. Now and then, from the thread that may wait for the disk. */
void spool_tend(struct spool *s);

void spool_stats(struct spool *s, struct spool_stats *ret);
const char *spool_folder(struct spool *s); /* of this run; "" when memory only; lives as long as s */

/* A look at a spool folder from outside: adopts, makes and removes nothing. Counted are, in folders of
 * the form of a run that belong to the owner of DIR, the regular files of that owner with one name and
 * the form above; never more than SPOOL_ITEMS_MAX of them. */
#define SPOOL_SURVEY_LIVE_MAX 16u  /* runs that live, named; more are only counted */

struct spool_survey {
	uid_t owner;               /* of DIR: who pushes by it */
	uint64_t runs, live;       /* folders of runs; those whose lock is held */
	struct {
		pid_t pid;         /* as its PID namespace has it */
		uint64_t since_ns; /* real time, to the second */
	} alive[SPOOL_SURVEY_LIVE_MAX]; /* the newest first */
	uint64_t waiting, waiting_bytes;
	uint64_t oldest_ns;        /* time of the oldest that waits; 0: none */
	uint64_t sent, newest_sent_ns; /* sent ones kept; when the last of them was sent, 0: none */
	uint64_t checkpoints;      /* intervals that ended runs have not completed */
	uint64_t unread;           /* runs that we may not look into, whether they live or not */
	uint64_t ignored;          /* files and folders that are none of ours */
	bool partial;              /* there is more than was looked at */
};

/* 0, or -errno: DIR is not there, is no folder, or may not be read. Never blocks. Whether a run lives
 * its lock tells: it is asked for, shared, and given back at once. A run that starts in that moment
 * waits for it. */
int spool_survey(struct spool_survey *ret, const char *dir) _must_check_;

/* Where APP spools unless told otherwise: $XDG_STATE_HOME/pystoker/spool/APP where that is an absolute
 * path, else /var/tmp/pystoker-UID/APP. APP is made a safe file name. The caller frees. */
char *spool_default_dir(const char *app);

#endif
