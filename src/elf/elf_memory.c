/* SPDX-License-Identifier: MIT
 * An ELF image read from the memory of the process that runs it: its program headers, and its
 * dynamic symbols by the hash tables the dynamic linker uses (gABI, "Dynamic Linking";
 * DT_GNU_HASH as glibc's elf/dl-lookup.c reads it). For files that are deleted or replaced on disk
 * and for those whose section headers were cut off. */
#include "elf_memory.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool header_is_ours(const Elf64_Ehdr *eh)
{
	return !memcmp(eh->e_ident, ELFMAG, SELFMAG) && eh->e_ident[EI_CLASS] == ELFCLASS64 &&
	       eh->e_ident[EI_DATA] == ELFDATA2LSB &&
	       (eh->e_type == ET_EXEC || eh->e_type == ET_DYN) &&
	       eh->e_phentsize == sizeof(Elf64_Phdr);
}

static void take_segment(struct elf_file *f, const Elf64_Phdr *ph)
{
	if (f->segment_count == ELF_SEGMENTS_MAX || ph->p_vaddr >= REMOTE_ADDR_MAX ||
	    ph->p_memsz >= REMOTE_ADDR_MAX)
		return;
	f->segments[f->segment_count++] = (struct elf_segment){
		.vaddr = ph->p_vaddr, .file_offset = ph->p_offset, .file_size = ph->p_filesz,
		.mem_size = ph->p_memsz, .write = ph->p_flags & PF_W, .exec = ph->p_flags & PF_X,
	};
}

/* Addresses in PT_DYNAMIC are the file's; glibc adds the load bias in place, musl does not. */
static remote_addr rebase(const struct elf_file *f, uint64_t value, remote_addr base)
{
	return value && value < base ? value + f->bias : value;
}

static void take_dynamic(struct elf_file *f, remote_addr at, remote_addr base)
{
	for (int i = 0; i < ELF_DYNAMIC_MAX; i++) {
		Elf64_Dyn d;

		if (remote_read(f->remote, at + (uint64_t)i * sizeof(d), &d, sizeof(d)) < 0)
			return;
		switch (d.d_tag) {
		case DT_NULL: return;
		case DT_SYMTAB: f->symtab = rebase(f, d.d_un.d_ptr, base); break;
		case DT_STRTAB: f->strtab = rebase(f, d.d_un.d_ptr, base); break;
		case DT_STRSZ: f->strtab_size = d.d_un.d_val; break;
		case DT_GNU_HASH: f->gnu_hash = rebase(f, d.d_un.d_ptr, base); break;
		case DT_HASH: f->hash = rebase(f, d.d_un.d_ptr, base); break;
		}
	}
}

int elf_file_open_memory(struct elf_file *f, const struct remote *r, remote_addr base)
{
	Elf64_Phdr ph[ELF_SEGMENTS_MAX];
	uint64_t dynamic = 0;
	Elf64_Ehdr eh;
	size_t n;
	int ret;

	*f = (struct elf_file){ .fd = -1, .remote = r };
	ret = remote_read(r, base, &eh, sizeof(eh));
	if (ret < 0)
		return ret;
	if (!header_is_ours(&eh) || eh.e_phoff > REMOTE_ADDR_MAX)
		return -ENOEXEC;
	n = eh.e_phnum < ELF_SEGMENTS_MAX ? eh.e_phnum : ELF_SEGMENTS_MAX;
	if (n == 0 || remote_read(r, base + eh.e_phoff, ph, n * sizeof(*ph)) < 0)
		return -ENOEXEC;
	f->machine = eh.e_machine;
	f->fixed = eh.e_type == ET_EXEC;
	for (size_t i = 0; i < n; i++) {
		if (ph[i].p_type == PT_LOAD)
			take_segment(f, &ph[i]);
		else if (ph[i].p_type == PT_DYNAMIC)
			dynamic = ph[i].p_vaddr;
	}
	if (elf_file_bias(f, base, 0, &f->bias) < 0)
		return -ENOEXEC;
	if (dynamic)
		take_dynamic(f, f->bias + dynamic, base);
	return 0;
}

static uint32_t hash_gnu(const char *s)
{
	uint32_t h = 5381;

	for (; *s; s++)
		h = h * 33 + (uint8_t)*s;
	return h;
}

/* The hash function of DT_HASH (gABI, "Hash Table"). */
static uint32_t hash_sysv(const char *s)
{
	uint32_t h = 0;

	for (; *s; s++) {
		uint32_t top;

		h = (h << 4) + (uint8_t)*s;
		top = h & 0xf0000000u;
		h = (h ^ top >> 24) & ~top;
	}
	return h;
}

/* Symbol number `index`: is it `want`, and defined? Fills it when so. */
static bool try_symbol(const struct elf_file *f, uint32_t index, struct elf_symbol *want)
{
	size_t len = strlen(want->name) + 1;
	char name[64];
	Elf64_Sym sym;

	if (len > sizeof(name) ||
	    remote_read(f->remote, f->symtab + (uint64_t)index * sizeof(sym), &sym,
			sizeof(sym)) < 0 ||
	    sym.st_shndx == SHN_UNDEF || sym.st_name >= f->strtab_size ||
	    remote_read(f->remote, f->strtab + sym.st_name, name, len) < 0 ||
	    memcmp(name, want->name, len) != 0)
		return false;
	want->addr = sym.st_value;
	want->size = sym.st_size;
	want->found = true;
	return true;
}

static bool find_gnu(const struct elf_file *f, struct elf_symbol *want)
{
	struct { uint32_t buckets, first, bloom_size, bloom_shift; } head;
	uint32_t hash = hash_gnu(want->name), index, value;
	remote_addr buckets, chain;

	if (remote_read(f->remote, f->gnu_hash, &head, sizeof(head)) < 0 || head.buckets == 0)
		return false;
	buckets = f->gnu_hash + sizeof(head) + (uint64_t)head.bloom_size * 8;
	chain = buckets + (uint64_t)head.buckets * 4;
	if (remote_read_u32(f->remote, buckets + (uint64_t)(hash % head.buckets) * 4, &index) < 0 ||
	    index < head.first)
		return false;
	for (int i = 0; i < ELF_CHAIN_MAX; i++, index++) {
		if (remote_read_u32(f->remote, chain + (uint64_t)(index - head.first) * 4,
				    &value) < 0)
			return false;
		if ((value | 1) == (hash | 1) && try_symbol(f, index, want))
			return true;
		if (value & 1)
			return false;
	}
	return false;
}

static bool find_sysv(const struct elf_file *f, struct elf_symbol *want)
{
	struct { uint32_t buckets, chains; } head;
	uint32_t index;

	if (remote_read(f->remote, f->hash, &head, sizeof(head)) < 0 || head.buckets == 0 ||
	    remote_read_u32(f->remote,
			    f->hash + 8 + (uint64_t)(hash_sysv(want->name) % head.buckets) * 4,
			    &index) < 0)
		return false;
	for (int i = 0; i < ELF_CHAIN_MAX && index != 0; i++) {
		if (try_symbol(f, index, want))
			return true;
		if (remote_read_u32(f->remote,
				    f->hash + 8 + ((uint64_t)head.buckets + index) * 4,
				    &index) < 0)
			return false;
	}
	return false;
}

size_t elf_memory_symbols(const struct elf_file *f, struct elf_symbol *want, size_t n)
{
	size_t found = 0;

	if (!f->symtab || !f->strtab)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (want[i].found)
			continue;
		found += f->gnu_hash ? find_gnu(f, &want[i]) : f->hash ? find_sysv(f, &want[i]) : 0;
	}
	return found;
}
