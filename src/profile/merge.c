/* SPDX-License-Identifier: MIT
 * Adding one profile to another: functions, nodes and threads are mapped once, then the values. */
#include "profile/merge.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#define UNMAPPED UINT32_MAX

struct merge {
	struct profile *to;
	const struct profile *from;
	uint32_t *files, *funcs, *nodes; /* from's index -> to's */
};

static uint32_t *unmapped(uint32_t count)
{
	uint32_t *map = xmalloc((count ? count : 1) * sizeof(map[0]));

	memset(map, 0xff, count * sizeof(map[0]));
	return map;
}

static uint32_t file_of(struct merge *m, uint32_t file)
{
	const struct sym_file *f = symtab_file_at(m->from->symtab, file);
	struct symtab *to = m->to->symtab;
	const char *short_path = f->short_path;

	if (m->files[file] != UNMAPPED)
		return m->files[file];
	m->files[file] = symtab_file(to, f->path, strlen(f->path));
	if (short_path && !symtab_file_at(to, m->files[file])->short_path)
		symtab_set_short_path(to, m->files[file], short_path);
	return m->files[file];
}

static uint32_t func_of(struct merge *m, uint32_t func)
{
	const struct sym_func *f = symtab_func_at(m->from->symtab, func);

	if (m->funcs[func] == UNMAPPED)
		m->funcs[func] = symtab_func(m->to->symtab, f->kind, f->name, strlen(f->name),
					     file_of(m, f->file), f->first_line);
	return m->funcs[func];
}

/* A parent always stands before its children. A node without room has none below it either: then
 * its stacks are 0, "[stacks full]". */
static void map_nodes(struct merge *m, uint32_t count)
{
	m->nodes[0] = 0;
	for (uint32_t i = 1; i < count; i++) {
		const struct profile_node *n = profile_node_at(m->from, i);
		uint32_t parent = m->nodes[n->parent];

		m->nodes[i] = parent || !n->parent ?
			profile_child(m->to, parent, func_of(m, n->func), n->line) : 0;
	}
}

static uint32_t thread_named(struct profile *to, const char *name)
{
	struct profile_thread th = { .name = (char *)name };

	for (uint32_t i = 0; i < pool_count(&to->threads); i++) {
		const char *known = profile_thread_at(to, i)->name;

		if (known == name || (known && name && !strcmp(known, name)))
			return i;
	}
	return profile_add_thread(to, &th);
}

static uint32_t thread_of(struct merge *m, uint32_t thread, enum merge_threads how)
{
	if (how == MERGE_BY_NAME)
		return thread_named(m->to, profile_thread_at(m->from, thread)->name);
	return pool_count(&m->to->threads) ? 0 : thread_named(m->to, NULL);
}

void profile_merge(struct profile *to, const struct profile *from, enum merge_threads how)
{
	uint32_t cells = (uint32_t)profile_cell_count(from), nodes = pool_count(&from->nodes);
	uint32_t threads = pool_count(&from->threads), *thread_map = unmapped(threads);
	struct merge m = {
		.to = to, .from = from,
		/* Counted after the nodes, which name nothing newer. */
		.funcs = unmapped(pool_count(&from->symtab->funcs)),
		.files = unmapped(pool_count(&from->symtab->files)),
		.nodes = unmapped(nodes),
	};

	map_nodes(&m, nodes);
	for (uint32_t i = 0; i < cells; i++) {
		const struct profile_cell *c = profile_cell_at(from, i);

		if (thread_map[c->thread] == UNMAPPED)
			thread_map[c->thread] = thread_of(&m, c->thread, how);
		profile_add_value(to, thread_map[c->thread], m.nodes[c->node], 0, &c->value);
	}
	to->cut += from->cut;
	free(thread_map);
	free(m.funcs);
	free(m.files);
	free(m.nodes);
}
