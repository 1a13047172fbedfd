/* SPDX-License-Identifier: MIT
 * Tables of functions: of this very program, of an ELF file made here byte by byte, of copies that
 * objcopy makes, and of damaged ones. */
#include "native/symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"
#include "util/buf.h"
#include "util/xalloc.h"

__attribute__((noinline, used)) static int test_symbols_local(int x)
{
	return x * 3 + (int)getpid();
}

__attribute__((noinline)) int test_symbols_global(int x);
__attribute__((noinline)) int test_symbols_global(int x)
{
	return test_symbols_local(x) + 1;
}

static int load_fd(struct symbols *s, int fd, const char *path)
{
	struct symbols_from from = { .fd = fd, .path = path, .root = "" };
	int ret = symbols_load(s, &from);

	close(fd);
	return ret;
}

static int load_path(struct symbols *s, const char *path)
{
	return load_fd(s, open(path, O_RDONLY | O_CLOEXEC), path);
}

/* --- an ELF file of our making --- */

enum { CODE = 0x1000, CODE_SIZE = 0x1000, SECTIONS = 5, PHDRS = 3 };

struct made {
	struct buf b;
	Elf64_Ehdr eh;
	Elf64_Phdr ph[PHDRS];
	Elf64_Shdr sh[SECTIONS];
};

static const struct { const char *name; uint64_t addr, size; unsigned char info; uint16_t section; }
made_symbols[] = {
	{ "", 0, 0, 0, 0 },
	/* Several names of one address. */
	{ "__write", 0x1000, 0x10, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 1 },
	{ "write_alias", 0x1000, 0x10, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 1 },
	{ "write", 0x1000, 0x10, ELF64_ST_INFO(STB_WEAK, STT_FUNC), 1 },
	{ "w", 0x1000, 0x10, ELF64_ST_INFO(STB_LOCAL, STT_FUNC), 1 },
	{ "x", 0x1000, 0x10, ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), 1 },
	/* A resolver and the function it is. */
	{ "memcpy", 0x1020, 0x10, ELF64_ST_INFO(STB_GLOBAL, STT_GNU_IFUNC), 1 },
	{ "memcpy_resolver", 0x1020, 0x10, ELF64_ST_INFO(STB_LOCAL, STT_FUNC), 1 },
	/* One around another, and a label in it. */
	{ "outer", 0x1100, 0x100, ELF64_ST_INFO(STB_LOCAL, STT_FUNC), 1 },
	{ "inner", 0x1140, 0x10, ELF64_ST_INFO(STB_LOCAL, STT_FUNC), 1 },
	{ "label", 0x1180, 0, ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE), 1 },
	/* Without a size: up to the next, and up to the end of the section. */
	{ "asm_one", 0x1300, 0, ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE), 1 },
	{ "asm_two", 0x1320, 0, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 1 },
	/* Marks in a function that has neither size nor type. */
	{ "asm_three", 0x1380, 0, ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), 1 },
	{ "LOOP_1", 0x1390, 0, ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE), 1 },
	{ "asm_four", 0x13a0, 0, ELF64_ST_INFO(STB_LOCAL, STT_FUNC), 1 },
	/* Not functions, not here, not code. */
	{ "$x", 0x1310, 0, ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE), 1 },
	{ ".L1", 0x1312, 0, ELF64_ST_INFO(STB_LOCAL, STT_NOTYPE), 1 },
	{ "table", 0x1050, 8, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), 1 },
	{ "puts", 0x1060, 8, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), SHN_UNDEF },
	{ "elsewhere", 0x9000, 8, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 1 },
};

static void make(struct made *m, uint32_t symbols_type)
{
	struct buf names = BUF_INIT;
	Elf64_Sym list[ARRAY_SIZE(made_symbols)] = { 0 };

	*m = (struct made){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		list[i] = (Elf64_Sym){
			.st_name = (Elf64_Word)names.len, .st_value = made_symbols[i].addr,
			.st_size = made_symbols[i].size, .st_info = made_symbols[i].info,
			.st_shndx = made_symbols[i].section,
		};
		buf_add(&names, made_symbols[i].name, strlen(made_symbols[i].name) + 1);
	}
	memcpy(m->eh.e_ident, ELFMAG, SELFMAG);
	m->eh.e_ident[EI_CLASS] = ELFCLASS64;
	m->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	m->eh.e_ident[EI_VERSION] = m->eh.e_version = EV_CURRENT;
	m->eh.e_type = ET_DYN;
	m->eh.e_machine = EM_X86_64;
	m->eh.e_ehsize = sizeof(m->eh);
	m->eh.e_phoff = sizeof(m->eh);
	m->eh.e_phentsize = sizeof(m->ph[0]);
	m->eh.e_phnum = 1;
	m->eh.e_shoff = sizeof(m->eh) + sizeof(m->ph);
	m->eh.e_shentsize = sizeof(m->sh[0]);
	m->eh.e_shnum = 4;
	m->ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = CODE,
				 .p_vaddr = CODE, .p_filesz = CODE_SIZE, .p_memsz = CODE_SIZE };
	m->sh[1] = (Elf64_Shdr){ .sh_type = SHT_PROGBITS, .sh_addr = CODE, .sh_size = 0x400,
				 .sh_offset = CODE };
	m->sh[2] = (Elf64_Shdr){ .sh_type = symbols_type, .sh_link = 3, .sh_size = sizeof(list),
				 .sh_entsize = sizeof(list[0]), .sh_offset = CODE + CODE_SIZE };
	m->sh[3] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_size = names.len,
				 .sh_offset = CODE + CODE_SIZE + sizeof(list) };
	while (m->b.len < CODE + CODE_SIZE)
		buf_addc(&m->b, '\0');
	buf_add(&m->b, list, sizeof(list));
	buf_add(&m->b, names.data, names.len);
	buf_release(&names);
}

static int made_fd(struct made *m)
{
	int fd = memfd_create("made", MFD_CLOEXEC);

	memcpy(m->b.data, &m->eh, sizeof(m->eh));
	memcpy(m->b.data + m->eh.e_phoff, m->ph, sizeof(m->ph));
	memcpy(m->b.data + sizeof(m->eh) + sizeof(m->ph), m->sh, sizeof(m->sh));
	if (fd < 0 || write(fd, m->b.data, m->b.len) != (ssize_t)m->b.len)
		abort();
	return fd;
}

static const struct { uint64_t addr; const char *want, *why; } made_answers[] = {
	{ 0x0fff, NULL, "before all functions: none" },
	{ 0x1000, "write", "global or weak before local, fewer \"_\", shorter" },
	{ 0x100f, "write", "up to the last byte" },
	{ 0x1010, NULL, "not beyond its size" },
	{ 0x1024, "memcpy_resolver", "a function before an indirect one" },
	{ 0x1050, NULL, "data are no functions" },
	{ 0x1060, NULL, "undefined ones are not here" },
	{ 0x1100, "outer", "the start of one around another" },
	{ 0x1144, "inner", "the inner one" },
	{ 0x1160, "outer", "behind the inner one" },
	{ 0x1190, "outer", "a label within a function is not a function" },
	{ 0x11ff, "outer", "the last byte behind all that" },
	{ 0x1200, NULL, "a gap" },
	{ 0x1318, "asm_one", "without a size, past the marks" },
	{ 0x1320, "asm_two", "where the next begins" },
	{ 0x1398, "asm_three", "a local name without a type is within the function before it" },
	{ 0x13a0, "asm_four", "one with a type is a function of its own" },
	{ 0x13ff, "asm_four", "up to the section's end" },
	{ 0x1400, NULL, "and not beyond" },
	{ 0x9000, NULL, "not code" },
	{ UINT64_MAX, NULL, "the last address" },
};

static void check_made(const struct symbols *s)
{
	char buf[SYMBOL_NAME_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(made_answers); i++) {
		struct symbol sym = { 0 };
		bool found = symbols_find(s, made_answers[i].addr, &sym, buf);

		is_str(found ? sym.name : NULL, made_answers[i].want, made_answers[i].why);
	}
}

static void test_made(void)
{
	struct symbols s;
	struct made m;

	make(&m, SHT_SYMTAB);
	is_int(load_fd(&s, made_fd(&m), ""), 0, "a made file loads");
	is_int(s.sources, SYMBOLS_SYMTAB, "from .symtab");
	ok(s.bytes > s.count * 16 && s.bytes < 4096, "its memory is counted (%zu)", s.bytes);
	check_made(&s);
	symbols_release(&s);

	/* Names that lie on disk because they say they are long. */
	m.sh[3].sh_size = (uint64_t)1 << 32;
	is_int(load_fd(&s, made_fd(&m), ""), 0, "a huge table of names loads");
	ok(s.bytes < 4096, "without its names (%zu bytes)", s.bytes);
	ok(s.names[0].text == NULL && s.names[0].fd >= 0, "which stay on disk");
	struct symbol sym;
	char buf[SYMBOL_NAME_MAX];
	ok(symbols_find(&s, 0x1144, &sym, buf) && sym.name == buf && !strcmp(buf, "inner"),
	   "and are read when asked for");
	symbols_release(&s);
	buf_release(&m.b);

	make(&m, SHT_DYNSYM);
	is_int(load_fd(&s, made_fd(&m), ""), 0, "another one with dynamic symbols loads");
	is_int(s.sources, SYMBOLS_DYNSYM, "from .dynsym");
	check_made(&s);
	symbols_release(&s);
	buf_release(&m.b);
}

/* The dynamic linker's own way, where the section headers are gone. */
static void test_no_sections(uint64_t bias)
{
	struct symbols_from from = { .path = "", .root = "", .bias = bias };
	struct symbols s;
	struct made m;
	Elf64_Dyn d[4];
	uint64_t at = CODE + CODE_SIZE;

	make(&m, SHT_DYNSYM);
	m.eh.e_shoff = m.eh.e_shnum = 0;
	m.eh.e_phnum = 3;
	m.ph[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R, .p_offset = at,
				.p_vaddr = at, .p_filesz = 0x1000, .p_memsz = 0x1000 };
	m.ph[2] = (Elf64_Phdr){ .p_type = PT_DYNAMIC, .p_offset = 0x800, .p_filesz = sizeof(d) };
	d[0] = (Elf64_Dyn){ .d_tag = DT_SYMTAB, .d_un.d_ptr = bias + m.sh[2].sh_offset };
	d[1] = (Elf64_Dyn){ .d_tag = DT_STRTAB, .d_un.d_ptr = bias + m.sh[3].sh_offset };
	d[2] = (Elf64_Dyn){ .d_tag = DT_STRSZ, .d_un.d_val = m.sh[3].sh_size };
	d[3] = (Elf64_Dyn){ .d_tag = DT_NULL };
	memcpy(m.b.data + 0x800, d, sizeof(d));
	from.fd = made_fd(&m);
	is_int(symbols_load(&s, &from), 0, bias ? "an image as glibc relocates it loads" :
						   "a file without section headers loads");
	char buf[SYMBOL_NAME_MAX];
	struct symbol sym;
	ok(symbols_find(&s, 0x1144, &sym, buf) && !strcmp(sym.name, "inner"), "its functions too");
	symbols_release(&s);
	close(from.fd);
	buf_release(&m.b);
}

/* Bytes changed and cut off: nothing may crash, whatever comes out. */
static void test_damage(void)
{
	uint32_t seed = 7;
	int loaded = 0;
	struct made m;

	make(&m, SHT_SYMTAB);
	for (int i = 0; i < 4000; i++) {
		size_t headers = sizeof(m.eh) + sizeof(m.ph) + sizeof(m.sh), at, tail = CODE + CODE_SIZE;
		int fd = made_fd(&m);
		struct symbols s;
		struct symbol sym;
		char buf[SYMBOL_NAME_MAX];

		for (int k = 0; k < 6; k++) {
			char byte;

			seed = seed * 1664525u + 1013904223u;
			at = (seed >> 8) % (headers + m.b.len - tail);
			byte = (char)(seed >> 4 & 1 ? 0xff : seed >> 3);
			if (pwrite(fd, &byte, 1, (off_t)(at < headers ? at : tail + at - headers)) != 1)
				abort();
		}
		if (i % 4 == 0 && ftruncate(fd, (off_t)((seed >> 8) % m.b.len)) != 0)
			abort();
		loaded += load_fd(&s, fd, "/x/y") == 0;
		for (uint64_t addr = 0; addr < 0x2000; addr += 0x3f)
			if (symbols_find(&s, addr, &sym, buf) && strlen(sym.name) > 1 << 20)
				abort();
		symbols_release(&s);
	}
	ok(loaded > 0 && loaded < 4000, "4000 damaged files, %d still had functions", loaded);
	buf_release(&m.b);
}

/* --- this program --- */

static bool has(const struct symbols *s, const char *name)
{
	char buf[SYMBOL_NAME_MAX];
	struct symbol sym;
	uint64_t at = 0;

	/* From function to function, over the gaps in steps that miss none of 16 bytes. */
	for (; at < 16 << 20; at += 4)
		if (symbols_find(s, at, &sym, buf)) {
			if (!strcmp(sym.name, name))
				return true;
			at = sym.addr + sym.size > at + 4 ? sym.addr + sym.size - 4 : at;
			at &= ~(uint64_t)3;
		}
	return false;
}

static void test_self(void)
{
	struct symbols s;

	test_symbols_global(1);
	is_int(load_path(&s, "/proc/self/exe"), 0, "this program loads");
	is_int(s.sources, SYMBOLS_SYMTAB, "from its .symtab");
	ok(has(&s, "test_symbols_global"), "a global function is there");
	ok(has(&s, "test_symbols_local"), "a static one too");
	ok(!has(&s, "no_such_function"), "one that is not is not");
	symbols_release(&s);
	ok(s.count == 0 && s.rows == NULL, "released");
}

static bool run(const char *dir, const char *script)
{
	char *command = xasprintf("cd '%s' && { %s; } >/dev/null 2>&1", dir, script);
	int ret = system(command);

	free(command);
	return ret == 0;
}

/* A stripped copy, with its functions in each of the places where debug files are. */
static void test_stripped(void)
{
	char dir[] = "/tmp/test-symbols-XXXXXX", *path;
	struct symbols s;

	if (!mkdtemp(dir))
		abort();
	path = xasprintf("%s/copy", dir);
	if (!run(dir, "cp /proc/$PPID/exe whole && objcopy --only-keep-debug whole copy.debug && "
		      "objcopy --strip-all whole copy")) {
		tap_skip("stripped copies", "no objcopy here (binutils)");
		goto out;
	}
	load_path(&s, path);
	ok(!(s.sources & SYMBOLS_SYMTAB) && !has(&s, "test_symbols_local"),
	   "a stripped copy has lost static functions");
	symbols_release(&s);
	run(dir, "mkdir .debug && objcopy --add-gnu-debuglink=copy.debug copy && mv copy.debug .debug");
	is_int(load_path(&s, path), 0, "with .gnu_debuglink it loads");
	is_int(s.sources, SYMBOLS_DEBUG_FILE, "from the debug file");
	ok(has(&s, "test_symbols_local"), "which has them");
	symbols_release(&s);
	run(dir, "cp .debug/copy.debug d && objcopy --strip-all /bin/sh .debug/copy.debug");
	load_path(&s, path);
	ok(!(s.sources & SYMBOLS_DEBUG_FILE), "another program's file under that name is refused");
	symbols_release(&s);
	if (run(dir, "rm -r .debug; objcopy --strip-all whole copy; xz -c d > d.xz && "
		     "objcopy --add-section .gnu_debugdata=d.xz copy")) {
		is_int(load_path(&s, path), 0, "with .gnu_debugdata it loads");
		ok(s.sources & SYMBOLS_DEBUGDATA && has(&s, "test_symbols_local"),
		   "and has them");
		symbols_release(&s);
	} else {
		tap_skip(".gnu_debugdata", "no xz here");
	}
out:
	run(dir, "rm -r \"$PWD\"");
	free(path);
}

int main(void)
{
	struct symbols s;

	test_made();
	test_no_sections(0);
	test_no_sections(0x7f0000000000);
	test_damage();
	test_self();
	test_stripped();
	is_int(load_path(&s, "/dev/null"), -ENOEXEC, "no ELF file");
	is_int(load_path(&s, "/no/such/file"), -ENOEXEC, "no file");
	ok(s.count == 0, "and then it is empty");
	symbols_release(&s);
	return tap_done();
}
