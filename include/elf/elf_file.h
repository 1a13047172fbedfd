/* SPDX-License-Identifier: MIT
 * One ELF file: where its sections, symbols and segments lie. Read with libelf from a file, or,
 * where no file can be had any more, from the memory of a process that has it mapped.
 *
 * 64-bit little-endian files only (x86-64, aarch64). The bytes may be hostile: counts are capped
 * by the constants below, and what does not fit is "not found". */
#ifndef ELF_ELF_FILE_H
#define ELF_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem/remote.h"
#include "util/attr.h"

enum {
	ELF_SEGMENTS_MAX = 32,       /* PT_LOAD entries kept; usual is 4 */
	ELF_BUILD_ID_MAX = 64,       /* bytes; usual is 20 */
	ELF_SYMBOLS_MAX = 4 << 20,   /* symbols looked at in one table */
	ELF_TABLE_MAX = 256 << 20,   /* bytes of a symbol table or of its names */
	ELF_CHAIN_MAX = 65536,       /* symbols of one hash chain in memory */
	ELF_DYNAMIC_MAX = 512,       /* entries of PT_DYNAMIC in memory */
};

/* One PT_LOAD, addresses as in the file (without load bias). */
struct elf_segment {
	uint64_t vaddr, file_offset, file_size, mem_size;
	bool write, exec;
};

/* What one asks a file for, several at once: filled by elf_file_symbols(). */
struct elf_symbol {
	const char *name;     /* exact */
	uint64_t addr, size;  /* without load bias */
	bool found;           /* defined in this file */
};

struct elf_file {
	int fd;               /* owned; -1 when read from memory */
	void *elf;            /* libelf's handle; NULL when read from memory */
	uint16_t machine;     /* EM_X86_64, EM_AARCH64 */
	bool fixed;           /* ET_EXEC: linked to its address, load bias 0 */
	struct elf_segment segments[ELF_SEGMENTS_MAX]; /* PT_LOAD in the file's order */
	size_t segment_count;
	/* From memory only: the dynamic linker's tables, addresses of the target. */
	const struct remote *remote; /* not owned */
	remote_addr bias, symtab, strtab, gnu_hash, hash;
	uint64_t strtab_size;
};

/* Takes ownership of fd, also on failure. 0; -errno; -ENOEXEC: no ELF file we can read. */
int elf_file_open(struct elf_file *f, int fd) _must_check_;
/* The same from the target's memory: `base` is where the file's first page (its ELF header) is
 * mapped. No sections, no build-id, dynamic symbols only. -ENOEXEC or the errors of the read. */
int elf_file_open_memory(struct elf_file *f, const struct remote *r, remote_addr base)
	_must_check_;
void elf_file_close(struct elf_file *f);

/* 0 or -ENOENT. */
int elf_file_section(const struct elf_file *f, const char *name, uint64_t *ret_addr,
		     uint64_t *ret_size) _must_check_;
/* Looks for those of `want` that are not found yet. ELF_DYNAMIC: what other files may use, survives
 * strip, quick. ELF_ALL: static ones too, often ten times as many. Returns how many were added. */
enum elf_symbols { ELF_DYNAMIC, ELF_ALL };
size_t elf_file_symbols(const struct elf_file *f, enum elf_symbols which, struct elf_symbol *want,
			size_t n);
/* What to add to the file's addresses, for a file mapped at `start` from `offset` on. -ENOENT
 * when no segment begins at that offset. */
int elf_file_bias(const struct elf_file *f, remote_addr start, uint64_t offset,
		  uint64_t *ret_bias) _must_check_;
/* Bytes of the GNU build-id note written to out; 0 when there is none. */
size_t elf_file_build_id(const struct elf_file *f, uint8_t out[ELF_BUILD_ID_MAX]);

#endif
