/* SPDX-License-Identifier: MIT
 * One stored profile as a request. The contract is that of grafana/pyroscope v1.9.0 to v2.2.1:
 * api/push/v1/push.proto, pkg/ingester/pyroscope/ingest_handler.go, pkg/validation/limits.go. */
#include "ship/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/pprof.h"
#include "pprofcut.h"
#include "util/gzip.h"
#include "util/pbwire.h"
#include "util/xalloc.h"
#include "wire_text.h"

static const char comment_prefix[] = "pystoker.label ";
static const char unknown_service[] = "unknown_service"; /* what servers since 1.14 say for none */

enum { COMMENT_MAX = sizeof(comment_prefix) + LABELS_NAME_BYTES + 1 + LABELS_VALUE_BYTES };

/* A stored profile, and what is to be sent of it. */
struct stored {
	struct pprofread file;
	struct labels labels;
	enum pprof_kind kind;
	int type;                  /* index of its sample type */
	uint64_t time_ns;
};

void wire_request_release(struct wire_request *r)
{
	buf_release(&r->path);
	buf_release(&r->body);
}

void wire_label_comment(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "%s%s=%s", comment_prefix, name, value);
}

/* ---- what is stored ---- */

/* A comment that states no valid label, made by others or broken, is a comment. */
static void read_label(struct labels *labels, struct pprofread_text comment)
{
	size_t skip = sizeof(comment_prefix) - 1;
	char *text;

	if (comment.len <= skip || comment.len > COMMENT_MAX ||
	    memcmp(comment.data, comment_prefix, skip) != 0 ||
	    memchr(comment.data, '\0', comment.len))
		return;
	text = xstrndup(comment.data + skip, comment.len - skip);
	(void)!labels_parse(labels, text, NULL);
	free(text);
}

static void read_labels(struct stored *s)
{
	for (size_t i = 0; i < s->file.comment_count; i++)
		read_label(&s->labels, pprofread_string(&s->file, s->file.comments[i]));
}

static bool is_nanoseconds(const struct pprofread *f, size_t type, const char *name)
{
	return pprofread_is(f, f->types[type].unit, "nanoseconds") &&
	       pprofread_is(f, f->types[type].type, name);
}

/* Wall-clock time where the file has it (a recording has both, and says so by default_sample_type),
 * else CPU time. */
static int choose_type(struct stored *s, struct err *err)
{
	static const char *const names[PPROF_KINDS] = { [PPROF_CPU] = "cpu", [PPROF_WALL] = "wall" };

	for (int kind = PPROF_KINDS - 1; kind >= 0; kind--)
		for (size_t i = 0; i < s->file.type_count; i++)
			if (is_nanoseconds(&s->file, i, names[kind])) {
				s->kind = (enum pprof_kind)kind;
				s->type = (int)i;
				return 0;
			}
	return err_set(err, -EINVAL, EXIT_FAILED, "the profile has neither CPU time nor wall-clock "
		       "time in nanoseconds");
}

static int stored_open(struct stored *s, const void *data, size_t len, struct err *err)
{
	int r;

	*s = (struct stored){ 0 };
	r = pprofread_open(&s->file, data, len, err);
	if (r)
		return r;
	s->time_ns = s->file.time_ns;
	if (!s->time_ns || s->time_ns > INT64_MAX)
		return err_set(err, -EINVAL, EXIT_FAILED, "the profile does not say when it was taken");
	read_labels(s);
	return 0;
}

static void stored_release(struct stored *s)
{
	pprofread_release(&s->file);
	labels_release(&s->labels);
}

/* Labels without a place are left out: the file's own come first. */
static void add_more(struct labels *labels, const struct labels *more)
{
	for (size_t i = 0; more && i < more->count; i++)
		if (!labels_get(labels, more->list[i].name) &&
		    labels_set(labels, more->list[i].name, more->list[i].value, NULL))
			break;
}

static const char *service_of(const struct stored *s)
{
	const char *service = labels_get(&s->labels, "service_name");

	return service ? service : unknown_service;
}

/* ---- push.v1 (api/push/v1/push.proto) ---- */

enum { PUSH_SERIES = 1, SERIES_LABELS = 1, SERIES_SAMPLES = 2, PAIR_NAME = 1, PAIR_VALUE = 2,
       RAW_PROFILE = 1 };

static void add_pair(struct buf *series, const char *name, const char *value)
{
	struct buf pair = BUF_INIT;

	pb_bytes(&pair, PAIR_NAME, name, strlen(name));
	pb_bytes(&pair, PAIR_VALUE, value, strlen(value));
	pb_message(series, SERIES_LABELS, &pair);
	buf_release(&pair);
}

/* The metric first, as Pyroscope's own clients have it, then by name. Servers of 1.x would make
 * differences of memory profiles without __delta__, all others ignore it. No sample gets an ID: it is
 * only logged, and equal requests are to be equal bytes. */
static void add_labels(struct buf *series, const struct stored *s)
{
	add_pair(series, "__name__", pprof_metric[s->kind]);
	add_pair(series, "__delta__", "false");
	if (!labels_get(&s->labels, "service_name"))
		add_pair(series, "service_name", unknown_service);
	for (size_t i = 0; i < s->labels.count; i++)
		add_pair(series, s->labels.list[i].name, s->labels.list[i].value);
}

static int build_push(struct wire_request *r, const struct stored *s, const struct buf *pb)
{
	struct buf message = BUF_INIT, series = BUF_INIT, sample = BUF_INIT;

	add_labels(&series, s);
	pb_message(&sample, RAW_PROFILE, pb);
	pb_message(&series, SERIES_SAMPLES, &sample);
	pb_message(&message, PUSH_SERIES, &series);
	gzip_pack(&r->body, message.data, message.len);
	buf_adds(&r->path, "/push.v1.PusherService/Push");
	r->content_type = "application/proto"; /* with a charset it would be a wrong type: 415 */
	r->gzip = true;
	buf_release(&message);
	buf_release(&series);
	buf_release(&sample);
	return 0;
}

/* ---- /ingest ---- */

static void add_escaped(struct buf *b, const char *s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *s; s++)
		if (strchr(plain, *s))
			buf_addc(b, *s);
		else
			buf_addf(b, "%%%02X", (unsigned char)*s);
}

/* api/model/labelset/validate.go: [A-Za-z0-9_./-]+ (the slash since 1.11). */
static void add_app(struct buf *name, const char *service)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-";

	for (; *service; service++)
		buf_addc(name, strchr(plain, *service) ? *service : '_');
}

/* There is no escaping inside the braces. service_name stands before them: within, servers before
 * 1.13 would call it a duplicate. */
static void add_name(struct buf *path, const struct stored *s, const char *suffix)
{
	struct buf name = BUF_INIT;
	char separator = '{';

	add_app(&name, service_of(s));
	buf_adds(&name, suffix);
	for (size_t i = 0; i < s->labels.count; i++) {
		const struct label *l = &s->labels.list[i];

		if (!strcmp(l->name, "service_name"))
			continue;
		buf_addf(&name, "%c%s=", separator, l->name);
		for (const char *c = l->value; *c; c++)
			buf_addc(&name, *c == ',' || *c == '}' ? '_' : *c);
		separator = ',';
	}
	if (separator == ',')
		buf_addc(&name, '}');
	add_escaped(path, name.data);
	buf_release(&name);
}

/* 19 digits mean nanoseconds (pkg/og/util/attime). With spyName=pyspy function names would be
 * rewritten. */
static void add_query(struct wire_request *r, const struct stored *s, const char *format,
		      const char *suffix)
{
	buf_addf(&r->path, "/ingest?format=%s&name=", format);
	add_name(&r->path, s, suffix);
	buf_addf(&r->path, "&spyName=pystoker&from=%019" PRIu64, s->time_ns);
}

static int build_ingest_pprof(struct wire_request *r, const struct stored *s, const struct buf *pb)
{
	add_query(r, s, "pprof", "");
	gzip_pack(&r->body, pb->data, pb->len); /* known by its magic bytes; no Content-Encoding here */
	r->content_type = "application/octet-stream";
	return 0;
}

static const char *const suffixes[PPROF_KINDS] = { [PPROF_CPU] = ".cpu", [PPROF_WALL] = ".wall" };

static int build_text(struct wire_request *r, const struct buf *pb,
		      void (*write)(struct buf *, const struct pprofread *))
{
	struct pprofread f;
	int ret = pprofread_open(&f, pb->data, pb->len, NULL);

	if (!ret)
		write(&r->body, &f);
	if (!ret && r->body.overflow)
		ret = -E2BIG;
	pprofread_release(&f);
	return ret;
}

/* Any other sampleRate than none (which is 100) would spoil the values: the scale is made of it and
 * of the unit. */
static int build_speedscope(struct wire_request *r, const struct stored *s, const struct buf *pb)
{
	add_query(r, s, "speedscope", suffixes[s->kind]);
	r->content_type = "application/json";
	return build_text(r, pb, wire_speedscope);
}

/* Servers multiply counts by 1e9 / sampleRate, in whole numbers (ingest_adapter.go): at 1e9 Hz a
 * count is a nanosecond, and nothing is lost. */
static int build_folded(struct wire_request *r, const struct stored *s, const struct buf *pb)
{
	add_query(r, s, "folded", suffixes[s->kind]);
	buf_adds(&r->path, "&sampleRate=1000000000");
	r->content_type = "text/plain";
	return build_text(r, pb, wire_folded);
}

static int (*const builders[])(struct wire_request *, const struct stored *, const struct buf *) = {
	[WIRE_PUSH] = build_push,
	[WIRE_INGEST_PPROF] = build_ingest_pprof,
	[WIRE_SPEEDSCOPE] = build_speedscope,
	[WIRE_FOLDED] = build_folded,
};

/* ---- the profile within the limits ---- */

/* One sample cannot be halved: where it is too long it loses frames. */
static int cut(struct stored *s, struct buf *pb, size_t *ret_samples, struct err *err)
{
	struct pprofcut c = { .to = s->file.sample_count, .type = s->type, .time_ns = s->time_ns };
	size_t n;

	for (c.frames_max = WIRE_FRAMES_MAX; c.frames_max; c.frames_max /= 2) {
		buf_clear(pb);
		n = pprofcut(&s->file, &c, pb);
		if (pb->len <= WIRE_PROFILE_BYTES_MAX || n != 1)
			break;
	}
	if (!n)
		return err_set(err, -EINVAL, EXIT_FAILED, "the profile has no samples");
	if (pb->len > WIRE_PROFILE_BYTES_MAX || n > WIRE_SAMPLES_MAX)
		return err_set(err, -E2BIG, EXIT_FAILED, "the profile is larger than servers take: %zu "
			       "bytes, %zu samples", pb->len, n);
	*ret_samples = n;
	return 0;
}

static int build(struct wire_request *r, enum wire_format format, struct stored *s, struct err *err)
{
	struct buf pb = BUF_INIT;
	size_t samples = 0;
	int ret = choose_type(s, err);

	if (!ret)
		ret = cut(s, &pb, &samples, err);
	if (!ret) {
		ret = builders[format](r, s, &pb);
		if (ret)
			err_set(err, ret, EXIT_FAILED, "the profile is larger than servers take");
	}
	buf_release(&pb);
	r->time_ns = s->time_ns;
	r->samples = (uint32_t)samples;
	return ret;
}

int wire_build(struct wire_request *r, enum wire_format format, const void *stored, size_t len,
	       const struct labels *more, struct err *err)
{
	struct stored s;
	int ret = stored_open(&s, stored, len, err);

	*r = (struct wire_request){ 0 };
	if (!ret) {
		add_more(&s.labels, more);
		ret = build(r, format, &s, err);
	}
	stored_release(&s);
	return ret;
}

int wire_labels(const void *stored, size_t len, struct labels *ret, uint64_t *ret_time_ns,
		struct err *err)
{
	struct stored s;
	int r = stored_open(&s, stored, len, err);

	if (!r) {
		*ret = s.labels;
		*ret_time_ns = s.time_ns;
		s.labels.count = 0;
	}
	stored_release(&s);
	return r;
}

static void halve(const struct pprofread *f, size_t from, size_t to, uint64_t time_ns, struct buf *ret)
{
	struct pprofcut c = { .from = from, .to = to, .type = PPROFCUT_ALL, .time_ns = time_ns };
	struct buf pb = BUF_INIT;

	pprofcut(f, &c, &pb);
	gzip_pack(ret, pb.data, pb.len);
	buf_release(&pb);
}

int wire_halve(const void *stored, size_t len, uint64_t second_time_ns, struct buf *ret_first,
	       struct buf *ret_second, struct err *err)
{
	struct stored s;
	int r = stored_open(&s, stored, len, err);

	if (!r && s.file.sample_count < 2)
		r = err_set(err, -ENODATA, EXIT_FAILED, "a profile of one sample cannot be halved");
	if (!r) {
		size_t middle = s.file.sample_count / 2;

		halve(&s.file, 0, middle, s.time_ns, ret_first);
		halve(&s.file, middle, s.file.sample_count, second_time_ns, ret_second);
	}
	stored_release(&s);
	return r;
}
