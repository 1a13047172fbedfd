/* SPDX-License-Identifier: MIT
 * The thread that empties the spool into a server: newest first, again and again until it has them,
 * never faster than the server's limits, never waited for by anybody. */
#ifndef SHIP_PUSHER_H
#define SHIP_PUSHER_H

#include "ship/http.h"
#include "ship/spool.h"
#include "ship/verdict.h"
#include "ship/wire.h"

#define PUSHER_RETRY_MIN_NS 500000000ull     /* full jitter: anything up to 0.5 s, 1 s, 2 s … */
#define PUSHER_RETRY_MAX_NS 60000000000ull   /* … up to 60 s */
#define PUSHER_CONFIG_NS 60000000000ull      /* between tries after VERDICT_CONFIG and _LATER */
#define PUSHER_PAUSE_MAX_NS (24 * 3600 * 1000000000ull) /* of a VERDICT_PAUSE, whatever it says */
#define PUSHER_PACE_BYTES_PER_S 4000000u     /* uncompressed, the servers' default rate … */
#define PUSHER_PACE_BURST_BYTES 2000000u     /* … and burst */
#define PUSHER_TEND_NS 5000000000ull         /* between two spool_tend() */
#define PUSHER_RESEND_NS (3600 * 1000000000ull) /* what 1.x servers lose when they are killed */

struct pusher_config {
	struct http_config http;
	enum wire_format format;
	struct labels more;        /* for items that state no labels (replay) */
	uint64_t seed;             /* of the jitter */
};

enum push_event_kind {
	PUSH_SENT,        /* an item arrived */
	PUSH_FAILED,      /* an attempt failed; the item waits */
	PUSH_DROPPED,     /* an item was refused for good, or cannot be read */
	PUSH_SPLIT,       /* an item was made two */
	PUSH_RESENDING,   /* so many sent items wait again: the server lost its memory */
};

struct push_event {
	enum push_event_kind kind;
	struct spool_key key;      /* all 0: PUSH_RESENDING */
	enum verdict verdict;      /* PUSH_FAILED, PUSH_DROPPED, PUSH_SPLIT: of the answer */
	int status;                /* HTTP; 0: none */
	const char *why;           /* the server's or libcurl's words; "" */
	uint64_t bytes;            /* of the request's body; 0: none was made */
	uint64_t latency_ns;
	uint64_t again_in_ns;      /* PUSH_FAILED: when it is tried again */
	size_t count;              /* PUSH_RESENDING */
};

struct pusher_stats {
	uint64_t sent, sent_bytes, failed, dropped, split, resent;
	uint64_t latency_ns, latency_max_ns; /* last, and largest since the start */
	int last_status;           /* HTTP of the last attempt; 0: no answer */
};

struct pusher;

/* `on_event` (may be NULL) is called from the pusher's thread, which blocks all signals; the event
 * lives as long as the call. The spool stays the caller's, until pusher_stop() has returned. Errors
 * are those of http_open(). */
int pusher_start(struct pusher **ret, const struct pusher_config *c, struct spool *spool,
		 void (*on_event)(void *arg, const struct push_event *e), void *arg,
		 struct err *err) _must_check_;
void pusher_wake(struct pusher *p);     /* something was added; any thread */
/* Tries what waits at once and again, whatever was to be waited for. Ends when nothing waits any more,
 * when no more try falls into `patience_ns` (a server that refuses us needs a human), or when they are
 * over (then the request under way is cut off). Returns how many items still wait, and in *ret_stats
 * (may be NULL) the last figures. Frees p. */
size_t pusher_stop(struct pusher *p, uint64_t patience_ns, struct pusher_stats *ret_stats);
void pusher_stats(struct pusher *p, struct pusher_stats *ret); /* any thread */

#endif
