/* SPDX-License-Identifier: MIT
 * Python's and native frames in one stack: a walk outwards over the native frames that gives each eval
 * call the Python frames it runs. */
#include "native/merge.h"

/* The eval loop without an entry of its own, as it is while a call begins or ends, is the leaf, or has
 * called one of a few small functions (Py_EnterRecursiveCall, _Py_CheckFunctionResult …). */
enum { LEAF_CALLS = 4 };

struct merger {
	const struct merge_input *in;
	struct merge_item *out;
	uint32_t count;       /* items given */
	uint32_t python;      /* Python frames given */
	uint32_t entry;       /* the next one */
	uint32_t entries;     /* how many there are */
	uint32_t shift;       /* 1: anchors are those of the entries before */
	bool gap_given;       /* behind the native frame given last */
};

static void give(struct merger *m, enum merge_kind kind, uint32_t index)
{
	m->out[m->count++] = (struct merge_item){ (uint8_t)kind, index };
}

static void give_python(struct merger *m, uint32_t end)
{
	while (m->python < end && m->python < m->in->python_count)
		give(m, MERGE_PYTHON, m->python++);
}

static void give_native(struct merger *m, enum merge_kind kind, uint32_t i)
{
	give(m, kind, i);
	m->gap_given = false;
}

/* Frames are missing before native frame `i`. */
static void give_gap(struct merger *m, uint32_t i)
{
	if (!m->gap_given)
		give(m, MERGE_GAP, i);
	m->gap_given = true;
}

/* The Python frames of the next entry. */
static void give_entry(struct merger *m)
{
	give_python(m, m->in->entries[m->entry + m->shift].end);
	m->entry++;
}

static void give_eval(struct merger *m, uint32_t i)
{
	give_entry(m);
	give_native(m, MERGE_EVAL, i);
}

/* What is left of Python, behind a mark. `i`: the native frame that was not given. */
static enum merge_result give_rest(struct merger *m, enum merge_kind mark, uint32_t i)
{
	give(m, mark, i);
	give_python(m, m->in->python_count);
	return mark == MERGE_CUT ? MERGED_PARTLY : MERGE_FAILED;
}

/* All entries are placed; Python frames without one belong to calls farther out than is known. */
static bool python_ends_here(const struct merger *m)
{
	return m->entry == m->entries && m->python < m->in->python_count;
}

/* ---- by address -------------------------------------------------------------------------- */

static uint64_t next_anchor(const struct merger *m)
{
	return m->in->entries[m->entry].anchor;
}

/* Where native frame `i` ends; its sp when that is not known. */
static uint64_t frame_end(const struct merge_input *in, uint32_t i)
{
	const struct merge_native *f = &in->native[i];

	if (f->cfa)
		return f->cfa;
	return i + 1 < in->native_count && !in->native[i + 1].gap ? in->native[i + 1].sp : f->sp;
}

static bool frame_holds(const struct merge_input *in, uint32_t i, uint64_t anchor)
{
	return anchor >= in->native[i].sp && anchor < frame_end(in, i);
}

/* Whether there is a next anchor, above the one before it. */
static bool next_ascends(const struct merger *m)
{
	return m->entry < m->entries &&
	       (m->entry == 0 || next_anchor(m) > m->in->entries[m->entry - 1].anchor);
}

static bool next_is_in(const struct merger *m, uint32_t i)
{
	return next_ascends(m) && frame_holds(m->in, i, next_anchor(m));
}

/* Whether the walk ended in `i`, an eval loop that has called something: the next anchor is its. */
static bool next_is_in_last(const struct merger *m, uint32_t i)
{
	const struct merge_native *f = &m->in->native[i];

	return i > 0 && i + 1 == m->in->native_count && !m->in->native_complete && f->eval &&
	       f->cfa == 0 && next_ascends(m) && next_anchor(m) >= f->sp;
}

/* Native frame `i` holds the next anchor. Where it holds several, it is not one frame but all that a
 * guessed step went over: the frames between are missing. */
static void place(struct merger *m, uint32_t i)
{
	const struct merge_input *in = m->in;
	bool several = m->entry + 1 < m->entries &&
		       frame_holds(in, i, in->entries[m->entry + 1].anchor) &&
		       in->entries[m->entry + 1].anchor > next_anchor(m);

	if (!several || in->native[i].eval)
		give_eval(m, i);
	else
		give_native(m, MERGE_NATIVE, i);
	if (!several)
		return;
	give_gap(m, i + 1);
	while (next_is_in(m, i))
		give_entry(m);
}

/* Entries whose calls are among the frames missing before `i`. */
static void place_in_gap(struct merger *m, uint32_t i)
{
	uint64_t from = i ? frame_end(m->in, i - 1) : 0;

	while (next_ascends(m) && next_anchor(m) >= from && next_anchor(m) < m->in->native[i].sp)
		give_entry(m);
}

/* The native walk is over. */
static enum merge_result finish(struct merger *m)
{
	const struct merge_input *in = m->in;
	uint32_t n = in->native_count;

	if (m->entry == m->entries && m->python == in->python_count)
		return MERGED;
	if (m->entry == m->entries ||
	    (!in->native_complete && (n == 0 || next_anchor(m) >= frame_end(in, n - 1))))
		return give_rest(m, MERGE_CUT, n);
	return give_rest(m, MERGE_MISMATCH, n);
}

/* An innermost entry that has lost its anchor already, 3.10: the call is ending, in the eval loop or a
 * function it calls last. */
static uint32_t leaving_frame(const struct merge_input *in)
{
	for (uint32_t i = 0; i < in->native_count && i < LEAF_CALLS; i++) {
		if (frame_end(in, i) > in->entries[1].anchor)
			break;
		if (in->native[i].eval)
			return i;
	}
	return 0;
}

/* 3.10, an anchor more than frames: the innermost call is being entered, unless the outermost anchor
 * is none of the eval loop: greenlets have one of their own (greenlet, TPythonState.cpp). */
static bool anchors_are_shifted(const struct merge_input *in)
{
	const struct merge_entry *last = &in->entries[in->entry_count - 1];
	bool inner = false, outer = true;

	if (in->entry_count < 2 || in->entries[0].end != 0 || in->entries[1].end == 0)
		return false;
	for (uint32_t i = 0; i < in->native_count; i++) {
		if (frame_holds(in, i, in->entries[0].anchor))
			inner = in->native[i].eval;
		if (frame_holds(in, i, last->anchor))
			outer = in->native[i].eval;
	}
	return inner && !outer;
}

static enum merge_result merge_by_address(struct merger *m)
{
	const struct merge_input *in = m->in;
	bool leaving = in->entry_count > 1 && in->entries[0].anchor == 0;
	uint32_t leaving_at = leaving ? leaving_frame(in) : 0;

	m->shift = anchors_are_shifted(in);
	m->entries -= m->shift;
	if (leaving && frame_holds(in, 0, in->entries[1].anchor)) {
		give_entry(m);
		leaving = false;
	}
	for (uint32_t i = 0; i < in->native_count; i++) {
		if (in->native[i].gap) {
			give_gap(m, i);
			if (!leaving)
				place_in_gap(m, i);
		}
		if (python_ends_here(m))
			return give_rest(m, MERGE_CUT, i);
		if (leaving) {
			if (i == leaving_at)
				give_eval(m, i);
			else
				give_native(m, MERGE_NATIVE, i);
			leaving = i != leaving_at;
			continue;
		}
		if (m->entry < m->entries && next_anchor(m) < in->native[i].sp)
			return give_rest(m, MERGE_MISMATCH, i);
		if (next_is_in(m, i))
			place(m, i);
		else if (next_is_in_last(m, i))
			give_eval(m, i);
		else
			give_native(m, MERGE_NATIVE, i);
	}
	return finish(m);
}

/* ---- by name, where there are no anchors ------------------------------------------------- */

struct by_name {
	uint32_t evals, before_gap; /* native eval frames; those nearer to the leaf than the gap */
	uint32_t first;             /* the innermost of them */
	uint32_t gaps;
	uint32_t unused;            /* 1: the innermost has no entry */
	uint32_t in_gap;            /* entries whose calls are in the gap */
};

static void count_evals(const struct merge_input *in, struct by_name *b)
{
	for (uint32_t i = 0; i < in->native_count; i++) {
		b->gaps += in->native[i].gap;
		if (!in->native[i].eval)
			continue;
		if (b->evals++ == 0)
			b->first = i;
		b->before_gap += b->gaps == 0;
	}
}

/* Which entry is whose; false: it cannot be told. */
static bool assign(const struct merge_input *in, struct by_name *b)
{
	uint32_t n = in->entry_count;

	count_evals(in, b);
	/* The innermost eval frame has no entry, and too many of the others are seen. */
	if (b->evals == n + 1 && b->first < LEAF_CALLS) {
		b->unused = 1;
		return true;
	}
	if (b->evals > n)
		return false;
	if (b->evals == n && in->native_complete)
		return true;
	/* Calls are missing: whether the innermost one has an entry must be plain. */
	if (b->before_gap && b->first < LEAF_CALLS)
		return false;
	if (in->native_complete && b->gaps == 1) {
		b->in_gap = n - b->evals;
		return true;
	}
	return !in->native_complete && b->gaps == 0;
}

static enum merge_result mismatch_by_name(struct merger *m, const struct by_name *b)
{
	uint32_t i = 0;

	/* What the innermost eval frame called is the leaf in any case. */
	for (; b->evals && i < b->first; i++) {
		if (m->in->native[i].gap)
			give_gap(m, i);
		give_native(m, MERGE_NATIVE, i);
	}
	return give_rest(m, MERGE_MISMATCH, i);
}

static enum merge_result merge_by_name(struct merger *m)
{
	const struct merge_input *in = m->in;
	struct by_name b = { 0 };

	if (!assign(in, &b))
		return mismatch_by_name(m, &b);
	for (uint32_t i = 0; i < in->native_count; i++) {
		if (in->native[i].gap) {
			give_gap(m, i);
			for (; b.in_gap; b.in_gap--)
				give_entry(m);
		}
		if (python_ends_here(m))
			return give_rest(m, MERGE_CUT, i);
		if (!in->native[i].eval)
			give_native(m, MERGE_NATIVE, i);
		else if (!b.unused)
			give_eval(m, i);
		else
			give_native(m, MERGE_NATIVE, i);
		b.unused = b.unused && !in->native[i].eval;
	}
	if (m->python == in->python_count)
		return MERGED;
	return give_rest(m, MERGE_CUT, in->native_count);
}

/* ------------------------------------------------------------------------------------------ */

static bool has_anchors(const struct merge_input *in)
{
	for (uint32_t i = 0; i < in->entry_count; i++)
		if (in->entries[i].anchor)
			return true;
	return false;
}

static enum merge_result merge_native_only(struct merger *m)
{
	for (uint32_t i = 0; i < m->in->native_count; i++) {
		if (m->in->native[i].gap)
			give_gap(m, i);
		give_native(m, MERGE_NATIVE, i);
	}
	return m->in->native_complete ? MERGED : give_rest(m, MERGE_CUT, m->in->native_count);
}

enum merge_result merge_stacks(const struct merge_input *in, struct merge_item *out,
			       uint32_t *ret_count)
{
	struct merger m = { .in = in, .out = out, .entries = in->entry_count };
	enum merge_result result;

	if (in->python_count == 0 && in->entry_count == 0)
		result = merge_native_only(&m);
	else if (in->native_count == 0)
		result = give_rest(&m, MERGE_CUT, 0);
	else if (in->entry_count == 0)
		result = give_rest(&m, MERGE_MISMATCH, 0);
	else if (has_anchors(in))
		result = merge_by_address(&m);
	else
		result = merge_by_name(&m);
	*ret_count = m.count;
	return result;
}
