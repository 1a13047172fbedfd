/* SPDX-License-Identifier: MIT
 * make-profile KIND FILE [-t] [--flames]: writes a made-up profile, in the format FILE's suffix means.
 *
 *   small  the profile of the golden files       empty  no samples at all
 *   native the same with native code and the kernel
 *   deep   stacks of 1 500 frames                wide   50 000 different frames side by side
 *   web    a plausible web service, 8 threads    large  web, an hour at 1 000 Hz
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/exporter.h"
#include "sample_profile.h"
#include "util/attr.h"
#include "util/clock.h"

enum { DEEP = 1500, WIDE = 50000, WEB_FUNCS = 420, WEB_THREADS = 8, TICK_NS = 1000000 };

static uint64_t seed = 42;

static uint32_t any(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

static uint32_t func(struct sample_profile *s, const char *name, const char *path,
		     const char *short_path, int32_t line)
{
	uint32_t file = symtab_file(&s->symtab, path, strlen(path));

	if (!symtab_file_at(&s->symtab, file)->short_path)
		symtab_set_short_path(&s->symtab, file, short_path);
	return symtab_func(&s->symtab, SYM_PYTHON, name, strlen(name), file, line);
}

static void deep(struct sample_profile *s)
{
	static struct sym_frame frames[DEEP];
	struct profile_thread t = { .thread_id = 0x7f0001, .tid = 1, .name = (char *)"MainThread" };
	struct profile_value v = { 1, TICK_NS, TICK_NS };
	char name[32];

	profile_add_thread(&s->profile, &t);
	for (int i = 0; i < 2000; i++) {
		size_t n = DEEP - any(40) * any(30);

		for (size_t k = 0; k < n; k++) {
			snprintf(name, sizeof(name), "descend_%zu", (n - k) % 97 + (n - k > 700) * any(2));
			frames[k].func = func(s, name, "/srv/deep/tree.py", "tree.py", 5);
			frames[k].line = 7;
		}
		s->profile.meta.duration_ns = (uint64_t)(i + 1) * TICK_NS;
		profile_add(&s->profile, 0, frames, n, 0, s->profile.meta.duration_ns, &v);
	}
}

static void wide(struct sample_profile *s)
{
	struct profile_thread t = { .thread_id = 0x7f0001, .tid = 1, .name = (char *)"MainThread" };
	struct profile_value v = { 1, TICK_NS, TICK_NS };
	char name[64];

	profile_add_thread(&s->profile, &t);
	for (int i = 0; i < WIDE; i++) {
		struct sym_frame f[3];

		snprintf(name, sizeof(name), "generated_%d", i);
		f[0].func = func(s, name, "/srv/wide/generated.py", "generated.py", i + 1);
		snprintf(name, sizeof(name), "group_%d", i * 7 / WIDE);
		f[1].func = func(s, name, "/usr/lib/python3.13/functools.py", "functools.py", i * 7 / WIDE);
		f[2].func = func(s, "main", "/srv/wide/main.py", "main.py", 1);
		f[0].line = i + 2;
		f[1].line = f[2].line = 9;
		s->profile.meta.duration_ns = (uint64_t)(i + 1) * TICK_NS;
		profile_add(&s->profile, 0, f, 3, 0, s->profile.meta.duration_ns, &v);
		if (s->profile.events && i % 10000 == 0)
			events_drain(s->profile.events, 0);
	}
}

static const struct { const char *path, *short_path; } web_files[] = {
	{ "/srv/shop/app.py", "app.py" },
	{ "/srv/shop/shop/views.py", "shop/views.py" },
	{ "/srv/shop/shop/models.py", "shop/models.py" },
	{ "/srv/shop/shop/pricing.py", "shop/pricing.py" },
	{ "/srv/venv/lib/python3.13/site-packages/flask/app.py", "flask/app.py" },
	{ "/srv/venv/lib/python3.13/site-packages/sqlalchemy/orm/query.py", "sqlalchemy/orm/query.py" },
	{ "/srv/venv/lib/python3.13/site-packages/jinja2/environment.py", "jinja2/environment.py" },
	{ "/usr/lib/python3.13/threading.py", "threading.py" },
	{ "/usr/lib/python3.13/json/encoder.py", "json/encoder.py" },
	{ "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap>" },
};

static const char *const web_words[] = {
	"dispatch", "get", "render", "query", "load", "encode", "__init__", "handle", "validate",
	"iterate", "<listcomp>", "flush", "price", "discount", "to_dict", "compile", "run",
};

/* A random walk down a fixed random call graph: heavy ways stay heavy. */
static size_t web_stack(struct sample_profile *s, struct sym_frame *frames)
{
	static uint32_t funcs[WEB_FUNCS];
	uint32_t path[40], at = 0;
	size_t n = 0;

	for (uint32_t i = 0; !funcs[0] && i < WEB_FUNCS; i++) {
		uint32_t k = (WEB_FUNCS - 1 - i), file = k < 8 ? k % 2 * 7 : any(ARRAY_SIZE(web_files));
		char name[64];

		snprintf(name, sizeof(name), "%s%s%s", k % 3 ? "Shop." : "", k % 5 ? "" : "_",
			 web_words[any(ARRAY_SIZE(web_words))]);
		funcs[k] = func(s, k ? name : "main", web_files[k ? file : 0].path,
				web_files[k ? file : 0].short_path, (int32_t)k * 10 + 1);
	}
	do {
		path[n++] = at;
		at = at * 3 + 1 + (any(10) < 6 ? 0 : any(3));
		at = at >= WEB_FUNCS ? at % 91 + 17 : at;
	} while (n < 40 && (n < 5 || any(8)));
	for (size_t i = 0; i < n; i++) {
		frames[i].func = funcs[path[n - 1 - i]];
		frames[i].line = (int32_t)(path[n - 1 - i] * 10 + 2 + (i ? path[n - i] % 3 : any(2)));
	}
	return n;
}

static void web(struct sample_profile *s, uint64_t ticks)
{
	struct sym_frame frames[40];

	for (uint32_t i = 0; i < WEB_THREADS; i++) {
		char name[32];
		struct profile_thread t = { .thread_id = 0x7f3c10000000 + i * 0x1000,
					    .tid = (pid_t)(5000 + i), .name = name };

		snprintf(name, sizeof(name), i ? "waitress-%u" : "MainThread", i);
		profile_add_thread(&s->profile, &t);
	}
	for (uint64_t i = 1; i <= ticks;) {
		uint32_t thread = any(100) < 40 ? 0 : any(WEB_THREADS);
		struct profile_value v = { 1, TICK_NS, TICK_NS * any(11) / 10 };
		size_t n = web_stack(s, frames);

		for (int k = 0; k < 4 && i <= ticks; k++, i++) {
			profile_add(&s->profile, thread, frames, n, 0, i * TICK_NS, &v);
			if (s->profile.events && i % 10000 == 0)
				events_drain(s->profile.events, 0);
		}
	}
	s->profile.meta.duration_ns = ticks * TICK_NS;
}

static bool fill(struct sample_profile *s, const char *kind)
{
	if (!strcmp(kind, "empty"))
		return true;
	if (!strcmp(kind, "small"))
		sample_fill(s);
	else if (!strcmp(kind, "native"))
		sample_fill_native(s);
	else if (!strcmp(kind, "deep"))
		deep(s);
	else if (!strcmp(kind, "wide"))
		wide(s);
	else if (!strcmp(kind, "web"))
		web(s, 20000);
	else if (!strcmp(kind, "large"))
		web(s, 3600 * 1000);
	else
		return false;
	return true;
}

static int write_profile(struct sample_profile *s, const struct exporter *e, const char *path,
			 const struct export_options *o)
{
	struct err err = { 0 };
	struct sink sink;

	if (sink_open(&sink, path, &err) < 0) {
		err_print(&err);
		return err.status;
	}
	e->write(&s->profile, o, &sink);
	if (sink_commit(&sink, &err) < 0)
		err_print(&err);
	return err.status;
}

int main(int argc, char **argv)
{
	const struct exporter *e = argc > 2 ? exporter_by_suffix(argv[2]) : NULL;
	struct export_options o = { 0 };
	struct sample_profile s;
	int ret;

	for (int i = 3; i < argc; i++) {
		o.threads |= !strcmp(argv[i], "-t");
		o.flames |= !strcmp(argv[i], "--flames");
	}
	if (!e)
		return say("make-profile KIND FILE.{svg,folded,json,…} [-t] [--flames]"), EXIT_USAGE;
	sample_init(&s, PROFILE_LINE, e->events);
	if (!fill(&s, argv[1]))
		return say("no such kind: %s", argv[1]), EXIT_USAGE;
	if (s.profile.events)
		events_drain(s.profile.events, 1);
	ret = write_profile(&s, e, argv[2], &o);
	sample_release(&s);
	return ret;
}
