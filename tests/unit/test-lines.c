/* SPDX-License-Identifier: MIT
 * Lines and inlined functions of programs compiled here, at every address of their code, as
 * addr2line and llvm-symbolizer have them; of debug files in all their places; of damaged files. */
#include "native/lines.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf/elf_file.h"
#include "http_server.h"
#include "native/modules.h"
#include "tap.h"
#include "util/buf.h"
#include "util/hash.h"
#include "util/xalloc.h"

/* Inlined functions within each other, with several pieces of code, from a header, in two units. */
static const char header_h[] =
	"static inline int add(int a, int b)\n{\n\treturn a * 3 + b;\n}\n"
	"static inline int sum(const int *x, int n)\n{\n\tint s = 0;\n"
	"\tfor (int i = 0; i < n; i++)\n\t\ts = add(s, x[i]);\n\treturn s;\n}\n";
static const char one_c[] =
	"#include \"sub/header.h\"\n#include <stdlib.h>\nvolatile int sink;\n"
	"int other(int *x, int n);\n"
	"static int leaf(int x)\n{\n\tif (x > 9) {\n\t\tint y = add(x, sink);\n"
	"\t\tif (y == 77)\n\t\t\tabort();\n\t\treturn y;\n\t}\n\treturn x;\n}\n"
	"static int middle(int *x, int n)\n{\n\treturn leaf(sum(x, n)) + leaf(n);\n}\n"
	"__attribute__((noinline)) int work(int *x, int n)\n{\n\tint r = middle(x, n);\n"
	"\tsink = r;\n\treturn r + other(x, n);\n}\n";
static const char two_c[] =
	"#include \"sub/header.h\"\nextern volatile int sink;\n"
	"int other(int *x, int n)\n{\n\tfor (int i = 0; i < n; i++)\n"
	"\t\tx[i] = sum(x, i);\n\treturn sink;\n}\n";
static const char three_cc[] =
	"#include <algorithm>\n#include <map>\n#include <memory>\n"
	"#include <string>\n#include <vector>\n"
	"namespace app {\ntemplate <class T> struct Box {\n\tT v;\n\tT get() const { return v; }\n"
	"\ttemplate <class F> auto map(F f) const { return f(get()); }\n};\n"
	"struct Base { virtual int run(int x) = 0; virtual ~Base() {} };\n"
	"struct Impl : Base {\n\tstd::map<std::string, std::vector<int>> m;\n"
	"\tint run(int x) override {\n\t\tauto &v = m[std::to_string(x)];\n\t\tv.push_back(x);\n"
	"\t\tstd::sort(v.begin(), v.end(), [](int a, int b) { return a > b; });\n"
	"\t\tint r = 0;\n\t\tfor (int i : v)\n"
	"\t\t\tr += Box<int>{i}.map([&](int q) { return q * x; });\n\t\treturn r;\n\t}\n};\n}\n"
	"std::unique_ptr<app::Base> make() { return std::make_unique<app::Impl>(); }\n";

static char dir[] = "/tmp/test-lines-XXXXXX";

static bool run(const char *script)
{
	char *command = xasprintf("cd '%s' && { %s; } >/dev/null 2>&1", dir, script);
	int ret = system(command);

	free(command);
	return ret == 0;
}

static void put(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
	free(path);
}

static int open_name(const char *name, int flags)
{
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, flags | O_CLOEXEC);

	free(path);
	return fd;
}

static struct lines *open_fd(int fd, const char *name, bool debuginfod, struct lines_budget *budget)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct symbols_from from = { .fd = fd, .path = path, .root = "", .debuginfod = debuginfod };
	struct lines *l = lines_open(&from, budget);

	close(fd);
	free(path);
	return l;
}

static struct lines *open_lines(const char *name)
{
	return open_fd(open_name(name, O_RDONLY), name, false, NULL);
}

/* Where the code is. */
static bool text_of(const char *name, uint64_t *ret_addr, uint64_t *ret_size)
{
	struct elf_file f;
	bool good = elf_file_open(&f, open_name(name, O_RDONLY)) == 0;

	good = good && elf_file_section(&f, ".text", ret_addr, ret_size) == 0;
	if (good)
		elf_file_close(&f);
	return good;
}

/* --- against a judge --- */

struct judged {
	char *name, *file;
	int line;
};

/* Both write "0x1234", then for each frame "name" and "file:line", perhaps more behind. */
static const char addr2line[] = "addr2line -aif -e %s < addrs";
static const char llvm[] = "llvm-symbolizer --no-demangle -a -i -f=linkage --output-style=GNU "
			   "--relativenames -e %s < addrs";

static bool has(const char *program)
{
	char *script = xasprintf("command -v %s", program);
	bool good = run(script);

	free(script);
	return good;
}

static void write_addrs(uint64_t addr, uint64_t size)
{
	struct buf b = BUF_INIT;

	for (uint64_t i = 0; i < size; i++)
		buf_addf(&b, "%#llx\n", (unsigned long long)(addr + i));
	put("addrs", b.data ? b.data : "");
	buf_release(&b);
}

/* Relative names are given as they are, or with the folder in front: by taste. */
static bool same_file(const char *a, const char *b)
{
	size_t m, n;

	if (!a || !strcmp(b, "??"))
		return !a && !strcmp(b, "??");
	while (*a == '.' || *a == '/')
		a += strcspn(a, "/") + 1;
	while (*b == '.' || *b == '/')
		b += strcspn(b, "/") + 1;
	m = strlen(a);
	n = strlen(b);
	return m < n ? !strcmp(b + n - m, a) : !strcmp(a + m - n, b);
}

/* The function's own name is the symbol table's to say, and judges ask that. Where there is no
 * DWARF, they know a name, but no line. */
static bool same(const struct line_frame *got, size_t n, const struct judged *want, size_t want_n)
{
	if (n == 0)
		return want_n > 0 && want[want_n - 1].line == 0;
	if (n != want_n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (i < n - 1 && (!got[i].name || strcmp(got[i].name, want[i].name) != 0))
			return false;
		if (got[i].line != want[i].line || !same_file(got[i].file, want[i].file))
			return false;
	}
	return true;
}

static void show(uint64_t addr, const struct line_frame *got, size_t n, const struct judged *want,
		 size_t want_n)
{
	for (size_t i = 0; i < n; i++)
		printf("# %#llx  got: %s %s:%d\n", (unsigned long long)addr,
		       got[i].name ? got[i].name : "??", got[i].file ? got[i].file : "??",
		       got[i].line);
	for (size_t i = 0; i < want_n; i++)
		printf("# %#llx want: %s %s:%d\n", (unsigned long long)addr, want[i].name,
		       want[i].file, want[i].line);
}

struct count {
	size_t checked, different, known, inlined;
};

static void judge(struct lines *l, uint64_t addr, const struct judged *want, size_t want_n,
		  struct count *c)
{
	struct line_frame got[LINES_INLINE_MAX];
	size_t n = lines_find(l, addr, got);

	c->checked++;
	c->known += n > 0;
	c->inlined += n > 1;
	if (!same(got, n, want, want_n) && c->different++ < 3)
		show(addr, got, n, want, want_n);
}

static void add_judged(struct judged *j, char *name, const char *place)
{
	const char *colon = strrchr(place, ':');

	*j = (struct judged){ .name = name, .file = xstrndup(place, (size_t)(colon - place)),
			      .line = atoi(colon + 1) };
}

static struct count compare(const char *file, struct lines *l, const char *tool)
{
	struct judged want[LINES_INLINE_MAX];
	struct count c = { 0 };
	char line[8192], *name = NULL;
	uint64_t addr = 0;
	size_t n = 0;
	char *script, *command;
	FILE *p;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	script = xasprintf(tool, file);
#pragma GCC diagnostic pop
	command = xasprintf("cd '%s' && %s 2>/dev/null", dir, script);
	p = popen(command, "r");
	for (bool more = true; more;) {
		more = fgets(line, sizeof(line), p) != NULL;
		line[strcspn(line, "\n")] = '\0';
		if (!more || !strncmp(line, "0x", 2)) {
			if (addr)
				judge(l, addr, want, n, &c);
			for (; n > 0; n--) {
				free(want[n - 1].name);
				free(want[n - 1].file);
			}
			addr = more ? strtoull(line, NULL, 16) : 0;
		} else if (!name) {
			name = xstrdup(line);
		} else if (strrchr(line, ':') && n < LINES_INLINE_MAX) {
			add_judged(&want[n++], name, line);
			name = NULL;
		}
	}
	free(name);
	pclose(p);
	free(command);
	free(script);
	return c;
}

static void check_file(const char *file, const char *what, const char *tool)
{
	struct lines *l = open_lines(file);
	struct count c = { 0 };
	uint64_t addr, size;

	if (!ok(l && text_of(file, &addr, &size), "%s: opens", what))
		return;
	write_addrs(addr, size);
	c = compare(file, l, tool);
	ok(c.checked == size && c.different == 0 && c.known > 100 && c.inlined > 50,
	   "%s: %zu addresses, %zu known, %zu inlined, %zu different", what, c.checked, c.known,
	   c.inlined, c.different);
	lines_free(l);
}

enum { C, CXX };

static const struct { int language; const char *compiler, *flags; } variants[] = {
	{ C, "${CC:-cc}", "-g -O2" },
	{ C, "${CC:-cc}", "-gdwarf-2 -O2" },
	{ C, "${CC:-cc}", "-gdwarf-3 -O2" },
	{ C, "${CC:-cc}", "-gdwarf-4 -O3" },
	{ C, "${CC:-cc}", "-gdwarf-5 -O3" },
	{ C, "${CC:-cc}", "-gdwarf-5 -O2 -gz=zlib" },
	{ C, "${CC:-cc}", "-gdwarf-4 -O2 -gz=zlib -ffunction-sections -Wl,--gc-sections" },
	{ C, "${CC:-cc}", "-g -O2 -flto" },
	{ C, "clang", "-gdwarf-4 -O2" },
	{ C, "clang", "-gdwarf-5 -O2" },
	{ CXX, "g++", "-gdwarf-4 -O2" },
	{ CXX, "g++", "-gdwarf-5 -O2" },
	{ CXX, "clang++", "-gdwarf-4 -O2" },
	{ CXX, "clang++", "-gdwarf-5 -O2" },
};

static bool build(int language, const char *compiler, const char *flags, const char *out)
{
	char *script = xasprintf("%s %s -w -shared -fPIC -Wl,--build-id -o %s %s", compiler, flags,
				 out, language == C ? "one.c two.c" : "three.cc");
	bool good = run(script);

	free(script);
	return good;
}

/* addr2line (binutils 2.40) is not asked about C++, clang's DWARF 5 and LTO: it takes names of
 * symbols for those of inlined functions, does not see clang's DW_FORM_rnglistx, and takes a unit's
 * name for that of a file. */
static void test_variants(void)
{
	bool has_llvm = has("llvm-symbolizer"), has_addr2line = has("addr2line");

	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		char *what = xasprintf("%s %s", variants[i].compiler, variants[i].flags);
		bool gnu = variants[i].language == C && variants[i].compiler[0] == '$' &&
			   !strstr(variants[i].flags, "-flto");

		if (!build(variants[i].language, variants[i].compiler, variants[i].flags, "x.so"))
			tap_skip(what, "the compiler is not here, or does not know the flags");
		else if (gnu && has_addr2line)
			check_file("x.so", what, addr2line);
		if (has_llvm && run("test -e x.so"))
			check_file("x.so", what, llvm);
		else if (!gnu)
			tap_skip(what, "no llvm-symbolizer here (llvm)");
		run("rm -f x.so");
		free(what);
	}
}

/* --- places of debug files --- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_answers(struct lines *a, struct lines *b, uint64_t addr, uint64_t size)
{
	struct line_frame x[LINES_INLINE_MAX], y[LINES_INLINE_MAX];

	for (uint64_t i = addr; i < addr + size; i++) {
		size_t m = lines_find(a, i, x), n = lines_find(b, i, y);

		if (m != n)
			return false;
		for (size_t k = 0; k < n; k++)
			if (!same_text(x[k].name, y[k].name) || !same_text(x[k].file, y[k].file) ||
			    x[k].line != y[k].line)
				return false;
	}
	return true;
}

static void test_places(void)
{
	struct lines *whole = open_lines("whole.so"), *l;
	uint64_t addr, size;

	if (!run("objcopy --only-keep-debug whole.so w.debug && "
		 "objcopy --strip-debug whole.so bare.so && "
		 "objcopy --add-gnu-debuglink=w.debug bare.so linked.so && mkdir .debug && "
		 "mv w.debug .debug")) {
		tap_skip("debug files", "no objcopy here (binutils)");
		lines_free(whole);
		return;
	}
	ok(open_lines("bare.so") == NULL, "without DWARF there are no lines");
	l = open_lines("linked.so");
	ok(l && whole && text_of("whole.so", &addr, &size) && same_answers(whole, l, addr, size),
	   "by .gnu_debuglink the same ones");
	lines_free(l);
	lines_free(whole);
	run("cp .debug/w.debug w.debug");
}

/* libdw would look for a .dwo, and for what dwz moved, under the names the file states. */
static void test_split(void)
{
	struct line_frame got[LINES_INLINE_MAX];
	uint64_t addr, size;
	size_t known = 0;
	struct lines *l;

	if (!run("${CC:-cc} -c -g -gdwarf-5 -gsplit-dwarf -O2 -fPIC one.c && test -e one.dwo && "
		 "rm one.dwo && mkfifo one.dwo && ${CC:-cc} -shared -o split.so one.o")) {
		tap_skip("split units", "the compiler makes none");
		return;
	}
	l = open_lines("split.so");
	if (!ok(l && text_of("split.so", &addr, &size), "a skeleton opens"))
		return;
	for (uint64_t i = addr; i < addr + size; i++)
		known += lines_find(l, i, got) == 1 && got[0].file && got[0].line > 0 &&
			 !got[0].name;
	ok(known > 50, "%zu addresses have lines, and a FIFO for .dwo does not hang us", known);
	lines_free(l);
}

/* What two files have in common moves to a third one, which libdw would open by the name it has. */
static void test_common(void)
{
	struct line_frame got[LINES_INLINE_MAX];
	struct lines *whole, *l;
	uint64_t addr = 0, size = 0;

	if (!build(CXX, "g++", "-gdwarf-4 -O2", "p.so") ||
	    !build(CXX, "g++", "-gdwarf-4 -O3", "q.so") ||
	    !run("cp p.so p0.so && dwz -m common.debug -M \"$PWD/common.debug\" p.so q.so && "
		 "readelf -SW p.so | grep .gnu_debugaltlink")) {
		tap_skip("what dwz moves to another file", "no dwz here, or no g++");
		return;
	}
	whole = open_lines("p0.so");
	l = open_lines("p.so");
	ok(whole && l && text_of("p.so", &addr, &size) && same_answers(whole, l, addr, size),
	   "what dwz moved to another file is found");
	lines_free(l);
	run("mv common.debug moved && mkfifo common.debug");
	l = open_lines("p.so");
	for (uint64_t i = addr; l && i < addr + size; i++)
		lines_find(l, i, got);
	ok(l != NULL, "a FIFO in its place does not hang us");
	lines_free(l);
	run("rm common.debug && cp q.so common.debug");
	l = open_lines("p.so");
	ok(l && !same_answers(whole, l, addr, size), "another file in its place is not taken");
	lines_free(l);
	lines_free(whole);
}

/* The file is cut off while it is read. */
static void test_cut_off(void)
{
	struct line_frame got[LINES_INLINE_MAX];
	uint64_t addr, size;
	struct lines *l;
	int fd;

	text_of("whole.so", &addr, &size);
	for (int asked = 0; asked < 2; asked++) {
		run("cp whole.so short.so");
		l = open_lines("short.so");
		if (asked)
			lines_find(l, addr + size / 2, got);
		fd = open_name("short.so", O_RDWR);
		if (!l || ftruncate(fd, 0) != 0)
			abort();
		close(fd);
		for (uint64_t i = addr; i < addr + size; i++)
			lines_find(l, i, got);
		lines_free(l);
		ok(true, "cut off %s the first question: no SIGBUS", asked ? "after" : "before");
	}
}

static void test_budget(void)
{
	struct lines_budget budget = { .max = 3000 };
	struct line_frame got[LINES_INLINE_MAX];
	uint64_t addr, size, known = 0;
	struct lines *l = open_fd(open_name("whole.so", O_RDONLY), "whole.so", false, &budget);

	text_of("whole.so", &addr, &size);
	for (uint64_t i = addr; l && i < addr + size; i++)
		known += lines_find(l, i, got) > 0;
	ok(l && known == 0 && lines_cut(l), "without room nothing is known, and that is said");
	lines_free(l);
	is_int((long long)budget.held, 0, "all is given back");
	budget.max = 1 << 20;
	l = open_fd(open_name("whole.so", O_RDONLY), "whole.so", false, &budget);
	for (uint64_t i = addr; l && i < addr + size; i++)
		known += lines_find(l, i, got) > 0;
	ok(l && known > 100 && !lines_cut(l), "with room it is");
	ok(budget.held == lines_bytes(l) && budget.held > 1000, "and counted");
	lines_free(l);
	is_int((long long)budget.held, 0, "all is given back again");
}

/* --- damage --- */

struct bytes {
	uint8_t *at;
	size_t size, first, end;     /* first..end: the debug sections */
};

static struct bytes read_bytes(const char *name)
{
	struct bytes b = { .first = SIZE_MAX };
	int fd = open_name(name, O_RDONLY);
	const Elf64_Ehdr *eh;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		abort();
	b.size = (size_t)st.st_size;
	b.at = xmalloc(b.size);
	if (read(fd, b.at, b.size) != st.st_size)
		abort();
	close(fd);
	eh = (const Elf64_Ehdr *)b.at;
	for (int i = 1; i < eh->e_shnum; i++) {
		const Elf64_Shdr *sh = (const Elf64_Shdr *)(b.at + eh->e_shoff) + i;
		const Elf64_Shdr *names = (const Elf64_Shdr *)(b.at + eh->e_shoff) + eh->e_shstrndx;

		if (strncmp((char *)b.at + names->sh_offset + sh->sh_name, ".debug_", 7) != 0)
			continue;
		b.first = sh->sh_offset < b.first ? sh->sh_offset : b.first;
		b.end = sh->sh_offset + sh->sh_size > b.end ? sh->sh_offset + sh->sh_size : b.end;
	}
	return b;
}

static struct lines *open_bytes(const uint8_t *at, size_t size)
{
	int fd = memfd_create("damaged", MFD_CLOEXEC);

	if (fd < 0 || write(fd, at, size) != (ssize_t)size)
		abort();
	return open_fd(fd, "damaged", false, NULL);
}

/* All of what is said, and no more memory than allowed. */
static bool survives(const uint8_t *at, size_t size, uint64_t addr, uint64_t len, size_t *known)
{
	struct line_frame got[LINES_INLINE_MAX];
	struct lines *l = open_bytes(at, size);
	size_t chars = 0;
	bool good = true;

	for (uint64_t i = 0; l && i < len; i += 5) {
		size_t n = lines_find(l, addr + i, got);

		*known += n > 0;
		good = good && n <= LINES_INLINE_MAX;
		for (size_t k = 0; k < n; k++)
			chars += (got[k].name ? strlen(got[k].name) : 0) +
				 (got[k].file ? strlen(got[k].file) : 0);
	}
	good = good && chars < SIZE_MAX && (!l || lines_bytes(l) <= LINES_BYTES_MAX);
	lines_free(l);
	return good;
}

static void damage(struct bytes *b, uint8_t *copy, uint64_t seed, bool headers)
{
	static const uint8_t nasty[] = { 0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x40, 8 };
	uint64_t r = hash_u64(seed);

	memcpy(copy, b->at, b->size);
	for (uint64_t n = 1 + r % 4; n > 0; n--) {
		uint64_t at = hash_u64(r + n), value = at >> 40;
		size_t first = headers ? b->end : b->first, end = headers ? b->size : b->end;

		copy[first + at % (end - first)] =
			value & 1 ? nasty[value / 2 % sizeof(nasty)] : (uint8_t)(value / 2);
	}
}

enum { VARIANTS = 3000 };

static void test_damage(const char *compiler, const char *flags)
{
	uint64_t addr, size;
	size_t survived = 0, known = 0;
	struct bytes b;
	uint8_t *copy;

	if (!build(C, compiler, flags, "d.so") || !text_of("d.so", &addr, &size)) {
		tap_skip(flags, "the compiler is not here, or does not know the flags");
		return;
	}
	b = read_bytes("d.so");
	copy = xmalloc(b.size);
	for (uint64_t i = 0; i < VARIANTS; i++) {
		damage(&b, copy, i, i % 8 == 0);
		survived += survives(copy, b.size, addr, size, &known);
	}
	ok(survived == VARIANTS && known > VARIANTS,
	   "%s %s: %zu of %d damaged files survived, %zu answers", compiler, flags, survived,
	   VARIANTS, known);
	survived = 0;
	for (size_t cut = 0; cut < 200; cut++)
		survived += survives(b.at, b.size * cut / 200, addr, size, &known);
	is_int((long long)survived, 200, "and cut off anywhere");
	free(copy);
	free(b.at);
}

/* A compressed section of a few bytes that says to be of a terabyte. */
static void test_bomb(void)
{
	struct bytes b;
	size_t changed = 0;
	Elf64_Ehdr *eh;

	if (!build(C, "${CC:-cc}", "-g -O2 -gz=zlib", "z.so")) {
		tap_skip("a compressed section that lies", "the compiler does not know -gz");
		return;
	}
	b = read_bytes("z.so");
	eh = (Elf64_Ehdr *)b.at;
	for (int i = 1; i < eh->e_shnum; i++) {
		Elf64_Shdr *sh = (Elf64_Shdr *)(b.at + eh->e_shoff) + i;

		if (!(sh->sh_flags & SHF_COMPRESSED))
			continue;
		memcpy(b.at + sh->sh_offset + offsetof(Elf64_Chdr, ch_size),
		       &(uint64_t){ 1ULL << 40 }, 8);
		changed++;
	}
	ok(changed > 0 && open_bytes(b.at, b.size) == NULL,
	   "compressed sections that say to be of a terabyte are refused");
	free(b.at);
}

/* --- the network --- */

static void set_server(unsigned short port)
{
	char *url = xasprintf("http://127.0.0.1:%u/", port), *cache = xasprintf("%s/cache", dir);

	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
	setenv("no_proxy", "127.0.0.1", 1);
	free(cache);
	free(url);
}

static void test_answer(void)
{
	struct bytes b = read_bytes("w.debug");
	char *head = xasprintf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", b.size);
	size_t len = strlen(head) + b.size;
	char *text = xmalloc(len);
	struct scene scene = { .say = text, .len = len, .after = CLOSE };
	struct http_server server;
	struct symbols s;
	struct symbols_from from = { .fd = open_name("bare.so", O_RDONLY), .path = "/x", .root = "",
				     .debuginfod = true };
	struct lines *l;

	memcpy(text, head, strlen(head));
	memcpy(text + strlen(head), b.at, b.size);
	server_start(&server, &scene, 1);
	set_server(server.port);
	ok(open_lines("bare.so") == NULL, "nobody is asked unless told to");
	l = open_fd(open_name("bare.so", O_RDONLY), "bare.so", true, NULL);
	ok(l != NULL, "a debug file comes from debuginfod");
	lines_free(l);
	l = open_fd(open_name("bare.so", O_RDONLY), "bare.so", true, NULL);
	ok(l != NULL, "and then from its cache");
	lines_free(l);
	ok(symbols_load(&s, &from) == 0, "functions have names");
	close(from.fd);
	symbols_release(&s);
	server_stop(&server);
	ok(server.count == 1 && !strncmp(server.requests[0], "GET /buildid/", 13) &&
	   strstr(server.requests[0], "/debuginfo "), "one request was made: for the debug file");
	server_free(&server);
	free(text);
	free(head);
	free(b.at);
}

/* Says nothing; then nobody is asked any more. */
static void test_silence(void)
{
	static const struct scene scene = { .say = NULL, .after = HANG };
	struct http_server server;

	setenv("DEBUGINFOD_TIMEOUT", "1", 1);
	run("rm -rf cache");
	server_start(&server, &scene, 1);
	set_server(server.port);
	ok(!open_fd(open_name("bare.so", O_RDONLY), "bare.so", true, NULL),
	   "a silent server: no lines");
	run("rm -rf cache");
	ok(!open_fd(open_name("bare.so", O_RDONLY), "bare.so", true, NULL), "and again");
	server_stop(&server);
	is_int((long long)server.count, 1, "which was asked once");
	server_free(&server);
}

static void test_network(void)
{
	void *library = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL);

	if (!library || !run("test -e w.debug")) {
		tap_skip("debuginfod", "no libdebuginfod.so.1 (libdebuginfod1), or no objcopy");
		return;
	}
	test_answer();
	test_silence();
}

/* --- this program --- */

__attribute__((noinline, used)) static int test_lines_target(int x)
{
	return x * 3 + (int)getpid();
}

static void test_module(void)
{
	struct line_frame got[LINES_INLINE_MAX];
	const struct module_range *range;
	struct modules all;
	struct module_map mm;
	uint64_t pc = (uint64_t)(uintptr_t)test_lines_target;
	struct lines *l;
	size_t n;

	modules_init(&all);
	module_map_init(&mm, &all, getpid(), NULL);
	range = module_map_find(&mm, pc, 1);
	l = range ? module_lines(&all, range->module) : NULL;
	if (range && !l) {
		tap_skip("this program's lines", "compiled without -g");
	} else {
		n = l ? lines_find(l, pc - range->bias, got) : 0;
		ok(n == 1 && got[0].name && !strcmp(got[0].name, "test_lines_target") &&
		   got[0].file && strstr(got[0].file, "test-lines.c") && got[0].line > 0,
		   "a module of a process has lines");
		ok(module_lines(&all, range->module) == l && all.lines.held >= lines_bytes(l),
		   "opened once, and counted");
	}
	module_map_release(&mm);
	modules_release(&all);
	is_int((long long)all.lines.held, 0, "all is given back");
}

int main(void)
{
	char *target = xasprintf("%s/sub", mkdtemp(dir) ? dir : "");

	if (mkdir(target, 0700) != 0)
		abort();
	free(target);
	put("sub/header.h", header_h);
	put("one.c", one_c);
	put("two.c", two_c);
	put("three.cc", three_cc);
	unsetenv("DEBUGINFOD_URLS");
	test_module();
	ok(!open_fd(open("/dev/null", O_RDONLY), "null", false, NULL), "no ELF file: no lines");
	if (!build(C, "${CC:-cc}", "-g -O2", "whole.so")) {
		tap_skip("everything else", "no C compiler here");
	} else {
		test_variants();
		test_places();
		test_split();
		test_common();
		test_cut_off();
		test_budget();
		test_damage("${CC:-cc}", "-gdwarf-5 -O2");
		test_damage("${CC:-cc}", "-gdwarf-4 -O2 -gz=zlib");
		test_damage("clang", "-gdwarf-4 -O2");
		test_bomb();
		test_network();
	}
	run("rm -r \"$PWD\"");
	return tap_done();
}
