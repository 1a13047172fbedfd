/* SPDX-License-Identifier: MIT
 * Modules of this very process, and of processes of a made-up /proc. */
#include "native/modules.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native/perf_map.h"
#include "tap.h"
#include "util/attr.h"
#include "util/xalloc.h"

static char root[] = "/tmp/test-modules-XXXXXX";
static const char real_proc[] = "/proc";
static struct modules all;

static char *place(int pid, const char *name)
{
	return xasprintf("%s/%d/%s", root, pid, name);
}

static void make_folders(int pid, const char *name)
{
	char *path = place(pid, name);

	for (char *p = path + strlen(root); (p = strchr(p + 1, '/'));) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	free(path);
}

static void put(int pid, const char *name, const char *mode, const void *data, size_t len)
{
	char *path = place(pid, name);
	FILE *f;

	make_folders(pid, name);
	f = fopen(path, mode);
	if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0)
		abort();
	free(path);
}

static void put_text(int pid, const char *name, const char *mode, const char *text)
{
	put(pid, name, mode, text, strlen(text));
}

/* --- load bias --- */

#define START 0x7f1200000000ull

static const struct shape {
	const char *what;
	uint16_t type;
	Elf64_Phdr ph[3];         /* flags, offset, address, size in the file */
	uint64_t start, len, offset, bias;
} shapes[] = {
#define LOAD(flags, offset, addr, size) \
	{ .p_type = PT_LOAD, .p_flags = (flags), .p_offset = (offset), .p_vaddr = (addr), \
	  .p_filesz = (size), .p_memsz = (size) }
	{ "the usual shared library", ET_DYN,
	  { LOAD(PF_R, 0, 0, 0x1000), LOAD(PF_R | PF_X, 0x1000, 0x1000, 0x2000) },
	  START, 0x2000, 0x1000, START - 0x1000 },
	{ "lld: headers and code both mapped from offset 0", ET_DYN,
	  { LOAD(PF_R, 0, 0, 0x520), LOAD(PF_R | PF_X, 0x520, 0x1520, 0x300) },
	  START, 0x1000, 0, START - 0x1000 },
	{ "prelinked", ET_DYN, { LOAD(PF_R | PF_X, 0, 0x3000000000, 0x2000) },
	  0x3000000000, 0x2000, 0, 0 },
	{ "prelinked, but moved", ET_DYN, { LOAD(PF_R | PF_X, 0, 0x3000000000, 0x2000) },
	  START, 0x2000, 0, START - 0x3000000000 },
	{ "a program linked to its address", ET_EXEC,
	  { LOAD(PF_R, 0, 0x400000, 0x1000), LOAD(PF_R | PF_X, 0x1000, 0x401000, 0x1000) },
	  0x401000, 0x1000, 0x1000, 0 },
	{ "BOLT: the second segment with code", ET_DYN,
	  { LOAD(PF_R | PF_X, 0, 0, 0x1000), LOAD(PF_R, 0x1000, 0x1000, 0x800),
	    LOAD(PF_R | PF_X, 0x200000, 0x400000, 0x1000) },
	  START, 0x1000, 0x200000, START - 0x400000 },
	{ "two segments with code in one page: the short one", ET_DYN,
	  { LOAD(PF_R | PF_X, 0x1000, 0x1000, 0x800), LOAD(PF_R | PF_X, 0x1800, 0x5800, 0x2000) },
	  START, 0x1000, 0x1000, START - 0x1000 },
	{ "two segments with code in one page: the long one", ET_DYN,
	  { LOAD(PF_R | PF_X, 0x1000, 0x1000, 0x800), LOAD(PF_R | PF_X, 0x1800, 0x5800, 0x2000) },
	  START, 0x3000, 0x1000, START - 0x5000 },
	{ "the first page of a segment, which the one before ends in", ET_DYN,
	  { LOAD(PF_R | PF_X, 0x1000, 0x1000, 0x1800), LOAD(PF_R | PF_X, 0x2800, 0x7800, 0x2000) },
	  START, 0x1000, 0x2000, START - 0x7000 },
	{ "the second half of a mapping that was split", ET_DYN,
	  { LOAD(PF_R, 0, 0, 0x1000), LOAD(PF_R | PF_X, 0x1000, 0x2000, 0x4000) },
	  START, 0x2000, 0x3000, START - 0x4000 },
	{ "mapped executable though it does not ask for it", ET_DYN,
	  { LOAD(PF_R, 0, 0x1000, 0x1000) }, START, 0x1000, 0, START - 0x1000 },
	{ "not an ELF file", 0, { LOAD(PF_R | PF_X, 0, 0, 0x1000) },
	  START, 0x1000, 0x2000, START - 0x2000 },
};

static void put_elf(int pid, const char *name, const struct shape *s)
{
	char data[0x1000] = "";
	Elf64_Ehdr eh = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = s->type, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
		.e_phoff = sizeof(eh), .e_ehsize = sizeof(eh), .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 3, .e_shentsize = sizeof(Elf64_Shdr),
	};

	memcpy(data, &eh, sizeof(eh));
	memcpy(data + sizeof(eh), s->ph, sizeof(s->ph));
	put(pid, name, "w", data, sizeof(data));
}

static uint64_t inode_of(int pid, const char *name)
{
	char *path = place(pid, name);
	struct stat st;

	if (stat(path, &st) != 0)
		abort();
	free(path);
	return st.st_ino;
}

static void put_map(int pid, uint64_t start, uint64_t len, uint64_t offset, uint64_t inode,
		    const char *path)
{
	char *line = xasprintf("%llx-%llx r-xp %08llx fe:01 %llu      %s\n",
			       (unsigned long long)start, (unsigned long long)(start + len),
			       (unsigned long long)offset, (unsigned long long)inode, path);

	put_text(pid, "maps", "a", line);
	free(line);
}

static void test_shapes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct shape *s = &shapes[i];
		const struct module_range *range;
		struct module_map mm;
		int pid = 1000 + (int)i;

		put_elf(pid, "root/lib/x.so", s);
		put_map(pid, s->start, s->len, s->offset, inode_of(pid, "root/lib/x.so"), "/lib/x.so");
		module_map_init(&mm, &all, pid, NULL);
		range = module_map_find(&mm, s->start + 0x10, 1);
		ok(range && range->bias == s->bias, "%s", s->what);
		if (range && i == 0) {
			is_str(range->module->name, "x.so", "its name is the path's last part");
			ok(module_symbols(&all, range->module) == NULL, "it has no symbols");
		}
		module_map_release(&mm);
	}
}

/* --- sharing, and files that are not there --- */

static void test_shared(void)
{
	struct module_map a, b;
	const struct module_range *x, *y;
	size_t before = all.count;
	uint64_t inode;
	char *from, *to;

	put_elf(2000, "root/lib/y.so", &shapes[0]);
	make_folders(2001, "root/lib/y.so");
	from = place(2000, "root/lib/y.so");
	to = place(2001, "root/lib/y.so");
	if (link(from, to) != 0)
		abort();
	inode = inode_of(2000, "root/lib/y.so");
	put_map(2000, START, 0x2000, 0x1000, inode, "/lib/y.so");
	put_map(2001, START + 0x5000, 0x2000, 0x1000, inode, "/lib/y.so");
	module_map_init(&a, &all, 2000, NULL);
	module_map_init(&b, &all, 2001, NULL);
	x = module_map_find(&a, START, 1);
	y = module_map_find(&b, START + 0x5000, 1);
	ok(x && y && x->module == y->module && all.count == before + 1, "two processes, one module");
	ok(x && y && y->bias - x->bias == 0x5000, "each where it has it");
	ok(!module_map_find(&a, START - 1, 1) && !module_map_find(&a, START + 0x2000, 1),
	   "only from its first byte to its last");
	module_map_release(&a);
	module_map_release(&b);

	/* Replaced: the name is there, and it is another file. */
	put_map(2002, START, 0x2000, 0x1000, inode + 1, "/lib/y.so");
	put_elf(2002, "root/lib/y.so", &shapes[0]);
	module_map_init(&a, &all, 2002, NULL);
	x = module_map_find(&a, START, 1);
	ok(x && x->module->fd < 0 && x->module->segment_count == 0, "a replaced file is not taken");
	is_str(x ? x->module->name : NULL, "y.so", "but its name is known");
	ok(x && x->bias == START - 0x1000, "and the place in it");
	module_map_release(&a);
	free(from);
	free(to);
}

static void test_refresh(void)
{
	const struct module_range *range;
	struct module_map mm;
	struct module *jit;
	uint64_t now = 5;

	put_map(3000, START, 0x1000, 0, 0, "");
	module_map_init(&mm, &all, 3000, NULL);
	range = module_map_find(&mm, START, now);
	ok(range && range->module->kind == MODULE_JIT && range->bias == 0, "anonymous code");
	is_str(range ? range->module->name : NULL, "[jit]", "has a name of ours");
	jit = range ? range->module : NULL;
	put_map(3000, START + 0x1000, 0x1000, 0, 77, "/memfd:libffi (deleted)");
	put_map(3000, START + 0x9000, 0x1000, 0, 0, "[vsyscall]");
	ok(!module_map_find(&mm, START + 0x1000, now + MODULES_REFRESH_NS - 1),
	   "maps are not read again too soon");
	range = module_map_find(&mm, START + 0x1000, now + MODULES_REFRESH_NS);
	ok(range && range->module == jit, "but then they are; a memfd without ELF is the same");
	range = module_map_find(&mm, START + 0x9000, now);
	is_str(range ? range->module->name : NULL, "[vsyscall]", "[vsyscall]");
	put_text(3000, "maps", "w", "");
	is_int(module_map_refresh(&mm, now, NULL), -3 /* ESRCH */, "a process that is ending");
	ok(module_map_find(&mm, START, now) != NULL, "keeps its last maps");
	module_map_release(&mm);
	module_map_init(&mm, &all, 3001, NULL);
	ok(!module_map_find(&mm, START, now), "no such process");
	module_map_release(&mm);
}

/* --- names of JIT code --- */

static void test_perf_map(void)
{
	static const char first[] =
		"1000 20 py::main:/srv/app.py\n"
		"0x2000 10 some write a prefix\n"
		"3000 0 empty\n" "zz 10 no number\n" "4000 10\n" "\n" "ffffffffffffffff 1 wrap\n"
		"1000 10 py::again:/srv/app.py\n"
		"5000 10 half a li";
	struct perf_map pm;
	remote_addr start = 0;
	uint64_t t = 9;

	put_text(4000, "task/4000/status", "w", "Name:\tx\nNSpid:\t4000\t7\n");
	put_text(4000, "root/tmp/perf-7.map", "w", first);
	perf_map_init(&pm, 4000);
	is_str(perf_map_find(&pm, 0x100f, t, &start), "py::again:/srv/app.py", "who wrote last");
	is_int((long long)start, 0x1000, "its start");
	ok(!perf_map_find(&pm, 0x1010, t, &start), "its end");
	is_str(perf_map_find(&pm, 0x2000, t, &start), "some write a prefix", "a prefix");
	ok(!perf_map_find(&pm, 0x3000, t, &start) &&
	   !perf_map_find(&pm, 0x4000, t, &start), "lines that are none");
	ok(!perf_map_find(&pm, 0x5000, t, &start), "half a line waits");
	put_text(4000, "root/tmp/perf-7.map", "a", "ne\n6000 10 six\n");
	ok(!perf_map_find(&pm, 0x5000, t + PERF_MAP_REFRESH_NS - 1, &start), "not read on too soon");
	is_str(perf_map_find(&pm, 0x5000, t + PERF_MAP_REFRESH_NS, &start), "half a line",
	       "then it is whole");
	is_str(perf_map_find(&pm, 0x6008, t, &start), "six", "and there is the next");
	put_text(4000, "root/tmp/perf-7.map", "w", "7000 10 seven\n");
	is_str(perf_map_find(&pm, 0x7000, t + 9 * PERF_MAP_REFRESH_NS, &start), "seven",
	       "a file that begins anew");
	ok(!perf_map_find(&pm, 0x6008, t, &start), "what was in it before is gone");
	perf_map_release(&pm);
	perf_map_init(&pm, 4001);
	ok(!perf_map_find(&pm, 0x1000, t, &start), "no such file");
	perf_map_release(&pm);
}

/* --- this process --- */

__attribute__((noinline, used)) static int test_modules_marker(int x)
{
	return x + (int)getpid();
}

/* The name of the function at pc; "" when there is none. */
static const char *name_of(struct module_map *mm, uintptr_t pc, char buf[SYMBOL_NAME_MAX],
			   struct module **ret)
{
	const struct module_range *range = module_map_find(mm, pc, 1);
	const struct symbols *s = range ? module_symbols(&all, range->module) : NULL;
	struct symbol sym;

	*ret = range ? range->module : NULL;
	return s && symbols_find(s, pc - range->bias, &sym, buf) ? sym.name : "";
}

static void test_self(const struct remote *remote)
{
	char buf[SYMBOL_NAME_MAX];
	struct module_map mm;
	struct module *m;

	module_map_init(&mm, &all, getpid(), remote);
	is_str(name_of(&mm, (uintptr_t)test_modules_marker + 1, buf, &m), "test_modules_marker",
	       "a function of this program");
	ok(m && m->kind == MODULE_FILE && m->fd >= 0 && !m->image, "which is a file");
	ok(m && m == module_map_find(&mm, (uintptr_t)put_text, 1)->module, "the same for another one");
	name_of(&mm, (uintptr_t)dlsym(RTLD_NEXT, "getppid"), buf, &m);
	is_str(name_of(&mm, (uintptr_t)dlsym(RTLD_NEXT, "getppid"), buf, &m), "getppid",
	       "one of the C library");
	if (remote && getauxval(AT_SYSINFO_EHDR)) {
		const struct module_range *range =
			module_map_find(&mm, getauxval(AT_SYSINFO_EHDR), 1);

		ok(range && range->module->kind == MODULE_VDSO && range->module->segment_count > 0 &&
		   range->bias == range->start, "the vdso");
		ok(range && module_symbols(&all, range->module), "has functions");
	} else {
		tap_skip("the vdso", "not here, or memory cannot be read");
	}
	ok(!module_map_find(&mm, (uintptr_t)&mm, 1), "the stack is not code");
	ok(all.symbol_bytes > 1000, "memory is counted");
	module_map_release(&mm);
}

static int find_library(struct dl_phdr_info *info, size_t size, void *state)
{
	char *path = state;

	(void)size;
	if (!strstr(info->dlpi_name, "libz.so"))
		return 0;
	snprintf(path, PATH_MAX, "%s", info->dlpi_name);
	return 1;
}

static bool copy_file(const char *from, const char *to)
{
	char *command = xasprintf("cp '%s' '%s'", from, to);
	bool good = system(command) == 0;

	free(command);
	return good;
}

/* A library that is gone from the disk, by every way that is left. */
static void test_deleted(const struct remote *remote)
{
	char library[PATH_MAX] = "", copy[PATH_MAX], buf[SYMBOL_NAME_MAX], *text;
	struct module_map mm;
	struct module *m;
	uintptr_t pc;
	void *handle;

	dl_iterate_phdr(find_library, library);
	snprintf(copy, sizeof(copy), "%s/libgone.so", root);
	handle = *library && copy_file(library, copy) ? dlopen(copy, RTLD_NOW | RTLD_LOCAL) : NULL;
	pc = handle ? (uintptr_t)dlsym(handle, "zlibVersion") : 0;
	if (!pc) {
		tap_skip("a deleted library", "no libz.so to copy");
		return;
	}
	unlink(copy);
	module_map_init(&mm, &all, getpid(), NULL);
	if (!strcmp(name_of(&mm, pc, buf, &m), "zlibVersion"))
		ok(m->deleted && m->fd >= 0, "a deleted library is opened as it was");
	else
		tap_skip("a deleted library through map_files", "needs CAP_CHECKPOINT_RESTORE");
	module_map_release(&mm);
	modules_release(&all); /* or it would be known already */

	/* Another file is in its place; and of /proc there is only maps. */
	copy_file("/proc/self/exe", copy);
	text = procfs_read(getpid(), "maps", NULL);
	put_text((int)getpid(), "maps", "w", text);
	free(text);
	procfs_root = root;
	module_map_init(&mm, &all, getpid(), remote);
	if (remote) {
		is_str(name_of(&mm, pc, buf, &m), "zlibVersion", "one that only memory has");
		ok(m && m->image && m->segment_count > 0, "from a copy of it");
		ok(m && m->build_id_len > 0, "with its build-id");
	} else {
		tap_skip("a copy from memory", "memory cannot be read");
	}
	module_map_release(&mm);
	procfs_root = real_proc;
	dlclose(handle);
}

int main(void)
{
	struct remote remote;
	bool readable = tap_can_read_memory() && remote_open_process(&remote, getpid(), NULL) == 0;
	char *command;

	if (!mkdtemp(root))
		abort();
	modules_init(&all);
	test_modules_marker(1);
	test_self(readable ? &remote : NULL);
	test_deleted(readable ? &remote : NULL);
	procfs_root = root;
	test_shapes();
	test_shared();
	test_refresh();
	test_perf_map();
	modules_release(&all);
	ok(all.count == 0, "released");
	if (readable)
		remote_close(&remote);
	command = xasprintf("rm -r '%s'", root);
	if (system(command) != 0)
		return 99;
	free(command);
	return tap_done();
}
