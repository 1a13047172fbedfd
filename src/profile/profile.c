/* SPDX-License-Identifier: MIT
 * Stacks as paths in one tree, and what each of them added up to.
 *
 * Two open-addressing tables find a node by (parent, function, line) and a cell by (thread, node);
 * their slots hold index + 1, the keys are in the pools. Both double when half full. */
#include "profile/profile.h"

#include <stdlib.h>
#include <string.h>

#include "util/attr.h"
#include "util/hash.h"
#include "util/xalloc.h"

enum { INDEX_FIRST = 1024 };

/* The last whole stack, from the outermost frame, and its nodes. */
struct profile_last {
	size_t count;
	struct sym_frame frames[PROFILE_DEPTH_MAX];
	uint32_t nodes[PROFILE_DEPTH_MAX];
};

static uint64_t node_hash(uint32_t parent, uint32_t func, int32_t line)
{
	return hash_u64(((uint64_t)parent << 32 | func) ^ ((uint64_t)(uint32_t)line << 20));
}

static uint64_t cell_hash(uint32_t thread, uint32_t node)
{
	return hash_u64((uint64_t)thread << 32 | node);
}

static void slot_put(uint32_t *slots, size_t mask, uint64_t hash, uint32_t id)
{
	size_t i = hash & mask;

	while (slots[i])
		i = (i + 1) & mask;
	slots[i] = id + 1;
}

static void nodes_grow(struct profile *p)
{
	size_t size = (p->node_mask + 1) * 2;

	free(p->node_index);
	p->node_index = xcalloc(size, sizeof(p->node_index[0]));
	p->node_mask = size - 1;
	for (uint32_t i = 1; i < pool_count(&p->nodes); i++) {
		const struct profile_node *n = profile_node_at(p, i);

		slot_put(p->node_index, p->node_mask, node_hash(n->parent, n->func, n->line), i);
	}
}

static void cells_grow(struct profile *p)
{
	size_t size = (p->value_mask + 1) * 2;

	free(p->value_index);
	p->value_index = xcalloc(size, sizeof(p->value_index[0]));
	p->value_mask = size - 1;
	for (uint32_t i = 0; i < pool_count(&p->values); i++) {
		const struct profile_cell *c = profile_cell_at(p, i);

		slot_put(p->value_index, p->value_mask, cell_hash(c->thread, c->node), i);
	}
}

/* A new node; 0 when there is no room for more. The place of "[stacks full]" is always kept. */
static uint32_t node_add(struct profile *p, uint32_t parent, uint32_t func, int32_t line)
{
	struct profile_node node = { .parent = parent, .func = func, .line = line };
	uint32_t id;

	if (pool_count(&p->nodes) >= p->nodes_max && func != p->marks[PROFILE_STACKS_FULL])
		return 0;
	node.depth = profile_node_at(p, parent)->depth + 1;
	id = pool_add(&p->nodes, &node);
	if (id == UINT32_MAX)
		return 0;
	slot_put(p->node_index, p->node_mask, node_hash(parent, func, line), id);
	if ((size_t)id * 2 > p->node_mask)
		nodes_grow(p);
	return id;
}

uint32_t profile_child(struct profile *p, uint32_t parent, uint32_t func, int32_t line)
{
	for (size_t i = node_hash(parent, func, line) & p->node_mask; p->node_index[i];
	     i = (i + 1) & p->node_mask) {
		uint32_t id = p->node_index[i] - 1;
		const struct profile_node *n = profile_node_at(p, id);

		if (n->parent == parent && n->func == func && n->line == line)
			return id;
	}
	return node_add(p, parent, func, line);
}

static uint32_t node_mark(struct profile *p, enum profile_mark mark)
{
	return profile_child(p, 0, p->marks[mark], 0);
}

static int32_t shown_line(const struct profile *p, const struct sym_frame *f)
{
	if (p->lines == PROFILE_LINE)
		return f->line;
	return p->lines == PROFILE_FUNCTION ? symtab_func_at(p->symtab, f->func)->first_line : 0;
}

/* Continues from the outermost frames that the last stack had too: mostly only the leaf is new. */
static uint32_t whole_stack_node(struct profile *p, const struct sym_frame *frames, size_t n)
{
	struct profile_last *last = p->last;
	size_t same = 0;
	uint32_t node;

	while (same < n && same < last->count && frames[n - 1 - same].func == last->frames[same].func &&
	       frames[n - 1 - same].line == last->frames[same].line)
		same++;
	node = same ? last->nodes[same - 1] : 0;
	for (last->count = same; last->count < n; last->count++) {
		const struct sym_frame *f = &frames[n - 1 - last->count];

		node = profile_child(p, node, f->func, shown_line(p, f));
		if (unlikely(!node))
			return 0;
		last->frames[last->count] = *f;
		last->nodes[last->count] = node;
	}
	return node;
}

/* Its outer frames are missing: a mark stands for them. */
static uint32_t cut_stack_node(struct profile *p, const struct sym_frame *frames, size_t n)
{
	uint32_t node = node_mark(p, PROFILE_TRUNCATED);

	p->cut++;
	if (n >= PROFILE_DEPTH_MAX)
		n = PROFILE_DEPTH_MAX - 1;
	while (node && n--)
		node = profile_child(p, node, frames[n].func, shown_line(p, &frames[n]));
	return node;
}

/* The node of the stack's leaf; 0 when there is no room for a new one. */
static uint32_t stack_node(struct profile *p, const struct sym_frame *frames, size_t n, bool cut)
{
	if (unlikely(!n))
		return node_mark(p, PROFILE_NO_FRAMES);
	if (unlikely(cut || n > PROFILE_DEPTH_MAX))
		return cut_stack_node(p, frames, n);
	return whole_stack_node(p, frames, n);
}

/* Found or new; NULL when there is no room, which "[stacks full]" has as long as memory lasts. */
static struct profile_cell *cell_of(struct profile *p, uint32_t thread, uint32_t node, bool force)
{
	struct profile_cell cell = { .thread = thread, .node = node };
	uint32_t id;

	for (size_t i = cell_hash(thread, node) & p->value_mask; p->value_index[i];
	     i = (i + 1) & p->value_mask) {
		struct profile_cell *c = pool_at(&p->values, p->value_index[i] - 1);

		if (c->thread == thread && c->node == node)
			return c;
	}
	if (pool_count(&p->values) >= p->nodes_max && !force)
		return NULL;
	id = pool_add(&p->values, &cell);
	if (id == UINT32_MAX)
		return NULL;
	slot_put(p->value_index, p->value_mask, cell_hash(thread, node), id);
	if ((size_t)id * 2 > p->value_mask)
		cells_grow(p);
	return pool_at(&p->values, id);
}

static void keep_order(struct profile *p, const struct profile_cell *cell, uint64_t when_ns,
		       const struct profile_value *value)
{
	struct event event = {
		.when_ns = when_ns,
		.wall_ns = value->wall_ns,
		.cpu_ns = value->cpu_ns,
		.thread = cell->thread,
		.node = cell->node,
	};

	events_add(p->events, &event);
}

void profile_add_value(struct profile *p, uint32_t thread, uint32_t node, uint64_t when_ns,
		       const struct profile_value *value)
{
	struct profile_cell *cell = node ? cell_of(p, thread, node, false) : NULL;

	p->meta.samples += value->samples;
	if (unlikely(!cell)) {
		p->cut++;
		cell = cell_of(p, thread, node_mark(p, PROFILE_STACKS_FULL), true);
		if (!cell)
			return;
	}
	cell->value.samples += value->samples;
	cell->value.wall_ns += value->wall_ns;
	cell->value.cpu_ns += value->cpu_ns;
	if (p->events)
		keep_order(p, cell, when_ns, value);
}

void profile_add(struct profile *p, uint32_t thread, const struct sym_frame *frames, size_t n,
		 uint32_t skipped, uint64_t when_ns, const struct profile_value *value)
{
	uint32_t node = stack_node(p, frames, n, skipped != 0);

	profile_add_value(p, thread, node, when_ns, value);
}

void profile_clear(struct profile *p)
{
	struct profile_node root = { 0 };

	pool_clear(&p->nodes);
	pool_clear(&p->values);
	pool_add(&p->nodes, &root);
	memset(p->node_index, 0, (p->node_mask + 1) * sizeof(p->node_index[0]));
	memset(p->value_index, 0, (p->value_mask + 1) * sizeof(p->value_index[0]));
	p->last->count = 0;
	p->cut = 0;
	p->meta.samples = 0;
}

uint32_t profile_add_thread(struct profile *p, const struct profile_thread *thread)
{
	struct profile_thread copy = *thread;

	if (pool_count(&p->threads) >= PROFILE_THREADS_MAX)
		return PROFILE_THREADS_MAX - 1;
	copy.name = thread->name ? xstrdup(thread->name) : NULL;
	return pool_add(&p->threads, &copy);
}

void profile_name_thread(struct profile *p, uint32_t thread, const char *name)
{
	struct profile_thread *t = pool_at(&p->threads, thread);

	free(t->name);
	t->name = name ? xstrdup(name) : NULL;
}

size_t profile_path(const struct profile *p, uint32_t leaf, uint32_t *path)
{
	size_t depth = profile_node_at(p, leaf)->depth;

	for (size_t i = depth; i > 0; i--) {
		path[i - 1] = leaf;
		leaf = profile_node_at(p, leaf)->parent;
	}
	return depth;
}

static void add_marks(struct profile *p)
{
	static const char *const texts[PROFILE_MARKS] = {
		[PROFILE_TRUNCATED] = "[truncated]",
		[PROFILE_STACKS_FULL] = "[stacks full]",
		[PROFILE_NO_FRAMES] = "[no frames]",
	};
	uint32_t file = symtab_file(p->symtab, "", 0);

	for (int i = 0; i < PROFILE_MARKS; i++)
		p->marks[i] = symtab_func(p->symtab, SYM_MARK, texts[i], strlen(texts[i]), file, 0);
}

void profile_init(struct profile *p, struct symtab *symtab, enum profile_lines lines,
		  struct events *events)
{
	struct profile_node root = { 0 };

	*p = (struct profile){
		.symtab = symtab,
		.lines = lines,
		.events = events,
		.nodes_max = PROFILE_NODES_MAX,
		.node_index = xcalloc(INDEX_FIRST, sizeof(p->node_index[0])),
		.value_index = xcalloc(INDEX_FIRST, sizeof(p->value_index[0])),
		.last = xcalloc(1, sizeof(*p->last)),
		.node_mask = INDEX_FIRST - 1,
		.value_mask = INDEX_FIRST - 1,
	};
	pool_init(&p->nodes, sizeof(struct profile_node));
	pool_init(&p->threads, sizeof(struct profile_thread));
	pool_init(&p->values, sizeof(struct profile_cell));
	pool_add(&p->nodes, &root);
	add_marks(p);
}

void profile_release(struct profile *p)
{
	for (uint32_t i = 0; p->threads.chunks && i < pool_count(&p->threads); i++)
		free(((struct profile_thread *)pool_at(&p->threads, i))->name);
	pool_release(&p->nodes);
	pool_release(&p->threads);
	pool_release(&p->values);
	free(p->node_index);
	free(p->value_index);
	free(p->last);
	events_free(p->events);
	free(p->meta.program);
	free(p->meta.python_version);
	free(p->meta.mode);
	free(p->meta.reasons);
	free(p->meta.native);
	*p = (struct profile){ 0 };
}
