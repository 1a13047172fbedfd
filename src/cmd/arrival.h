/* SPDX-License-Identifier: MIT
 * Private to cmd/: whether a service's data have arrived, judged from the server's answers. Nothing
 * here asks anybody.
 *
 * A server of 2.x in its default read mode shows nothing of a tenant before its first compaction,
 * minutes after the first push, and lists services without a matcher only from compacted data
 * (measured on 2.0.6: pkg/frontend/readpath/split_time_resolver.go). So where nothing at all can be
 * seen it cannot be told from one to which nothing was sent. */
#ifndef CMD_ARRIVAL_H
#define CMD_ARRIVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "checks.h"
#include "ship/http.h"

#define ARRIVAL_INTERVALS 3u  /* data older than so many intervals are stale */
#define ARRIVAL_NAMES_MAX 64u /* services remembered of a listing */

enum arrival_type { ARRIVAL_CPU, ARRIVAL_WALL, ARRIVAL_TYPES };

/* Profile type IDs as push makes them, and a word for them. */
extern const char *const arrival_type_ids[ARRIVAL_TYPES];

struct arrival_names {
	char *list[ARRIVAL_NAMES_MAX + 1]; /* owned; NULL-terminated */
	size_t count;              /* of the list */
	size_t total;              /* as the server gave them, also those not kept */
};

struct arrival {
	const char *app, *tenant;  /* tenant: NULL none */
	uint64_t now_ms, interval_ms;
	uint64_t lookback_ms;      /* how far `newest_ms` was looked for */
	uint64_t newest_ms[ARRIVAL_TYPES]; /* of the service; 0: none in that time */
	bool known;                /* the service is listed within ARRIVAL_LISTED_MS */
	struct arrival_names others; /* all services listed; asked for only when !known */
	unsigned int major;        /* version of the server; 0 unknown */
	bool starting;             /* /ready says 503 */
};

#define ARRIVAL_LISTED_MS (23 * 3600 * 1000ull) /* servers refuse more than 24 h (max_query_length) */

/* Newest point that is not 0 of a SelectSeries answer, in ms since the epoch; 0: there is none.
 * -EBADMSG: not such an answer. */
int arrival_newest(uint64_t *ret_ms, const struct http_answer *a) _must_check_;
/* Of a LabelValues answer; -EBADMSG. A list too long to be kept whole counts, without names. */
int arrival_names(struct arrival_names *ret, const struct http_answer *a) _must_check_;
void arrival_names_release(struct arrival_names *n);

/* Adds the check "fresh". */
void arrival_judge(const struct arrival *f, struct checks *c);
/* Adds the check "services": what there is, when no service was asked for. */
void arrival_list(const struct arrival *f, struct checks *c);

#endif
