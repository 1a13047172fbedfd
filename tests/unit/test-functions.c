/* SPDX-License-Identifier: MIT
 * Where functions begin: in this program, in an .eh_frame made here byte by byte, in what compilers
 * and linkers make of a library, stripped, and in damaged ones. */
#include "native/functions.h"

#include <dwarf.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native/symbols.h"
#include "tap.h"
#include "util/attr.h"
#include "util/buf.h"
#include "util/xalloc.h"

static int load_fd(struct functions *f, int fd)
{
	int ret = functions_load(f, fd);

	close(fd);
	return ret;
}

/* 0: none. */
static uint64_t start_of(const struct functions *f, uint64_t addr)
{
	uint64_t start;

	return functions_start(f, addr, &start) ? start : 0;
}

/* --- an .eh_frame of our making ----------------------------------------------------------------- */

enum { CODE = 0x1000, FRAME = 0x4000, HEADER = 0x6000, MADE_SIZE = 0x7000 };

static const struct { uint64_t start, size; } made_functions[] = {
	/* Not in order: linkers need not sort them, and a ".cold" part lies before all else. */
	{ 0x1100, 0x80 }, { 0x1180, 0x40 }, { 0x1300, 0x100 }, { 0x1010, 0x20 },
	{ 0x1200, 0 }, /* nothing is in it */
};

static const struct { uint64_t addr, want; const char *why; } made_answers[] = {
	{ 0x100f, 0, "before all functions" },
	{ 0x1010, 0x1010, "the first byte" },
	{ 0x102f, 0x1010, "the last byte" },
	{ 0x1030, 0, "a gap" },
	{ 0x117f, 0x1100, "the end of a function that another follows at once" },
	{ 0x1180, 0x1180, "that other" },
	{ 0x1200, 0, "an empty one" },
	{ 0x13ff, 0x1300, "the end of the last" },
	{ 0x1400, 0, "behind all functions" },
};

static void put_at(struct buf *b, size_t at, const void *data, size_t len)
{
	memcpy(b->data + at, data, len);
}

/* A CIE or an FDE: its length, id and what else there is. */
static size_t put_entry(struct buf *b, size_t at, uint32_t id, const struct buf *rest)
{
	uint32_t len = (uint32_t)(4 + rest->len + 7) / 8 * 8 + 4;

	put_at(b, at, &len, 4);
	put_at(b, at + 4, &id, 4);
	put_at(b, at + 8, rest->data, rest->len);
	return at + 4 + len;
}

static size_t value_size(uint8_t encoding)
{
	return (encoding & 7) == DW_EH_PE_udata4 ? 4 : 8;
}

static size_t put_fde(struct buf *b, size_t at, uint8_t encoding, size_t i)
{
	uint64_t start = made_functions[i].start, size = made_functions[i].size;
	struct buf rest = BUF_INIT;

	if ((encoding & 0x70) == DW_EH_PE_pcrel)
		start -= at + 8;
	buf_add(&rest, &start, value_size(encoding));
	buf_add(&rest, &size, value_size(encoding));
	buf_addc(&rest, '\0'); /* no augmentation data */
	at = put_entry(b, at, (uint32_t)(at + 4 - FRAME), &rest);
	buf_release(&rest);
	return at;
}

static size_t put_cie(struct buf *b, uint8_t encoding)
{
	static const char fixed[] = { 1, 'z', 'R', '\0', 1, 0x78, 16, 1 };
	struct buf rest = BUF_INIT;
	size_t at;

	buf_add(&rest, fixed, sizeof(fixed));
	buf_addc(&rest, (char)encoding);
	at = put_entry(b, FRAME, 0, &rest);
	buf_release(&rest);
	return at;
}

/* No sections: what the dynamic linker and the unwinder need, at addresses that are offsets too. */
static void make(struct buf *b, uint8_t encoding)
{
	Elf64_Ehdr eh = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT },
			  .e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
			  .e_ehsize = sizeof(eh), .e_phoff = sizeof(eh), .e_phnum = 3,
			  .e_phentsize = sizeof(Elf64_Phdr), .e_shentsize = sizeof(Elf64_Shdr) };
	const Elf64_Phdr ph[] = {
		{ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = CODE, .p_vaddr = CODE,
		  .p_filesz = FRAME - CODE, .p_memsz = FRAME - CODE },
		{ .p_type = PT_LOAD, .p_flags = PF_R, .p_offset = FRAME, .p_vaddr = FRAME,
		  .p_filesz = MADE_SIZE - FRAME, .p_memsz = MADE_SIZE - FRAME },
		{ .p_type = PT_GNU_EH_FRAME, .p_flags = PF_R, .p_offset = HEADER, .p_vaddr = HEADER,
		  .p_filesz = 8, .p_memsz = 8 },
	};
	const int32_t frame = FRAME - (HEADER + 4);
	const uint8_t kinds[] = { 1, DW_EH_PE_pcrel | DW_EH_PE_sdata4, DW_EH_PE_omit, DW_EH_PE_omit };
	size_t at;

	*b = (struct buf)BUF_INIT;
	while (b->len < MADE_SIZE)
		buf_addc(b, '\0');
	put_at(b, 0, &eh, sizeof(eh));
	put_at(b, sizeof(eh), ph, sizeof(ph));
	put_at(b, HEADER, kinds, sizeof(kinds));
	put_at(b, HEADER + 4, &frame, 4);
	at = put_cie(b, encoding);
	for (size_t i = 0; i < ARRAY_SIZE(made_functions); i++)
		at = put_fde(b, at, encoding, i);
}

static int fd_of(const void *data, size_t len)
{
	int fd = memfd_create("made", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	return fd;
}

static void test_made(void)
{
	static const struct { uint8_t encoding; const char *what; } known[] = {
		{ DW_EH_PE_pcrel | DW_EH_PE_sdata4, "relative, 4 bytes" },
		{ DW_EH_PE_pcrel | DW_EH_PE_sdata8, "relative, 8 bytes (big code models)" },
		{ DW_EH_PE_udata4, "absolute, 4 bytes" },
		{ DW_EH_PE_absptr, "absolute, 8 bytes" },
	};
	static const uint8_t unknown[] = {
		DW_EH_PE_datarel | DW_EH_PE_sdata4, DW_EH_PE_pcrel | DW_EH_PE_uleb128,
		DW_EH_PE_indirect | DW_EH_PE_pcrel | DW_EH_PE_sdata4, DW_EH_PE_omit,
	};
	struct functions f;
	struct buf b;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		size_t good = 0;

		make(&b, known[i].encoding);
		is_int(load_fd(&f, fd_of(b.data, b.len)), 0, known[i].what);
		for (size_t k = 0; k < ARRAY_SIZE(made_answers); k++) {
			if (i == 0)
				ok(start_of(&f, made_answers[k].addr) == made_answers[k].want, "%s",
				   made_answers[k].why);
			good += start_of(&f, made_answers[k].addr) == made_answers[k].want;
		}
		ok(good == ARRAY_SIZE(made_answers), "all answers are right, %s", known[i].what);
		is_int((long long)f.count, ARRAY_SIZE(made_functions) - 1, "empty ones take no room");
		functions_release(&f);
		buf_release(&b);
	}
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		make(&b, unknown[i]);
		ok(load_fd(&f, fd_of(b.data, b.len)) == -ENOENT, "addresses written as 0x%x: nothing known",
		   unknown[i]);
		buf_release(&b);
	}
}

/* --- damage -------------------------------------------------------------------------------------- */

static const struct { size_t at; uint32_t value; const char *what; } breaks[] = {
	{ FRAME, 0x7ffffff0, "an entry longer than the file" },
	{ FRAME, 0xfffffff0, "a length that is none" },
	{ FRAME + 4, 0x100, "an FDE before its CIE" },
	{ HEADER, 0xffffff02, "a header of another version" },
	{ HEADER, 0xffffff3b, "a header in another encoding" },
	{ HEADER + 4, 0x7fffffff, "entries beyond the file" },
	{ HEADER + 4, 0x80000000, "entries before the file" },
};

static void test_broken(void)
{
	struct functions f;
	struct buf b;

	for (size_t i = 0; i < ARRAY_SIZE(breaks); i++) {
		make(&b, DW_EH_PE_pcrel | DW_EH_PE_sdata4);
		put_at(&b, breaks[i].at, &breaks[i].value, 4);
		ok(load_fd(&f, fd_of(b.data, b.len)) == -ENOENT, "%s: nothing known", breaks[i].what);
		buf_release(&b);
	}
	ok(load_fd(&f, fd_of("#!/bin/sh\n", 10)) == -ENOEXEC, "a script is no ELF file");
	make(&b, DW_EH_PE_pcrel | DW_EH_PE_sdata4);
	ok(load_fd(&f, fd_of(b.data, FRAME + 16)) == -ENOENT, "a file that was cut off: nothing known");
	buf_release(&b);
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223; /* Numerical Recipes */
	return *state >> 8;
}

/* Whatever the bytes are: rows are in order, and each answer surrounds its address. */
static bool holds(const struct functions *f)
{
	uint64_t start;

	if (f->count > FUNCTIONS_MAX)
		return false;
	for (size_t i = 1; i < f->count; i++)
		if (f->rows[i].start < f->rows[i - 1].start)
			return false;
	for (uint64_t addr = 0; addr < MADE_SIZE; addr += 7)
		if (functions_start(f, addr, &start) && start > addr)
			return false;
	return true;
}

static size_t damage(const void *data, size_t len, size_t from, size_t to, int rounds, size_t *bad)
{
	uint32_t state = 1;
	size_t loaded = 0;

	for (int i = 0; i < rounds; i++) {
		unsigned char *copy = xmalloc(len);
		struct functions f;

		memcpy(copy, data, len);
		for (uint32_t n = 1 + next_random(&state) % 4; n > 0; n--)
			copy[from + next_random(&state) % (to - from)] ^=
				(unsigned char)(1u << next_random(&state) % 8);
		if (load_fd(&f, fd_of(copy, len)) == 0) {
			loaded++;
			*bad += !holds(&f);
			functions_release(&f);
		}
		free(copy);
	}
	return loaded;
}

static void test_damage(void)
{
	size_t bad = 0, loaded;
	struct buf b;

	make(&b, DW_EH_PE_pcrel | DW_EH_PE_sdata4);
	loaded = damage(b.data, b.len, FRAME, FRAME + 160, 3000, &bad);
	loaded += damage(b.data, b.len, 0, sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr), 1000, &bad);
	loaded += damage(b.data, b.len, HEADER, HEADER + 8, 300, &bad);
	ok(bad == 0, "4300 damaged files: sound, or refused");
	ok(loaded > 100 && loaded < 4200, "some of each");
	buf_release(&b);
}

/* --- what the tools make ------------------------------------------------------------------------- */

static char dir[] = "/tmp/test-functions-XXXXXX";

static bool run(const char *script)
{
	char *command = xasprintf("cd '%s' && { %s; } >/dev/null 2>&1", dir, script);
	int ret = system(command);

	free(command);
	return ret == 0;
}

static int open_name(const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	free(path);
	return fd;
}

static const char source_c[] =
	"extern void out(int) __attribute__((noreturn, cold));\n"
	"static __attribute__((noinline)) int inner(int x) { if (x == 77) out(x); return x * 3; }\n"
	"int outer(int x) { return inner(x) + inner(x + 1); }\n"
	"int last(int x) { return outer(x) * 2; }\n";

static bool make_library(void)
{
	char *path = xasprintf("%s/a.c", dir);
	FILE *f = fopen(path, "w");

	if (!f || fputs(source_c, f) < 0 || fclose(f) != 0)
		abort();
	free(path);
	return run("cc -O2 -fPIC -shared -fasynchronous-unwind-tables -o whole.so a.c && "
		   "strip -o bare.so whole.so");
}

/* How many of the symbols' functions `f` knows by their start, and by their last byte. */
static void check_symbols(const struct functions *f, const char *name, const char *what)
{
	static const char *const wanted[] = { "inner", "inner.cold", "outer", "last" };
	struct symbols_from from = { .fd = open_name(name), .path = "/none", .root = "" };
	struct symbols s;
	size_t seen = 0, right = 0;
	char buf[SYMBOL_NAME_MAX];

	if (symbols_load(&s, &from) < 0)
		abort();
	for (uint64_t addr = 0; addr < 0x3000; addr++) {
		struct symbol symbol;

		if (!symbols_find(&s, addr, &symbol, buf) || symbol.addr != addr)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
			if (strcmp(symbol.name, wanted[i]) != 0)
				continue;
			seen++;
			right += start_of(f, addr) == addr &&
				 start_of(f, addr + symbol.size - 1) == addr;
		}
	}
	ok(seen >= 3 && right == seen, "%s: all %zu functions, from the first to the last byte", what,
	   seen);
	symbols_release(&s);
	close(from.fd);
}

static void test_file(const char *name, const char *what)
{
	struct functions f;

	if (!ok(load_fd(&f, open_name(name)) == 0, "%s loads", what))
		return;
	check_symbols(&f, "whole.so", what);
	functions_release(&f);
}

/* Every bit pattern of a real file's entries and headers. */
static void test_file_damage(void)
{
	int fd = open_name("bare.so");
	unsigned char *data;
	struct stat st;
	size_t bad = 0, size;

	if (fd < 0 || fstat(fd, &st) != 0)
		abort();
	size = (size_t)st.st_size;
	data = xmalloc(size);
	if (pread(fd, data, size, 0) != st.st_size)
		abort();
	damage(data, size, 0, 0x400, 500, &bad);
	damage(data, size, 0x1000, size, 2000, &bad);
	ok(bad == 0, "2500 damaged libraries: sound, or refused");
	free(data);
	close(fd);
}

static void test_tools(void)
{
	if (!mkdtemp(dir))
		abort();
	if (!make_library()) {
		tap_skip("a stripped library", "no compiler, or no strip (binutils)");
	} else {
		test_file("whole.so", "a library");
		test_file("bare.so", "stripped");
		test_file_damage();
		if (run("strip --strip-section-headers -o headless.so whole.so"))
			test_file("headless.so", "without section headers");
		else
			tap_skip("without section headers", "strip is older than binutils 2.41");
		if (run("cc -O2 -fPIC -shared -fasynchronous-unwind-tables -Wl,--no-eh-frame-hdr "
			"-o whole.so a.c && strip -o bare.so whole.so"))
			test_file("bare.so", "without .eh_frame_hdr");
		else
			tap_skip("without .eh_frame_hdr", "the linker has no such option");
	}
	run("rm -r \"$PWD\"");
}

/* Each function's entry is of the same extent as its symbol, but for what is written in assembler. */
__attribute__((noinline)) int test_functions_here(int x);
__attribute__((noinline)) int test_functions_here(int x)
{
	return x * 3 + (int)getpid();
}

static void test_self(void)
{
	struct symbols_from from = { .path = "/proc/self/exe", .root = "" };
	char buf[SYMBOL_NAME_MAX];
	struct functions f;
	struct symbols s;
	bool found = false;

	test_functions_here(1);
	from.fd = open(from.path, O_RDONLY | O_CLOEXEC);
	if (symbols_load(&s, &from) < 0)
		abort();
	is_int(functions_load(&f, from.fd), 0, "this program loads, and its file stays open");
	for (uint64_t addr = f.rows[0].start; addr < f.rows[f.count - 1].start && !found; addr++) {
		struct symbol symbol;

		found = symbols_find(&s, addr, &symbol, buf) && symbol.addr == addr &&
			!strcmp(symbol.name, "test_functions_here") &&
			start_of(&f, addr + symbol.size / 2) == addr;
	}
	ok(found, "a function of it begins where its symbol says");
	is_int((long long)f.bytes, (long long)(f.count * sizeof(f.rows[0])), "its memory is stated");
	functions_release(&f);
	ok(f.count == 0 && start_of(&f, 0x1000) == 0, "released");
	symbols_release(&s);
	close(from.fd);
}

/* Code that none of a table's functions covers. */
static void test_gaps(void)
{
	struct function_row rows[] = { { 0x1000, 0x10 }, { 0x1010, 0x20 }, { 0x2000, 0x10 } };
	const struct functions f = { .rows = rows, .count = ARRAY_SIZE(rows) };
	uint64_t start = 0, end = 0;

	ok(!functions_gap(&f, 0xfff, &start, &end), "before the first: from where is not known");
	ok(!functions_gap(&f, 0x102f, &start, &end), "the last byte of a function");
	ok(functions_gap(&f, 0x1030, &start, &end) && start == 0x1030 && end == 0x2000, "between two");
	ok(functions_gap(&f, 0x1fff, &start, &end) && start == 0x1030 && end == 0x2000, "up to the next");
	ok(!functions_gap(&f, 0x2010, &start, &end), "behind the last: up to where is not known");
}

int main(void)
{
	test_gaps();
	test_made();
	test_broken();
	test_damage();
	test_self();
	test_tools();
	return tap_done();
}
