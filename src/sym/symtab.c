/* SPDX-License-Identifier: MIT
 * Interned files and functions. */
#include "sym/symtab.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/attr.h"
#include "util/hash.h"
#include "util/xalloc.h"

enum { INDEX_FIRST = 1024, TEXT_BLOCK = 64 * 1024 };

static const char *text_add(struct symtab *t, const char *s, size_t len)
{
	struct sym_text *block = t->text;
	char *copy;

	if (!block || block->size - block->used < len + 1) {
		size_t size = len + 1 > TEXT_BLOCK ? len + 1 : TEXT_BLOCK;

		block = xmalloc(sizeof(*block) + size);
		*block = (struct sym_text){ .next = t->text, .size = size };
		t->text = block;
	}
	copy = block->data + block->used;
	memcpy(copy, s, len);
	copy[len] = '\0';
	block->used += len + 1;
	/* Another thread asks how much there is: recorder_is_full(). */
	__atomic_store_n(&t->text_bytes, t->text_bytes + len + 1, __ATOMIC_RELAXED);
	return copy;
}

static void index_put(struct sym_index *ix, uint64_t hash, uint32_t value)
{
	size_t i = hash & ix->mask;

	while (ix->slots[i])
		i = (i + 1) & ix->mask;
	ix->slots[i] = value + 1;
	ix->used++;
}

static void index_init(struct sym_index *ix, size_t size)
{
	ix->slots = xcalloc(size, sizeof(ix->slots[0]));
	ix->mask = size - 1;
	ix->used = 0;
}

static uint64_t file_hash(const struct sym_file *f)
{
	return hash_bytes(f->path, strlen(f->path));
}

static uint64_t func_key(const char *name, size_t len, uint32_t file, int32_t line, int kind)
{
	uint64_t where = ((uint64_t)file << 32) | (uint32_t)line;

	return hash_bytes(name, len) ^ hash_u64(where + (uint64_t)kind);
}

static uint64_t func_hash(const struct sym_func *f)
{
	return func_key(f->name, strlen(f->name), f->file, f->first_line, f->kind);
}

/* Doubles an index that is more than half full; `hash` gives an existing entry's hash. */
static void index_grow(struct sym_index *ix, const struct pool *items,
		       uint64_t (*hash)(const void *item))
{
	struct sym_index bigger;

	if (ix->used * 2 < ix->mask)
		return;
	index_init(&bigger, (ix->mask + 1) * 2);
	for (uint32_t i = 0; i < pool_count(items); i++)
		index_put(&bigger, hash(pool_at(items, i)), i);
	free(ix->slots);
	*ix = bigger;
}

static uint64_t file_hash_item(const void *item)
{
	return file_hash(item);
}

static uint64_t func_hash_item(const void *item)
{
	return func_hash(item);
}

static bool text_equal(const char *stored, const char *s, size_t len)
{
	return !strncmp(stored, s, len) && stored[len] == '\0';
}

static uint32_t file_find(struct symtab *t, const char *path, size_t len)
{
	uint64_t h = hash_bytes(path, len);
	struct sym_file file = { 0 };
	uint32_t id;

	for (size_t i = h & t->file_index.mask; t->file_index.slots[i];
	     i = (i + 1) & t->file_index.mask) {
		id = t->file_index.slots[i] - 1;
		if (text_equal(symtab_file_at(t, id)->path, path, len))
			return id;
	}
	if (t->text_bytes + len >= SYMTAB_TEXT_MAX)
		return SYM_OVERFLOW;
	file.path = text_add(t, path, len);
	id = pool_add(&t->files, &file);
	if (id == UINT32_MAX)
		return SYM_OVERFLOW;
	index_put(&t->file_index, h, id);
	index_grow(&t->file_index, &t->files, file_hash_item);
	return id;
}

static uint32_t func_find(struct symtab *t, enum sym_kind kind, const char *name, size_t len,
			  uint32_t file, int32_t first_line)
{
	uint64_t h = func_key(name, len, file, first_line, kind);
	struct sym_func func = { .file = file, .first_line = first_line, .kind = (uint8_t)kind };
	uint32_t id;

	for (size_t i = h & t->func_index.mask; t->func_index.slots[i];
	     i = (i + 1) & t->func_index.mask) {
		const struct sym_func *f;

		id = t->func_index.slots[i] - 1;
		f = symtab_func_at(t, id);
		if (f->file == file && f->first_line == first_line && f->kind == kind &&
		    text_equal(f->name, name, len))
			return id;
	}
	if (t->text_bytes + len >= SYMTAB_TEXT_MAX)
		return SYM_OVERFLOW;
	func.name = text_add(t, name, len);
	id = pool_add(&t->funcs, &func);
	if (id == UINT32_MAX)
		return SYM_OVERFLOW;
	index_put(&t->func_index, h, id);
	index_grow(&t->func_index, &t->funcs, func_hash_item);
	return id;
}

uint32_t symtab_file(struct symtab *t, const char *path, size_t len)
{
	uint32_t id;

	pthread_mutex_lock(&t->lock);
	id = file_find(t, path, len);
	pthread_mutex_unlock(&t->lock);
	return id;
}

uint32_t symtab_func(struct symtab *t, enum sym_kind kind, const char *name, size_t len,
		     uint32_t file, int32_t first_line)
{
	uint32_t id;

	pthread_mutex_lock(&t->lock);
	id = func_find(t, kind, name, len, file, first_line);
	pthread_mutex_unlock(&t->lock);
	return id;
}

void symtab_set_short_path(struct symtab *t, uint32_t file, const char *short_path)
{
	struct sym_file *f = pool_at(&t->files, file);
	const char *old = NULL;
	char *copy = xstrdup(short_path);

	if (!atomic_compare_exchange_strong(&f->short_path, &old, copy))
		free(copy);
}

void symtab_init(struct symtab *t)
{
	static const char full[] = "[names full]";
	uint32_t file;

	*t = (struct symtab){ .lock = PTHREAD_MUTEX_INITIALIZER };
	pool_init(&t->files, sizeof(struct sym_file));
	pool_init(&t->funcs, sizeof(struct sym_func));
	index_init(&t->file_index, INDEX_FIRST);
	index_init(&t->func_index, INDEX_FIRST);
	file = symtab_file(t, "", 0);
	symtab_func(t, SYM_MARK, full, sizeof(full) - 1, file, 0);
}

void symtab_release(struct symtab *t)
{
	if (t->files.chunks)
		for (uint32_t i = 0; i < pool_count(&t->files); i++)
			free((char *)atomic_load(&((struct sym_file *)pool_at(&t->files, i))->short_path));
	pool_release(&t->files);
	pool_release(&t->funcs);
	free(t->file_index.slots);
	free(t->func_index.slots);
	while (t->text) {
		struct sym_text *next = t->text->next;

		free(t->text);
		t->text = next;
	}
	*t = (struct symtab){ 0 };
}
