/* SPDX-License-Identifier: MIT
 * Requests made of stored profiles, read back by the test's own walk (tests/lib/pprof_walk.h). */
#include "ship/wire.h"

#include <jansson.h>

#include "export/exporter.h"
#include "export/pprof.h"
#include "export/proto.h"
#include "pprof_walk.h"
#include "sample_profile.h"
#include "tap.h"
#include "util/gzip.h"
#include "util/pbwire.h"
#include "util/utf8.h"

enum { PACKED_MAX = 64 << 20 };

static const char *const formats[] = { "push", "ingest", "speedscope", "folded" };

static struct sample_profile sample;

static int keep(void *arg, const struct buf *pb, uint64_t time_ns _unused_, size_t samples _unused_)
{
	gzip_pack(arg, pb->data, pb->len);
	return 0;
}

/* The small profile as a file of the spool. */
static void store(struct buf *stored, enum pprof_kind kind, bool threads, const char *const *labels)
{
	struct pprof_series o = { .kind = kind, .thread_label = threads, .comments = labels,
				  .mapping = "/usr/bin/python3" };

	sample_init(&sample, PROFILE_LINE, false);
	sample_fill(&sample);
	ok(!pprof_series(&sample.profile, &o, keep, stored), "stored");
	sample_release(&sample);
}

/* What `record -f pprof` writes. */
static void record(struct buf *stored)
{
	struct export_options o = { .threads = false };
	struct sink sink;

	sink_open_memory(&sink);
	export_pprof.write(&sample.profile, &o, &sink);
	buf_add(stored, sink.pending.data, sink.pending.len);
	sink_abort(&sink);
}

/* ---- what a push says ---- */

struct pushed {
	struct buf message;
	char labels[4096];         /* "name=value\n" as they come */
	struct walked *w;
};

static void pushed_open(struct pushed *p, const struct buf *body)
{
	struct span all, series, in;
	uint64_t n;
	unsigned f, count = 0, samples = 0;

	*p = (struct pushed){ 0 };
	if (gzip_unpack(&p->message, body->data, body->len, PACKED_MAX))
		walk_bad("gzip");
	all = (struct span){ (uint8_t *)p->message.data, (uint8_t *)p->message.data + p->message.len };
	while (walk_field(&all, &n, &series))
		for (count++; (f = walk_field(&series, &n, &in));) {
			struct span name = { 0 }, value = { 0 };

			if (f == 1) {
				walk_field(&in, &n, &name);
				walk_field(&in, &n, &value);
				snprintf(p->labels + strlen(p->labels), sizeof(p->labels) - strlen(p->labels),
					 "%.*s=%.*s\n", (int)(name.end - name.p), (char *)name.p,
					 (int)(value.end - value.p), (char *)value.p);
			} else if (f == 2 && walk_field(&in, &n, &value) == 1 && in.p == in.end) {
				samples++;
				p->w = walk_open(value.p, (size_t)(value.end - value.p));
			}
		}
	if (count != 1 || samples != 1)
		walk_bad("one series of one profile");
}

static void pushed_release(struct pushed *p)
{
	buf_release(&p->message);
	free(p->w);
}

static bool is_sound(const struct walked *w)
{
	for (size_t i = 0; i < w->string_count; i++)
		if (!utf8_is((const char *)w->strings[i].p, (size_t)(w->strings[i].end - w->strings[i].p)))
			return false;
	for (size_t i = 0; i < w->sample_count; i++) {
		struct buf b = BUF_INIT;

		walk_stack(w, i, &b); /* ends the test where an id leads nowhere */
		buf_release(&b);
	}
	return w->type_count == 1 && w->mapping_count == 1 && w->period_type[0] == w->types[0][0] &&
	       w->period_type[1] == w->types[0][1] && w->strings[0].p == w->strings[0].end &&
	       !strcmp(walk_string(w, 1), ".py") && !w->comment_count;
}

#define QUERY "orm.session.Session.query /srv/venv/lib/python3.13/site-packages/orm/session.py:310 < " \
	"shop.cart.Cart.get /srv/shop/shop/cart.py:24 < app.serve /srv/shop/app.py:12"

static const char *const labels[] = {
	"pystoker.label service_name=my shop", "pystoker.label pid=42",
	"pystoker.label env=a=b,c}d \xc3\xa9", "pystoker.label __name__=evil", "pystoker.label",
	"pystoker.label 9=9", "no label", NULL,
};

static void build(struct wire_request *r, enum wire_format format, const struct buf *stored,
		  const struct labels *more)
{
	struct err err = { 0 };

	if (!ok(!wire_build(r, format, stored->data, stored->len, more, &err), "%s is built",
		formats[format]))
		printf("# %s\n", err.text);
}

static void test_push(void)
{
	struct buf stored = BUF_INIT, plain = BUF_INIT;
	struct wire_request r, again;
	struct labels more = { .count = 0 };
	struct pushed p;

	store(&stored, PPROF_CPU, false, labels);
	build(&r, WIRE_PUSH, &stored, NULL);
	build(&again, WIRE_PUSH, &stored, NULL);
	ok(r.body.len == again.body.len && !memcmp(r.body.data, again.body.data, r.body.len),
	   "the same bytes twice");
	is_str(r.path.data, "/push.v1.PusherService/Push", "path");
	is_str(r.content_type, "application/proto", "type, without a charset");
	ok(r.gzip && gzip_is(r.body.data, r.body.len), "gzip'd as a whole");
	is_int((long long)r.time_ns, 1700000000000000000, "time");
	is_int(r.samples, 4, "samples");
	pushed_open(&p, &r.body);
	is_str(p.labels, "__name__=process_cpu\n__delta__=false\nenv=a=b,c}d \xc3\xa9\npid=42\n"
	       "service_name=my shop\n", "labels");
	ok(is_sound(p.w), "the profile is sound");
	is_str(walk_string(p.w, p.w->types[0][0]), "cpu", "cpu");
	is_int((long long)walk_total(p.w, 0), 68 * (long long)MS, "total");
	is_int((long long)walk_value(p.w, QUERY), 9 * (long long)MS, "names, files and lines");
	is_int((long long)p.w->time_ns, 1700000000000000000, "time_nanos");
	is_int((long long)p.w->duration_ns, 60000000, "duration_nanos");
	is_int((long long)p.w->period, 10000000, "period");
	is_str(walk_string(p.w, p.w->mapping_file), "/usr/bin/python3", "mapping");
	pushed_release(&p);
	wire_request_release(&r);
	wire_request_release(&again);

	ok(!labels_set(&more, "pid", "1", NULL) && !labels_set(&more, "zone", "z", NULL), "more");
	ok(!gzip_unpack(&plain, stored.data, stored.len, PACKED_MAX), "unpacked");
	build(&r, WIRE_PUSH, &plain, &more);
	pushed_open(&p, &r.body);
	is_str(p.labels, "__name__=process_cpu\n__delta__=false\nenv=a=b,c}d \xc3\xa9\npid=42\n"
	       "service_name=my shop\nzone=z\n", "more labels are added, none replaced");
	pushed_release(&p);
	wire_request_release(&r);
	labels_release(&more);
	buf_release(&plain);
	buf_release(&stored);
}

static void test_push_wall(void)
{
	struct buf stored = BUF_INIT;
	struct wire_request r;
	struct pushed p;

	store(&stored, PPROF_WALL, true, NULL);
	build(&r, WIRE_PUSH, &stored, NULL);
	pushed_open(&p, &r.body);
	is_str(p.labels, "__name__=wall\n__delta__=false\nservice_name=unknown_service\n", "wall");
	is_int((long long)walk_total(p.w, 0), 80 * (long long)MS, "total");
	is_int((long long)walk_value(p.w, "[MainThread] " QUERY), 20 * (long long)MS, "thread_name");
	ok(is_sound(p.w), "sound");
	pushed_release(&p);
	wire_request_release(&r);
	buf_release(&stored);
}

static void test_labels_read(void)
{
	struct buf stored = BUF_INIT, b = BUF_INIT;
	struct labels l = { .count = 0 };
	uint64_t time_ns = 0;

	wire_label_comment(&b, "a", "b c");
	is_str(b.data, "pystoker.label a=b c", "a comment");
	store(&stored, PPROF_CPU, false, labels);
	is_int(wire_labels(stored.data, stored.len, &l, &time_ns, NULL), 0, "labels are read");
	is_int((long long)time_ns, 1700000000000000000, "and the time");
	is_int((long long)l.count, 3, "the valid ones");
	is_str(labels_get(&l, "env"), "a=b,c}d \xc3\xa9", "as they were");
	labels_release(&l);
	buf_release(&b);
	buf_release(&stored);
}

/* ---- /ingest ---- */

#define NAME "my_shop%7Benv%3Da%3Db_c_d%20%C3%A9%2Cpid%3D42%7D"
#define FROM "&spyName=pystoker&from=1700000000000000000"

static void test_ingest(void)
{
	struct buf stored = BUF_INIT, plain = BUF_INIT;
	struct wire_request r;
	struct walked *w;

	store(&stored, PPROF_CPU, false, labels);
	build(&r, WIRE_INGEST_PPROF, &stored, NULL);
	is_str(r.path.data, "/ingest?format=pprof&name=" NAME FROM, "path");
	ok(!r.gzip, "no Content-Encoding");
	ok(!gzip_unpack(&plain, r.body.data, r.body.len, PACKED_MAX), "but gzip'd");
	w = walk_open(plain.data, plain.len);
	ok(is_sound(w), "sound");
	is_int((long long)walk_total(w, 0), 68 * (long long)MS, "total");
	free(w);
	wire_request_release(&r);
	buf_release(&plain);
	buf_release(&stored);
}

#define FOLDED_MISCHIEF "\xd1\x8f.h\xc3\xa9llo.<locals>.<lambda>;" \
	"a:b \"c\" & 'd' ]]></script> \xef\xbf\xbd\xf0\x9f\x94\xa5"

static void test_folded(void)
{
	struct buf stored = BUF_INIT;
	struct wire_request r;

	store(&stored, PPROF_CPU, false, labels);
	build(&r, WIRE_FOLDED, &stored, NULL);
	is_str(r.path.data, "/ingest?format=folded&name=my_shop.cpu" /* the rest of NAME */
	       "%7Benv%3Da%3Db_c_d%20%C3%A9%2Cpid%3D42%7D" FROM "&sampleRate=1000000000", "path");
	ok(!r.gzip && !gzip_is(r.body.data, r.body.len), "not packed");
	is_str(r.body.data, "app.serve 9000000\n"
	       "app.serve;shop.cart.Cart.get;json.loads 20000000\n"
	       "app.serve;shop.cart.Cart.get;orm.session.Session.query 9000000\n"
	       FOLDED_MISCHIEF " 30000000\n", "lines");
	wire_request_release(&r);
	buf_clear(&stored);
	store(&stored, PPROF_WALL, true, NULL);
	build(&r, WIRE_FOLDED, &stored, NULL);
	is_str(r.path.data, "/ingest?format=folded&name=unknown_service.wall" FROM
	       "&sampleRate=1000000000", "path of wall-clock time");
	is_str(r.body.data, "MainThread;app.serve 10000000\n"
	       "MainThread;app.serve;shop.cart.Cart.get;json.loads 20000000\n"
	       "MainThread;app.serve;shop.cart.Cart.get;orm.session.Session.query 20000000\n"
	       "Worker \"1\";" FOLDED_MISCHIEF " 30000000\n", "threads are the outermost frame");
	wire_request_release(&r);
	buf_release(&stored);
}

static const char *frame_name(json_t *root, json_t *index)
{
	json_t *frames = json_object_get(json_object_get(root, "shared"), "frames");

	return json_string_value(json_object_get(
		json_array_get(frames, (size_t)json_integer_value(index)), "name"));
}

static void test_speedscope(void)
{
	struct buf stored = BUF_INIT;
	struct wire_request r;
	json_t *root, *profiles, *profile, *samples, *stack, *index;
	long long sum = 0;
	size_t i, k;

	store(&stored, PPROF_WALL, true, NULL);
	build(&r, WIRE_SPEEDSCOPE, &stored, NULL);
	is_str(r.path.data, "/ingest?format=speedscope&name=unknown_service.wall" FROM, "path");
	ok(!r.gzip && !gzip_is(r.body.data, r.body.len), "not packed");
	root = json_loadb(r.body.data, r.body.len, JSON_REJECT_DUPLICATES, NULL);
	is_str(json_string_value(json_object_get(root, "$schema")),
	       "https://www.speedscope.app/file-format-schema.json", "schema");
	profiles = json_object_get(root, "profiles");
	is_int((long long)json_array_size(profiles), 1, "one profile");
	profile = json_array_get(profiles, 0);
	is_str(json_string_value(json_object_get(profile, "type")), "sampled", "sampled");
	is_str(json_string_value(json_object_get(profile, "unit")), "microseconds", "unit");
	is_str(json_string_value(json_object_get(profile, "name")), "", "no name");
	samples = json_object_get(profile, "samples");
	is_int((long long)json_array_size(samples), 4, "samples");
	json_array_foreach(json_object_get(profile, "weights"), i, index) {
		ok(json_is_integer(index), "a weight is an integer");
		sum += json_integer_value(index);
	}
	is_int(sum, 80000, "total in microseconds");
	json_array_foreach(samples, i, stack)
		json_array_foreach(stack, k, index)
			ok(frame_name(root, index) != NULL, "a frame with a name");
	is_str(frame_name(root, json_array_get(json_array_get(samples, 0), 0)), "MainThread",
	       "the thread is outermost");
	is_str(frame_name(root, json_array_get(json_array_get(samples, 0), 1)), "app.serve",
	       "then the outermost frame");
	json_decref(root);
	wire_request_release(&r);
	buf_release(&stored);
}

/* ---- files of others ---- */

static void test_record(void)
{
	static const struct sym_frame worker[] = { { S_QUERY, 310 }, { S_GET, 24 }, { S_SERVE, 12 } };
	struct buf stored = BUF_INIT;
	struct wire_request r;
	struct pushed p;

	sample_init(&sample, PROFILE_LINE, false);
	sample_fill(&sample);
	sample_add(&sample, 1, 50, 10, 1, worker, 3); /* as the main thread, too */
	record(&stored);
	sample_release(&sample);
	build(&r, WIRE_PUSH, &stored, NULL);
	pushed_open(&p, &r.body);
	is_str(p.labels, "__name__=wall\n__delta__=false\nservice_name=unknown_service\n",
	       "a recording is sent as wall-clock time");
	ok(is_sound(p.w), "of one type, without the command line");
	is_int((long long)walk_total(p.w, 0), 90 * (long long)MS, "total");
	is_int((long long)p.w->sample_count, 4, "threads with one stack are one");
	is_int(p.w->samples[0].labels, 0, "labels are left out");
	pushed_release(&p);
	wire_request_release(&r);
	buf_release(&stored);
}

static void add_sample(struct proto *w, const uint64_t *ids, size_t n, uint64_t value, uint64_t more)
{
	struct buf list = BUF_INIT, values = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		pb_number(&list, ids[i]);
	pb_number(&values, value);
	pb_number(&values, more);
	proto_sample(w, &list, &values);
	buf_release(&list);
	buf_release(&values);
}

/* Strings last, sparse ids, inlined calls, an address without a name, bytes that are no UTF-8, values
 * of no sense, a field nobody knows. */
static void foreign(struct buf *ret)
{
	static const char *const strings[] = {
		"", "samples", "count", "cpu", "nanoseconds", "Agent.go", "a;b\nc", "bad \xff", "x.py",
	};
	static const uint64_t one[] = { 700 }, two[] = { 9, 700 }, none[] = { 1ull << 40 };
	struct proto w = { 0 };

	proto_value_type(&w, PROFILE_SAMPLE_TYPE, 1, 2);
	proto_value_type(&w, PROFILE_SAMPLE_TYPE, 3, 4);
	proto_number(&w, PROFILE_TIME_NANOS, 1700000000000000001ull);
	proto_number(&w, 99, 5);
	add_sample(&w, one, 1, 1, 1600);
	add_sample(&w, two, 2, 1, 1500);
	add_sample(&w, two, 2, 1, 500);
	add_sample(&w, none, 1, 1, 700);
	add_sample(&w, one, 1, 3, (uint64_t)-5);
	add_sample(&w, one, 1, 3, 0);
	proto_line(&w, 50, 3);
	proto_location(&w, 700);
	proto_line(&w, 1ull << 50, 1);
	proto_line(&w, 50, 2);
	proto_location(&w, 9);
	proto_location(&w, 1ull << 40);
	proto_function(&w, 50, 5, 8, 1);
	proto_function(&w, 1ull << 50, 6, 7, 1);
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		proto_string(&w, strings[i], strlen(strings[i]));
	buf_add(ret, w.out.data, w.out.len);
	proto_release(&w);
}

static void test_foreign(void)
{
	struct buf stored = BUF_INIT;
	struct wire_request r;
	struct pushed p;
	json_t *root, *weight;
	size_t i;
	long long sum = 0;

	foreign(&stored);
	build(&r, WIRE_PUSH, &stored, NULL);
	pushed_open(&p, &r.body);
	ok(is_sound(p.w), "sound");
	is_int((long long)p.w->sample_count, 3, "equal ones are one, those without value are none");
	is_int((long long)walk_total(p.w, 0), 4300, "total");
	is_int((long long)walk_value(p.w, "Agent.go x.py:3"), 1600, "a name that ends in .go");
	is_int((long long)walk_value(p.w, "[unknown] :0"), 700, "an address has a name");
	ok(walk_has(p.w, "a;b\nc") && walk_has(p.w, "bad \xef\xbf\xbd"), "names are kept or mended");
	pushed_release(&p);
	wire_request_release(&r);
	build(&r, WIRE_FOLDED, &stored, NULL);
	is_str(r.body.data, "Agent.go 1600\nAgent.go;Agent.go;a:b c 2000\n[unknown] 700\n",
	       "folded: inlined calls in order, names made harmless");
	wire_request_release(&r);
	build(&r, WIRE_SPEEDSCOPE, &stored, NULL);
	root = json_loadb(r.body.data, r.body.len, 0, NULL);
	json_array_foreach(json_object_get(json_array_get(json_object_get(root, "profiles"), 0),
					   "weights"), i, weight)
		sum += json_integer_value(weight);
	is_int(sum, 4, "microseconds lose nothing but the last one's rest");
	json_decref(root);
	wire_request_release(&r);
	buf_release(&stored);
}

static void refused(const struct buf *stored, int want, const char *what)
{
	for (size_t f = 0; f < ARRAY_SIZE(formats); f++) {
		struct wire_request r;
		struct err err = { 0 };

		is_int(wire_build(&r, (enum wire_format)f, stored->data, stored->len, NULL, &err), want,
		       what);
		ok(err.status == EXIT_FAILED && *err.text, "%s", err.text);
		wire_request_release(&r);
	}
}

static void test_refused(void)
{
	static const uint64_t one[] = { 1 }, two[] = { 2 };
	struct buf b = BUF_INIT, number = BUF_INIT;
	struct proto w = { 0 };

	pb_number(&number, 1);
	refused(&b, -EINVAL, "nothing");
	buf_adds(&b, "words");
	refused(&b, -EINVAL, "words");
	buf_clear(&b);
	buf_adds(&b, "\x1f\x8bwords");
	refused(&b, -EINVAL, "words that look like gzip");
	for (int without = 0; without < 5; without++) {
		static const char *const what[] = { "no time", "no samples", "no type we know",
						    "too few values", "no such location" };

		buf_clear(&b);
		proto_clear(&w);
		proto_value_type(&w, PROFILE_SAMPLE_TYPE, without == 2 ? 0 : 1, 2);
		proto_value_type(&w, PROFILE_SAMPLE_TYPE, 0, 0);
		if (without != 0)
			proto_number(&w, PROFILE_TIME_NANOS, 1);
		proto_string(&w, "", 0);
		proto_string(&w, "cpu", 3);
		proto_string(&w, "nanoseconds", 11);
		proto_function(&w, 1, 1, 1, 1);
		proto_line(&w, 1, 1);
		proto_location(&w, 1);
		if (without == 3)
			proto_sample(&w, &number, &number);
		else if (without != 1)
			add_sample(&w, without == 4 ? two : one, 1, 1, 1);
		refused(&w.out, -EINVAL, what[without]);
	}
	proto_release(&w);
	buf_release(&b);
	buf_release(&number);
}

/* ---- too large ---- */

enum { WIDE = 40000, DEEP = 1500 };

static void record_wide(struct buf *stored, uint32_t count, const char *name)
{
	struct profile_thread t = { .thread_id = 1 };
	char text[128];

	sample_init(&sample, PROFILE_LINE, false);
	profile_add_thread(&sample.profile, &t);
	for (uint32_t i = 0; i < count; i++) {
		struct profile_value v = { 1, 1000 + i, 0 };
		struct sym_frame f = { .line = 1 };

		snprintf(text, sizeof(text), "%s%u", name, i);
		f.func = symtab_func(&sample.symtab, SYM_PYTHON, text, strlen(text), 0, 1);
		profile_add(&sample.profile, 0, &f, 1, 0, i, &v);
	}
	record(stored);
	sample_release(&sample);
}

struct total {
	uint64_t ns, first, last;
	size_t samples, profiles;
};

/* As the pusher does: what is too large becomes two. */
static void push_all(const struct buf *stored, struct total *t)
{
	struct wire_request r;
	int ret = wire_build(&r, WIRE_PUSH, stored->data, stored->len, NULL, NULL);
	struct buf a = BUF_INIT, b = BUF_INIT;

	if (ret == -E2BIG) {
		uint64_t second_ns = 1700000000000000000ull + ++t->profiles * 1000000;

		if (!ok(!wire_halve(stored->data, stored->len, second_ns, &a, &b, NULL), "halved"))
			return;
		push_all(&a, t);
		push_all(&b, t);
	} else if (ok(!ret, "fits")) {
		struct pushed p;

		pushed_open(&p, &r.body);
		ok(is_sound(p.w) && p.w->sample_count <= WIRE_SAMPLES_MAX &&
		   p.w->function_count == p.w->sample_count, "%zu samples", p.w->sample_count);
		t->ns += walk_total(p.w, 0);
		t->samples += p.w->sample_count;
		t->last = p.w->time_ns;
		pushed_release(&p);
	}
	wire_request_release(&r);
	buf_release(&a);
	buf_release(&b);
}

static void test_halve(void)
{
	struct buf stored = BUF_INIT, a = BUF_INIT, b = BUF_INIT;
	struct labels l = { .count = 0 };
	struct total t = { 0 };
	struct wire_request r;
	uint64_t ns = 0, time_ns = 0;

	for (uint64_t i = 0; i < WIDE; i++)
		ns += 1000 + i;
	record_wide(&stored, WIRE_SAMPLES_MAX + 1, "f");
	refused(&stored, -E2BIG, "one sample too many");
	buf_clear(&stored);
	record_wide(&stored, WIRE_SAMPLES_MAX, "f");
	build(&r, WIRE_PUSH, &stored, NULL);
	is_int(r.samples, WIRE_SAMPLES_MAX, "as many as may be");
	wire_request_release(&r);
	buf_clear(&stored);
	record_wide(&stored, WIDE, "generated_with_a_name_that_fills_the_bytes_of_a_profile_");
	refused(&stored, -E2BIG, "too large");
	push_all(&stored, &t);
	is_int((long long)t.ns, (long long)ns, "all time");
	is_int((long long)t.samples, WIDE, "all samples");
	ok(t.last > 1700000000000000000ull, "at times of their own");
	buf_clear(&stored);

	store(&stored, PPROF_CPU, false, labels);
	is_int(wire_halve(stored.data, stored.len, 1700000000001000000ull, &a, &b, NULL), 0, "halved");
	is_int(wire_labels(b.data, b.len, &l, &time_ns, NULL), 0, "the second half");
	is_int((long long)l.count, 3, "has the labels");
	is_int((long long)time_ns, 1700000000001000000, "and its time");
	labels_release(&l);
	is_int(wire_labels(a.data, a.len, &l, &time_ns, NULL), 0, "the first half");
	is_int((long long)l.count, 3, "has the labels");
	is_int((long long)time_ns, 1700000000000000000, "and the old time");
	labels_release(&l);
	buf_clear(&stored);
	buf_clear(&b);
	is_int(wire_halve(a.data, a.len, 1, &stored, &b, NULL), 0, "halved again");
	buf_clear(&a);
	is_int(wire_halve(b.data, b.len, 1, &stored, &a, NULL), -ENODATA, "one sample stays whole");
	buf_release(&stored);
	buf_release(&a);
	buf_release(&b);
}

/* Frames of long names, more than a folded line or a profile takes. */
static void test_deep(void)
{
	static struct sym_frame frames[DEEP];
	struct profile_thread t = { .thread_id = 1 };
	struct profile_value v = { 1, 7, 7 };
	struct buf stored = BUF_INIT;
	struct wire_request r;
	struct pushed p;
	char name[200];

	memset(name, 'n', sizeof(name));
	sample_init(&sample, PROFILE_LINE, false);
	profile_add_thread(&sample.profile, &t);
	for (int i = 0; i < DEEP; i++) {
		snprintf(name + 150, 50, "_%d", i);
		frames[i].func = symtab_func(&sample.symtab, SYM_PYTHON, name, strlen(name), 0, 1);
		frames[i].line = 1;
	}
	profile_add(&sample.profile, 0, frames, DEEP, 0, 7, &v);
	record(&stored);
	sample_release(&sample);
	build(&r, WIRE_PUSH, &stored, NULL);
	pushed_open(&p, &r.body);
	is_int((long long)walk_depth(p.w, 0), WIRE_FRAMES_MAX, "as many frames as servers keep");
	ok(walk_has(p.w, "[truncated]"), "marked");
	snprintf(name + 150, 50, "_0");
	ok(walk_has(p.w, name), "with the leaf");
	pushed_release(&p);
	wire_request_release(&r);
	build(&r, WIRE_FOLDED, &stored, NULL);
	ok(r.body.len < 65536 && r.body.len > 60000, "a line within 64 KiB: %zu", r.body.len);
	ok(!strncmp(r.body.data, "[truncated];", 12), "marked");
	is_str(r.body.data + r.body.len - 5, "_0 7\n", "with the leaf");
	wire_request_release(&r);
	buf_release(&stored);
}

/* ---- broken bytes ---- */

/* Whatever it is: no crash (the sanitizers look on), and what is made of it is sound. */
static size_t try(const char *data, size_t len)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct labels l = { .count = 0 };
	uint64_t time_ns;
	size_t built = 0;
	int ret;

	for (size_t f = 0; f < ARRAY_SIZE(formats); f++) {
		struct wire_request r;
		struct pushed p;

		ret = wire_build(&r, (enum wire_format)f, data, len, NULL, NULL);
		if (ret != 0 && ret != -EINVAL && ret != -E2BIG)
			walk_bad("an errno nobody expects");
		if (!ret && f == WIRE_PUSH) {
			pushed_open(&p, &r.body);
			if (!is_sound(p.w))
				walk_bad("a request of broken bytes");
			pushed_release(&p);
		}
		built += !ret;
		wire_request_release(&r);
	}
	ret = wire_halve(data, len, 1, &a, &b, NULL);
	if (ret != 0 && ret != -EINVAL && ret != -E2BIG && ret != -ENODATA)
		walk_bad("an errno nobody expects of a half");
	if (wire_labels(data, len, &l, &time_ns, NULL) == 0)
		labels_release(&l);
	buf_release(&a);
	buf_release(&b);
	return built;
}

static void test_broken(const struct buf *plain, const char *what)
{
	static const unsigned char flips[] = { 0x01, 0x80, 0xff };
	size_t built = 0;

	for (size_t i = 0; i < plain->len; i++) {
		char *copy = malloc(i ? i : 1); /* its end is the end of what may be read */

		memcpy(copy, plain->data, i);
		built += try(copy, i);
		free(copy);
	}
	ok(built < plain->len * 4, "%s, cut anywhere: %zu requests", what, built);
	built = 0;
	for (size_t i = 0; i < plain->len; i++)
		for (size_t k = 0; k < ARRAY_SIZE(flips); k++) {
			plain->data[i] = (char)(plain->data[i] ^ flips[k]);
			built += try(plain->data, plain->len);
			plain->data[i] = (char)(plain->data[i] ^ flips[k]);
		}
	ok(built > plain->len && built < plain->len * 12, "%s, flipped anywhere: %zu requests", what,
	   built);
	is_int((long long)try(plain->data, plain->len), 4, "whole again");
}

static void test_fuzz(void)
{
	struct buf stored = BUF_INIT, plain = BUF_INIT;

	store(&stored, PPROF_WALL, true, labels);
	ok(!gzip_unpack(&plain, stored.data, stored.len, PACKED_MAX), "unpacked");
	test_broken(&plain, "ours");
	buf_clear(&plain);
	foreign(&plain);
	test_broken(&plain, "another's");
	for (size_t i = 0; i < stored.len; i++) {
		stored.data[i] = (char)(stored.data[i] ^ 0x10);
		try(stored.data, stored.len);
		try(stored.data, i);
		stored.data[i] = (char)(stored.data[i] ^ 0x10);
	}
	is_int((long long)try(stored.data, stored.len), 4, "packed bytes may break, too");
	buf_release(&plain);
	buf_release(&stored);
}

int main(void)
{
	test_push();
	test_push_wall();
	test_labels_read();
	test_ingest();
	test_folded();
	test_speedscope();
	test_record();
	test_foreign();
	test_refused();
	test_halve();
	test_deep();
	test_fuzz();
	return tap_done();
}
