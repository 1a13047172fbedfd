/* SPDX-License-Identifier: MIT
 * The names of what was seen: files and functions, each stored once and known by a small number.
 *
 * The sampler and the mixer add, under a lock that is held for the time of one name; other threads may
 * read every entry below the counts at the same time. Nothing is ever removed; SYMTAB_TEXT_MAX
 * bounds what a hostile target can make us keep. */
#ifndef SYM_SYMTAB_H
#define SYM_SYMTAB_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "util/pool.h"

#define SYMTAB_TEXT_MAX (64u << 20) /* bytes of names kept; beyond it: SYM_OVERFLOW */

enum sym_kind {
	SYM_PYTHON = 0,  /* a Python function; file and line are known */
	SYM_NATIVE = 1,  /* a C, C++, Rust … function of a module */
	SYM_KERNEL = 2,
	SYM_MARK = 3,    /* a word of ours in brackets, "[unknown]" */
};

struct sym_file {
	const char *path;                  /* as the target states it (co_filename), UTF-8, owned */
	_Atomic(const char *) short_path;  /* relative to its package root; NULL until resolved */
};

struct sym_func {
	const char *name;     /* qualified name, UTF-8, owned by the table */
	uint32_t file;        /* index of its sym_file */
	int32_t first_line;   /* co_firstlineno; 0 unknown */
	uint8_t kind;         /* enum sym_kind */
};

/* A frame as every layer above knows it: the leaf comes first in arrays of them. */
struct sym_frame {
	uint32_t func;        /* index of its sym_func */
	int32_t line;         /* line being executed; 0 unknown */
};

struct sym_text {         /* private: a block of names */
	struct sym_text *next;
	size_t used, size;
	char data[];
};

struct sym_index {        /* private: open addressing, hash -> index + 1 */
	uint32_t *slots;
	size_t mask, used;
};

struct symtab {
	struct pool files;    /* struct sym_file */
	struct pool funcs;    /* struct sym_func */
	pthread_mutex_t lock; /* of all below; held while one name is found or added */
	struct sym_text *text;
	size_t text_bytes;
	struct sym_index file_index, func_index;
};

enum { SYM_OVERFLOW = 0 };    /* function 0 and file 0: what did not fit, "[names full]" */

void symtab_init(struct symtab *t);
void symtab_release(struct symtab *t);

/* Find or add. Text need not be NUL-terminated; returns the index. */
uint32_t symtab_file(struct symtab *t, const char *path, size_t len);
uint32_t symtab_func(struct symtab *t, enum sym_kind kind, const char *name, size_t len,
		     uint32_t file, int32_t first_line);

static inline const struct sym_file *symtab_file_at(const struct symtab *t, uint32_t i)
{
	return pool_at(&t->files, i);
}

static inline const struct sym_func *symtab_func_at(const struct symtab *t, uint32_t i)
{
	return pool_at(&t->funcs, i);
}

/* Sets a file's short path (copied); any one thread may call it, once per file. The text is
 * freed by symtab_release(). */
void symtab_set_short_path(struct symtab *t, uint32_t file, const char *short_path);

#endif
