/* SPDX-License-Identifier: MIT
 * A small profile with one of everything the formats must show: application, library and standard
 * library, a name that means mischief, two threads, a time without samples.
 *
 *  time, ms   0         10        20        30        40        50        60
 *  Main       [ serve > get > query     ][ serve > get > loads ]....[ serve ]
 *  Worker               [ run <lambda> & mischief      ]
 */
#ifndef TESTS_SAMPLE_PROFILE_H
#define TESTS_SAMPLE_PROFILE_H

#include <string.h>

#include "profile/profile.h"
#include "util/xalloc.h"

#define MS 1000000ull

struct sample_profile {
	struct symtab symtab;
	struct profile profile;
};

enum { S_SERVE, S_GET, S_QUERY, S_LOADS, S_RUN, S_MISCHIEF, S_SORT, S_COMPARE, S_UNNAMED, S_DOT,
       S_RUST, S_READ, S_KERNEL, S_NO_INFO, S_MAIN, S_FUNCS };

static const struct {
	const char *name, *path, *short_path;
	int32_t first_line;
	enum sym_kind kind;
} sample_functions[S_FUNCS] = {
	[S_SERVE] = { "serve", "/srv/shop/app.py", "app.py", 10, SYM_PYTHON },
	[S_GET] = { "Cart.get", "/srv/shop/shop/cart.py", "shop/cart.py", 20, SYM_PYTHON },
	[S_QUERY] = { "Session.query", "/srv/venv/lib/python3.13/site-packages/orm/session.py",
		      "orm/session.py", 300, SYM_PYTHON },
	[S_LOADS] = { "loads", "/usr/lib/python3.13/json/__init__.py", "json/__init__.py", 299,
		      SYM_PYTHON },
	[S_RUN] = { "h\xc3\xa9llo.<locals>.<lambda>", "/srv/shop/\xd1\x8f.py", "\xd1\x8f.py", 1,
		    SYM_PYTHON },
	[S_MISCHIEF] = { "a;b\n\"c\" & 'd' ]]></script>\x01\xff\xf0\x9f\x94\xa5", "<string>", NULL, 1,
			 SYM_PYTHON },
	[S_SORT] = { "list_sort_impl", "/build/python3.13/Objects/listobject.c", NULL, 0, SYM_NATIVE },
	[S_COMPARE] = { "std::__lg<unsigned long>(unsigned long) const",
			"/srv/venv/lib/python3.13/site-packages/shop/_fast.cpython-313-x86_64-linux-gnu.so",
			"shop/_fast.cpython-313-x86_64-linux-gnu.so", 0, SYM_NATIVE },
	[S_UNNAMED] = { "0x1a2b0", "/usr/lib/x86_64-linux-gnu/libblas.so.3", NULL, 0, SYM_NATIVE },
	[S_DOT] = { "cblas_ddot", "/usr/lib/x86_64-linux-gnu/libblas.so.3", NULL, 0, SYM_NATIVE },
	[S_RUST] = { "<orjson::Ser as serde::Serialize>::serialize", "/io/src/serialize/mod.rs", NULL,
		     0, SYM_NATIVE },
	[S_READ] = { "vfs_read", "[kernel]", NULL, 0, SYM_KERNEL },
	[S_KERNEL] = { "[kernel]", "[kernel]", NULL, 0, SYM_KERNEL },
	[S_NO_INFO] = { "[no unwind info]", "", NULL, 0, SYM_MARK },
	[S_MAIN] = { "_start", "/usr/bin/python3.13", NULL, 0, SYM_NATIVE },
};

static inline void sample_add(struct sample_profile *s, uint32_t thread, uint64_t when_ms,
			      uint64_t wall_ms, uint64_t cpu_ms, const struct sym_frame *frames,
			      size_t n)
{
	struct profile_value v = { 1, wall_ms * MS, cpu_ms * MS };
	struct sym_frame named[8];

	for (size_t i = 0; i < n; i++) { /* functions of ours -> numbers of the symtab */
		const char *path = sample_functions[frames[i].func].path;
		const char *name = sample_functions[frames[i].func].name;
		uint32_t file = symtab_file(&s->symtab, path, strlen(path));

		named[i].func = symtab_func(&s->symtab, sample_functions[frames[i].func].kind, name,
					    strlen(name), file,
					    sample_functions[frames[i].func].first_line);
		named[i].line = frames[i].line;
		if (sample_functions[frames[i].func].short_path)
			symtab_set_short_path(&s->symtab, file,
					      sample_functions[frames[i].func].short_path);
	}
	profile_add(&s->profile, thread, named, n, 0, when_ms * MS, &v);
}

static inline void sample_fill(struct sample_profile *s)
{
	static const struct sym_frame query[] = { { S_QUERY, 310 }, { S_GET, 24 }, { S_SERVE, 12 } };
	static const struct sym_frame loads[] = { { S_LOADS, 346 }, { S_GET, 25 }, { S_SERVE, 12 } };
	static const struct sym_frame serve[] = { { S_SERVE, 14 } };
	static const struct sym_frame worker[] = { { S_MISCHIEF, 1 }, { S_RUN, 7 } };
	static const struct profile_thread threads[] = {
		{ .thread_id = 0x7f12a0, .tid = 4242, .name = (char *)"MainThread" },
		{ .thread_id = 0x7f12b0, .tid = 4243, .name = (char *)"Worker \"1\"" },
	};
	uint32_t main_thread = profile_add_thread(&s->profile, &threads[0]);
	uint32_t work_thread = profile_add_thread(&s->profile, &threads[1]);

	sample_add(s, main_thread, 10, 10, 4, query, 3);
	sample_add(s, main_thread, 20, 10, 5, query, 3); /* goes on: one stretch of 20 ms */
	sample_add(s, work_thread, 20, 10, 10, worker, 2);
	sample_add(s, main_thread, 40, 20, 20, loads, 3);
	sample_add(s, work_thread, 40, 20, 20, worker, 2);
	sample_add(s, main_thread, 60, 10, 9, serve, 1); /* nothing seen from 40 to 50 */
}

/* As --native shows it: what C, C++ and Rust do between Python's frames, and what the kernel does. */
static inline void sample_fill_native(struct sample_profile *s)
{
	static const struct sym_frame sort[] = { { S_COMPARE, 0 }, { S_GET, 24 }, { S_SORT, 2391 },
						 { S_SERVE, 12 }, { S_MAIN, 0 } };
	static const struct sym_frame dumps[] = { { S_RUST, 88 }, { S_NO_INFO, 0 }, { S_SERVE, 14 },
						  { S_MAIN, 0 } };
	static const struct sym_frame reads[] = { { S_READ, 0 }, { S_SERVE, 15 }, { S_MAIN, 0 } };
	static const struct sym_frame nameless[] = { { S_KERNEL, 0 }, { S_SERVE, 15 }, { S_MAIN, 0 } };
	static const struct sym_frame blas[] = { { S_UNNAMED, 0 }, { S_DOT, 0 } };
	static const struct profile_thread threads[] = {
		{ .thread_id = 0x7f12a0, .tid = 4242, .name = (char *)"MainThread" },
		{ .thread_id = 0, .tid = 4250, .name = (char *)"openblas" },
	};
	uint32_t main_thread = profile_add_thread(&s->profile, &threads[0]);
	uint32_t blas_thread = profile_add_thread(&s->profile, &threads[1]);

	sample_add(s, main_thread, 20, 20, 20, sort, 5);
	sample_add(s, main_thread, 35, 15, 15, dumps, 4);
	sample_add(s, main_thread, 45, 10, 10, reads, 3);
	sample_add(s, main_thread, 50, 5, 5, nameless, 3);
	sample_add(s, blas_thread, 60, 60, 60, blas, 2);
}

/* A profile of 60 ms without samples; with `folder` the order of samples is kept. */
static inline void sample_init(struct sample_profile *s, enum profile_lines lines, bool events)
{
	struct profile_meta *m = &s->profile.meta;

	symtab_init(&s->symtab);
	profile_init(&s->profile, &s->symtab, lines, events ? events_open(NULL, NULL) : NULL);
	m->pid = 4242;
	m->program = xstrdup("python app.py --name 'a & b'");
	m->python_version = xstrdup("3.13.0");
	m->mode = xstrdup("nonblocking, on the target's CPU");
	m->reasons = xstrdup("torn 2");
	m->rate_hz = 100;
	m->start_real_ns = 1700000000000000000ull;
	m->duration_ns = 60 * MS;
	m->dropped = 2;
	m->repaired = 1;
}

static inline void sample_release(struct sample_profile *s)
{
	profile_release(&s->profile);
	symtab_release(&s->symtab);
}

#endif
