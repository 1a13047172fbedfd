/* SPDX-License-Identifier: MIT
 * pprof_series(): read back by a walk of the test's own (tests/lib/pprof_walk.h). */
#include "export/pprof.h"
#include "export/label.h"

#include "pprof_walk.h"
#include "sample_profile.h"
#include "tap.h"
#include "util/utf8.h"

enum { CHUNKS_MAX = 4096 };

struct chunks {
	struct buf pb[CHUNKS_MAX];
	uint64_t time_ns[CHUNKS_MAX];
	size_t samples[CHUNKS_MAX];
	size_t count, stop_at;
};

static int keep(void *arg, const struct buf *pb, uint64_t time_ns, size_t samples)
{
	struct chunks *c = arg;

	if (c->count == CHUNKS_MAX)
		return -1;
	buf_add(&c->pb[c->count], pb->data, pb->len);
	c->time_ns[c->count] = time_ns;
	c->samples[c->count++] = samples;
	return c->stop_at && c->count == c->stop_at ? 42 : 0;
}

static void chunks_release(struct chunks *c)
{
	for (size_t i = 0; i < c->count; i++)
		buf_release(&c->pb[i]);
	c->count = 0;
}

static struct pprof_series usual(enum pprof_kind kind)
{
	return (struct pprof_series){
		.kind = kind, .mapping = "/usr/bin/python3.13", .bytes_max = 1800 << 10,
		.samples_max = 15000, .frames_max = 1000, .chunk_step_ns = 1000000,
	};
}

/* ---- the small profile ---- */

#define FROM_SERVE "app.serve /srv/shop/app.py:12"
#define QUERY "orm.session.Session.query /srv/venv/lib/python3.13/site-packages/orm/session.py:310 < " \
	"shop.cart.Cart.get /srv/shop/shop/cart.py:24 < " FROM_SERVE
#define LOADS "json.loads /usr/lib/python3.13/json/__init__.py:346 < " \
	"shop.cart.Cart.get /srv/shop/shop/cart.py:25 < " FROM_SERVE
#define SERVE "app.serve /srv/shop/app.py:14"
#define MISCHIEF "a;b \"c\" & 'd' ]]></script> \xef\xbf\xbd\xf0\x9f\x94\xa5 <string>:1 < " \
	"\xd1\x8f.h\xc3\xa9llo.<locals>.<lambda> /srv/shop/\xd1\x8f.py:7"

static void test_small(enum pprof_kind kind, uint64_t query, uint64_t loads, uint64_t serve,
		       uint64_t mischief)
{
	static const char *const comments[] = { "pystoker.label a=b", "bad \xff one", NULL };
	static struct chunks c, again;
	struct sample_profile s;
	struct pprof_series o = usual(kind);
	struct walked *w;
	const char *type = kind == PPROF_CPU ? "cpu" : "wall";

	sample_init(&s, PROFILE_LINE, false);
	sample_fill(&s);
	o.comments = comments;
	is_int(pprof_series(&s.profile, &o, keep, &c), 0, type);
	is_int(pprof_series(&s.profile, &o, keep, &again), 0, "again");
	is_int((long long)c.count, 1, "one chunk");
	ok(c.pb[0].len == again.pb[0].len && !memcmp(c.pb[0].data, again.pb[0].data, c.pb[0].len),
	   "the same bytes twice");
	is_int((long long)c.time_ns[0], 1700000000000000000, "its time");
	w = walk_open(c.pb[0].data, c.pb[0].len);
	is_int((long long)w->strings[0].p, (long long)w->strings[0].end, "the first string is empty");
	is_int((long long)w->type_count, 1, "one sample type");
	is_str(walk_string(w, w->types[0][0]), type, "its type");
	is_str(walk_string(w, w->types[0][1]), "nanoseconds", "its unit");
	is_str(walk_string(w, w->period_type[0]), type, "period type");
	is_str(walk_string(w, w->period_type[1]), "nanoseconds", "period unit");
	is_int((long long)w->period, 10000000, "period");
	is_int((long long)w->time_ns, 1700000000000000000, "time_nanos");
	is_int((long long)w->duration_ns, 60000000, "duration_nanos");
	is_int((long long)w->mapping_count, 1, "one mapping");
	is_str(walk_string(w, w->mapping_file), "/usr/bin/python3.13", "the interpreter");
	is_int(w->mapping_has, 3, "has functions, file names, lines");
	is_int((long long)w->sample_count, 4, "four stacks");
	is_int((long long)c.samples[0], 4, "as emit is told");
	is_int((long long)walk_value(w, QUERY), (long long)query, "query");
	is_int((long long)walk_value(w, LOADS), (long long)loads, "loads");
	is_int((long long)walk_value(w, SERVE), (long long)serve, "serve");
	is_int((long long)walk_value(w, MISCHIEF), (long long)mischief, "mischief");
	is_int((long long)walk_total(w, 0), (long long)(query + loads + serve + mischief), "total");
	for (size_t i = 0; i < w->string_count; i++)
		ok(utf8_is((const char *)w->strings[i].p, (size_t)(w->strings[i].end - w->strings[i].p)),
		   "string %zu is UTF-8", i);
	for (size_t i = 0; i < w->function_count; i++)
		ok(w->functions[i].system == w->functions[i].name, "system_name is name");
	for (size_t i = 0; i < w->function_count; i++)
		if (!strcmp(walk_string(w, w->functions[i].name), "json.loads"))
			is_int((long long)w->functions[i].start, 299, "start_line");
	ok(w->comment_count > 2, "comments");
	is_str(walk_string(w, w->comments[w->comment_count - 2]), "pystoker.label a=b", "ours");
	is_str(walk_string(w, w->comments[w->comment_count - 1]), "bad \xef\xbf\xbd one", "mended");
	free(w);
	chunks_release(&c);
	chunks_release(&again);
	sample_release(&s);
}

/* ---- threads ---- */

static void fill_threads(struct sample_profile *s)
{
	static const struct sym_frame f[] = { { S_SERVE, 12 } };
	static const char *const names[] = { "w1", "w2", "w1", NULL, "w2" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct profile_thread t = { .thread_id = i + 1, .name = (char *)names[i] };

		profile_add_thread(&s->profile, &t);
		sample_add(s, (uint32_t)i, 10 * (i + 1), 10, i + 1, f, 1);
	}
	sample_add(s, 0, 60, 10, 0, &(struct sym_frame){ S_GET, 20 }, 1); /* no CPU time */
}

static void test_threads(void)
{
	static struct chunks c;
	struct sample_profile s;
	struct pprof_series o = usual(PPROF_CPU);
	struct walked *w;

	sample_init(&s, PROFILE_LINE, false);
	fill_threads(&s);
	is_int(pprof_series(&s.profile, &o, keep, &c), 0, "threads added up");
	o.thread_label = true;
	is_int(pprof_series(&s.profile, &o, keep, &c), 0, "threads by their name");
	w = walk_open(c.pb[0].data, c.pb[0].len);
	is_int((long long)w->sample_count, 1, "one stack; what took no CPU time is left out");
	is_int((long long)walk_value(w, FROM_SERVE), 15 * (long long)MS, "of all threads");
	is_int(w->samples[0].labels, 0, "no label");
	ok(!walk_has(w, "thread_name") && !walk_has(w, "shop.cart.Cart.get"), "no string too many");
	free(w);
	w = walk_open(c.pb[1].data, c.pb[1].len);
	is_int((long long)w->sample_count, 3, "three names");
	is_int((long long)walk_value(w, "[w1] " FROM_SERVE), 4 * (long long)MS, "w1");
	is_int((long long)walk_value(w, "[w2] " FROM_SERVE), 7 * (long long)MS, "w2");
	is_int((long long)walk_value(w, FROM_SERVE), 4 * (long long)MS, "without a name");
	ok(walk_has(w, "thread_name"), "the label's name");
	free(w);
	chunks_release(&c);
	sample_release(&s);
}

/* ---- limits ---- */

enum { WIDE = 5000, DEEP = 1500 };

static void fill_wide(struct sample_profile *s)
{
	struct profile_thread t = { .thread_id = 1 };
	char text[64];

	profile_add_thread(&s->profile, &t);
	for (unsigned i = 0; i < WIDE; i++) {
		struct profile_value v = { 1, 1000 + i, i % 10 ? 2000 + i : 0 };
		struct sym_frame f[2];
		uint32_t file = symtab_file(&s->symtab, "/srv/wide.py", 12);

		snprintf(text, sizeof(text), "generated_%u", i);
		f[0] = (struct sym_frame){ symtab_func(&s->symtab, SYM_PYTHON, text, strlen(text), file,
						      (int)i + 1), (int)i + 2 };
		f[1] = (struct sym_frame){ symtab_func(&s->symtab, SYM_PYTHON, "main", 4, file, 1), 3 };
		profile_add(&s->profile, 0, f, 2, 0, i, &v);
	}
}

/* Chunks are sound each, within the limits, and together the whole. */
static void check_chunks(const struct chunks *c, size_t bytes_max, size_t samples_max,
			 size_t samples, uint64_t total, const char *what)
{
	uint64_t sum = 0;
	size_t count = 0, bad = 0;

	for (size_t i = 0; i < c->count; i++) {
		struct walked *w = walk_open(c->pb[i].data, c->pb[i].len);

		bad += c->pb[i].len > bytes_max || w->sample_count > samples_max ||
		       c->samples[i] != w->sample_count || w->duration_ns != 60 * MS ||
		       c->time_ns[i] != 1700000000000000000ull + i * 1000000 ||
		       w->time_ns != c->time_ns[i] ||
		       w->function_count != w->sample_count + 1; /* no names of the others */
		sum += walk_total(w, 0);
		count += w->sample_count;
		free(w);
	}
	is_int((long long)bad, 0, what);
	is_int((long long)count, (long long)samples, "all samples");
	is_int((long long)sum, (long long)total, "all time");
}

static void test_chunks(void)
{
	static struct chunks c;
	struct sample_profile s;
	struct pprof_series o = usual(PPROF_WALL);
	uint64_t wall = 0, cpu = 0;

	for (uint64_t i = 0; i < WIDE; i++) {
		wall += 1000 + i;
		cpu += i % 10 ? 2000 + i : 0;
	}
	sample_init(&s, PROFILE_LINE, false);
	fill_wide(&s);
	is_int(pprof_series(&s.profile, &o, keep, &c), 0, "whole");
	is_int((long long)c.count, 1, "in one");
	check_chunks(&c, o.bytes_max, o.samples_max, WIDE, wall, "is sound");
	chunks_release(&c);
	o.samples_max = 300;
	is_int(pprof_series(&s.profile, &o, keep, &c), 0, "by samples");
	is_int((long long)c.count, (WIDE + 299) / 300, "no chunk too many");
	check_chunks(&c, o.bytes_max, 300, WIDE, wall, "each within 300 samples");
	chunks_release(&c);
	o.samples_max = 15000;
	o.bytes_max = 20000;
	o.kind = PPROF_CPU;
	is_int(pprof_series(&s.profile, &o, keep, &c), 0, "by bytes");
	ok(c.count > 5, "%zu chunks", c.count);
	check_chunks(&c, 20000, 15000, WIDE * 9 / 10, cpu, "each within 20000 bytes");
	chunks_release(&c);
	c.stop_at = 3;
	is_int(pprof_series(&s.profile, &o, keep, &c), 42, "emit may stop it");
	is_int((long long)c.count, 3, "at once");
	chunks_release(&c);
	sample_release(&s);
}

static void fill_deep(struct sample_profile *s)
{
	static struct sym_frame frames[DEEP];
	struct profile_thread t = { .thread_id = 1 };
	struct profile_value v = { 1, 7, 7 };
	uint32_t file = symtab_file(&s->symtab, "/srv/deep.py", 12);
	char name[900];

	profile_add_thread(&s->profile, &t);
	memset(name, 'n', sizeof(name));
	for (int i = 0; i < DEEP; i++) {
		snprintf(name + 800, 100, "_%d", i);
		frames[i].func = symtab_func(&s->symtab, SYM_PYTHON, name, strlen(name), file, 1);
		frames[i].line = i + 1;
	}
	profile_add(&s->profile, 0, frames, DEEP, 0, 7, &v);
}

static void check_deep(const struct chunks *c, size_t depth, const char *what)
{
	struct walked *w = walk_open(c->pb[0].data, c->pb[0].len);
	struct buf b = BUF_INIT;

	walk_stack(w, 0, &b);
	is_int((long long)walk_depth(w, 0), (long long)depth, what);
	ok(strstr(b.data, "_0 /srv/deep.py:1 < ") != NULL, "the leaf is there");
	ok(b.len > 15 && !strcmp(b.data + b.len - 14, "[truncated] :0"), "the root end is marked");
	is_int((long long)walk_total(w, 0), 7, "with its value");
	buf_release(&b);
	free(w);
}

static void test_deep(void)
{
	static struct chunks c;
	struct sample_profile s;
	struct pprof_series o = usual(PPROF_WALL);

	sample_init(&s, PROFILE_LINE, false);
	fill_deep(&s);
	is_int(pprof_series(&s.profile, &o, keep, &c), 0, "deep");
	check_deep(&c, 1000, "1000 frames");
	chunks_release(&c);
	o.bytes_max = 300000;
	is_int(pprof_series(&s.profile, &o, keep, &c), 0, "deep, with names that do not fit");
	check_deep(&c, 250, "as many frames as fit, halved");
	ok(c.pb[0].len <= 300000, "within the limit");
	chunks_release(&c);
	o.frames_max = 1;
	is_int(pprof_series(&s.profile, &o, keep, &c), 0, "one frame");
	check_deep(&c, 2, "the leaf and the mark");
	chunks_release(&c);
	sample_release(&s);
}

static void test_empty(void)
{
	static struct chunks c;
	struct sample_profile s;
	struct pprof_series o = usual(PPROF_CPU);
	struct profile_thread t = { .thread_id = 1 };

	sample_init(&s, PROFILE_LINE, false);
	is_int(pprof_series(&s.profile, &o, keep, &c), 0, "nothing seen");
	is_int((long long)c.count, 0, "nothing emitted");
	profile_add_thread(&s.profile, &t);
	sample_add(&s, 0, 10, 10, 0, &(struct sym_frame){ S_GET, 20 }, 1);
	is_int(pprof_series(&s.profile, &o, keep, &c), 0, "no CPU time seen");
	is_int((long long)c.count, 0, "nothing emitted");
	sample_release(&s);
}

/* ---- modules ---- */

static const struct {
	const char *path, *short_path, *module;
} modules[] = {
	{ "/v/django/core/handlers/base.py", "django/core/handlers/base.py", "django.core.handlers.base" },
	{ "/v/django/core/__init__.py", "django/core/__init__.py", "django.core" },
	{ "/v/json/__init__.py", "json/__init__.py", "json" },
	{ "/v/__init__.py", "__init__.py", "__init__" },
	{ "/v/celery/__main__.py", "celery/__main__.py", "celery.__main__" },
	{ "/usr/bin/celery", "celery", "celery" },
	{ "/srv/app/main.py", NULL, "main" },
	{ "main.py", NULL, "main" },
	{ "./main.py", "./main.py", "main" },
	{ "/srv/a.b.py", "a.b.py", "a.b" },
	{ "/srv/x.pyx", "x.pyx", "x" },
	{ "/srv/.py", ".py", "" },
	{ "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap>", "importlib._bootstrap" },
	{ "<frozen runpy>", NULL, "runpy" },
	{ "<string>", "<string>", "" },
	{ "<stdin>", NULL, "" },
	{ "", NULL, "" },
};

static void test_modules(void)
{
	struct symtab t;
	struct buf b = BUF_INIT;

	symtab_init(&t);
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		struct sym_func f = { .name = "f", .kind = SYM_PYTHON };

		f.file = symtab_file(&t, modules[i].path, strlen(modules[i].path));
		if (modules[i].short_path)
			symtab_set_short_path(&t, f.file, modules[i].short_path);
		buf_clear(&b);
		label_module(&b, &t, &f);
		is_str(b.data ? b.data : "", modules[i].module, modules[i].path);
		f.kind = i % 2 ? SYM_NATIVE : SYM_MARK;
		buf_clear(&b);
		label_module(&b, &t, &f);
		is_str(b.data ? b.data : "", "", "native functions and marks have none");
	}
	buf_release(&b);
	symtab_release(&t);
}

int main(void)
{
	is_str(pprof_metric[PPROF_CPU], "process_cpu", "metric of CPU time");
	is_str(pprof_metric[PPROF_WALL], "wall", "metric of wall-clock time");
	test_small(PPROF_WALL, 20 * MS, 20 * MS, 10 * MS, 30 * MS);
	test_small(PPROF_CPU, 9 * MS, 20 * MS, 9 * MS, 30 * MS);
	test_threads();
	test_chunks();
	test_deep();
	test_empty();
	test_modules();
	return tap_done();
}
