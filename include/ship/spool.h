/* SPDX-License-Identifier: MIT
 * Intervals on disk until a server has them, and an hour longer where a server may lose them.
 *
 *   DIR/RUN/lock                              held (flock) as long as the run lives
 *   DIR/RUN/1795246045138-4242.cpu.pb.gz      waits to be sent; the number is its time in ms
 *   DIR/RUN/sent/….pb.gz                      sent; the file's mtime says when
 *   DIR/RUN/running/….pb                      the interval under way, as far as it is known
 *
 * RUN is a folder of one run of pystoker ("1795246045-17"). Opening DIR adopts what ended runs have
 * left there (their lock is free): running/ becomes waiting, everything moves into our folder.
 * Where the disk fails, items stay in memory, up to SPOOL_MEMORY_MAX, and go to the disk when it
 * works again. All functions may be called from any thread. */
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
#define SPOOL_ITEMS_MAX 65536u        /* files looked at; more are left alone and said */
#define SPOOL_FILE_MAX (16u << 20)    /* bytes of one file; larger ones are none of ours */

struct spool_config {
	const char *dir;           /* made, with parents, mode 0700, when missing */
	uint64_t bytes_max;        /* of waiting and sent together; sent ones go first, then the oldest */
	uint64_t age_max_ns;       /* waiting ones older than that (by their time) are dropped; 0: never */
	uint64_t keep_sent_ns;     /* sent ones are kept so long after sending; 0: not at all */
	uint64_t (*now_real_ns)(void); /* clock_real_ns; tests inject theirs */
};

/* What names an item. At most one of the same name is kept: a later time is chosen by adding
 * milliseconds when an equal one exists (spool_add says which). */
struct spool_key {
	uint64_t time_ns;          /* start of the interval, since the epoch */
	pid_t pid;
	char kind[16];             /* "cpu", "wall" */
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
	uint64_t dropped_age, dropped_size, dropped_refused; /* items since the start */
	int disk_error;            /* errno of the last write that failed; 0: the disk works */
};

struct spool;

/* Never fails for a disk that does not work: then it is memory only, and err says why (return 0 with
 * err->text set). -errno only for what is asked wrongly (dir is a file). */
int spool_open(struct spool **ret, const struct spool_config *c, struct err *err) _must_check_;
/* Leaves waiting items for the next run; removes its own folder when that is empty. NULL is fine. */
void spool_close(struct spool *s);

/* Makes an item of gzip'd pprof, atomically and synced. Returns 0 also when only memory took it;
 * -ENOSPC when nothing did (counted as dropped_size). */
int spool_add(struct spool *s, const struct spool_key *key, const void *data, size_t len);
/* Replaces the checkpoint of the interval under way (one per pid and kind); atomically, not synced:
 * it survives our end, not the machine's. */
int spool_checkpoint(struct spool *s, const struct spool_key *key, const void *data, size_t len);
/* The interval is complete, or its process gone: its checkpoint is of no use any more. */
void spool_checkpoint_drop(struct spool *s, pid_t pid, const char *kind);

/* The waiting item with the newest time not in `except` (ids; NULL, 0: none). False: none waits. */
bool spool_next(struct spool *s, const uint64_t *except, size_t n, struct spool_item *ret);
/* Its bytes, appended. -ENOENT: it is gone meanwhile (dropped for age or size, or by somebody). */
int spool_read(struct spool *s, uint64_t id, struct buf *ret) _must_check_;
void spool_sent(struct spool *s, uint64_t id);     /* kept for keep_sent_ns */
void spool_refuse(struct spool *s, uint64_t id);   /* will never be taken: removed, dropped_refused */
void spool_remove(struct spool *s, uint64_t id);   /* replaced by others (halves): removed, uncounted */
/* Lets sent items wait again that were sent at `since_ns` (real time) or later; how many. */
size_t spool_resend(struct spool *s, uint64_t since_ns);
/* Drops what has become too old and too much; tries the disk again for what is in memory. Now and
 * then, from the thread that may wait for the disk. */
void spool_tend(struct spool *s);

void spool_stats(struct spool *s, struct spool_stats *ret);
const char *spool_folder(const struct spool *s); /* of this run; "" when memory only */

#endif
