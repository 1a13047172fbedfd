/* SPDX-License-Identifier: MIT
 * What an answer means for a profile. The table is the contract of grafana/pyroscope 1.9 to 2.2
 * (push.v1 by connect-go, /ingest by pkg/ingester/pyroscope), of gateways and of broken networks. */
#ifndef SHIP_VERDICT_H
#define SHIP_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ship/http.h"

enum verdict {
	VERDICT_SENT = 0,
	VERDICT_RETRY,     /* the server's trouble: again, ever later */
	VERDICT_RETRY_FEW, /* may be this profile's fault: again, VERDICT_FEW times at most */
	VERDICT_CONFIG,    /* ours: keep, try slowly, complain (401, 403, 404) */
	VERDICT_LATER,     /* this profile slowly again, while others may well be taken: its time is in
			    * the server's future, or its series is one too many */
	VERDICT_PAUSE,     /* a quota: nothing is taken before until_ns */
	VERDICT_SPLIT,     /* too large: in halves, else dropped */
	VERDICT_DROP,      /* will never be taken */
};

#define VERDICT_FEW 5u
#define VERDICT_RATE_BYTES (1900u << 10) /* a larger profile never passes the default rate's burst */

struct judgement {
	enum verdict verdict;
	bool orderly;      /* the server says that it stops: nothing acknowledged is lost by that */
	bool rate;         /* VERDICT_RETRY: too many bytes at a time, ours or everybody's */
	uint64_t until_ns; /* VERDICT_PAUSE: real time; 0 unknown */
	char why[256];     /* the server's own message, else libcurl's: one line of UTF-8, cut; "" */
};

/* `raw_bytes`: the profile uncompressed, which tells a 429 for size from one for rate. The answers of
 * both addresses never contradict each other, so the format does not matter. */
void verdict_of(struct judgement *ret, const struct http_answer *a, size_t raw_bytes);

const char *verdict_name(enum verdict v); /* "retry" */

#endif
