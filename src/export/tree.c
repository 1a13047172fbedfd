/* SPDX-License-Identifier: MIT
 * The profile as one tree of labels. */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#include "util/hash.h"
#include "util/idmap.h"
#include "util/xalloc.h"

struct builder {
	struct tree *t;
	const struct profile *p;
	const struct export_options *o;
	struct idmap texts;    /* hash of a label's text -> label */
	struct idmap frames;   /* (function, line) -> label */
	struct idmap children; /* (parent, label) -> node */
	struct idmap known;    /* (thread or 0, profile node) -> node */
	struct idmap threads;  /* thread -> node */
	uint32_t *path;
};

static void value_add(struct profile_value *sum, const struct profile_value *v)
{
	sum->samples += v->samples;
	sum->wall_ns += v->wall_ns;
	sum->cpu_ns += v->cpu_ns;
}

static void *grown(void *items, uint32_t count, uint32_t *size, size_t item)
{
	if (count < *size)
		return items;
	*size = *size ? *size * 2 : 256;
	return xreallocarray(items, *size, item);
}

static uint32_t label_add(struct tree *t, const char *name, const char *place,
			  enum label_origin origin)
{
	t->labels = grown(t->labels, t->label_count, &t->label_size, sizeof(t->labels[0]));
	t->labels[t->label_count] = (struct tree_label){
		.name = xstrdup(name), .place = xstrdup(place), .origin = origin,
	};
	return t->label_count++;
}

/* Equal texts are one label, whatever functions they come from. */
static uint32_t label_find(struct builder *b, const char *name, const char *place,
			   enum label_origin origin)
{
	uint64_t hash = hash_bytes(name, strlen(name)) * 31 + hash_bytes(place, strlen(place)) +
			origin;

	for (;; hash++) {
		uint32_t *id = idmap_put(&b->texts, hash);

		if (*id == IDMAP_NONE)
			return *id = label_add(b->t, name, place, origin);
		if (!strcmp(b->t->labels[*id].name, name) &&
		    !strcmp(b->t->labels[*id].place, place))
			return *id;
	}
}

static uint32_t frame_label(struct builder *b, const struct profile_node *node)
{
	const struct sym_func *f = symtab_func_at(b->p->symtab, node->func);
	uint32_t *id = idmap_put(&b->frames, idmap_key(node->func, (uint32_t)node->line));
	struct buf name = BUF_INIT, place = BUF_INIT;

	if (*id != IDMAP_NONE)
		return *id;
	label_name(&name, f);
	label_place(&place, b->p, node, b->o->full_filenames);
	*id = label_find(b, name.len ? name.data : "", place.len ? place.data : "",
			 label_origin(b->p->symtab, f));
	buf_release(&name);
	buf_release(&place);
	return *id;
}

static uint32_t node_child(struct builder *b, uint32_t parent, uint32_t label)
{
	struct tree *t = b->t;
	uint32_t *id = idmap_put(&b->children, idmap_key(parent, label));

	if (*id != IDMAP_NONE)
		return *id;
	t->nodes = grown(t->nodes, t->count, &t->size, sizeof(t->nodes[0]));
	*id = t->count++;
	t->nodes[*id] = (struct tree_node){
		.label = label,
		.parent = parent,
		.next_sibling = t->nodes[parent].first_child,
		.depth = t->nodes[parent].depth + 1,
	};
	t->nodes[parent].first_child = *id;
	return *id;
}

/* With -t the thread is the first frame; else 0, the root. */
static uint32_t thread_node(struct builder *b, uint32_t thread)
{
	struct buf text = BUF_INIT;
	uint32_t *id;

	if (!b->o->threads)
		return 0;
	id = idmap_put(&b->threads, thread);
	if (*id == IDMAP_NONE) {
		label_thread(&text, profile_thread_at(b->p, thread));
		*id = node_child(b, 0, label_find(b, text.data, "", ORIGIN_MARK));
		buf_release(&text);
	}
	return *id;
}

/* Walks up to the first frame that is known already, then down again. */
static uint32_t stack_node(struct builder *b, uint32_t thread, uint32_t leaf)
{
	uint32_t group = b->o->threads ? thread : 0;
	uint32_t at = thread_node(b, thread);
	size_t depth = 0;

	for (; leaf; leaf = profile_node_at(b->p, leaf)->parent) {
		uint32_t *known = idmap_put(&b->known, idmap_key(group, leaf));

		if (*known != IDMAP_NONE) {
			at = *known;
			break;
		}
		b->path[depth++] = leaf;
	}
	while (depth--) {
		at = node_child(b, at, frame_label(b, profile_node_at(b->p, b->path[depth])));
		*idmap_put(&b->known, idmap_key(group, b->path[depth])) = at;
	}
	return at;
}

static void sum_up(struct tree *t)
{
	for (uint32_t i = 0; i < t->count; i++)
		t->nodes[i].total = t->nodes[i].self;
	for (uint32_t i = t->count - 1; i > 0; i--) /* children come after their parents */
		value_add(&t->nodes[t->nodes[i].parent].total, &t->nodes[i].total);
	t->by_samples = !t->nodes[0].total.wall_ns;
}

struct sibling {
	uint64_t weight;
	const char *name;
	uint32_t node;
};

static int heavier(const void *a, const void *b)
{
	const struct sibling *x = a, *y = b;
	int order;

	if (x->weight != y->weight)
		return x->weight < y->weight ? 1 : -1;
	order = strcmp(x->name, y->name);
	return order ? order : (x->node > y->node) - (x->node < y->node);
}

static void sort_children(struct tree *t, uint32_t parent, struct sibling *list)
{
	size_t n = 0;

	for (uint32_t i = t->nodes[parent].first_child; i; i = t->nodes[i].next_sibling)
		list[n++] = (struct sibling){ tree_weight(t, &t->nodes[i].total),
					      t->labels[t->nodes[i].label].name, i };
	qsort(list, n, sizeof(list[0]), heavier);
	for (size_t i = 0; i < n; i++)
		t->nodes[list[i].node].next_sibling = i + 1 < n ? list[i + 1].node : 0;
	if (n)
		t->nodes[parent].first_child = list[0].node;
}

static void sort_all(struct tree *t)
{
	struct sibling *list = xcalloc(t->count, sizeof(*list));

	for (uint32_t i = 0; i < t->count; i++)
		sort_children(t, i, list);
	free(list);
}

static void add_cells(struct builder *b)
{
	for (uint32_t i = 0; i < profile_cell_count(b->p); i++) {
		const struct profile_cell *c = profile_cell_at(b->p, i);
		uint32_t node = stack_node(b, c->thread, c->node);

		value_add(&b->t->nodes[node].self, &c->value);
	}
}

void tree_init(struct tree *t, const struct profile *p, const struct export_options *o)
{
	struct builder b = { .t = t, .p = p, .o = o };

	*t = (struct tree){ .count = 1 };
	t->nodes = grown(t->nodes, 0, &t->size, sizeof(t->nodes[0]));
	t->nodes[0] = (struct tree_node){ 0 };
	b.path = xcalloc(PROFILE_DEPTH_MAX, sizeof(b.path[0]));
	idmap_init(&b.texts);
	idmap_init(&b.frames);
	idmap_init(&b.children);
	idmap_init(&b.known);
	idmap_init(&b.threads);
	add_cells(&b);
	sum_up(t);
	sort_all(t);
	idmap_release(&b.texts);
	idmap_release(&b.frames);
	idmap_release(&b.children);
	idmap_release(&b.known);
	idmap_release(&b.threads);
	free(b.path);
}

void tree_release(struct tree *t)
{
	for (uint32_t i = 0; i < t->label_count; i++) {
		free(t->labels[i].name);
		free(t->labels[i].place);
	}
	free(t->labels);
	free(t->nodes);
	*t = (struct tree){ 0 };
}

uint32_t tree_next(const struct tree *t, uint32_t i, bool down)
{
	if (down && t->nodes[i].first_child)
		return t->nodes[i].first_child;
	while (i && !t->nodes[i].next_sibling)
		i = t->nodes[i].parent;
	return i ? t->nodes[i].next_sibling : 0;
}
