/* SPDX-License-Identifier: MIT
 * Private to cmd/: what push says: a line for each interval, status, Prometheus text.
 *
 * An interval is several profiles (cpu and wall, of each process); it is told of when the server has
 * them all. Called by the main thread (intervals) and the pusher's (events). */
#ifndef CMD_PUSHLOG_H
#define CMD_PUSHLOG_H

#include <pthread.h>

#include "mix/mixer.h"
#include "sampler/stats.h"
#include "ship/pusher.h"
#include "util/log.h"

enum { PUSHLOG_NOTES = 16 }; /* intervals that wait for their answer; older ones are told singly */

struct push_note {
	uint64_t first_ns, last_ns;  /* times of its profiles, since the epoch */
	size_t items, done;
	uint64_t bytes, latency_ns;
	uint64_t wall_ns;            /* its length */
	uint64_t covered_ns;         /* of all its processes together */
	size_t processes;
	bool rest;                   /* of processes that ended before the border */
	struct sampler_stats stats;
	struct mixer_stats mixed;
	double cpu_percent;          /* our own, during the interval */
};

struct pushlog {
	struct log *log;
	pthread_mutex_t lock;
	struct push_note notes[PUSHLOG_NOTES];
	size_t next;
	struct spool *spool;         /* for its depth */
	struct pusher_stats push;    /* the pusher's last figures, once it has stopped */
	struct spool_stats told;     /* what pushlog_spool() has said */
	size_t failures;             /* attempts since one succeeded */
	size_t kept_sent;            /* profiles of earlier times that arrived, not told of yet */
	uint64_t kept_bytes, kept_oldest_ns, kept_told_ns;
	int failed_status;           /* of the last one told of */
	uint64_t failed_ns;          /* when that was; CLOCK_MONOTONIC; 0: none since a success */
	/* Sums since the start. */
	uint64_t started_ns, intervals, processes;
	struct sampler_stats stats;
	struct mixer_stats mixed;
	uint64_t covered_ns;
};

void pushlog_init(struct pushlog *p, struct log *log);
void pushlog_release(struct pushlog *p);

/* Profiles of an interval are about to be added to the spool: what the pusher has to tell of them
 * waits until pushlog_interval() has said what they are. */
void pushlog_begin(struct pushlog *p);
/* The interval is complete: it became `note->items` profiles. Follows pushlog_begin(). */
void pushlog_interval(struct pushlog *p, const struct push_note *note);
void pushlog_on_event(void *pushlog, const struct push_event *e);
/* Tells what waits to be told. */
void pushlog_flush(struct pushlog *p);
/* Says what has become of the spool since the last call: a disk that fails, or works again, and
 * profiles that had to be dropped. */
void pushlog_spool(struct pushlog *p);

/* Several lines: what a person wants to know now. */
void pushlog_status(struct pushlog *p, struct pusher *pusher, const char *app);
/* Writes the same for node_exporter's textfile collector: whole or not at all. */
int pushlog_stats_file(struct pushlog *p, struct pusher *pusher, const char *app, const char *path,
		       struct err *err) _must_check_;

#endif
