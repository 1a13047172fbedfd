/* SPDX-License-Identifier: MIT
 * Walk, names, merge. */
#include "blend.h"

#include <stdlib.h>
#include <string.h>

#include "native/evalscan.h"
#include "util/clock.h"
#include "util/xalloc.h"

static const char *const mark_texts[BLEND_MARKS] = {
	[MARK_NO_INFO] = "[no unwind info]",
	[MARK_CUT] = "[native stack cut]",
	[MARK_MISMATCH] = "[native frames do not match]",
	[MARK_NO_REGISTERS] = "[no native frames: registers unknown]",
	[MARK_LOST] = "[no native frames: too many at once]",
	[MARK_UNKNOWN] = "[no frames: too many at once]",
};

void scratch_init(struct scratch *s)
{
	*s = (struct scratch){
		.walked = xmalloc(NATIVE_FRAMES_MAX * sizeof(s->walked[0])),
		.native = xmalloc(NATIVE_FRAMES_MAX * sizeof(s->native[0])),
		.names = xmalloc(NATIVE_FRAMES_MAX * sizeof(s->names[0])),
		.entries = xmalloc(FRAMES_MAX * sizeof(s->entries[0])),
		.anchors = xmalloc(FRAMES_MAX * sizeof(s->anchors[0])),
		.items = xmalloc(merge_room(NATIVE_FRAMES_MAX, FRAMES_MAX) * sizeof(s->items[0])),
		.frames = xmalloc(BLEND_FRAMES_MAX * sizeof(s->frames[0])),
	};
}

void scratch_release(struct scratch *s)
{
	free(s->walked);
	free(s->native);
	free(s->names);
	free(s->entries);
	free(s->anchors);
	free(s->items);
	free(s->frames);
	*s = (struct scratch){ 0 };
}

void blend_init(struct blend *b, const struct blend_init *init)
{
	uint32_t no_file = symtab_file(init->symtab, "", 0);

	*b = (struct blend){ .config = init->config, .symtab = init->symtab, .stats = init->stats,
			     .kallsyms = init->kallsyms, .scratch = init->scratch };
	space_init(&b->space, init->modules, init->target->pid, init->remote);
	names_init(&b->names, &b->space, init->target, init->symtab,
		   init->config->level == NATIVE_ALL);
	/* That the library is there was seen at the start (engine_libunwind_check()). */
	if (b->config->engine == ENGINE_LIBUNWIND &&
	    engine_libunwind_open(&b->engine, &b->space.map, NULL) < 0)
		b->engine = NULL;
	for (size_t i = 0; i < BLEND_MARKS; i++)
		b->marks[i] = symtab_func(init->symtab, SYM_MARK, mark_texts[i],
					  strlen(mark_texts[i]), no_file, 0);
}

void blend_release(struct blend *b)
{
	engine_libunwind_close(b->engine);
	names_release(&b->names);
	space_release(&b->space);
}

static void count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* --- the result --------------------------------------------------------------------------------- */

static void put(struct scratch *s, struct sym_frame frame)
{
	if (s->count < BLEND_FRAMES_MAX)
		s->frames[s->count++] = frame;
}

static void put_mark(struct blend *b, enum blend_mark mark)
{
	put(b->scratch, (struct sym_frame){ .func = b->marks[mark] });
}

static bool is_shown(const struct blend *b, const struct name *name)
{
	return b->config->level == NATIVE_ALL || name->machinery == MACHINERY_NONE;
}

/* The frames at one address from `first` on; the last one is the function itself. */
static void put_from(struct blend *b, uint32_t index, uint32_t first)
{
	const struct name *name = &b->scratch->names[index];
	const struct sym_frame *frames = name_frames(&b->names, name);

	for (uint32_t i = first; i < name->count; i++)
		put(b->scratch, frames[i]);
}

static void put_native(struct blend *b, uint32_t index)
{
	put_from(b, index, 0);
}

/* What was inlined into the eval loop stands within the Python frames that the loop runs: in front of
 * those at items[first], for which this says which call it is. */
static void put_inlined(struct blend *b, const struct merge_item *items, uint32_t first, uint32_t n)
{
	const struct name *name;
	const struct sym_frame *frames;

	while (first < n && items[first].kind == MERGE_PYTHON)
		first++;
	if (first == n || items[first].kind != MERGE_EVAL)
		return;
	name = &b->scratch->names[items[first].index];
	frames = name_frames(&b->names, name);
	for (uint32_t i = 0; i + 1 < name->count; i++)
		put(b->scratch, frames[i]);
}

static void put_kernel_frame(struct blend *b, const char *name, const char *module)
{
	uint32_t file = symtab_file(b->symtab, module, strlen(module));

	put(b->scratch, (struct sym_frame){
		.func = symtab_func(b->symtab, SYM_KERNEL, name, strlen(name), file, 0) });
}

/* The kernel's stack, without how it took the thread off its CPU and how it was entered: a thread
 * that was put aside in user space has none. */
static void put_kernel(struct blend *b, const struct look_native *n)
{
	bool why = false, unknown = false;

	for (uint32_t i = 0; i < n->kernel_count; i++) {
		uint64_t addr = n->kernel[i] - (i > 0); /* return addresses */
		const char *name = kallsyms_find(b->kallsyms, addr);

		if (name && ((!why && kernel_is_switching(name)) || kernel_is_entry(name)))
			continue;
		why = true;
		if (name)
			put_kernel_frame(b, name, kallsyms_module(b->kallsyms, addr));
		else if (!unknown)
			put_kernel_frame(b, KALLSYMS_KERNEL, KALLSYMS_KERNEL);
		unknown = unknown || !name;
	}
}

static void put_item(struct blend *b, const struct look *look, const struct merge_item *item)
{
	switch ((enum merge_kind)item->kind) {
	case MERGE_PYTHON:
		put(b->scratch, look->frames[item->index]);
		break;
	case MERGE_NATIVE:
		if (is_shown(b, &b->scratch->names[item->index]))
			put_native(b, item->index);
		break;
	case MERGE_EVAL: /* what was inlined into it: see put_inlined() */
		if (b->config->level == NATIVE_ALL)
			put_from(b, item->index, b->scratch->names[item->index].count - 1u);
		break;
	case MERGE_GAP:
		put_mark(b, MARK_NO_INFO);
		break;
	case MERGE_CUT:
		put_mark(b, MARK_CUT);
		break;
	case MERGE_MISMATCH:
		put_mark(b, MARK_MISMATCH);
		break;
	}
}

static void put_python(struct blend *b, const struct look *look)
{
	for (uint32_t i = 0; i < look->count; i++)
		put(b->scratch, look->frames[i]);
}

/* --- the steps ---------------------------------------------------------------------------------- */

/* Anchors for the walk, entries for the merge. */
static void take_entries(struct scratch *s, const struct look_native *n)
{
	for (uint32_t i = 0; i < n->entry_count; i++) {
		s->entries[i] = (struct merge_entry){ n->entries[i].anchor, n->entries[i].end };
		s->anchors[i] = n->entries[i].anchor;
	}
}

static struct native_walk walk(struct blend *b, const struct look_native *n)
{
	const struct native_ops ops = {
		.rule = space_rule, .code = space_code, .arg = &b->space,
		.start = space_start, .engine = b->engine ? engine_libunwind_walk : NULL, .engine_arg = b->engine,
	};
	const struct unwind_stack stack = { n->stack_lo, n->stack_lo + n->stack_len, n->stack };
	struct native_walk w = { .frames = b->scratch->walked };

	native_stack_walk(&ops, &n->registers, &stack, b->scratch->anchors, n->entry_count,
			  &b->learned, &w);
	return w;
}

/* Up to 3.9 there are no anchors: where the walk has found no way on, it is taken up at the eval loop's
 * next call, if Python's frames are then as many as its calls. */
static void walk_on(struct blend *b, const struct look_native *n, struct native_walk *w)
{
	const struct unwind_ops ops = { space_rule, space_code, &b->space, &b->learned.code,
					space_start };
	const struct unwind_stack stack = { n->stack_lo, n->stack_lo + n->stack_len, n->stack };
	struct evalscan scan = {
		.unwind = &ops, .stack = &stack, .lo = b->names.eval_lo, .hi = b->names.eval_hi,
		.missing = n->entry_count,
	};
	size_t more;

	if (b->names.target->version >= PYVER(3, 10) || w->count == 0 || !scan.hi ||
	    w->end == UNWIND_COMPLETE || w->end == UNWIND_TRUNCATED)
		return;
	for (uint32_t i = 0; i < w->count; i++)
		scan.missing -= w->frames[i].pc > scan.lo && w->frames[i].pc <= scan.hi;
	more = evalscan(&scan, w->frames[w->count - 1].sp, w->frames + w->count,
			NATIVE_FRAMES_MAX - w->count);
	if (!more)
		return;
	w->frames[w->count].how = UNWIND_RESYNC;
	w->count += (uint32_t)more;
	w->resyncs++;
	w->end = UNWIND_COMPLETE;
}

/* Names for what was walked; which of it is the eval loop. */
static void name_frames_of(struct blend *b, const struct native_walk *w)
{
	struct scratch *s = b->scratch;

	names_begin(&b->names, w->count);
	for (uint32_t i = 0; i < w->count; i++) {
		const struct unwind_frame *f = &w->frames[i];

		s->names[i] = *names_find(&b->names, unwind_lookup_addr(f));
		s->native[i] = (struct merge_native){
			.sp = f->sp,
			.cfa = f->cfa,
			.eval = s->names[i].machinery == MACHINERY_EVAL,
			.gap = f->how == UNWIND_RESYNC,
		};
	}
}

static void take_native(struct blend *b, const struct native_walk *w, uint32_t entry_count)
{
	struct scratch *s = b->scratch;

	name_frames_of(b, w);
	if (names_learn(&b->names, s->anchors, entry_count))
		name_frames_of(b, w);
	/* _start is the program's own, not a library's. */
	if (w->count && w->end == UNWIND_COMPLETE && s->names[w->count - 1].start)
		s->names[w->count - 1].machinery = MACHINERY_START;
}

static void count_walk(struct mixer_stats *st, const struct native_walk *w, uint64_t took_ns)
{
	count(&st->walks, 1);
	count(&st->truncated, w->end == UNWIND_TRUNCATED);
	count(&st->resynced, w->resyncs != 0);
	count(&st->guessed, w->guessed != 0);
	count(&st->walk_ns, took_ns);
	count(&st->walk_frames, w->count);
}

/* Outside the outermost eval call what is the interpreter's or the C library's own, and has no name, is
 * how the program or the thread began. */
static void hide_start(struct scratch *s, uint32_t native_count, uint32_t item_count)
{
	uint32_t outermost = UINT32_MAX;

	for (uint32_t i = 0; i < item_count; i++)
		if (s->items[i].kind == MERGE_EVAL)
			outermost = s->items[i].index;
	for (uint32_t i = outermost; i < native_count; i++)
		if (s->names[i].unnamed)
			s->names[i].machinery = MACHINERY_RUN;
}

static void merge(struct blend *b, const struct look *look, const struct native_walk *w)
{
	struct scratch *s = b->scratch;
	const struct merge_input in = {
		.native = s->native,
		.native_count = w->count,
		.native_complete = w->end == UNWIND_COMPLETE,
		.entries = s->entries,
		.entry_count = look->native->entry_count,
		.python_count = look->count,
	};
	uint32_t n;
	enum merge_result result = merge_stacks(&in, s->items, &n);

	count(&b->stats->complete, (w->end == UNWIND_COMPLETE || result == MERGED) && w->resyncs == 0);
	count(&b->stats->merged, result == MERGED);
	count(&b->stats->partly, result == MERGED_PARTLY);
	count(&b->stats->mismatched, result == MERGE_FAILED);
	hide_start(s, w->count, n);
	for (uint32_t i = 0; i < n; i++) {
		bool begins = s->items[i].kind == MERGE_PYTHON &&
			      (i == 0 || s->items[i - 1].kind != MERGE_PYTHON);

		if (begins && b->config->level == NATIVE_ALL)
			put_inlined(b, s->items, i, n);
		put_item(b, look, &s->items[i]);
	}
	/* A thread in nothing but machinery: better that than nothing. */
	if (s->count == 0)
		for (uint32_t i = 0; i < w->count; i++)
			put_native(b, i);
}

void blend_look(struct blend *b, const struct look *look, bool lost_native, uint64_t now_ns)
{
	const struct look_native *n = look->native;
	struct native_walk w;

	b->scratch->count = 0;
	count(&b->stats->looks, 1);
	if (!n || !n->registers.known) {
		count(lost_native ? &b->stats->ring_full : &b->stats->no_registers, 1);
		put_mark(b, lost_native ? MARK_LOST : MARK_NO_REGISTERS);
		put_python(b, look);
		return;
	}
	space_begin(&b->space, now_ns);
	take_entries(b->scratch, n);
	put_kernel(b, n);
	w = walk(b, n);
	walk_on(b, n, &w);
	count_walk(b->stats, &w, clock_mono_ns() - now_ns);
	take_native(b, &w, n->entry_count);
	merge(b, look, &w);
}

void blend_unknown(struct blend *b)
{
	b->scratch->count = 0;
	count(&b->stats->looks, 1);
	count(&b->stats->ring_full, 1);
	put_mark(b, MARK_UNKNOWN);
}
