/* SPDX-License-Identifier: MIT
 * How frames read, and where code comes from. */
#include "export/label.h"

#include <stdlib.h>

#include "export/exporter.h"
#include "util/attr.h"
#include "util/utf8.h"

#include "tap.h"

static struct symtab symtab;
static struct profile profile;

static struct profile_node node(enum sym_kind kind, const char *name, const char *path, int32_t line)
{
	uint32_t file = symtab_file(&symtab, path, strlen(path));

	return (struct profile_node){
		.func = symtab_func(&symtab, kind, name, strlen(name), file, 1),
		.line = line,
	};
}

static void reads(enum sym_kind kind, const char *name, const char *path, int32_t line,
		  const char *want)
{
	struct profile_node n = node(kind, name, path, line);
	struct buf b = BUF_INIT;

	label_frame(&b, &profile, &n, false);
	is_str(b.data, want, want);
	buf_release(&b);
}

static void test_frames(void)
{
	reads(SYM_PYTHON, "View.get", "a.py", 7, "View.get (a.py:7)");
	reads(SYM_PYTHON, "View.get", "a.py", 0, "View.get (a.py)");
	reads(SYM_PYTHON, "View.get", "", 7, "View.get");
	reads(SYM_NATIVE, "memcpy", "libc.so.6", 0, "memcpy (libc.so.6)");
	reads(SYM_NATIVE, "memcpy", "/usr/lib/x86_64-linux-gnu/libc.so.6", 0, "memcpy (libc.so.6)");
	reads(SYM_NATIVE, "main", "/build/src/main.c", 12, "main (main.c:12)");
	reads(SYM_NATIVE, "0x1f0", "/srv/lib.so", 0, "0x1f0 (lib.so)");
	reads(SYM_NATIVE, "f", "dir/", 0, "f (dir/)");
	reads(SYM_NATIVE, "f", "", 0, "f");
	reads(SYM_KERNEL, "vfs_read", "[kernel]", 0, "vfs_read ([kernel])");
	reads(SYM_KERNEL, "[kernel]", "[kernel]", 0, "[kernel]");
	reads(SYM_NATIVE, "[jit]", "[jit]", 0, "[jit]");
	reads(SYM_MARK, "[truncated]", "", 0, "[truncated]");
	reads(SYM_PYTHON, "a\nb\tc\x7f" "d\xe2\x80\xae" "e", "x\ny.py", 1, "a b c d e (x y.py:1)");
	reads(SYM_PYTHON, "\xff\xc0\x80\xed\xa0\x80", "a.py", 1,
	      "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd (a.py:1)");
}

static void test_long(void)
{
	static char name[5001], path[6001];
	struct profile_node n;
	struct buf b = BUF_INIT;
	uint32_t c;

	for (size_t i = 0; i + 3 < sizeof(name); i += 3)
		memcpy(name + i, "\xe2\x82\xac", 3); /* € */
	memset(path, 'p', sizeof(path) - 1);
	memcpy(path + sizeof(path) - 6, "q.py", 5);
	n = node(SYM_PYTHON, name, path, 1);
	label_frame(&b, &profile, &n, false);
	ok(b.len < LABEL_NAME_MAX + LABEL_FILE_MAX + 20, "long names are cut");
	ok(strstr(b.data, "\xe2\x82\xac\xe2\x80\xa6 (\xe2\x80\xa6" "ppp") != NULL, "with an ellipsis");
	ok(strstr(b.data, "ppq.py:1)") != NULL, "a path keeps its end");
	for (size_t i = 0; i < b.len;) {
		i += utf8_next(b.data + i, b.len - i, &c);
		if (c == UTF8_REPLACEMENT)
			break;
	}
	ok(c != UTF8_REPLACEMENT, "between characters");
	buf_release(&b);
}

static void test_short_path(void)
{
	struct profile_node n = node(SYM_PYTHON, "f", "/usr/lib/python3.13/json/decoder.py", 1);
	struct buf b = BUF_INIT;

	symtab_set_short_path(&symtab, symtab_func_at(&symtab, n.func)->file, "json/decoder.py");
	label_frame(&b, &profile, &n, false);
	is_str(b.data, "f (json/decoder.py:1)", "short path");
	buf_clear(&b);
	label_frame(&b, &profile, &n, true);
	is_str(b.data, "f (/usr/lib/python3.13/json/decoder.py:1)", "--full-filenames");
	buf_release(&b);
}

/* A library in a package has a short path, as the file of Python code would. */
static void test_native_path(void)
{
	static const char path[] = "/venv/lib/python3.13/site-packages/numpy/_core.so";
	struct profile_node n = node(SYM_NATIVE, "dot", path, 0);
	struct buf b = BUF_INIT;

	symtab_set_short_path(&symtab, symtab_func_at(&symtab, n.func)->file, "numpy/_core.so");
	label_frame(&b, &profile, &n, false);
	is_str(b.data, "dot (_core.so)", "native code shows the last part");
	buf_clear(&b);
	label_frame(&b, &profile, &n, true);
	is_str(b.data, "dot (/venv/lib/python3.13/site-packages/numpy/_core.so)",
	       "--full-filenames of native code");
	buf_release(&b);
}

static void test_in_library(void)
{
	static const struct {
		enum sym_kind kind;
		const char *path;
		bool in_library;
	} cases[] = {
		{ SYM_NATIVE, "/usr/lib/libc.so.6", true }, { SYM_NATIVE, "/usr/bin/python3.13", true },
		{ SYM_NATIVE, "/opt/app.c/server", true }, { SYM_NATIVE, "[vdso]", true },
		{ SYM_NATIVE, "/src/a.c", false }, { SYM_NATIVE, "mod.rs", false },
		{ SYM_NATIVE, "shop/cart.pyx", false }, { SYM_KERNEL, "[kernel]", true },
		{ SYM_PYTHON, "/srv/lib.so", false }, { SYM_MARK, "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct profile_node n = node(cases[i].kind, "f", cases[i].path, 0);

		is_int(label_in_library(&symtab, symtab_func_at(&symtab, n.func)),
		       cases[i].in_library, cases[i].path);
	}
}

static void thread_reads(uint64_t id, const char *name, const char *want)
{
	struct profile_thread t = { .thread_id = id, .tid = 77, .name = (char *)name };
	struct buf b = BUF_INIT;

	label_thread(&b, &t);
	is_str(b.data, want, want);
	buf_release(&b);
}

static const struct {
	const char *path;
	enum label_origin origin;
} origins[] = {
	{ "/srv/app/main.py", ORIGIN_APPLICATION },
	{ "<string>", ORIGIN_APPLICATION },
	{ "/home/u/python3/tool.py", ORIGIN_APPLICATION },
	{ "/home/u/lib/pythonic/tool.py", ORIGIN_APPLICATION },
	{ "/usr/lib/python3.13/json/decoder.py", ORIGIN_STDLIB },
	{ "/opt/py/lib/python3.14t/threading.py", ORIGIN_STDLIB },
	{ "/usr/lib64/python3.6/threading.py", ORIGIN_STDLIB },
	{ "/usr/lib/python313.zip/os.py", ORIGIN_STDLIB },
	{ "<frozen importlib._bootstrap>", ORIGIN_STDLIB },
	{ "/usr/lib/python3/dist-packages/apt/cache.py", ORIGIN_LIBRARY },
	{ "/venv/lib/python3.13/site-packages/flask/app.py", ORIGIN_LIBRARY },
	{ "/venv/lib/python3.6/site-packages/x-1.egg/x.py", ORIGIN_LIBRARY },
};

static void test_origins(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(origins); i++) {
		struct profile_node n = node(SYM_PYTHON, "f", origins[i].path, 1);

		is_int(label_origin(&symtab, symtab_func_at(&symtab, n.func)), origins[i].origin,
		       origins[i].path);
	}
	for (enum sym_kind kind = SYM_NATIVE; kind <= SYM_MARK; kind++) {
		struct profile_node n = node(kind, "f", "/usr/lib/python3.13/x.py", 1);

		is_int(label_origin(&symtab, symtab_func_at(&symtab, n.func)),
		       (const int[]){ 0, ORIGIN_NATIVE, ORIGIN_KERNEL, ORIGIN_MARK }[kind],
		       "compiled code is no library of Python's");
	}
}

static void suffix_means(const char *path, const struct exporter *want)
{
	ok(exporter_by_suffix(path) == want, "%s is %s", path, want ? want->name : "nothing known");
}

static void test_exporters(void)
{
	ok(exporter_by_name("Folded") == &export_raw, "folded is raw, in any case");
	ok(exporter_by_name("speedscope") == &export_speedscope, "by name");
	ok(!exporter_by_name("flame"), "no half names");
	suffix_means("a.svg", &export_flamegraph);
	suffix_means("a.json", &export_speedscope);
	suffix_means("/tmp/A.TRACE.JSON", &export_chrometrace);
	suffix_means("a.speedscope.json", &export_speedscope);
	suffix_means("a.pb.gz", &export_pprof);
	suffix_means("a.folded", &export_raw);
	suffix_means("a.doc", NULL);
	suffix_means("dir/.svg", NULL);
	suffix_means("svg", NULL);
}

int main(void)
{
	symtab_init(&symtab);
	profile_init(&profile, &symtab, PROFILE_LINE, NULL);
	test_frames();
	test_long();
	test_short_path();
	test_native_path();
	test_in_library();
	thread_reads(0x7f12AB, "MainThread", "thread (0x7F12AB): \"MainThread\"");
	thread_reads(1, NULL, "thread (0x1)");
	thread_reads(0, "openblas", "thread (tid 77): \"openblas\"");
	thread_reads(1, "a\nb", "thread (0x1): \"a b\"");
	test_origins();
	test_exporters();
	profile_release(&profile);
	symtab_release(&symtab);
	return tap_done();
}
