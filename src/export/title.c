/* SPDX-License-Identifier: MIT
 * What a recording is, in one or two lines. */
#include "title.h"

#include <inttypes.h>

#include "export/label.h"
#include "profile/events.h"
#include "util/attr.h"
#include "util/clock.h"

static const char between[] = " \xc2\xb7 ";

void title_add_time(struct buf *b, uint64_t ns)
{
	uint64_t s = ns / NSEC_PER_SEC;

	if (s >= 3600)
		buf_addf(b, "%" PRIu64 " h %02" PRIu64 " min", s / 3600, s / 60 % 60);
	else if (s >= 60)
		buf_addf(b, "%" PRIu64 " min %02" PRIu64 " s", s / 60, s % 60);
	else if (s >= 10)
		buf_addf(b, "%.1f s", (double)ns / 1e9);
	else if (ns >= NSEC_PER_SEC)
		buf_addf(b, "%.2f s", (double)ns / 1e9);
	else if (ns >= NSEC_PER_MSEC || !ns)
		buf_addf(b, "%.3g ms", (double)ns / 1e6);
	else
		buf_addf(b, "%.3g \xc2\xb5s", (double)ns / 1e3);
}

void title_add_program(struct buf *b, const struct profile *p)
{
	const char *program = p->meta.program;

	label_clean(b, program && *program ? program : "python", TITLE_PROGRAM_MAX);
}

void title_add(struct buf *b, const struct profile *p)
{
	title_add_program(b, p);
	if (p->meta.pid)
		buf_addf(b, "%sPID %d", between, (int)p->meta.pid);
	if (p->meta.python_version) {
		buf_addf(b, "%sPython ", between);
		label_clean(b, p->meta.python_version, TITLE_PROGRAM_MAX);
	}
	buf_adds(b, between);
	title_add_time(b, p->meta.duration_ns);
	if (p->meta.rate_hz > 0)
		buf_addf(b, " at %g Hz", p->meta.rate_hz);
}

static void add_samples(struct buf *b, const struct profile *p)
{
	buf_addf(b, "%" PRIu64 " sample%s", p->meta.samples, p->meta.samples == 1 ? "" : "s");
}

static void add_dropped(struct buf *b, const struct profile *p)
{
	buf_addf(b, "%" PRIu64 " dropped", p->meta.dropped);
	if (!p->meta.reasons || !*p->meta.reasons)
		return;
	buf_adds(b, " (");
	label_clean(b, p->meta.reasons, TITLE_PROGRAM_MAX);
	buf_adds(b, ")");
}

static void add_repaired(struct buf *b, const struct profile *p)
{
	buf_addf(b, "%" PRIu64 " repaired", p->meta.repaired);
}

static void add_cut(struct buf *b, const struct profile *p)
{
	if (p->cut)
		buf_addf(b, "%" PRIu64 " stacks cut", p->cut);
}

static void add_lost(struct buf *b, const struct profile *p)
{
	if (p->events && events_lost(p->events))
		buf_addf(b, "%" PRIu64 " missing in the order of time", events_lost(p->events));
}

static void add_mode(struct buf *b, const struct profile *p)
{
	if (p->meta.mode)
		label_clean(b, p->meta.mode, TITLE_PROGRAM_MAX);
}

static void add_native(struct buf *b, const struct profile *p)
{
	if (p->meta.native)
		label_clean(b, p->meta.native, TITLE_NATIVE_MAX);
}

static void (*const remarks[])(struct buf *b, const struct profile *p) = {
	add_samples, add_dropped, add_repaired, add_cut, add_lost, add_mode, add_native,
};

bool title_add_remark(struct buf *b, const struct profile *p, unsigned i)
{
	if (i >= ARRAY_SIZE(remarks))
		return false;
	remarks[i](b, p);
	return true;
}

void title_add_remarks(struct buf *b, const struct profile *p)
{
	struct buf one = BUF_INIT;

	for (unsigned i = 0; title_add_remark(&one, p, i); i++) {
		if (one.len) {
			if (i)
				buf_adds(b, between);
			buf_add(b, one.data, one.len);
		}
		buf_clear(&one);
	}
	buf_release(&one);
}
