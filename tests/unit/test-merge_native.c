/* SPDX-License-Identifier: MIT
 * Python and native frames in one stack: each rule on stacks small enough to read, and what must hold for
 * any input, however hostile. */
#include <inttypes.h>
#include <stdlib.h>

#include "native/merge.h"
#include "tap.h"
#include "util/attr.h"
#include "util/buf.h"
#include "util/xalloc.h"

/* ---- by example -------------------------------------------------------------------------- */

enum { FRAME = 0x100, BASE = 0x7000, MOST = 16 };

/* Native stacks are words, leaf first, each a frame of FRAME bytes: "c" some function, "e" the eval loop,
 * known as such, "?" the eval loop, not known; with "+" before it frames are missing (FRAME bytes of
 * them), with "~" behind its cfa is not known. The whole ends in "." when it is complete.
 * Entries are "ANCHOR:END", the anchor the number of the native frame it lies in, "N+" for the gap behind that
 * frame, "-" for none, "<" below and ">" above all.
 * Results: pN, cN and eN (MERGE_EVAL) frames, gap, cut, mismatch. */
static const struct {
	const char *name, *native, *entries;
	uint32_t python;
	const char *want;
	enum merge_result result;
} cases[] = {
	/* by address */
	{ "one call", "c e c .", "1:1", 1, "c0 p0 e1 c2", MERGED },
	{ "several Python frames in one call", "e c .", "0:3", 3, "p0 p1 p2 e0 c1", MERGED },
	{ "Python and C by turns", "c e c c e c e c .", "1:2 4:3 6:5", 5,
	  "c0 p0 p1 e1 c2 c3 p2 e4 c5 p3 p4 e6 c7", MERGED },
	{ "calls next to each other", "e e e .", "0:1 1:2 2:3", 3, "p0 e0 p1 e1 p2 e2", MERGED },
	{ "no name is known", "c ? c ? c .", "1:1 3:2", 2, "c0 p0 e1 c2 p1 e3 c4", MERGED },
	{ "names that lie", "e c c .", "1:1", 1, "c0 p0 e1 c2", MERGED },
	{ "a call that begins or ends", "e c e c .", "2:1", 1, "c0 c1 p0 e2 c3", MERGED },
	{ "calls of another interpreter farther out", "c e c e c .", "1:1", 1, "c0 p0 e1 c2 c3 c4",
	  MERGED },
	{ "the native walk ends early", "c e c", "1:1 >:2", 2, "c0 p0 e1 c2 cut p1", MERGED_PARTLY },
	{ "it ends before the first call", "c c", ">:1 >:2", 2, "c0 c1 cut p0 p1", MERGED_PARTLY },
	{ "it ends behind the last", "c e c", "1:1", 1, "c0 p0 e1 c2", MERGED },
	{ "it ends in the last frame, of unknown size", "c e c~", "1:1 >:2", 2,
	  "c0 p0 e1 c2 cut p1", MERGED_PARTLY },
	{ "it ends in an eval loop", "c e c e~", "1:1 >:2 >:3", 3, "c0 p0 e1 c2 p1 e3 cut p2",
	  MERGED_PARTLY },
	{ "it ends in the eval loop at the leaf: its own or the next call's?", "e~", ">:1", 1,
	  "c0 cut p0", MERGED_PARTLY },
	{ "no native frame", "", "1:1", 1, "cut p0", MERGED_PARTLY },
	{ "an anchor beyond a whole stack", "c e c .", "1:1 >:2", 2, "c0 p0 e1 c2 mismatch p1",
	  MERGE_FAILED },
	{ "an anchor below the stack", "c e c .", "<:1 1:2", 2, "mismatch p0 p1", MERGE_FAILED },
	{ "anchors that descend", "c e c e .", "3:1 1:2", 2, "c0 c1 c2 p0 e3 mismatch p1", MERGE_FAILED },
	{ "an anchor twice", "c e c .", "1:1 1:2", 2, "c0 p0 e1 mismatch p1", MERGE_FAILED },
	{ "no entry at all", "c c .", "", 2, "mismatch p0 p1", MERGE_FAILED },
	{ "no Python at all", "c c +e .", "", 0, "c0 c1 gap c2", MERGED },
	{ "no Python, and the walk ends early", "c c", "", 0, "c0 c1 cut", MERGED_PARTLY },
	{ "an entry whose frames are hidden", "c e c e .", "1:0 3:2", 2, "c0 e1 c2 p0 p1 e3", MERGED },
	{ "hidden ones farther out", "c e c e .", "1:1 3:1", 1, "c0 p0 e1 c2 e3", MERGED },
	{ "Python goes on beyond what was read", "c e c e c .", "1:1", 3, "c0 p0 e1 cut p1 p2",
	  MERGED_PARTLY },
	{ "ends out of order", "c e e .", "1:9 2:1", 2, "c0 p0 p1 e1 e2", MERGED },
	/* gaps */
	{ "taken up again at a call", "c +e c .", "1:1", 1, "c0 gap p0 e1 c2", MERGED },
	{ "a call in the gap", "c +c c .", "0+:1", 1, "c0 gap p0 c1 c2", MERGED },
	{ "a call in the gap, one behind it", "c~ +e c .", "0+:1 1:2", 2, "c0 gap p0 p1 e1 c2", MERGED },
	{ "a gap below the leaf", "+e c .", "0:1", 1, "gap p0 e0 c1", MERGED },
	{ "a gap and the end", "e +c", "0:1 >:2", 2, "p0 e0 gap c1 cut p1", MERGED_PARTLY },
	{ "a gap does not excuse what lies before it", "c e c +c .", "1:1 <:2", 2,
	  "c0 p0 e1 mismatch p1", MERGE_FAILED },
	/* 3.10: CFrames and frames of a call that begins or ends */
	{ "being entered", "e c e .", "0:0 2:1", 1, "e0 c1 p0 e2", MERGED },
	{ "being left", "e c e .", "-:1 2:2", 2, "p0 e0 c1 p1 e2", MERGED },
	{ "being left, in what it calls last", "c e c e .", "-:1 3:2", 2, "c0 p0 e1 c2 p1 e3", MERGED },
	{ "being left, not known", "? c ? .", "-:1 2:2", 2, "p0 e0 c1 p1 e2", MERGED },
	{ "left already", "e c .", "-:1 0:2", 2, "p0 p1 e0 c1", MERGED },
	{ "a greenlet's own CFrame", "c e c e c c .", "1:0 3:1 5:2", 2, "c0 p0 e1 c2 p1 e3 c4 c5", MERGED },
	{ "entered, the outermost is one", "e c e c e .", "0:0 2:1 4:2", 2, "e0 c1 p0 e2 c3 p1 e4", MERGED },
	{ "an anchor lost on the way", "e c e .", "0:1 -:2", 2, "p0 e0 mismatch p1", MERGE_FAILED },
	/* by name */
	{ "no anchors: as many", "c e c e c .", "-:1 -:2", 2, "c0 p0 e1 c2 p1 e3 c4", MERGED },
	{ "no anchors: one more at the leaf", "e c e c .", "-:1", 1, "c0 c1 p0 e2 c3", MERGED },
	{ "no anchors: one more, deep in calls", "c c c c c e c e .", "-:1", 1,
	  "c0 c1 c2 c3 c4 mismatch p0", MERGE_FAILED },
	{ "no anchors: two more", "c e e e .", "-:1", 1, "c0 mismatch p0", MERGE_FAILED },
	{ "no anchors: one less", "c e c .", "-:1 -:2", 2, "c0 mismatch p0 p1", MERGE_FAILED },
	{ "no anchors: names unknown", "c ? c .", "-:1", 1, "mismatch p0", MERGE_FAILED },
	{ "no anchors: ends early, deep in calls", "c c c c e c", "-:1 -:2", 2,
	  "c0 c1 c2 c3 p0 e4 c5 cut p1", MERGED_PARTLY },
	{ "no anchors: ends early, is the innermost one's entry there?", "c e c", "-:1 -:2", 2,
	  "c0 mismatch p0 p1", MERGE_FAILED },
	{ "no anchors: ends before the first", "c c", "-:1 -:2", 2, "c0 c1 cut p0 p1", MERGED_PARTLY },
	{ "no anchors: all but the start", "c c c c e c", "-:1", 1, "c0 c1 c2 c3 p0 e4 c5", MERGED },
	{ "no anchors: calls in a gap", "c c c c e +c e .", "-:1 -:2 -:3 -:4", 4,
	  "c0 c1 c2 c3 p0 e4 gap p1 p2 c5 p3 e6", MERGED },
	{ "no anchors: all in a gap", "c +c .", "-:1 -:2", 2, "c0 gap p0 p1 c1", MERGED },
	{ "no anchors: in which gap?", "c +c +c .", "-:1 -:2", 2, "mismatch p0 p1", MERGE_FAILED },
	{ "no anchors: a gap and an early end", "c +c", "-:1", 1, "mismatch p0", MERGE_FAILED },
	{ "no anchors: Python goes on", "e c c .", "-:1", 2, "p0 e0 cut p1", MERGED_PARTLY },
};

struct stacks {
	struct merge_native native[MOST];
	struct merge_entry entries[MOST];
	uint64_t end;          /* of the native frames */
	struct merge_input in;
};

static void native_parse(struct stacks *s, const char *text)
{
	s->end = BASE;
	for (; *text; text++) {
		struct merge_native *f = &s->native[s->in.native_count];

		if (*text == '+') {
			f->gap = true;
			s->end += FRAME;
		} else if (*text == '.') {
			s->in.native_complete = true;
		} else if (*text == '~') {
			f[-1].cfa = 0;
		} else if (*text != ' ') {
			f->sp = s->end;
			f->cfa = s->end += FRAME;
			f->eval = *text == 'e';
			s->in.native_count++;
		}
	}
}

static void entries_parse(struct stacks *s, const char *text)
{
	uint32_t above = 0;

	while (*text) {
		struct merge_entry *e = &s->entries[s->in.entry_count++];
		char *after = (char *)text + 1;

		if (*text == '<')
			e->anchor = 8;
		else if (*text == '>')
			e->anchor = s->end + 64 * ++above;
		else if (*text != '-')
			e->anchor = s->native[strtoul(text, &after, 10)].sp + FRAME / 2;
		if (*after == '+')
			e->anchor += FRAME, after++;
		e->end = (uint32_t)strtoul(after + 1, (char **)&text, 10);
		text += *text == ' ';
	}
}

static void result_text(const struct merge_item *items, uint32_t count, struct buf *out)
{
	static const char *const names[] = {
		[MERGE_PYTHON] = "p", [MERGE_NATIVE] = "c", [MERGE_EVAL] = "e",
		[MERGE_GAP] = "gap", [MERGE_CUT] = "cut", [MERGE_MISMATCH] = "mismatch",
	};
	for (uint32_t i = 0; i < count; i++) {
		buf_addf(out, "%s%s", i ? " " : "", names[items[i].kind]);
		if (items[i].kind <= MERGE_EVAL)
			buf_addf(out, "%u", items[i].index);
	}
}

static void test_case(size_t n)
{
	struct stacks s = { .in = { .python_count = cases[n].python } };
	struct merge_item *items;
	struct buf text = BUF_INIT;
	enum merge_result result;
	uint32_t count;

	s.in.native = s.native;
	s.in.entries = s.entries;
	native_parse(&s, cases[n].native);
	entries_parse(&s, cases[n].entries);
	items = xmalloc(merge_room(s.in.native_count, s.in.python_count) * sizeof(items[0]));
	result = merge_stacks(&s.in, items, &count);
	result_text(items, count, &text);
	is_str(text.data, cases[n].want, cases[n].name);
	if (result != cases[n].result)
		ok(false, "%s: the result is %d", cases[n].name, (int)result);
	buf_release(&text);
	free(items);
}

/* Where a guessed step went over several frames. */
static void test_swallowed(void)
{
	struct merge_native native[] = { { 0x1000, 0x1100, .eval = false }, { 0x1100, 0x2000, .eval = false },
					 { 0x2000, 0x2100, .gap = true }, { 0x2100, 0x2200, .eval = true } };
	struct merge_entry entries[] = { { 0x1200, 1 }, { 0x1800, 2 }, { 0x2180, 3 } };
	struct merge_input in = { native, 4, true, entries, 3, 3 };
	struct merge_item items[16];
	struct buf text = BUF_INIT;
	uint32_t count;

	is_int(merge_stacks(&in, items, &count), MERGED, "calls that a guessed step went over");
	result_text(items, count, &text);
	is_str(text.data, "c0 c1 gap p0 p1 c2 p2 e3", "their frames are missing, and that is shown once");
	native[1].eval = true;
	merge_stacks(&in, items, &count);
	buf_clear(&text);
	result_text(items, count, &text);
	is_str(text.data, "c0 p0 e1 gap p1 c2 p2 e3", "the same from an eval loop on");
	buf_release(&text);
}

/* ---- any input --------------------------------------------------------------------------- */

enum { ROUNDS = 40000, NATIVE_MOST = 24, PYTHON_MOST = 24 };

static uint64_t seed;

static uint64_t random_next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)(random_next() % n);
}

static uint64_t odd_address(void)
{
	static const uint64_t odd[] = { 0, 1, 8, UINT64_MAX, INT64_MAX, UINT64_MAX - 7, 1ull << 47 };

	return below(2) ? odd[below(ARRAY_SIZE(odd))] : below(4096);
}

/* What must hold of a result; NULL when it does. */
static const char *fault_of(const struct merge_input *in, const struct merge_item *items, uint32_t count,
			    enum merge_result result)
{
	uint32_t python = 0, native = 0, cuts = 0, mismatches = 0;

	if (count > merge_room(in->native_count, in->python_count))
		return "more than there is room for";
	for (uint32_t i = 0; i < count; i++) {
		switch (items[i].kind) {
		case MERGE_PYTHON:
			if (items[i].index != python++)
				return "Python out of order";
			break;
		case MERGE_NATIVE:
		case MERGE_EVAL:
			if (items[i].index != native++ || cuts || mismatches)
				return "native out of order";
			break;
		case MERGE_GAP:
			if (items[i].index != native || (i && items[i - 1].kind == MERGE_GAP))
				return "a gap elsewhere";
			break;
		case MERGE_CUT:
			cuts++;
			break;
		case MERGE_MISMATCH:
			mismatches++;
			break;
		default:
			return "no such kind";
		}
	}
	if (python != in->python_count)
		return "Python is not complete";
	if (!cuts && !mismatches && native != in->native_count)
		return "native is not complete";
	if (cuts != (result == MERGED_PARTLY) || mismatches != (result == MERGE_FAILED))
		return "another result than the marks say";
	return NULL;
}

/* Merges with as much memory as is said to be enough. */
static const char *try_merge(const struct merge_input *in, enum merge_result *ret)
{
	struct merge_item *items =
		xmalloc(merge_room(in->native_count, in->python_count) * sizeof(items[0]));
	const char *fault;
	uint32_t count;

	*ret = merge_stacks(in, items, &count);
	fault = fault_of(in, items, count, *ret);
	free(items);
	return fault;
}

static void random_stacks(struct stacks *s, struct merge_native *native, struct merge_entry *entries)
{
	uint32_t hostile = below(3), end = 0;
	uint64_t at = 4096;

	s->in = (struct merge_input){ native, below(NATIVE_MOST), below(2), entries,
				      below(NATIVE_MOST), below(PYTHON_MOST) };
	for (uint32_t i = 0; i < s->in.native_count; i++) {
		at += below(8) == 0 ? below(512) : 0;
		native[i] = (struct merge_native){ at, at + below(512), below(3) == 0, below(9) == 0 };
		at = native[i].cfa;
		if (hostile && below(4) == 0)
			native[i].sp = odd_address();
		if (hostile && below(4) == 0)
			native[i].cfa = odd_address();
	}
	at = 4096;
	for (uint32_t i = 0; i < s->in.entry_count; i++) {
		at += below(700);
		end += below(4);
		entries[i] = (struct merge_entry){ at, end };
		if (hostile && below(4) == 0)
			entries[i] = (struct merge_entry){ odd_address(), (uint32_t)odd_address() };
		if (hostile == 2)
			entries[i].anchor = 0;
	}
}

static void test_any_input(void)
{
	struct merge_native native[NATIVE_MOST];
	struct merge_entry entries[NATIVE_MOST];
	uint32_t seen[MERGE_FAILED + 1] = { 0 };
	const char *fault = NULL;
	enum merge_result result;
	struct stacks s;
	int i;

	seed = 88172645463325252ull;
	for (i = 0; !fault && i < ROUNDS; i++) {
		random_stacks(&s, native, entries);
		fault = try_merge(&s.in, &result);
		seen[result]++;
	}
	if (!ok(!fault, "each Python frame once and in order, in %d stacks of any kind", i))
		printf("# %s\n", fault);
	ok(seen[MERGED] > ROUNDS / 20 && seen[MERGED_PARTLY] > ROUNDS / 20 &&
	   seen[MERGE_FAILED] > ROUNDS / 20, "with all results: %u %u %u", seen[MERGED],
	   seen[MERGED_PARTLY], seen[MERGE_FAILED]);
}

/* A stack as it is in life: calls by turns, each anchor in its frame. Returns its entries. */
static void true_stack(struct stacks *s, struct merge_native *native, struct merge_entry *entries)
{
	uint64_t at = 0x7ff000000000;
	uint32_t end = 0;

	s->in = (struct merge_input){ native, 1 + below(NATIVE_MOST - 1), true, entries, 0, 0 };
	for (uint32_t i = 0; i < s->in.native_count; i++) {
		uint64_t size = 16 + 8 * below(64);

		native[i] = (struct merge_native){ at, at + size, below(3) == 0, false };
		if (native[i].eval)
			entries[s->in.entry_count++] = (struct merge_entry){
				at + 8 * below((uint32_t)size / 8), end += 1 + below(3) };
		at += size;
	}
	s->in.python_count = end;
}

/* Each entry's frames stand just before its own native frame, by address and by name. */
static const char *true_fault(const struct merge_input *in, const struct merge_native *truth)
{
	struct merge_item *items =
		xmalloc(merge_room(in->native_count, in->python_count) * sizeof(items[0]));
	uint32_t count, entry = 0, python = 0;
	const char *fault = merge_stacks(in, items, &count) == MERGED ? NULL : "not merged";

	for (uint32_t i = 0; !fault && i < count; i++) {
		python += items[i].kind == MERGE_PYTHON;
		if (items[i].kind == MERGE_PYTHON)
			continue;
		if ((items[i].kind == MERGE_EVAL) != truth[items[i].index].eval)
			fault = "another frame";
		else if (items[i].kind == MERGE_EVAL && python != in->entries[entry++].end)
			fault = "other Python frames";
		else if (items[i].kind == MERGE_NATIVE && entry && python != in->entries[entry - 1].end)
			fault = "Python frames too early";
	}
	free(items);
	return fault;
}

static void test_true_stacks(void)
{
	struct merge_native native[NATIVE_MOST], truth[NATIVE_MOST];
	struct merge_entry entries[NATIVE_MOST];
	const char *by_address = NULL, *by_name = NULL;
	struct stacks s;

	seed = 7091962;
	for (int i = 0; !by_address && !by_name && i < ROUNDS; i++) {
		true_stack(&s, native, entries);
		memcpy(truth, native, sizeof(truth));
		for (uint32_t n = 0; n < s.in.native_count; n++)
			native[n].eval = native[n].eval && below(2);
		by_address = true_fault(&s.in, truth);
		memcpy(native, truth, sizeof(truth));
		for (uint32_t n = 0; n < s.in.entry_count; n++)
			entries[n].anchor = 0;
		by_name = true_fault(&s.in, truth);
	}
	if (!ok(!by_address, "%d true stacks, whatever names are known", ROUNDS))
		printf("# %s\n", by_address);
	if (!ok(!by_name, "the same by name alone"))
		printf("# %s\n", by_name);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		test_case(i);
	test_swallowed();
	test_any_input();
	test_true_stacks();
	return tap_done();
}
