/* SPDX-License-Identifier: MIT
 * Walks out of code as CPython's JIT makes it, without CFI: memory made by hand, with what such
 * code leaves on the stack, and with what only looks so. */
#include <string.h>

#include "native/unwind.h"
#include "tap.h"
#include "util/attr.h"

/* Pages of code, known by the kind of their rule. */
enum {
	JIT = 0x10000000,    /* no CFI; a piece of code that is entered at its start, and the trace */
	OTHER = 0x18000000,  /* no CFI: another trace, far away */
	EVAL = 0x500000,     /* CFA = FP + 16 */
	ENTRY = 0x600000,    /* CFA = FP + 16 */
	MAIN = 0x700000,     /* the outermost */
	LIB = 0x800000,      /* CFA = SP + 48 */
	LIB_FP = 0x900000,   /* CFA = FP + 16 */
	DATA = 0xa00000,     /* no code */
	PAGE_BYTES = 4096,
	STACK = 0x7000000, WORDS = 2048,
};

/* Return addresses. */
enum {
	AT_TRACE = JIT + 0x400,      /* where the trace runs */
	AT_ENTERED = JIT + 0x17,     /* of the call of the trace */
	AT_CONSTANT = JIT + 0x480,   /* of a call through a constant of the trace */
	EVAL_TO_JIT = EVAL + 0x100,
	EVAL_TO_ENTRY = EVAL + 0x200,
	EVAL_BY_VARIABLE = EVAL + 0x300,
	EVAL_BY_REGISTER = EVAL + 0x400,
	ENTRY_TO_JIT = ENTRY + 0x40,
	MAIN_TO_EVAL = MAIN + 0x20,
	LIB_INDIRECT = LIB + 0x30, LIB_DIRECT = LIB + 0x50,
	LIB_FP_INDIRECT = LIB_FP + 0x30,
	CONSTANT = JIT + 0x800, VARIABLE = DATA + 0x10,
};

static struct page {
	uint64_t addr;
	struct rule rule;
	bool code;
	uint8_t bytes[PAGE_BYTES];
} pages[] = {
	{ .addr = JIT, .code = true }, { .addr = OTHER, .code = true },
	{ .addr = EVAL, .code = true }, { .addr = ENTRY, .code = true },
	{ .addr = MAIN, .code = true }, { .addr = LIB, .code = true },
	{ .addr = LIB_FP, .code = true }, { .addr = DATA },
};

static struct page *page_of(uint64_t addr)
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (addr - pages[i].addr < PAGE_BYTES)
			return &pages[i];
	return NULL;
}

static const struct rule *find_rule(void *arg, uint64_t addr)
{
	const struct page *p = page_of(addr);

	(void)arg;
	return p && p->code ? &p->rule : NULL;
}

static bool read_code(void *arg, uint64_t addr, void *buf, size_t len)
{
	const struct page *p = page_of(addr);

	(void)arg;
	if (!p || PAGE_BYTES - (addr - p->addr) < len)
		return false;
	memcpy(buf, p->bytes + (addr - p->addr), len);
	return true;
}

static void put(uint64_t addr, const void *bytes, size_t len)
{
	struct page *p = page_of(addr);

	memcpy(p->bytes + (addr - p->addr), bytes, len);
}

/* The call that returns to pc: E8, or FF 15 with the place of whereto. */
static void put_call(uint64_t pc, const char *op, size_t op_len, uint64_t to)
{
	int32_t rel = (int32_t)(to - pc);

	put(pc - 4, &rel, 4);
	put(pc - 4 - op_len, op, op_len);
}

static void put_word(uint64_t addr, uint64_t word)
{
	put(addr, &word, 8);
}

static struct rule frame_rule(uint8_t base, int32_t offset)
{
	struct rule rule = {
		.kind = RULE_FRAME, .saved_count = 1,
		.cfa = { .form = RULE_SUM, .base = base, .offset = offset },
		.saved = { { RULE_RA, RULE_DEREF, RULE_CFA, -8, 0 } },
	};

	if (base == RULE_FP)
		rule.saved[rule.saved_count++] =
			(struct rule_value){ RULE_FP, RULE_DEREF, RULE_CFA, -16, 0 };
	return rule;
}

static void make_code(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		memset(pages[i].bytes, 0xcc, PAGE_BYTES);
		pages[i].rule = rule_none;
	}
	page_of(EVAL)->rule = page_of(ENTRY)->rule = page_of(LIB_FP)->rule = frame_rule(RULE_FP, 16);
	page_of(LIB)->rule = frame_rule(RULE_SP, 48);
	page_of(MAIN)->rule = (struct rule){ .kind = RULE_END };
	put_call(AT_ENTERED, "\xe8", 1, JIT + 0x21);
	/* pop rbx; pop r12; pop r13; pop r14; pop r15; ret */
	put(AT_ENTERED, "\x5b\x41\x5c\x41\x5d\x41\x5e\x41\x5f\xc3", 10);
	put_call(AT_CONSTANT, "\xff\x15", 2, CONSTANT);
	put_word(CONSTANT, LIB + 0x100);
	put(EVAL_TO_JIT - 3, "\x41\xff\xd0", 3);        /* call r8 */
	put_call(EVAL_TO_ENTRY, "\xe8", 1, ENTRY + 0x10);
	put_call(EVAL_BY_VARIABLE, "\xff\x15", 2, VARIABLE);
	put_word(VARIABLE, ENTRY + 0x10);
	put(EVAL_BY_REGISTER - 2, "\xff\xd0", 2);
	put(ENTRY_TO_JIT - 5, "\x41\xff\x54\x24\x58", 5); /* call [r12 + 0x58] */
	put_call(MAIN_TO_EVAL, "\xe8", 1, EVAL + 0x10);
	put(LIB_INDIRECT - 2, "\xff\xd0", 2);
	put_call(LIB_DIRECT, "\xe8", 1, LIB + 0x800);
	put(LIB_FP_INDIRECT - 2, "\xff\xd0", 2);
}

/* --- a stack, built from its outermost frame on ---------------------------------------------- */

static uint64_t words[WORDS];
static uint64_t sp, fp, want[8];
static size_t want_count;
static struct unwind_frame frames[16];
static struct unwind_code_cache cache;
static struct unwind_result result;

static void push(uint64_t word)
{
	sp -= 8;
	words[(sp - STACK) / 8] = word;
}

static void area(int n)
{
	while (n-- > 0)
		push(0x4141414141414141);
}

/* A function with a frame pointer, that will return to pc. */
static void enter(uint64_t pc, int n)
{
	want[want_count++] = pc;
	push(pc);
	push(fp);
	fp = sp;
	area(n);
}

static void begin(void)
{
	make_code();
	memset(&cache, 0, sizeof(cache));
	sp = STACK + sizeof(words) - 64;
	fp = 1;
	want_count = 0;
	enter(MAIN_TO_EVAL, 30);
}

/* CPython 3.15: eval loop, _PyJIT_Entry(), trace. */
static void enter_by_function(uint64_t eval_returns_to)
{
	begin();
	enter(eval_returns_to, 6);
	want[want_count++] = ENTRY_TO_JIT;
	push(ENTRY_TO_JIT);
}

/* CPython 3.14: eval loop, code in front of the trace, trace. */
static void enter_by_code(void)
{
	begin();
	want[want_count++] = EVAL_TO_JIT;
	push(EVAL_TO_JIT);
	area(5);
	want[want_count++] = AT_ENTERED;
	push(AT_ENTERED);
}

static void walk_at(uint64_t pc, uint64_t fp_now)
{
	const struct unwind_ops ops = { find_rule, read_code, NULL, &cache, NULL };
	const struct unwind_stack stack = { STACK, STACK + sizeof(words), (const uint8_t *)words };
	struct unwind_registers regs = { .at_return = true };

	unwind_set(&regs, RULE_SP, sp);
	unwind_set(&regs, RULE_FP, fp_now);
	unwind_set(&regs, RULE_RA, pc);
	result = unwind_walk(&regs, &stack, &ops, frames, ARRAY_SIZE(frames));
}

static void check(bool good, const char *what)
{
	if (ok(good, "%s", what))
		return;
	printf("# end %d\n", (int)result.end);
	for (size_t i = 0; i < result.count; i++)
		printf("# %#llx how %d\n", (unsigned long long)frames[i].pc, frames[i].how);
}

/* All that was built; the first step was by the stack's contents. */
static bool all_there(void)
{
	if (result.end != UNWIND_COMPLETE || result.count != want_count + 1 ||
	    frames[1].how != UNWIND_SCAN || result.guessed == 0)
		return false;
	for (size_t i = 0; i < want_count; i++)
		if (frames[i + 1].pc != want[want_count - 1 - i])
			return false;
	return true;
}

static bool refused(void)
{
	return result.count == 1 && result.end == UNWIND_NO_INFO && frames[0].cfa == 0;
}

/* --- entered through a function with a frame pointer, which the trace leaves alone ---------- */

static void test_function(void)
{
	enter_by_function(EVAL_TO_ENTRY);
	area(3);
	walk_at(AT_TRACE, fp);
	check(all_there(), "FP is that of the function that entered the trace");
	walk_at(AT_TRACE, fp);
	check(all_there(), "and again, from the cache");
	walk_at(AT_TRACE, 0x1234);
	check(refused(), "FP is no frame's");
	area(UNWIND_SPILL_MAX);
	walk_at(AT_TRACE, fp);
	check(refused(), "nothing in reach");
}

static void test_how_entered(void)
{
	enter_by_function(EVAL_BY_VARIABLE);
	area(3);
	walk_at(AT_TRACE, fp);
	check(all_there(), "that function was called through a variable, which says so");
	begin();
	enter(EVAL_TO_ENTRY, 6);
	push(LIB_FP_INDIRECT);
	area(3);
	walk_at(AT_TRACE, fp);
	check(refused(), "the call above FP was to another function than the one returned to");
}

static void test_left_over(void)
{
	enter_by_function(EVAL_TO_ENTRY);
	push(LIB_DIRECT);
	area(1);
	walk_at(AT_TRACE, fp);
	check(all_there(), "left over: behind a call of something else");
	enter_by_function(EVAL_TO_ENTRY);
	area(6);
	push(LIB_INDIRECT);
	area(1);
	walk_at(AT_TRACE, fp);
	check(all_there(), "left over: no return address where its frame would have it");
}

/* What cannot be told apart, and what is there in truth. */
static void test_in_doubt(void)
{
	enter_by_function(EVAL_TO_ENTRY);
	push(EVAL_BY_REGISTER);
	area(5);
	push(LIB_INDIRECT);
	area(1);
	walk_at(AT_TRACE, fp);
	check(refused(), "what may be a frame's return address is not passed over");
	enter_by_function(EVAL_TO_ENTRY);
	area(3);
	push(AT_CONSTANT);   /* the trace calls a function, which calls code without CFI */
	area(5);
	push(LIB_INDIRECT);
	area(1);
	walk_at(OTHER + 0x100, fp);
	check(refused(), "a function between, without a frame pointer: FP is of a frame further up");
	enter_by_function(EVAL_TO_ENTRY);
	push(LIB_FP_INDIRECT);
	push(fp);
	walk_at(AT_TRACE, fp);
	check(refused(), "the same for one whose FP may be this");
}

/* --- entered through code that pushes registers --------------------------------------------- */

static void test_code(void)
{
	enter_by_code();
	area(3);
	walk_at(AT_TRACE, fp);
	check(all_there() && frames[2].how == UNWIND_EXIT, "FP is still the eval loop's");
	walk_at(OTHER + 0x100, fp);
	check(all_there(), "the trace has gone on in another one, far away");
	walk_at(AT_TRACE, 0x1234);
	check(refused(), "FP is used for something else, and not saved");
	push(fp);
	area(2);
	walk_at(AT_TRACE, 0x1234);
	check(all_there(), "used, and saved");
}

static void test_far(void)
{
	begin();
	area(UNWIND_FP_FRAME / 8);
	push(EVAL_TO_JIT);
	area(5);
	push(AT_ENTERED);
	walk_at(AT_TRACE, fp);
	check(refused(), "an FP further up than a frame is large");
}

static void test_two_saved(void)
{
	uint64_t place;

	begin();
	push(MAIN_TO_EVAL);
	place = sp - 8;
	push(0);
	area(4);
	push(EVAL_TO_JIT);
	area(5);
	push(AT_ENTERED);
	push(fp);
	push(place);
	walk_at(AT_TRACE, 0x1234);
	check(refused(), "two that may be the eval loop's FP: neither");
}

static void test_constants(void)
{
	enter_by_code();
	push(AT_CONSTANT);
	area(2);
	walk_at(AT_TRACE, fp);
	check(all_there(), "left over: behind a call through a constant of the trace");
	put_call(AT_CONSTANT, "\xff\x15", 2, VARIABLE);
	memset(&cache, 0, sizeof(cache));
	walk_at(AT_TRACE, fp);
	check(refused(), "a variable is no constant");
}

static void test_left_over_fp(void)
{
	enter_by_code();
	push(fp);
	push(LIB_FP_INDIRECT);
	area(2);
	walk_at(AT_TRACE, 0x1234);
	check(all_there(), "left over: a function with a frame pointer, and FP is not that");
	enter_by_code();
	push(LIB_FP_INDIRECT);
	push(fp);
	walk_at(AT_TRACE, 0x1234);
	check(refused(), "FP may be that");
}

static void test_other_exits(void)
{
	enter_by_code();
	area(1);
	put(AT_ENTERED, "\x5d\x41\x5c\x41\x5d\x41\x5e\x41\x5f\xc3", 10);
	walk_at(AT_TRACE, fp);
	check(refused(), "code in front that changes FP");
	enter_by_code();
	area(1);
	put(AT_ENTERED, "\x74\x02", 2);
	walk_at(AT_TRACE, fp);
	check(refused(), "code in front that branches");
	enter_by_code();
	area(1);
	put_call(EVAL_TO_JIT, "\xe8", 1, ENTRY + 0x10);
	walk_at(AT_TRACE, fp);
	check(refused(), "a direct call, of something else");
}

/* --- everything anyhow ---------------------------------------------------------------------- */

static uint64_t odd_word(uint64_t random)
{
	const uint64_t odd[] = { 0, 1, UINT64_MAX, AT_ENTERED, AT_CONSTANT, ENTRY_TO_JIT, EVAL_TO_JIT,
		LIB_INDIRECT, LIB_DIRECT, LIB_FP_INDIRECT, STACK, fp, sp, JIT, 1ULL << 63, MAIN_TO_EVAL };

	return odd[random % ARRAY_SIZE(odd)];
}

static bool is_sound(void)
{
	for (size_t i = 0; i + 1 < result.count; i++)
		if (frames[i].cfa <= frames[i].sp || frames[i + 1].sp != frames[i].cfa)
			return false;
	return result.count >= 1 && result.count <= ARRAY_SIZE(frames);
}

static void test_garbage(void)
{
	uint64_t state = 3;
	int sound = 0, whole = 0;

	for (int i = 0; i < 30000; i++) {
		if (i % 2)
			enter_by_code();
		else
			enter_by_function(EVAL_TO_ENTRY);
		area(4);
		for (int k = 0; k < 6; k++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			words[(sp - STACK) / 8 + (state >> 33) % 20] = odd_word(state >> 40);
		}
		walk_at(AT_TRACE, state >> 63 ? fp : odd_word(state >> 50));
		sound += is_sound();
		whole += result.end == UNWIND_COMPLETE;
	}
	is_int(sound, 30000, "garbage on the stack: an end, frames side by side");
	ok(whole > 100 && whole < 29000, "with %d walks to the end", whole);
}

int main(void)
{
	test_function();
	test_how_entered();
	test_left_over();
	test_in_doubt();
	test_code();
	test_far();
	test_two_saved();
	test_constants();
	test_left_over_fp();
	test_other_exits();
	test_garbage();
	return tap_done();
}
