/* SPDX-License-Identifier: MIT
 * Walks over stacks made by hand: calls of an "eval loop" whose frames hold an anchor, with code
 * between them that has no CFI. */
#include "native/stack.h"

#include <stdlib.h>

#include "tap.h"
#include "util/attr.h"

#if defined(__x86_64__)

/* The code of the target. Each function is 4 KiB long and known by the kind of its rule. */
enum {
	EVAL = 0x100000,       /* CFA = SP + EVAL_SIZE + 8; the anchor at SP + EVAL_ANCHOR */
	EVAL_FP = 0x200000,    /* CFA = FP + 16 */
	PLAIN = 0x300000,      /* CFA = SP + 32 */
	DARK = 0x400000,       /* no CFI; every word of it follows a call */
	START = 0x500000,      /* the outermost */
	NEEDS_FP = 0x600000,   /* CFA = FP + 16; FP is saved nowhere */
	CODE_SIZE = 0x1000,
	EVAL_SIZE = 200, EVAL_ANCHOR = 72,
	STACK = 0x7000000, WORDS = 4096,
};

static struct rule rules[6];

static struct rule sp_rule(int size)
{
	return (struct rule){ .kind = RULE_FRAME, .saved_count = 1,
			      .cfa = { .form = RULE_SUM, .base = RULE_SP, .offset = size },
			      .saved = { { RULE_RA, RULE_DEREF, RULE_CFA, -8, 0 } } };
}

static struct rule fp_rule(bool saves)
{
	struct rule rule = sp_rule(16);

	rule.cfa.base = RULE_FP;
	if (saves) {
		rule.saved_count = 2;
		rule.saved[1] = (struct rule_value){ RULE_FP, RULE_DEREF, RULE_CFA, -16, 0 };
	}
	return rule;
}

static void make_rules(void)
{
	rules[0] = sp_rule(EVAL_SIZE + 8);
	rules[0].saved_count = 2;
	rules[0].saved[1] = (struct rule_value){ RULE_FP, RULE_DEREF, RULE_CFA, -16, 0 };
	rules[1] = fp_rule(true);
	rules[2] = sp_rule(32);
	rules[3] = rule_none;
	rules[4] = (struct rule){ .kind = RULE_END };
	rules[5] = fp_rule(false);
}

static const struct rule *find_rule(void *arg, uint64_t addr)
{
	uint64_t n = addr / EVAL;

	(void)arg;
	return n >= 1 && n <= 6 && addr % EVAL < CODE_SIZE ? &rules[n - 1] : NULL;
}

/* Calls through registers up to half of each function, then none; no RET anywhere. */
static bool read_code(void *arg, uint64_t addr, void *buf, size_t len)
{
	uint8_t *bytes = buf;

	if (!find_rule(arg, addr) || !find_rule(arg, addr + len - 1))
		return false;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (addr + i) % EVAL >= CODE_SIZE / 2 ? 0xcc : (addr + i) % 2 ? 0xd0 : 0xff;
	return true;
}

/* --- a stack, built from its outermost frame on ---------------------------------------------- */

static uint64_t words[WORDS];
static uint64_t sp, pc, anchors[64];
static uint32_t anchor_count;
static struct unwind_frame frames[NATIVE_FRAMES_MAX];
static struct native_learned learned;
static struct native_walk result;
static uint64_t want[64];
static uint32_t want_count;

static uint64_t *at(uint64_t addr)
{
	return &words[(addr - STACK) / 8];
}

static void begin(void)
{
	memset(words, 0x41, sizeof(words));
	sp = STACK + sizeof(words) - 64;
	pc = START + 0x10;
	anchor_count = want_count = 0;
	want[want_count++] = pc;
}

/* The function that runs calls another one, which will be found at `next` with a frame of size. */
static void call(uint64_t next, uint64_t size)
{
	sp -= 8;
	*at(sp) = pc;
	sp -= size;
	pc = next;
	want[want_count++] = pc;
}

static void call_eval(unsigned int site)
{
	call(EVAL + 0x20 + 8 * site, EVAL_SIZE);
	anchors[anchor_count++] = sp + EVAL_ANCHOR;
	*at(sp + EVAL_SIZE - 8) = 0xbad; /* its caller's FP */
}

static void walk_with(const struct native_ops *ops, uint32_t known)
{
	struct registers regs = { .known = known };
	struct unwind_stack stack = { STACK, STACK + sizeof(words), (const uint8_t *)words };
	uint64_t inner_first[64];

	for (uint32_t i = 0; i < anchor_count; i++)
		inner_first[i] = anchors[anchor_count - 1 - i];
	for (unsigned int r = 0; r < REGISTERS; r++)
		regs.value[r] = 0x77;
	regs.value[REGISTER_SP] = sp;
	regs.value[REGISTER_PC] = pc;
	result.frames = frames;
	native_stack_walk(ops, &regs, &stack, inner_first, anchor_count, &learned, &result);
}

static const struct native_ops ops = { .rule = find_rule, .code = read_code };

static void walk(void)
{
	walk_with(&ops, (1u << REGISTERS) - 1);
}

static void show(void)
{
	printf("# end %d count %u resyncs %u repairs %u learned %u\n", (int)result.end, result.count,
	       result.resyncs, result.repairs, learned.count);
	for (uint32_t i = 0; i < result.count; i++)
		printf("# %#llx sp %#llx cfa %#llx how %d\n", (unsigned long long)frames[i].pc,
		       (unsigned long long)frames[i].sp, (unsigned long long)frames[i].cfa,
		       frames[i].how);
}

/* All frames that were built, but the `missing` ones below each resync. */
static bool all_there(uint32_t missing)
{
	if (result.end != UNWIND_COMPLETE || result.count + missing != want_count)
		return false;
	for (uint32_t i = 0, k = 0; i < result.count; i++, k++) {
		k += frames[i].how == UNWIND_RESYNC && result.resyncs == 1 ? missing : 0;
		if (result.resyncs < 2 && frames[i].pc != want[want_count - 1 - k])
			return false;
	}
	return true;
}

static void check(bool good, const char *what)
{
	if (!ok(good, "%s", what))
		show();
}

/* --- cases ----------------------------------------------------------------------------------- */

static void healthy(unsigned int site)
{
	begin();
	call(PLAIN + 0x10, 24);
	call_eval(site);
	call(PLAIN + 0x20, 24);
	call_eval(site + 1);
	call(PLAIN + 0x30, 24);
	walk();
}

static void broken(void)
{
	begin();
	call(PLAIN + 0x10, 24);
	call_eval(7);
	call(PLAIN + 0x20, 24);
	call_eval(9);
	call(DARK + 0x10, 80);
	call(DARK + 0x20, 48);
	call(PLAIN + 0x30, 24);
	walk();
}

static void test_learn(void)
{
	broken();
	check(all_there(1) && result.resyncs == 1 && learned.count == 1 &&
	      learned.evals[0].below == EVAL_ANCHOR,
	      "nothing learned yet: a frame that fits is found, and those above it teach");
	learned = (struct native_learned){ .count = 0 };
	*at(anchors[1] - EVAL_ANCHOR - 16) = EVAL + 0x40;
	*at(anchors[1] - EVAL_ANCHOR - 8 + EVAL_SIZE) = PLAIN + 0x40;
	anchors[0] = 0;
	walk();
	check(result.end == UNWIND_NO_INFO && result.resyncs == 0 && result.count == 2,
	      "two that fit and end apart: neither");
	learned = (struct native_learned){ .count = 0 };
	healthy(0);
	check(all_there(0) && learned.count == 1 && learned.evals[0].below == EVAL_ANCHOR &&
	      learned.evals[0].above == EVAL_SIZE + 8 - EVAL_ANCHOR, "a whole stack teaches");
	healthy(4);
	check(learned.count == 1 && learned.evals[0].hi - learned.evals[0].lo == 5 * 8,
	      "another call site of the same loop: the same shape");
}

static void test_resync(void)
{
	broken();
	check(all_there(1) && result.resyncs == 1 && frames[2].how == UNWIND_RESYNC &&
	      frames[2].pc == EVAL + 0x20 + 72 && frames[1].cfa == 0,
	      "code without CFI: taken up again at the anchor");
	check(result.guessed == 0, "a resync is no guess");
}

static void test_two_gaps(void)
{
	begin();
	call_eval(1);
	call(DARK + 0x10, 80);
	call_eval(2);
	call(DARK + 0x20, 16);
	walk();
	check(all_there(0) && result.resyncs == 2, "two gaps");
}

static void test_no_anchor(void)
{
	begin();
	call(PLAIN + 0x10, 24);
	call(DARK + 0x10, 80);
	walk();
	check(result.end == UNWIND_NO_INFO && result.count == 1 && result.resyncs == 0,
	      "a thread without anchors: ends, nothing is searched");
	broken();
	for (uint32_t i = 0; i < anchor_count; i++)
		anchors[i] += 8;
	walk();
	check(result.resyncs == 0 && result.end == UNWIND_NO_INFO, "anchors where no frame fits: none");
	anchors[0] = 0;
	anchors[1] = UINT64_MAX;
	walk();
	check(result.resyncs == 0 && result.end == UNWIND_NO_INFO, "anchors out of the copy: none");
}

static void test_not_believed(void)
{
	uint64_t *word;

	broken();
	word = at(anchors[1] - EVAL_ANCHOR - 8);
	*word = PLAIN + 0x40;
	walk();
	check(frames[2].pc == EVAL + 0x20 + 56 && result.resyncs == 1,
	      "no return into the eval loop: the next anchor");
	*word = EVAL + CODE_SIZE / 2 + 64;
	walk();
	check(frames[2].pc == EVAL + 0x20 + 56, "into it, but behind no call: the next anchor");
	broken();
	*at(anchors[1] - EVAL_ANCHOR + EVAL_SIZE) = 0x12345;
	walk();
	check(frames[2].pc == EVAL + 0x20 + 56, "nothing it would return to: the next anchor");
}

/* A blocked thread's FP is not known; the eval loop was built with frame pointers. */
static void fp_stack(void)
{
	begin();
	call(PLAIN + 0x10, 24);
	call(EVAL_FP + 0x20, EVAL_SIZE);
	anchors[anchor_count++] = sp + EVAL_ANCHOR;
	*at(sp + EVAL_SIZE - 8) = STACK; /* the caller's FP */
	call(PLAIN + 0x20, 24);
}

static void walk_blocked(uint64_t fp)
{
	struct registers regs = { .known = 0 };
	struct unwind_stack stack = { STACK, STACK + sizeof(words), (const uint8_t *)words };

	register_set(&regs, REGISTER_SP, sp);
	register_set(&regs, REGISTER_PC, pc);
	if (fp)
		register_set(&regs, REGISTER_FP, fp);
	result.frames = frames;
	native_stack_walk(&ops, &regs, &stack, anchors, anchor_count, &learned, &result);
}

static void test_repair(void)
{
	fp_stack();
	walk_blocked(0);
	check(result.end == UNWIND_UNKNOWN && result.count == 2, "an unknown FP ends the walk");
	learned = (struct native_learned){ .count = 0 };
	walk_blocked(0);
	check(result.end == UNWIND_UNKNOWN && result.resyncs == 0, "it is not guessed");
	healthy(0);
	fp_stack();
	walk_blocked(sp + 32 + EVAL_SIZE - 8);
	check(all_there(0) && learned.count == 2, "a known one teaches the shape");
	walk_blocked(0);
	check(all_there(0) && result.repairs == 1 && result.resyncs == 0 &&
	      frames[1].how == UNWIND_CFI, "then the anchor tells it: no gap");
	call(DARK + 0x10, 64);
	walk_blocked(0);
	check(all_there(1) && result.resyncs == 1, "and where frames are missing, too");
}

/* A sleeping thread without Python, in a function with a frame pointer. */
static void test_search_fp(void)
{
	uint32_t before = learned.count;

	fp_stack();
	anchor_count = 0;
	walk_blocked(0);
	check(all_there(0) && result.resyncs == 0 && result.guessed == 1 &&
	      frames[2].how == UNWIND_FP, "an unknown FP is searched: a guess, no gap");
	check(learned.count == before, "from which nothing is learned");
	anchors[anchor_count++] = sp + 40;
	walk_blocked(0);
	check(result.end != UNWIND_COMPLETE, "but not beyond an anchor: no eval frame is passed over");
	anchor_count = 0;
	*at(STACK + sizeof(words) - 64 - 8) = 0x12345; /* instead of the outermost */
	walk_blocked(0);
	check(result.end == UNWIND_UNKNOWN && result.count == 2,
	      "not believed when the walk from there does not reach the outermost frame");
}

/* An FP that belongs to a frame further up, past an eval frame. */
static void test_passed_over(void)
{
	uint64_t fp;

	begin();
	call(PLAIN + 0x08, 24);
	call(NEEDS_FP + 0x10, 24);
	fp = sp + 16;
	*at(fp) = 0;
	call_eval(3);
	call(DARK + 0x10, 80);
	{
		struct registers regs = { .known = 0 };
		struct unwind_stack stack = { STACK, STACK + sizeof(words), (const uint8_t *)words };

		register_set(&regs, REGISTER_SP, sp);
		register_set(&regs, REGISTER_PC, pc);
		register_set(&regs, REGISTER_FP, fp);
		*at(sp + 80 + EVAL_SIZE) = fp; /* what eval saved */
		result.frames = frames;
		native_stack_walk(&ops, &regs, &stack, anchors, anchor_count, &learned, &result);
	}
	check(result.resyncs == 1 && frames[1].how == UNWIND_RESYNC &&
	      frames[1].pc == EVAL + 0x20 + 24 && result.guessed == 0 && frames[0].cfa == 0,
	      "a guess that passes over an eval frame is taken back");
	learned.count = 0;
	walk_blocked(fp);
	check(result.resyncs == 1 && frames[1].pc == EVAL + 0x20 + 24, "also before anything was learned");
}

/* Everything anyhow: an end, and within bounds. */
static void test_garbage(void)
{
	uint64_t state = 1;
	int ended = 0;

	for (int i = 0; i < 30000; i++) {
		if (i % 3 == 0)
			healthy((unsigned int)i % 16);
		broken();
		for (int k = 0; k < 6; k++) {
			static const uint64_t odd[] = { 0, 1, UINT64_MAX, EVAL + 0x28, DARK + 2,
				STACK, STACK + 800, 1ULL << 63 };

			state = state * 6364136223846793005u + 1442695040888963407u;
			words[(sp - STACK) / 8 + (state >> 33) % 88] = odd[state >> 40 & 7];
			anchors[state >> 50 & 1] = state >> 60 ? STACK + (state >> 20 & 0x7fff) :
				odd[state >> 45 & 7];
		}
		walk();
		ended += result.count <= NATIVE_FRAMES_MAX && learned.count <= NATIVE_LEARNED_MAX;
	}
	is_int(ended, 30000, "garbage on the stack and for anchors: an end");
}

static struct unwind_result other_engine(void *engine, struct unwind_registers *regs,
					 const struct unwind_stack *stack, struct unwind_frame *to,
					 size_t max)
{
	const struct unwind_ops mine = { find_rule, read_code, NULL, NULL, NULL };

	++*(int *)engine;
	return unwind_walk(regs, stack, &mine, to, max);
}

static void test_engine(void)
{
	struct native_ops with = ops;
	int calls = 0;

	with.engine = other_engine;
	with.engine_arg = &calls;
	learned = (struct native_learned){ .count = 0 };
	healthy(0);
	broken();
	walk_with(&with, (1u << REGISTERS) - 1);
	check(calls == 2 && all_there(1) && result.resyncs == 1, "another engine: once before, once "
	      "after the gap");
}

int main(void)
{
	make_rules();
	test_learn();
	test_resync();
	test_two_gaps();
	test_no_anchor();
	test_not_believed();
	test_repair();
	test_search_fp();
	test_passed_over();
	test_garbage();
	test_engine();
	return tap_done();
}

#else

int main(void)
{
	tap_skip("whole stacks", "x86-64 only so far");
	return tap_done();
}

#endif
