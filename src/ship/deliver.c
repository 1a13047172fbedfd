/* SPDX-License-Identifier: MIT
 * One item after the other.
 *
 * A failure is the server's (everything waits, then one item probes) or the item's (it waits, others
 * go on). The answer alone often does not tell. So the probe is another item than the one that failed
 * last, if there is one; and an item that fails again after others were taken in between waits alone,
 * whatever the answer was. */
#include "deliver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/gzip.h"

/* Second halves lie so far behind the first, then half as far, and so on down to 1 ms: chunks of one
 * interval are WIRE_CHUNK_STEP_NS apart from its start, and no two profiles of the same labels may
 * share a millisecond. */
#define CUT_STEP_NS (512 * NSEC_PER_MSEC)
#define CUT_DEPTH_MAX 9u

void deliver_init(struct deliver *d, const struct pusher_config *c, struct spool *spool,
		  const struct deliver_ops *ops)
{
	memset(d, 0, sizeof(*d));
	d->spool = spool;
	d->ops = *ops;
	d->format = c->format;
	d->more = c->more.count ? &c->more : NULL;
	d->random = c->seed;
	d->bucket = (struct bucket){ .rate = PUSHER_PACE_BYTES_PER_S, .burst = PUSHER_PACE_BURST_BYTES };
}

/* --- The item at hand ------------------------------------------------------- */

static void drop_ready(struct deliver *d)
{
	d->ready_id = 0;
	wire_request_release(&d->request);
	d->request = (struct wire_request){ 0 };
	buf_release(&d->stored);
}

void deliver_release(struct deliver *d)
{
	drop_ready(d);
}

/* The last four bytes of gzip, RFC 1952 ISIZE. It may lie in a foreign file: it only steers pace. */
static size_t raw_size(const struct buf *stored)
{
	const uint8_t *end = (const uint8_t *)stored->data + stored->len;
	size_t size;

	if (stored->len < 18 || !gzip_is(stored->data, stored->len))
		return stored->len;
	size = (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
	return size < WIRE_STORED_BYTES_MAX ? size : WIRE_STORED_BYTES_MAX;
}

/* --- Words to the outside ----------------------------------------------------- */

static void emit(struct deliver *d, const struct push_event *e)
{
	if (d->on_event)
		d->on_event(d->event_arg, e);
}

static struct push_event event_of(const struct deliver *d, enum push_event_kind kind,
				  const struct spool_item *item, const struct judgement *j)
{
	return (struct push_event){
		.kind = kind,
		.key = item->key,
		.verdict = j->verdict,
		.status = d->answer.status,
		.why = j->why,
		.bytes = d->request.body.len,
		.latency_ns = d->answer.latency_ns,
	};
}

/* --- Items in trouble ---------------------------------------------------------- */

static struct troubled *troubled_find(struct deliver *d, uint64_t id)
{
	for (size_t i = 0; i < d->troubled_count; i++)
		if (d->troubled[i].id == id)
			return &d->troubled[i];
	return NULL;
}

static void troubled_remove(struct deliver *d, uint64_t id)
{
	struct troubled *t = troubled_find(d, id);

	if (t)
		*t = d->troubled[--d->troubled_count];
}

/* The place of one that does not wait any more: it is soon tried again, or gone from the spool. */
static struct troubled *troubled_reuse(struct deliver *d, uint64_t now)
{
	for (size_t i = 0; i < d->troubled_count; i++)
		if (d->troubled[i].not_before_ns <= now && !d->troubled[i].few)
			return &d->troubled[i];
	for (size_t i = 0; i < d->troubled_count; i++)
		if (d->troubled[i].not_before_ns <= now)
			return &d->troubled[i];
	return NULL;
}

/* NULL: too many are in trouble; the server is, then. */
static struct troubled *troubled_get(struct deliver *d, uint64_t id, uint64_t now)
{
	struct troubled *t = troubled_find(d, id);

	if (t)
		return t;
	t = d->troubled_count < DELIVER_TROUBLED_MAX ? &d->troubled[d->troubled_count++]
						     : troubled_reuse(d, now);
	if (t)
		*t = (struct troubled){ .id = id };
	return t;
}

/* When the first of those that wait may be tried. */
static uint64_t troubled_due(const struct deliver *d, uint64_t now)
{
	uint64_t due = DELIVER_NEVER;

	for (size_t i = 0; i < d->troubled_count; i++)
		if (d->troubled[i].not_before_ns > now && d->troubled[i].not_before_ns < due)
			due = d->troubled[i].not_before_ns;
	return due;
}

/* The newest item that may be tried; one that did not fail last, if there is another. */
static bool choose(struct deliver *d, uint64_t now, struct spool_item *ret)
{
	uint64_t except[DELIVER_TROUBLED_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < d->troubled_count; i++)
		if (d->troubled[i].not_before_ns > now)
			except[n++] = d->troubled[i].id;
	if (d->last_failed) {
		except[n] = d->last_failed;
		if (spool_next(d->spool, except, n + 1, ret))
			return true;
	}
	return spool_next(d->spool, except, n, ret);
}

/* --- What becomes of an item --------------------------------------------------- */

static uint64_t retry_max(const struct deliver *d)
{
	return d->hurry ? DELIVER_HURRY_MAX_NS : PUSHER_RETRY_MAX_NS;
}

static void failed(struct deliver *d, const struct spool_item *item, const struct judgement *j,
		   uint64_t wait_ns)
{
	struct push_event e = event_of(d, PUSH_FAILED, item, j);

	e.again_in_ns = wait_ns;
	emit(d, &e);
}

static void server_waits(struct deliver *d, const struct spool_item *item, const struct judgement *j,
			 uint64_t now, uint64_t wait_ns)
{
	d->server_not_before_ns = now + wait_ns;
	d->last_failed = item->id;
	failed(d, item, j, wait_ns);
}

static void item_waits(struct deliver *d, const struct spool_item *item, const struct judgement *j,
		       uint64_t now, uint64_t wait_ns)
{
	struct troubled *t = troubled_get(d, item->id, now);

	if (!t) {
		server_waits(d, item, j, now, wait_ns);
		return;
	}
	t->not_before_ns = now + wait_ns;
	failed(d, item, j, wait_ns);
}

/* A failure that looks like the server's; `wait_ns` 0: ever later. */
static void blame_server(struct deliver *d, const struct spool_item *item, const struct judgement *j,
			 uint64_t now, uint64_t wait_ns)
{
	struct troubled *t = troubled_get(d, item->id, now);
	bool alone = t && t->fails > 0 && d->stats.sent > t->sent_then;

	if (t) {
		t->fails++;
		t->sent_then = d->stats.sent;
	}
	if (alone) {
		item_waits(d, item, j, now,
			   wait_ns ? wait_ns : backoff_ns(t->fails, retry_max(d), &d->random));
		return;
	}
	d->failures++;
	if (!wait_ns)
		wait_ns = backoff_ns(d->failures, retry_max(d), &d->random);
	server_waits(d, item, j, now, wait_ns);
}

static void give_up(struct deliver *d, const struct spool_item *item, const struct judgement *j)
{
	struct push_event e = event_of(d, PUSH_DROPPED, item, j);

	spool_refuse(d->spool, item->id);
	troubled_remove(d, item->id);
	d->stats.dropped++;
	emit(d, &e);
}

static void few_more(struct deliver *d, const struct spool_item *item, const struct judgement *j,
		     uint64_t now)
{
	struct troubled *t = troubled_get(d, item->id, now);

	if (t && ++t->few >= VERDICT_FEW) {
		give_up(d, item, j);
		return;
	}
	item_waits(d, item, j, now, backoff_ns(t ? t->few : VERDICT_FEW, retry_max(d), &d->random));
}

/* A quota's end by the server's clock, if it tells the time. */
static uint64_t pause_ns(const struct deliver *d, const struct judgement *j)
{
	uint64_t now = d->answer.date_ns ? d->answer.date_ns : d->ops.real_ns(d->ops.arg);
	uint64_t wait = j->until_ns > now ? j->until_ns - now : 0;

	if (!j->until_ns || wait < PUSHER_RETRY_MIN_NS)
		return PUSHER_CONFIG_NS;
	return wait < PUSHER_PAUSE_MAX_NS ? wait : PUSHER_PAUSE_MAX_NS;
}

/* --- Halves ---------------------------------------------------------------------- */

static unsigned int cut_depth(const struct deliver *d, uint64_t time_ns, pid_t pid)
{
	unsigned int depth = 0;

	for (size_t i = 0; i < DELIVER_CUTS_MAX; i++) {
		const struct cut *c = &d->cuts[i];

		if (c->time_ns == time_ns && c->pid == pid && c->depth > depth)
			depth = c->depth;
	}
	return depth;
}

static void cut_note(struct deliver *d, uint64_t time_ns, pid_t pid, unsigned int depth)
{
	d->cuts[d->cut_next] = (struct cut){ time_ns, pid, depth };
	d->cut_next = (d->cut_next + 1) % DELIVER_CUTS_MAX;
}

static int store_halves(struct deliver *d, const struct spool_item *item, uint64_t second_ns,
			const struct buf *first, const struct buf *second)
{
	struct spool_key key = item->key;
	int r;

	r = spool_add(d->spool, &key, first->data, first->len);
	if (r < 0)
		return r;
	key.time_ns = second_ns;
	return spool_add(d->spool, &key, second->data, second->len);
}

/* The time within the profile, which is its identity; the item's name may be off by milliseconds. */
static int stored_time(struct deliver *d, uint64_t *ret, struct err *err)
{
	struct labels labels = { 0 };
	int r = wire_labels(d->stored.data, d->stored.len, &labels, ret, err);

	labels_release(&labels);
	return r;
}

/* -ENODATA: it cannot be halved. Any other error is the spool's. */
static int halve(struct deliver *d, const struct spool_item *item, struct err *err)
{
	struct buf first = BUF_INIT, second = BUF_INIT;
	uint64_t time_ns, second_ns;
	unsigned int depth;
	int r;

	if (stored_time(d, &time_ns, err) < 0)
		return -ENODATA;
	depth = cut_depth(d, time_ns, item->key.pid);
	second_ns = time_ns + (CUT_STEP_NS >> depth);
	if (depth > CUT_DEPTH_MAX)
		return err_set(err, -ENODATA, EXIT_FAILED, "it was halved %u times", depth);
	r = wire_halve(d->stored.data, d->stored.len, second_ns, &first, &second, err);
	if (r == 0)
		r = store_halves(d, item, second_ns, &first, &second);
	else
		r = -ENODATA;
	if (r == 0) {
		cut_note(d, time_ns, item->key.pid, depth + 1);
		cut_note(d, second_ns, item->key.pid, depth + 1);
	}
	buf_release(&first);
	buf_release(&second);
	return r;
}

/* 0, or an error of halve(): the item is as it was, whole. */
static int split(struct deliver *d, const struct spool_item *item, const struct judgement *j,
		 struct err *err)
{
	struct push_event e = event_of(d, PUSH_SPLIT, item, j);
	int r = halve(d, item, err);

	if (r < 0)
		return r;
	spool_remove(d->spool, item->id);
	troubled_remove(d, item->id);
	d->stats.split++;
	d->failures = 0;
	emit(d, &e);
	return 0;
}

static void too_large(struct deliver *d, const struct spool_item *item, const struct judgement *j,
		      uint64_t now)
{
	struct judgement said = *j;
	struct err err = { 0 };
	int r = split(d, item, j, &err);

	if (r == 0)
		return;
	if (r != -ENODATA) { /* the spool may be full */
		item_waits(d, item, j, now, PUSHER_CONFIG_NS);
		return;
	}
	snprintf(said.why, sizeof(said.why), "too large for the server (%.120s) and not to be halved: "
		 "%.80s", j->why, err.text);
	give_up(d, item, &said);
}

/* The message names the rate of a 429 for bytes, but not the burst that one profile must not exceed,
 * and a server may have a smaller one than usual. A profile that is refused again and again is halved;
 * others of its size then are, unasked. */
static bool burst_too_small(struct deliver *d, const struct spool_item *item, const struct judgement *j,
			    uint64_t now)
{
	struct troubled *t = j->rate ? troubled_get(d, item->id, now) : NULL;

	if (!t || d->raw_bytes < DELIVER_RATE_SPLIT_MIN || ++t->rates < DELIVER_RATE_TRIES)
		return false;
	d->raw_max = d->raw_bytes - d->raw_bytes / 4;
	too_large(d, item, j, now);
	return true;
}

/* --- A try ------------------------------------------------------------------------- */

static void ask(struct deliver *d, const struct http_request *r)
{
	d->ops.request(d->ops.arg, r, &d->answer);
}

/* Before the item at hand is marked as sent: it need not be sent again. */
static void check_memory(struct deliver *d, uint64_t now)
{
	static const struct http_request version = { .method = "GET", .path = OUTAGE_PATH };
	struct push_event e = { .kind = PUSH_RESENDING, .why = "" };
	uint64_t real = d->ops.real_ns(d->ops.arg);
	bool again;

	if (!outage_wants_version(&d->outage, now))
		return;
	ask(d, &version);
	now = d->ops.mono_ns(d->ops.arg);
	again = outage_version(&d->outage, &d->answer, now);
	outage_connection(&d->outage, &d->answer, now);
	if (!again)
		return;
	e.count = spool_resend(d->spool, real > PUSHER_RESEND_NS ? real - PUSHER_RESEND_NS : 0);
	d->stats.resent += e.count;
	if (e.count)
		emit(d, &e);
}

static void arrived(struct deliver *d, const struct spool_item *item, const struct judgement *j,
		    uint64_t now)
{
	struct push_event e = event_of(d, PUSH_SENT, item, j);

	d->failures = 0;
	d->garbage = 0;
	d->last_failed = 0;
	d->stats.sent++;
	d->stats.sent_bytes += e.bytes;
	d->stats.latency_ns = e.latency_ns;
	if (e.latency_ns > d->stats.latency_max_ns)
		d->stats.latency_max_ns = e.latency_ns;
	check_memory(d, now);
	outage_over(&d->outage);
	spool_sent(d->spool, item->id);
	troubled_remove(d, item->id);
	emit(d, &e);
}

/* Who speaks HTTP means it; a little garbage may pass. */
static uint64_t config_ns(struct deliver *d)
{
	if (d->answer.status || ++d->garbage >= DELIVER_GARBAGE_TRIES)
		return PUSHER_CONFIG_NS;
	return 0;
}

static void act(struct deliver *d, const struct spool_item *item, const struct judgement *j,
		uint64_t now)
{
	switch (j->verdict) {
	case VERDICT_SENT:
		arrived(d, item, j, now);
		break;
	case VERDICT_RETRY:
		if (!burst_too_small(d, item, j, now))
			blame_server(d, item, j, now, 0);
		break;
	case VERDICT_CONFIG:
		blame_server(d, item, j, now, config_ns(d));
		break;
	case VERDICT_PAUSE:
		server_waits(d, item, j, now, pause_ns(d, j));
		break;
	case VERDICT_RETRY_FEW:
		few_more(d, item, j, now);
		break;
	case VERDICT_LATER:
		item_waits(d, item, j, now, PUSHER_CONFIG_NS);
		break;
	case VERDICT_SPLIT:
		too_large(d, item, j, now);
		break;
	case VERDICT_DROP:
		give_up(d, item, j);
		break;
	}
}

static void attempt(struct deliver *d, const struct spool_item *item)
{
	struct http_request r = {
		.method = "POST",
		.path = d->request.path.data,
		.content_type = d->request.content_type,
		.gzip = d->request.gzip,
		.body = d->request.body.data,
		.len = d->request.body.len,
	};
	struct judgement j;
	uint64_t now;

	ask(d, &r);
	now = d->ops.mono_ns(d->ops.arg);
	if (d->answer.error == ECANCELED)
		return; /* our own doing: nothing is known */
	verdict_of(&j, &d->answer, d->raw_bytes);
	outage_push(&d->outage, &d->answer, &j, now);
	outage_connection(&d->outage, &d->answer, now);
	d->stats.last_status = d->answer.status;
	d->stats.failed += j.verdict != VERDICT_SENT;
	act(d, item, &j, now);
}

/* --- Choosing and making ready -------------------------------------------------------- */

/* -errno; a failure is dealt with. */
static int read_item(struct deliver *d, const struct spool_item *item, uint64_t now)
{
	int r = spool_read(d->spool, item->id, &d->stored);
	struct judgement j = { .verdict = VERDICT_LATER };

	if (r == 0)
		return 0;
	d->answer.status = 0;
	snprintf(j.why, sizeof(j.why), "cannot be read from the spool: %s", strerror(-r));
	/* Gone (-ENOENT), or left to the next run, or a passing trouble: the spool knows. Were it
	 * offered again at once, we should turn in a circle. */
	if (r == -ENOENT)
		(void)troubled_get(d, item->id, now);
	if (troubled_find(d, item->id))
		troubled_find(d, item->id)->not_before_ns = now + PUSHER_CONFIG_NS;
	else
		item_waits(d, item, &j, now, PUSHER_CONFIG_NS);
	return r;
}

/* What wire_build() did not take: beyond what servers take by default, or no profile. */
static void not_sendable(struct deliver *d, const struct spool_item *item, int r,
			 const struct err *err, uint64_t now)
{
	struct judgement j = { .verdict = VERDICT_DROP };

	d->answer.status = 0;
	d->answer.latency_ns = 0;
	if (r == -E2BIG) {
		j.verdict = VERDICT_SPLIT;
		snprintf(j.why, sizeof(j.why), "more than servers take of one profile");
		too_large(d, item, &j, now);
		return;
	}
	snprintf(j.why, sizeof(j.why), "%.250s", err->text[0] ? err->text : strerror(-r));
	give_up(d, item, &j);
}

/* 0: the request is made. Otherwise the item is dealt with. */
static int make_ready(struct deliver *d, const struct spool_item *item, uint64_t now)
{
	struct err err = { 0 };
	int r;

	if (d->ready_id == item->id)
		return 0;
	drop_ready(d);
	r = read_item(d, item, now);
	if (r < 0)
		return r;
	d->raw_bytes = raw_size(&d->stored);
	r = wire_build(&d->request, d->format, d->stored.data, d->stored.len, d->more, &err);
	if (r == 0 && d->raw_max && d->raw_bytes > d->raw_max && d->request.samples > 1)
		r = -E2BIG;
	if (r == 0) {
		d->ready_id = item->id;
		return 0;
	}
	not_sendable(d, item, r, &err, now);
	drop_ready(d);
	return r;
}

uint64_t deliver_step(struct deliver *d)
{
	uint64_t now = d->ops.mono_ns(d->ops.arg), wait;
	struct spool_item item;

	if (now < d->server_not_before_ns)
		return d->server_not_before_ns;
	if (!choose(d, now, &item)) {
		drop_ready(d);
		return troubled_due(d, now);
	}
	if (make_ready(d, &item, now) < 0)
		return 0;
	wait = bucket_take(&d->bucket, now, d->raw_bytes);
	if (wait)
		return now + wait;
	attempt(d, &item);
	drop_ready(d);
	return 0;
}

void deliver_hurry(struct deliver *d)
{
	d->hurry = true;
	d->failures = 0;
	d->server_not_before_ns = 0;
	for (size_t i = 0; i < d->troubled_count; i++)
		d->troubled[i].not_before_ns = 0;
}
