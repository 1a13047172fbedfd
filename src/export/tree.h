/* SPDX-License-Identifier: MIT
 * The profile as one tree of labels: what reads equal is one node. */
#ifndef EXPORT_TREE_PRIVATE_H
#define EXPORT_TREE_PRIVATE_H

#include "export/exporter.h"
#include "export/label.h"

struct tree_label {
	char *name, *place;          /* "View.get", "app/views.py:10" or ""; owned */
	enum label_origin origin;
};

struct tree_node {
	uint32_t label;
	uint32_t parent, first_child, next_sibling; /* 0: none; node 0 is the root, without a label */
	uint32_t depth;
	struct profile_value self, total;
};

struct tree {
	struct tree_node *nodes;
	uint32_t count, size;
	struct tree_label *labels;
	uint32_t label_count, label_size;
	bool by_samples;             /* no wall time at all: samples stand for it */
};

/* Children are sorted, heaviest first. */
void tree_init(struct tree *t, const struct profile *p, const struct export_options *o);
void tree_release(struct tree *t);

/* What widths are made of. */
static inline uint64_t tree_weight(const struct tree *t, const struct profile_value *v)
{
	return t->by_samples ? v->samples : v->wall_ns;
}

/* The node after i in an outermost-first walk, with (`down`) or without its children; 0: the end. */
uint32_t tree_next(const struct tree *t, uint32_t i, bool down);

#endif
