/* SPDX-License-Identifier: MIT
 * The pusher without its thread: which item is next, when, and what becomes of it. Time and network
 * come from outside, so that a test lives through a day of outages in a millisecond. */
#ifndef SRC_SHIP_DELIVER_H
#define SRC_SHIP_DELIVER_H

#include "backoff.h"
#include "outage.h"
#include "ship/pusher.h"

#define DELIVER_NEVER UINT64_MAX
#define DELIVER_TROUBLED_MAX 256u  /* items that wait on their own account; then all wait */
#define DELIVER_CUTS_MAX 64u       /* halves remembered */
#define DELIVER_RATE_TRIES 3u      /* 429s for the rate until a profile is halved … */
#define DELIVER_RATE_SPLIT_MIN (64u << 10) /* … if it is so large, uncompressed */
#define DELIVER_GARBAGE_TRIES 5u   /* no HTTP, so often in a row: this is no Pyroscope */
#define DELIVER_HURRY_MAX_NS 1000000000ull /* between two tries when time is short */

struct deliver_ops {
	void (*request)(void *arg, const struct http_request *r, struct http_answer *a);
	uint64_t (*mono_ns)(void *arg);
	uint64_t (*real_ns)(void *arg);
	void *arg;
};

/* An item that failed, and has neither arrived nor been given up since. */
struct troubled {
	uint64_t id;
	uint64_t not_before_ns;    /* monotonic; 0: whenever the server takes something */
	uint64_t sent_then;        /* stats.sent at its last failure */
	unsigned int fails;        /* in all */
	unsigned int few;          /* VERDICT_RETRY_FEW */
	unsigned int rates;        /* 429s for the rate */
};

/* A profile that is half of another, so that its own halves find a time of their own. */
struct cut {
	uint64_t time_ns;
	pid_t pid;
	unsigned int depth;
};

struct deliver {
	struct spool *spool;
	struct deliver_ops ops;
	enum wire_format format;
	const struct labels *more; /* NULL: none */
	void (*on_event)(void *arg, const struct push_event *e); /* NULL: nobody listens */
	void *event_arg;

	uint64_t random;           /* state of the jitter */
	bool hurry;
	unsigned int failures;     /* of the server, in a row */
	unsigned int garbage;      /* of these, what is no HTTP; until something arrives */
	uint64_t server_not_before_ns;
	uint64_t last_failed;      /* id: others are tried before it; 0: none */
	struct bucket bucket;
	size_t raw_max;            /* what is larger is halved, as we learned; 0: nothing learned */
	struct outage outage;
	struct troubled troubled[DELIVER_TROUBLED_MAX];
	size_t troubled_count;
	struct cut cuts[DELIVER_CUTS_MAX]; /* a ring */
	size_t cut_next;

	/* the item at hand, kept while it waits for its turn in the bucket */
	uint64_t ready_id;         /* 0: none */
	struct buf stored;
	struct wire_request request;
	size_t raw_bytes;
	struct http_answer answer;
	struct pusher_stats stats;
};

void deliver_init(struct deliver *d, const struct pusher_config *c, struct spool *spool,
		  const struct deliver_ops *ops);
void deliver_release(struct deliver *d);

/* Makes at most one try. Returns 0 when there may be more to do at once, the monotonic time when there
 * is, or DELIVER_NEVER when nothing waits. */
uint64_t deliver_step(struct deliver *d);

/* Time is short: forgets all that was waited for; from now on waits are DELIVER_HURRY_MAX_NS at most,
 * except for those that only a human ends. */
void deliver_hurry(struct deliver *d);

#endif
