/* SPDX-License-Identifier: MIT
 * ELF files whole, cut off and with flipped bits; and our own image read from memory. */
#include "elf/elf_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem/procfs.h"
#include "tap.h"
#include "util/xalloc.h"

/* What the tests look for in this very program. */
int test_elf_marker = 42;
int test_elf_zero __attribute__((section(".test_marker"), aligned(64))) = 7;

static char *slurp(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *data;

	if (fd < 0 || fstat(fd, &st) != 0)
		return NULL;
	data = xmalloc((size_t)st.st_size);
	*ret_len = (size_t)st.st_size;
	if (read(fd, data, *ret_len) != st.st_size)
		abort();
	close(fd);
	return data;
}

static int memory_file(const void *data, size_t len)
{
	int fd = memfd_create("test-elf", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	return fd;
}

/* Asks everything there is to ask. */
static int poke(int fd)
{
	struct elf_symbol want[] = { { .name = "_PyRuntime" }, { .name = "Py_Version" } };
	uint8_t id[ELF_BUILD_ID_MAX];
	uint64_t addr, size;
	struct elf_file f;
	int ret = elf_file_open(&f, fd);

	if (ret < 0)
		return ret;
	ret = elf_file_section(&f, ".PyRuntime", &addr, &size) == 0;
	elf_file_symbols(&f, ELF_ALL, want, ARRAY_SIZE(want));
	elf_file_build_id(&f, id);
	if (elf_file_bias(&f, 0x10000, 0, &addr) == 0)
		ret++;
	elf_file_close(&f);
	return ret;
}

static uint32_t seed = 1;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)seed * n >> 32);
}

/* Damage goes where it hurts: file header, program headers, section headers, else anywhere. */
static size_t place(const char *data, size_t len)
{
	uint64_t section_headers;

	memcpy(&section_headers, data + 40, 8);
	switch (random_below(4)) {
	case 0: return random_below(64);
	case 1: return 64 + random_below(13 * 56);
	case 2: return section_headers < len ? section_headers +
			random_below((uint32_t)(len - section_headers)) : 0;
	default: return random_below((uint32_t)len);
	}
}

static void test_damage(const char *path, int rounds)
{
	size_t len = 0;
	char *data = slurp(path, &len);
	int survived = 0;

	if (!data) {
		tap_skip(path, "no such file");
		return;
	}
	ok(poke(memory_file(data, len)) >= 0, "%s: whole", path);
	for (size_t cut = 0; cut < 200; cut++)
		survived += poke(memory_file(data, cut)) < 2;
	is_int(survived, 200, "cut within the headers: no crash");
	for (int i = 0; i < rounds; i++) {
		size_t at[8];
		char old[8];
		int flips = 1 + (int)random_below(8);

		for (int k = 0; k < flips; k++) {
			at[k] = place(data, len);
			old[k] = data[at[k]];
			data[at[k]] = (char)random_below(256);
		}
		poke(memory_file(data, i % 3 ? len : random_below((uint32_t)len)));
		for (int k = flips; k-- > 0;)
			data[at[k]] = old[k];
	}
	ok(poke(memory_file(data, len)) >= 0, "%s: %d damaged copies, no crash", path, rounds);
	free(data);
}

static uint64_t own_bias(const struct elf_file *f, remote_addr *ret_base)
{
	struct maps m;
	const struct map *map;
	uint64_t bias = 0;

	if (maps_read(&m, getpid(), NULL) < 0)
		abort();
	map = maps_find(&m, (uintptr_t)own_bias);
	while (map > m.list && map->offset != 0)
		map--;
	*ret_base = map->start;
	ok(elf_file_bias(f, map->start, map->offset, &bias) == 0, "bias of our own mapping");
	maps_release(&m);
	return bias;
}

static void test_self(void)
{
	struct elf_symbol want[] = {
		{ .name = "test_elf_marker" }, { .name = "no_such_symbol" }, { .name = "getpid" },
	};
	uint64_t addr = 0, size = 0, bias;
	uint8_t id[ELF_BUILD_ID_MAX];
	remote_addr base;
	struct elf_file f;
	size_t n;

	if (!ok(elf_file_open(&f, open("/proc/self/exe", O_RDONLY | O_CLOEXEC)) == 0, "opens"))
		return;
	bias = own_bias(&f, &base);
	is_int((long long)elf_file_symbols(&f, ELF_ALL, want, 3), 1, "one of three symbols is ours");
	ok(want[0].found && bias + want[0].addr == (uintptr_t)&test_elf_marker &&
	   want[0].size >= sizeof(int), "and lies where it says");
	ok(!want[1].found && !want[2].found, "unknown and undefined ones are not found");
	is_int(elf_file_section(&f, ".test_marker", &addr, &size), 0, "section by name");
	ok(bias + addr == (uintptr_t)&test_elf_zero && size == sizeof(int), "its address and size");
	is_int(elf_file_section(&f, ".test", &addr, &size), -ENOENT, "whole names only");
	n = elf_file_build_id(&f, id);
	ok(n == 0 || n == 20 || n == 16, "build-id of a known length (%zu)", n);
	is_int(elf_file_bias(&f, 0x1000, 0x123000000, &bias), -ENOENT, "foreign offset: no bias");
	elf_file_close(&f);
}

/* The C library's image: shared in every usual build. */
static void test_memory(void)
{
	struct elf_symbol want[] = {
		{ .name = "malloc" }, { .name = "environ" }, { .name = "no_such_symbol" },
	};
	uintptr_t libc = (uintptr_t)stdout; /* not a function: sanitizers put theirs in front */
	struct remote r;
	struct elf_file f;
	struct maps m;
	const struct map *map;
	int ret;

	if (!tap_can_read_memory()) {
		tap_skip("our own image", "no process_vm_readv() here (qemu-user?)");
		return;
	}
	if (remote_open_process(&r, getpid(), NULL) < 0 || maps_read(&m, getpid(), NULL) < 0)
		abort();
	map = maps_find(&m, libc);
	while (map > m.list && map->offset != 0)
		map--;
	ret = elf_file_open_memory(&f, &r, map->start);
	if (strstr(map->path, "libc") == NULL) {
		tap_skip("symbols from memory", "libc is not a shared library here");
	} else if (is_int(ret, 0, "libc's image opens from memory")) {
		elf_file_symbols(&f, ELF_ALL, want, 3);
		ok(want[0].found && f.bias + want[0].addr > map->start && !want[2].found,
		   "its malloc is found by hash");
		ok(want[1].found && *(char ***)(uintptr_t)(f.bias + want[1].addr) != NULL,
		   "so is a variable");
		is_int(elf_file_section(&f, ".text", &want[0].addr, &want[0].size), -ENOENT,
		       "no sections in memory");
	}
	is_int(elf_file_open_memory(&f, &r, (uintptr_t)&test_elf_marker), -ENOEXEC, "no ELF there");
	is_int(elf_file_open_memory(&f, &r, 0x1000), -EFAULT, "nothing there");
	maps_release(&m);
	remote_close(&r);
}

/* A sparse file that states 48 million sections in the first one, where there is room for them:
 * 12 GB of libelf's memory and a minute of its time. */
static void test_many_sections(void)
{
	Elf64_Ehdr eh = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
		.e_phoff = sizeof(eh), .e_shoff = 4096, .e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1, .e_shentsize = sizeof(Elf64_Shdr),
	};
	Elf64_Phdr ph = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = 4096,
			  .p_memsz = 4096 };
	Elf64_Shdr sh = { .sh_size = 48000000 };
	int fd = memory_file(&eh, sizeof(eh));
	struct elf_file f;

	if (pwrite(fd, &ph, sizeof(ph), sizeof(eh)) < 0 || pwrite(fd, &sh, sizeof(sh), 4096) < 0 ||
	    ftruncate(fd, 3LL << 30) != 0)
		abort();
	is_int(elf_file_open(&f, fd), -ENOEXEC, "more sections than anyone has are refused");
}

int main(void)
{
	struct elf_file f;
	int fds[2];

	test_self();
	test_memory();
	test_many_sections();
	if (pipe(fds) == 0)
		is_int(elf_file_open(&f, fds[0]), -ENOEXEC, "a pipe is refused");
	is_int(elf_file_open(&f, open("/dev/zero", O_RDONLY)), -ENOEXEC, "a device is refused");
	is_int(elf_file_open(&f, -1), -ENOEXEC, "no file is refused");
	test_damage("/bin/true", 3000);
	test_damage("/usr/bin/python3", 40);
	return tap_done();
}
