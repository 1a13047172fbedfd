/* SPDX-License-Identifier: MIT
 * Has the server lost what it acknowledged?
 *
 * Pyroscope 1.x keeps up to an hour in memory alone: a kill -9 loses every profile it answered 200 for
 * (seen with 1.15.3: 20 of 20). It tells nobody. So contact that broke off without the server having
 * said that it stops is suspicious, and so is a kept connection that is suddenly a new one. Then the
 * version decides once contact is back: 1.x is sent the last hour again (it drops equal profiles at
 * once), 2.x has everything (and would count it twice for minutes). */
#ifndef SRC_SHIP_OUTAGE_H
#define SRC_SHIP_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "ship/http.h"
#include "ship/verdict.h"

#define OUTAGE_PATH "/api/v1/status/buildinfo"
/* dskit's server lets go of a connection after 120 s of silence: not before that by itself. A gateway
 * may: a break says something only where connections were kept through OUTAGE_KEPT silences, and
 * through OUTAGE_KEPT_SHARE times as many as they were not. */
#define OUTAGE_IDLE_NS 100000000000ull
#define OUTAGE_SILENCE_NS 500000000ull
#define OUTAGE_KEPT 4u
#define OUTAGE_KEPT_SHARE 8u
#define OUTAGE_KEPT_MAX 256u /* then the past counts half */
#define OUTAGE_QUESTIONS 5u  /* for the version, then it is unknown: some gateways hide it */
/* A way of breaking off that repeats is no crash: then ever more seldom, from … to … */
#define OUTAGE_GAP_MIN_NS 30000000000ull
#define OUTAGE_GAP_MAX_NS 3600000000000ull

enum server_memory {
	SERVER_UNKNOWN = 0, /* not asked, or a version nobody knows */
	SERVER_FORGETS,     /* 1.x */
	SERVER_REMEMBERS,   /* 2.x */
};

struct outage {
	enum server_memory memory;
	bool asked;              /* memory is what the server said, if it said something */
	unsigned int unanswered; /* questions for it in a row */
	bool contact;            /* it has acknowledged something in this run */
	bool orderly;            /* it said that it stops; holds until it acknowledges again */
	bool suspect;
	/* the kept connection */
	bool open;               /* the last answer left it so */
	uint64_t answered_ns;    /* monotonic time of the last answer */
	unsigned int kept, broke; /* how often it was still there after a while, and was not */
	/* the last time that everything was sent again */
	uint64_t resent_ns, gap_ns;
};

/* After each request, whatever it was for. */
void outage_connection(struct outage *o, const struct http_answer *a, uint64_t now_ns);
/* After each push. Call it before outage_connection(). */
void outage_push(struct outage *o, const struct http_answer *a, const struct judgement *j,
		 uint64_t now_ns);
/* A push was acknowledged: is it time to ask for the version? */
bool outage_wants_version(const struct outage *o, uint64_t now_ns);
/* The answer to OUTAGE_PATH. True: send everything again. */
bool outage_version(struct outage *o, const struct http_answer *a, uint64_t now_ns);
/* The acknowledgement is dealt with. */
void outage_over(struct outage *o);

#endif
