/* SPDX-License-Identifier: MIT
 * Private to cmd/: what a server's answers say about the server, a check each. Nothing here asks
 * anybody. Statuses and bodies: as measured on Pyroscope 1.15.3 and 2.0.6. */
#ifndef CMD_HEALTH_H
#define CMD_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "checks.h"
#include "ship/http.h"

#define HEALTH_SKEW_WARN_NS (30 * 1000000000ll)
/* Servers refuse what is newer than 10 min or older than 1 h (pkg/validation/limits.go: reject_*):
 * a clock so wrong leaves no room. */
#define HEALTH_AHEAD_FAIL_NS (570 * 1000000000ll)
#define HEALTH_BEHIND_FAIL_NS (3300 * 1000000000ll)

struct health {
	const char *base;          /* the address, as it may be shown */
	const char *tenant;        /* NULL: none */
	int ready;                 /* HTTP status of /ready */
	unsigned int major, minor; /* version; 0 unknown */
	int64_t skew_ns;           /* the server's clock less ours; 0 also when unknown */
};

/* From the answer to GET /ready: whether anything answers at all (false: nothing more to ask),
 * whether it is ready, whether its clock is ours. `now_ns`: real time, when the answer was there. */
bool health_reach(struct health *h, struct checks *c, const struct http_answer *a);
void health_ready(struct health *h, struct checks *c, const struct http_answer *a);
void health_clock(struct health *h, struct checks *c, const struct http_answer *a, uint64_t now_ns);
/* GET /api/v1/status/buildinfo */
void health_version(struct health *h, struct checks *c, const struct http_answer *a);
/* POST /push.v1.PusherService/Push without a profile. False: refused or not there, no use in asking
 * for data. */
bool health_push(struct health *h, struct checks *c, const struct http_answer *a);
/* A query that gave no answer to judge: says why under `id`. */
void health_query_failed(struct checks *c, const char *id, const struct http_answer *a);

#endif
