/* SPDX-License-Identifier: MIT
 * Stacks add up, limits leave marks, and a known stack costs no memory. */
#include "profile/profile.h"

#include <malloc.h>

#include "tap.h"

static struct symtab symtab;
static struct profile profile;

static uint32_t func(const char *name, int32_t first_line)
{
	return symtab_func(&symtab, SYM_PYTHON, name, strlen(name), symtab_file(&symtab, "a.py", 4),
			   first_line);
}

static void start(enum profile_lines lines)
{
	struct profile_thread t = { .thread_id = 1, .name = (char *)"one" };

	symtab_init(&symtab);
	profile_init(&profile, &symtab, lines, NULL);
	profile_add_thread(&profile, &t);
}

static void stop(void)
{
	profile_release(&profile);
	symtab_release(&symtab);
}

static void add(uint32_t thread, const struct sym_frame *frames, size_t n)
{
	struct profile_value v = { 1, 1000, 10 };

	profile_add(&profile, thread, frames, n, 0, 0, &v);
}

static const char *name_at(uint32_t node)
{
	return symtab_func_at(&symtab, profile_node_at(&profile, node)->func)->name;
}

static void test_sums(void)
{
	struct sym_frame leaf_a[] = { { 0, 3 }, { 0, 1 } }, leaf_b[] = { { 0, 4 }, { 0, 1 } };
	const struct profile_cell *c;
	uint32_t path[PROFILE_DEPTH_MAX];

	start(PROFILE_LINE);
	leaf_a[0].func = leaf_b[0].func = func("leaf", 2);
	leaf_a[1].func = leaf_b[1].func = func("root", 1);
	add(0, leaf_a, 2);
	add(0, leaf_b, 2);
	add(0, leaf_a, 2);
	is_int((long long)profile_cell_count(&profile), 2, "another line is another stack");
	c = profile_cell_at(&profile, 0);
	is_int((long long)c->value.samples, 2, "samples add up");
	is_int((long long)c->value.wall_ns, 2000, "wall time adds up");
	is_int((long long)c->value.cpu_ns, 20, "CPU time adds up");
	is_int((long long)profile.meta.samples, 3, "all samples are counted");
	is_int((long long)profile_path(&profile, c->node, path), 2, "a path as deep as the stack");
	is_str(name_at(path[0]), "root", "the path starts outside");
	is_int(profile_node_at(&profile, path[1])->line, 3, "and ends at the leaf");
	is_int(profile_node_at(&profile, profile_cell_at(&profile, 1)->node)->parent, path[0],
	       "stacks share their outer frames");
	stop();
}

static void test_lines(void)
{
	struct sym_frame f[] = { { 0, 3 } }, g[] = { { 0, 4 } };

	start(PROFILE_FUNCTION);
	f[0].func = g[0].func = func("leaf", 2);
	add(0, f, 1);
	add(0, g, 1);
	is_int((long long)profile_cell_count(&profile), 1, "-F: lines of one function are one");
	is_int(profile_node_at(&profile, profile_cell_at(&profile, 0)->node)->line, 2,
	       "-F: its first line");
	stop();
	start(PROFILE_NO_LINE);
	f[0].func = func("leaf", 2);
	add(0, f, 1);
	is_int(profile_node_at(&profile, profile_cell_at(&profile, 0)->node)->line, 0,
	       "--nolineno: no line");
	stop();
}

static void test_deep(void)
{
	static struct sym_frame frames[PROFILE_DEPTH_MAX + 1];
	static uint32_t path[PROFILE_DEPTH_MAX];
	size_t depth;

	start(PROFILE_LINE);
	for (size_t i = 0; i <= PROFILE_DEPTH_MAX; i++)
		frames[i] = (struct sym_frame){ func("f", 1), (int32_t)i + 1 };
	add(0, frames, PROFILE_DEPTH_MAX);
	is_int((long long)profile.cut, 0, "the deepest stack allowed is kept");
	add(0, frames, PROFILE_DEPTH_MAX + 1);
	is_int((long long)profile.cut, 1, "a deeper one is counted as cut");
	depth = profile_path(&profile, profile_cell_at(&profile, 1)->node, path);
	is_int((long long)depth, PROFILE_DEPTH_MAX, "and as deep as allowed");
	is_str(name_at(path[0]), "[truncated]", "its root says so");
	is_int(profile_node_at(&profile, path[depth - 1])->line, 1, "its leaf is the real one");
	profile_add(&profile, 0, frames, 2, 7, 0, &(struct profile_value){ 1, 1, 1 });
	is_int((long long)profile.cut, 2, "the sampler left frames out: cut as well");
	depth = profile_path(&profile, profile_cell_at(&profile, 2)->node, path);
	is_int((long long)depth, 3, "its frames and the mark");
	is_str(name_at(path[0]), "[truncated]", "which is the root");
	stop();
}

static void test_full(void)
{
	struct sym_frame f[2];

	start(PROFILE_LINE);
	profile.nodes_max = 100;
	f[1] = (struct sym_frame){ func("root", 1), 1 };
	for (int32_t i = 1; i <= 300; i++) {
		f[0] = (struct sym_frame){ func("leaf", 1), i };
		add(0, f, 2);
	}
	is_int(pool_count(&profile.nodes), 101, "no more nodes than allowed and one mark");
	is_int((long long)profile.cut, 300 - 98, "stacks without room are counted");
	is_int((long long)profile.meta.samples, 300, "and are samples all the same");
	is_str(name_at(profile_cell_at(&profile, 98)->node), "[stacks full]", "under one mark");
	is_int((long long)profile_cell_at(&profile, 98)->value.samples, 300 - 98, "all of them");
	add(0, f, 0);
	is_int((long long)profile.cut, 300 - 98 + 1, "a mark without room is cut too");
	stop();
}

static void test_no_frames(void)
{
	start(PROFILE_LINE);
	add(0, NULL, 0);
	is_str(name_at(profile_cell_at(&profile, 0)->node), "[no frames]", "a look without frames");
	stop();
}

static void test_threads(void)
{
	struct profile_thread t = { .thread_id = 2 };
	struct sym_frame f[] = { { 0, 1 } };

	start(PROFILE_LINE);
	is_int(profile_add_thread(&profile, &t), 1, "the second thread");
	f[0].func = func("leaf", 1);
	add(0, f, 1);
	add(1, f, 1);
	is_int((long long)profile_cell_count(&profile), 2, "threads are kept apart");
	is_int(profile_cell_at(&profile, 1)->node, profile_cell_at(&profile, 0)->node,
	       "their stacks are shared");
	profile_name_thread(&profile, 1, "worker");
	profile_name_thread(&profile, 1, "worker-1");
	is_str(profile_thread_at(&profile, 1)->name, "worker-1", "named later");
	stop();
}

/* Many stacks, so that both tables double several times; then none of them is new. */
static void test_growth(void)
{
	struct sym_frame f[2];
	size_t cells, before;

	start(PROFILE_LINE);
	for (int round = 0; round < 2; round++) {
		before = mallinfo2().uordblks;
		for (int32_t i = 0; i < 20000; i++) {
			f[0] = (struct sym_frame){ 0, i + 1 };
			f[1] = (struct sym_frame){ 0, i % 100 + 1 };
			add(0, f, 2);
		}
		cells = profile_cell_count(&profile);
		is_int((long long)cells, 20000, round ? "all are found again" : "20 000 stacks");
	}
	is_int((long long)mallinfo2().uordblks, (long long)before, "what is known costs no memory");
	is_int((long long)profile_cell_at(&profile, 19999)->value.samples, 2, "and adds up");
	stop();
}

int main(void)
{
	test_sums();
	test_lines();
	test_deep();
	test_full();
	test_no_frames();
	test_threads();
	test_growth();
	return tap_done();
}
