/* SPDX-License-Identifier: MIT
 * One profile added to another: sums, names and threads stay true. */
#include <stdlib.h>

#include "profile/merge.h"
#include "sample_profile.h"
#include "tap.h"
#include "util/buf.h"

static void sums_of(const struct profile *p, struct profile_value *sum)
{
	*sum = (struct profile_value){ 0 };
	for (uint32_t i = 0; i < profile_cell_count(p); i++) {
		sum->samples += profile_cell_at(p, i)->value.samples;
		sum->wall_ns += profile_cell_at(p, i)->value.wall_ns;
		sum->cpu_ns += profile_cell_at(p, i)->value.cpu_ns;
	}
}

/* "outer>inner" of a cell, by names and lines. */
static void path_text(const struct profile *p, const struct profile_cell *c, struct buf *b)
{
	uint32_t path[PROFILE_DEPTH_MAX];
	size_t n = profile_path(p, c->node, path);

	for (size_t i = 0; i < n; i++) {
		const struct profile_node *node = profile_node_at(p, path[i]);
		const struct sym_func *f = symtab_func_at(p->symtab, node->func);

		buf_addf(b, "%s%s:%d@%s", i ? ">" : "", f->name, node->line,
			 symtab_file_at(p->symtab, f->file)->path);
	}
}

static const struct profile_cell *cell_like(const struct profile *p, const char *text)
{
	const struct profile_cell *found = NULL;

	for (uint32_t i = 0; i < profile_cell_count(p) && !found; i++) {
		struct buf b = BUF_INIT;

		path_text(p, profile_cell_at(p, i), &b);
		if (!strcmp(b.data, text))
			found = profile_cell_at(p, i);
		buf_release(&b);
	}
	return found;
}

static void fill(struct sample_profile *s)
{
	symtab_init(&s->symtab);
	profile_init(&s->profile, &s->symtab, PROFILE_LINE, NULL);
	sample_fill(s);
}

static void drop(struct sample_profile *s)
{
	profile_release(&s->profile);
	symtab_release(&s->symtab);
}

/* `to` has names of its own already, so that no number is the same on both sides. */
static void start(struct sample_profile *to)
{
	symtab_init(&to->symtab);
	symtab_file(&to->symtab, "/elsewhere.py", 13);
	symtab_func(&to->symtab, SYM_PYTHON, "other", 5, 0, 1);
	profile_init(&to->profile, &to->symtab, PROFILE_LINE, NULL);
}

static void check_stacks(const struct profile *to, const struct profile *from, uint64_t times)
{
	for (uint32_t i = 0; i < profile_cell_count(from); i++) {
		const struct profile_cell *c = profile_cell_at(from, i), *got;
		struct buf b = BUF_INIT;

		path_text(from, c, &b);
		got = cell_like(to, b.data);
		ok(got && got->value.wall_ns == times * c->value.wall_ns, "%s", b.data);
		buf_release(&b);
	}
}

static void test_merge(enum merge_threads how, uint32_t threads)
{
	struct sample_profile from, to;
	struct profile_value a, b;

	fill(&from);
	start(&to);
	profile_merge(&to.profile, &from.profile, how);
	profile_merge(&to.profile, &from.profile, how);
	sums_of(&from.profile, &a);
	sums_of(&to.profile, &b);
	ok(b.samples == 2 * a.samples && b.wall_ns == 2 * a.wall_ns && b.cpu_ns == 2 * a.cpu_ns,
	   "the sums of two");
	is_int((long long)to.profile.meta.samples, (long long)(2 * from.profile.meta.samples),
	       "samples counted");
	is_int(profile_cell_count(&to.profile), profile_cell_count(&from.profile), "equal stacks meet");
	is_int(pool_count(&to.profile.threads), threads, "threads");
	check_stacks(&to.profile, &from.profile, 2);
	drop(&from);
	drop(&to);
}

static void test_short_paths(void)
{
	struct sample_profile from, to;
	uint32_t file;

	fill(&from);
	start(&to);
	profile_merge(&to.profile, &from.profile, MERGE_ONE_THREAD);
	file = symtab_file(&to.symtab, "/srv/shop/app.py", 16);
	is_str(symtab_file_at(&to.symtab, file)->short_path, "app.py", "short paths come along");
	drop(&from);
	drop(&to);
}

/* A full table takes nothing new, and says so; nothing is lost of the sums. */
static void test_full(void)
{
	struct sample_profile from, to;
	struct profile_value a, b;

	fill(&from);
	start(&to);
	to.profile.nodes_max = 3;
	profile_merge(&to.profile, &from.profile, MERGE_ONE_THREAD);
	sums_of(&from.profile, &a);
	sums_of(&to.profile, &b);
	ok(a.wall_ns == b.wall_ns && a.samples == b.samples, "a full profile keeps the sums");
	ok(to.profile.cut > 0, "and counts what it cut");
	drop(&from);
	drop(&to);
}

static void test_clear(void)
{
	struct sample_profile s;
	struct profile_value before, after;

	fill(&s);
	sums_of(&s.profile, &before);
	profile_clear(&s.profile);
	is_int(profile_cell_count(&s.profile), 0, "cleared");
	is_int(pool_count(&s.profile.threads), 2, "threads stay");
	sample_fill(&s);
	sums_of(&s.profile, &after);
	ok(before.samples == after.samples && before.wall_ns == after.wall_ns, "and filled again");
	is_int((long long)s.profile.meta.samples, (long long)after.samples, "counted from 0");
	drop(&s);
}

int main(void)
{
	test_merge(MERGE_ONE_THREAD, 1);
	test_merge(MERGE_BY_NAME, 2);
	test_short_paths();
	test_full();
	test_clear();
	return tap_done();
}
