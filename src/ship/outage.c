/* SPDX-License-Identifier: MIT
 * Judging outages by what little a client sees of them. */
#include "outage.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

static uint64_t silence_ns(const struct outage *o, const struct http_answer *a, uint64_t now_ns)
{
	uint64_t since = o->answered_ns + a->latency_ns;

	return now_ns > since ? now_ns - since : 0;
}

static bool new_connection_is_odd(const struct outage *o, const struct http_answer *a, uint64_t now_ns)
{
	return a->connected && o->open && silence_ns(o, a, now_ns) < OUTAGE_IDLE_NS &&
	       o->kept >= OUTAGE_KEPT && o->kept > o->broke * OUTAGE_KEPT_SHARE;
}

static void count_silence(struct outage *o, const struct http_answer *a, uint64_t now_ns)
{
	uint64_t silence = silence_ns(o, a, now_ns);

	if (!o->open || silence < OUTAGE_SILENCE_NS || silence >= OUTAGE_IDLE_NS)
		return;
	if (a->connected)
		o->broke++;
	else
		o->kept++;
	if (o->kept + o->broke > OUTAGE_KEPT_MAX) {
		o->kept /= 2;
		o->broke /= 2;
	}
}

void outage_connection(struct outage *o, const struct http_answer *a, uint64_t now_ns)
{
	if (!a->status) { /* libcurl has closed it */
		o->open = false;
		return;
	}
	count_silence(o, a, now_ns);
	o->open = !a->closing;
	o->answered_ns = now_ns;
}

/* A gateway answers for a server that is not there. */
static bool out_of_reach(const struct http_answer *a)
{
	return (!a->status && a->error != ECANCELED) || a->status == 502 || a->status == 503 ||
	       a->status == 504;
}

void outage_push(struct outage *o, const struct http_answer *a, const struct judgement *j,
		 uint64_t now_ns)
{
	if (j->orderly)
		o->orderly = true;
	if (o->contact && !o->orderly && (out_of_reach(a) || new_connection_is_odd(o, a, now_ns)))
		o->suspect = true;
}

bool outage_wants_version(const struct outage *o, uint64_t now_ns)
{
	if (!o->asked)
		return true;
	return o->suspect && (!o->resent_ns || now_ns - o->resent_ns >= o->gap_ns);
}

/* "1.15.3", "v1.9.0"; 2.0.0 reports "" (seen). "main-3fe6a457" may be anything. */
static enum server_memory memory_of(const char *version)
{
	if (!*version)
		return SERVER_REMEMBERS;
	if (*version == 'v')
		version++;
	if (*version < '0' || *version > '9')
		return SERVER_UNKNOWN;
	return !strncmp(version, "1.", 2) || !strncmp(version, "0.", 2) ? SERVER_FORGETS
									: SERVER_REMEMBERS;
}

/* {"status":"success","data":{"version":"1.15.3",…}} */
static enum server_memory read_memory(const struct http_answer *a)
{
	json_t *root = a->status == 200 ? json_loadb(a->body, a->body_len, 0, NULL) : NULL;
	const json_t *version = json_object_get(json_object_get(root, "data"), "version");
	enum server_memory memory = SERVER_UNKNOWN;

	if (json_is_string(version))
		memory = memory_of(json_string_value(version));
	json_decref(root);
	return memory;
}

static void note_resent(struct outage *o, uint64_t now_ns)
{
	bool quiet = !o->resent_ns || now_ns - o->resent_ns > 2 * OUTAGE_GAP_MAX_NS;

	o->gap_ns = quiet ? OUTAGE_GAP_MIN_NS : o->gap_ns * 2;
	if (o->gap_ns > OUTAGE_GAP_MAX_NS)
		o->gap_ns = OUTAGE_GAP_MAX_NS;
	o->resent_ns = now_ns;
}

bool outage_version(struct outage *o, const struct http_answer *a, uint64_t now_ns)
{
	enum server_memory before = o->memory;

	if ((!a->status || a->status >= 500) && ++o->unanswered < OUTAGE_QUESTIONS)
		return false; /* gone again: the next acknowledgement asks anew */
	o->unanswered = 0;
	o->asked = true;
	o->memory = read_memory(a);
	if (!o->suspect)
		return false;
	o->suspect = false;
	if (o->memory != SERVER_FORGETS || before == SERVER_REMEMBERS)
		return false;
	note_resent(o, now_ns);
	return true;
}

void outage_over(struct outage *o)
{
	o->contact = true;
	o->orderly = false;
}
