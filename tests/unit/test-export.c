/* SPDX-License-Identifier: MIT
 * Each format against its golden file (tests/unit/golden). The profile is that of
 * tests/lib/sample_profile.h. UPDATE_GOLDEN=1 writes the files anew: then read the difference. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <zlib.h>

#include "config.h"
#include "export/exporter.h"
#include "util/varint.h"

#include "sample_profile.h"
#include "tap.h"

static struct sample_profile sample;

static void open_sample(enum profile_lines lines, bool filled)
{
	sample_init(&sample, lines, true);
	if (filled)
		sample_fill(&sample);
	events_drain(sample.profile.events, 1);
}

/* What the exporter writes; the caller frees it. */
static char *output(const struct exporter *e, struct export_options o, size_t *ret_len)
{
	struct sink s;
	char *text;

	sink_open_memory(&s);
	e->write(&sample.profile, &o, &s);
	ok(!s.error, "%s is written", e->name);
	*ret_len = s.pending.len;
	text = buf_detach(&s.pending);
	sink_abort(&s);
	return text;
}

/* In place: every `from` becomes `to`, which is no longer. */
static void replace(char *text, const char *from, const char *to)
{
	for (char *at = text; (at = strstr(at, from)); at += strlen(to)) {
		memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
		memcpy(at, to, strlen(to));
	}
}

/* Style and script have tests of their own: in a browser. */
static void drop_embedded(char *text)
{
	for (char *at = text; (at = strstr(at, "<![CDATA["));) {
		char *end = strstr(at, "]]>");

		at += strlen("<![CDATA[");
		memmove(at, end, strlen(end) + 1);
	}
}

static char *read_golden(const char *name)
{
	char path[512];
	struct buf b = BUF_INIT;
	FILE *f;

	snprintf(path, sizeof(path), "%s/unit/golden/%s", TESTS_DIR, name);
	f = fopen(path, "r");
	for (int c; f && (c = fgetc(f)) != EOF;)
		buf_addc(&b, (char)c);
	if (f)
		fclose(f);
	return f ? buf_detach(&b) : NULL;
}

static void write_golden(const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/unit/golden/%s", TESTS_DIR, name);
	f = fopen(path, "w");
	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

static void compare(char *text, const char *name)
{
	char *want;

	replace(text, "pystoker " PACKAGE_VERSION, "pystoker");
	drop_embedded(text);
	if (getenv("UPDATE_GOLDEN"))
		write_golden(name, text);
	want = read_golden(name);
	is_str(text, want, name);
	free(want);
}

static void golden(const struct exporter *e, struct export_options o, const char *name)
{
	size_t len;
	char *text = output(e, o, &len);

	compare(text, name);
	free(text);
}

/* ---- pprof, decoded ---- */

struct reader {
	const uint8_t *p;
	size_t len;
};

/* One field: a number, or bytes as a reader of their own. False at the end. */
static bool next_field(struct reader *r, unsigned *field, uint64_t *number, struct reader *bytes)
{
	uint64_t key = 0;
	size_t n;

	if (!r->len)
		return false;
	n = varint_get(r->p, r->len, &key);
	*field = (unsigned)(key >> 3);
	n += varint_get(r->p + n, r->len - n, number);
	*bytes = (struct reader){ r->p + n, (key & 7) == 2 ? (size_t)*number : 0 };
	n += bytes->len;
	if (!ok(n <= r->len && ((key & 7) == 0 || (key & 7) == 2), "field %u is well formed", *field))
		exit(1);
	r->p += n;
	r->len -= n;
	return true;
}

static const char *const message_names[] = {
	[1] = "sample_type", [2] = "sample", [3] = "mapping", [4] = "location", [5] = "function",
	[6] = "string", [9] = "time_nanos", [10] = "duration_nanos", [11] = "period_type",
	[12] = "period", [13] = "comment", [14] = "default_sample_type",
};
/* Of each message: fields that are numbers packed, messages, strings (by index). */
static const struct {
	const char *packed, *messages, *strings;
} shapes[16] = {
	[1] = { "", "", "\1\2" }, [2] = { "\1\2", "\3", "" }, [3] = { "", "", "\5" },
	[4] = { "", "\4", "" }, [5] = { "", "", "\2\3\4" }, [11] = { "", "", "\1\2" },
};

static struct reader strings[256];
static size_t string_count;

static void add_string(struct buf *b, uint64_t i)
{
	buf_addc(b, '"');
	if (i < string_count)
		buf_add(b, strings[i].p, strings[i].len);
	buf_addc(b, '"');
}

static void add_label(struct buf *b, struct reader r)
{
	unsigned field;
	uint64_t n;
	struct reader bytes;

	while (next_field(&r, &field, &n, &bytes)) {
		if (field == 3)
			buf_addf(b, " %" PRIu64, n);
		else
			buf_addc(b, field == 1 ? ' ' : '='), add_string(b, n);
	}
}

static void add_packed(struct buf *b, struct reader r)
{
	uint64_t n;

	for (size_t used; r.len && (used = varint_get(r.p, r.len, &n)); r.p += used, r.len -= used)
		buf_addf(b, " %" PRIu64, n);
}

static void add_message(struct buf *b, unsigned shape, struct reader r)
{
	unsigned field;
	uint64_t n;
	struct reader bytes;

	while (next_field(&r, &field, &n, &bytes)) {
		buf_addf(b, " %u:", field);
		if (shapes[shape].packed && strchr(shapes[shape].packed, (int)field))
			add_packed(b, bytes);
		else if (shape == 2)
			add_label(b, bytes);
		else if (shapes[shape].messages && strchr(shapes[shape].messages, (int)field))
			buf_addc(b, '{'), add_message(b, 0, bytes), buf_adds(b, " }");
		else if (shapes[shape].strings && strchr(shapes[shape].strings, (int)field))
			add_string(b, n);
		else
			buf_addf(b, "%" PRIu64, n);
	}
}

static void add_profile(struct buf *b, struct reader r)
{
	unsigned field;
	uint64_t n;
	struct reader bytes;

	while (next_field(&r, &field, &n, &bytes)) {
		if (field == 6)
			continue;
		buf_adds(b, field < 15 && message_names[field] ? message_names[field] : "?");
		if (field == 13 || field == 14)
			buf_addc(b, ' '), add_string(b, n);
		else if (!bytes.len)
			buf_addf(b, " %" PRIu64, n);
		else
			add_message(b, field, bytes);
		buf_addc(b, '\n');
	}
}

static void find_strings(struct reader r)
{
	unsigned field;
	uint64_t n;
	struct reader bytes;

	string_count = 0;
	while (next_field(&r, &field, &n, &bytes))
		if (field == 6 && string_count < 256)
			strings[string_count++] = bytes;
}

static void golden_pprof(struct export_options o, const char *name)
{
	static uint8_t plain[65536];
	struct buf b = BUF_INIT;
	size_t len;
	char *packed = output(&export_pprof, o, &len);
	z_stream z = { .next_in = (void *)packed, .avail_in = (uInt)len, .next_out = plain,
		       .avail_out = sizeof(plain) };
	struct reader r = { plain, 0 };

	ok(inflateInit2(&z, 15 + 16) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END, "gzip");
	r.len = z.total_out;
	inflateEnd(&z);
	find_strings(r);
	is_int((long long)strings[0].len, 0, "the first string is empty");
	add_profile(&b, r);
	compare(b.data, name);
	buf_release(&b);
	free(packed);
}

/* ---- beyond the golden files ---- */

static void test_speedscope_adds_up(void)
{
	size_t len, i;
	char *text = output(&export_speedscope, (struct export_options){ 0 }, &len);
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *profile;

	ok(root != NULL, "speedscope is JSON");
	json_array_foreach(json_object_get(root, "profiles"), i, profile) {
		json_t *weights = json_object_get(profile, "weights"), *weight;
		long long sum = 0;
		size_t k;

		json_array_foreach(weights, k, weight)
			sum += json_integer_value(weight);
		is_int(sum, 60 * (long long)MS, "weights fill the recording");
		is_int((long long)json_array_size(json_object_get(profile, "samples")),
		       (long long)json_array_size(weights), "one weight per sample");
	}
	json_decref(root);
	free(text);
}

static void test_trace_is_closed(void)
{
	size_t len, i;
	char *text = output(&export_chrometrace, (struct export_options){ .threads = true }, &len);
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *event;
	int open = 0, least = 0;

	ok(root != NULL, "chrometrace is JSON");
	json_array_foreach(json_object_get(root, "traceEvents"), i, event) {
		const char *phase = json_string_value(json_object_get(event, "ph"));

		open += (*phase == 'B') - (*phase == 'E');
		least = open < least ? open : least;
	}
	is_int(open, 0, "each B has its E");
	is_int(least, 0, "and comes before it");
	json_decref(root);
	free(text);
}

static void test_formats(void)
{
	struct export_options plain = { 0 }, threads = { .threads = true },
			      full = { .full_filenames = true };

	open_sample(PROFILE_LINE, true);
	golden(&export_raw, plain, "small.folded");
	golden(&export_raw, threads, "small-threads.folded");
	golden(&export_raw, full, "small-full-filenames.folded");
	golden(&export_speedscope, plain, "small.speedscope.json");
	golden(&export_speedscope, threads, "small-threads.speedscope.json");
	golden(&export_chrometrace, plain, "small.trace.json");
	golden(&export_flamegraph, plain, "small.svg");
	golden(&export_flamegraph, (struct export_options){ .threads = true, .flames = true },
	       "small-threads-flames.svg");
	golden_pprof(plain, "small.pprof.txt");
	golden_pprof(threads, "small-threads.pprof.txt");
	test_speedscope_adds_up();
	test_trace_is_closed();
	sample_release(&sample);
}

static void open_native(enum profile_lines lines)
{
	sample_init(&sample, lines, true);
	sample_fill_native(&sample);
	events_drain(sample.profile.events, 1);
}

static void test_native(void)
{
	struct export_options plain = { 0 }, full = { .full_filenames = true };

	open_native(PROFILE_LINE);
	golden(&export_raw, plain, "native.folded");
	golden(&export_raw, full, "native-full-filenames.folded");
	golden(&export_speedscope, plain, "native.speedscope.json");
	golden(&export_chrometrace, plain, "native.trace.json");
	golden(&export_flamegraph, plain, "native.svg");
	golden_pprof(plain, "native.pprof.txt");
	sample_release(&sample);
	open_native(PROFILE_FUNCTION);
	golden(&export_raw, plain, "native-function.folded");
	sample_release(&sample);
	open_native(PROFILE_NO_LINE);
	golden(&export_raw, plain, "native-nolineno.folded");
	sample_release(&sample);
}

static void test_lines(void)
{
	open_sample(PROFILE_FUNCTION, true);
	golden(&export_raw, (struct export_options){ 0 }, "small-function.folded");
	sample_release(&sample);
	open_sample(PROFILE_NO_LINE, true);
	golden(&export_raw, (struct export_options){ 0 }, "small-nolineno.folded");
	sample_release(&sample);
}

static void test_empty(void)
{
	struct export_options plain = { 0 };

	open_sample(PROFILE_LINE, false);
	golden(&export_raw, plain, "empty.folded");
	golden(&export_speedscope, plain, "empty.speedscope.json");
	golden(&export_chrometrace, plain, "empty.trace.json");
	golden(&export_flamegraph, plain, "empty.svg");
	golden_pprof(plain, "empty.pprof.txt");
	sample_release(&sample);
}

/* Nothing is known about the program, and no events were kept. */
static void test_bare(void)
{
	size_t len;

	symtab_init(&sample.symtab);
	profile_init(&sample.profile, &sample.symtab, PROFILE_LINE, NULL);
	sample_fill(&sample);
	for (size_t i = 0; exporters[i]; i++) {
		char *text = output(exporters[i], (struct export_options){ 0 }, &len);

		ok(len > 0, "%s without any remarks", exporters[i]->name);
		free(text);
	}
	sample_release(&sample);
}

int main(void)
{
	test_formats();
	test_lines();
	test_native();
	test_empty();
	test_bare();
	return tap_done();
}
