/* SPDX-License-Identifier: MIT
 * The text formats of /ingest. Both know names only: no files, lines, labels of samples; a thread_name
 * becomes the outermost frame. */
#include "wire_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/json.h"
#include "util/xalloc.h"

/* Servers read lines with Go's bufio.Scanner: beyond its 64 KiB the rest of the body is lost without
 * a word (pkg/og/convert/parser.go at grafana/pyroscope v1.9.0 to v2.2.1). */
enum { LINE_MAX_BYTES = 65000 };

static const char truncated[] = "[truncated]";
static const char nameless[] = "[no name]";

static struct pprofread_text text_of(const char *s)
{
	return (struct pprofread_text){ s, strlen(s) };
}

static struct pprofread_text name_of(const struct pprofread *f, uint32_t function)
{
	struct pprofread_text name = pprofread_string(f, f->functions[function].name);

	return name.len ? name : text_of(nameless);
}

/* The only label that pprofcut() leaves. */
static struct pprofread_text thread_of(const struct pprofread *f, const struct pprofread_sample *s)
{
	struct pb_reader r = s->message;
	struct pprofread_label label;

	if (!pprofread_next_label(&r, &label))
		return text_of("");
	return pprofread_string(f, label.str);
}

/* ---- folded ---- */

struct line {
	size_t text, len;          /* in the folded texts */
	uint64_t value;
	const char *base;          /* for qsort, once all texts are there */
};

/* A name in a line: `;` would end it, and so would a newline the line. */
static void add_soft(struct buf *b, struct pprofread_text name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.data[i];

		buf_addc(b, c == ';' ? ':' : c < 0x20 || c == 0x7f ? ' ' : (char)c);
	}
}

/* How many frames from the leaf on fit into a line. */
static uint32_t frames_that_fit(const struct pprofread *f, const struct pprofread_sample *s,
				size_t room)
{
	uint32_t n = 0;

	for (; n < s->frames; n++) {
		const struct pprofread_location *at = &f->locations[f->frames[s->first_frame + n]];
		size_t need = 0;

		for (uint32_t i = 0; i < at->lines; i++)
			need += name_of(f, f->lines[at->first_line + i].function).len + 1;
		if (need > room)
			break;
		room -= need;
	}
	return n;
}

static void add_separated(struct buf *b, size_t from, struct pprofread_text name)
{
	if (b->len > from)
		buf_addc(b, ';');
	add_soft(b, name);
}

static void fold(struct buf *b, const struct pprofread *f, const struct pprofread_sample *s)
{
	struct pprofread_text thread = thread_of(f, s);
	size_t from = b->len, room = LINE_MAX_BYTES - sizeof(truncated);
	uint32_t n;

	if (thread.len && thread.len < room) {
		add_separated(b, from, thread);
		room -= thread.len + 1;
	}
	n = frames_that_fit(f, s, room);
	if (n < s->frames)
		add_separated(b, from, text_of(truncated));
	while (n--) { /* outermost first */
		const struct pprofread_location *at = &f->locations[f->frames[s->first_frame + n]];

		for (uint32_t i = at->lines; i--;)
			add_separated(b, from, name_of(f, f->lines[at->first_line + i].function));
	}
}

static int by_text(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->base + x->text, y->base + y->text, len);

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* Stacks that differ in lines only are one. */
static void write_lines(struct buf *body, struct line *lines, size_t count)
{
	for (size_t i = 0, next; i < count; i = next) {
		uint64_t sum = 0;

		for (next = i; next < count && !by_text(&lines[i], &lines[next]); next++)
			sum += lines[next].value;
		buf_add(body, lines[i].base + lines[i].text, lines[i].len);
		buf_addf(body, " %" PRIu64 "\n", sum);
	}
}

void wire_folded(struct buf *body, const struct pprofread *f)
{
	struct line *lines = xcalloc(f->sample_count + 1, sizeof(*lines));
	struct buf texts = { .max = WIRE_TEXT_MAX };

	body->max = WIRE_TEXT_MAX;
	for (size_t i = 0; i < f->sample_count && !texts.overflow; i++) {
		lines[i].text = texts.len;
		lines[i].value = (uint64_t)*pprofread_values(f, i);
		fold(&texts, f, &f->samples[i]);
		lines[i].len = texts.len - lines[i].text;
	}
	for (size_t i = 0; i < f->sample_count; i++)
		lines[i].base = texts.data;
	body->overflow = texts.overflow;
	if (!texts.overflow) {
		qsort(lines, f->sample_count, sizeof(*lines), by_text);
		write_lines(body, lines, f->sample_count);
	}
	buf_release(&texts);
	free(lines);
}

/* ---- speedscope ---- */

/* Frames 0 to function_count - 1 are the functions, as dense as pprofcut() left them; threads, one
 * for each sample that has another one than the sample before it, come behind. */
static void write_frames(struct buf *b, const struct pprofread *f, uint32_t *threads)
{
	struct pprofread_text last = { "", 0 };
	uint32_t next = (uint32_t)f->function_count;

	buf_adds(b, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\","
		 "\"exporter\":\"pystoker\",\"shared\":{\"frames\":[");
	for (size_t i = 0; i < f->function_count; i++) {
		struct pprofread_text name = name_of(f, (uint32_t)i);

		buf_adds(b, i ? ",{\"name\":" : "{\"name\":");
		json_add_string(b, name.data, name.len, false);
		buf_addc(b, '}');
	}
	for (size_t i = 0; i < f->sample_count; i++) {
		struct pprofread_text thread = thread_of(f, &f->samples[i]);

		if (thread.len && (thread.len != last.len || memcmp(thread.data, last.data, last.len))) {
			buf_adds(b, next ? ",{\"name\":" : "{\"name\":");
			json_add_string(b, thread.data, thread.len, false);
			buf_addc(b, '}');
			last = thread;
			next++;
		}
		threads[i] = thread.len ? next - 1 : UINT32_MAX;
	}
	buf_adds(b, "]},");
}

static void write_stack(struct buf *b, const struct pprofread *f, const struct pprofread_sample *s,
			uint32_t thread)
{
	const char *separator = "";

	buf_addc(b, '[');
	if (thread != UINT32_MAX) {
		buf_addf(b, "%" PRIu32, thread);
		separator = ",";
	}
	for (uint32_t n = s->frames; n--;) { /* outermost first */
		const struct pprofread_location *at = &f->locations[f->frames[s->first_frame + n]];

		for (uint32_t i = at->lines; i--; separator = ",")
			buf_addf(b, "%s%" PRIu32, separator, f->lines[at->first_line + i].function);
	}
	buf_addc(b, ']');
}

static void write_weights(struct buf *b, const struct pprofread *f)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < f->sample_count; i++) {
		uint64_t before_us = sum / NSEC_PER_USEC, us;

		sum += (uint64_t)*pprofread_values(f, i);
		us = sum / NSEC_PER_USEC - before_us;
		buf_addf(b, "%s%" PRIu64, i ? "," : "", us);
	}
}

static uint64_t total_us(const struct pprofread *f)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < f->sample_count; i++)
		sum += (uint64_t)*pprofread_values(f, i);
	return sum / NSEC_PER_USEC;
}

/* One profile, sampled, in microseconds, without a name: all else is lost, refused or wrongly scaled
 * by some server (pkg/og/convert/speedscope at grafana/pyroscope v1.9.0 to v2.2.1). */
void wire_speedscope(struct buf *b, const struct pprofread *f)
{
	uint32_t *threads = xcalloc(f->sample_count + 1, sizeof(*threads));

	b->max = WIRE_TEXT_MAX;
	write_frames(b, f, threads);
	buf_addf(b, "\"profiles\":[{\"type\":\"sampled\",\"name\":\"\",\"unit\":\"microseconds\","
		 "\"startValue\":0,\"endValue\":%" PRIu64 ",\"samples\":[",
		 total_us(f));
	for (size_t i = 0; i < f->sample_count && !b->overflow; i++) {
		if (i)
			buf_addc(b, ',');
		write_stack(b, f, &f->samples[i], threads[i]);
	}
	buf_adds(b, "],\"weights\":[");
	write_weights(b, f);
	buf_adds(b, "]}]}");
	free(threads);
}
