/* SPDX-License-Identifier: MIT
 * Walks taken up at the eval loop's calls, over stacks made by hand. */
#include "native/evalscan.h"

#include <string.h>

#include "tap.h"

enum {
	BASE = 0x7000, WORDS = 64,
	EVAL = 0x100000, EVAL_END = 0x101000, /* frames of 32 bytes */
	CALL = 0x200000, CALL_END = 0x201000, /* of 16 */
	START = 0x300000, START_END = 0x300010, /* no caller */
	FRAMES = 32,
};

static uint64_t words[WORDS];

static const struct rule *rule_at(void *arg, uint64_t addr)
{
	static const struct rule eval = { .kind = RULE_FRAME, .saved_count = 1,
		.cfa = { .form = RULE_SUM, .base = RULE_SP, .offset = 32 },
		.saved = { { .reg = RULE_RA, .form = RULE_DEREF, .base = RULE_CFA, .offset = -8 } } };
	static const struct rule call = { .kind = RULE_FRAME, .saved_count = 1,
		.cfa = { .form = RULE_SUM, .base = RULE_SP, .offset = 16 },
		.saved = { { .reg = RULE_RA, .form = RULE_DEREF, .base = RULE_CFA, .offset = -8 } } };
	static const struct rule start = { .kind = RULE_END };

	(void)arg;
	if (addr >= EVAL && addr < EVAL_END)
		return &eval;
	if (addr >= CALL && addr < CALL_END)
		return &call;
	return addr >= START && addr < START_END ? &start : NULL;
}

/* Eval calls at words[from]: its return address, its frame of four words ending in the next one. */
static void stack_make(size_t from, int evals)
{
	size_t at = from;

	memset(words, 0, sizeof(words));
	for (int i = 0; i < evals; i++) {
		words[at] = EVAL + 0x100;
		words[at + 4] = CALL + 0x20;
		at += 6;
	}
	words[at] = START + 4;
}

static size_t scan(uint32_t missing, struct unwind_frame *frames)
{
	static const struct unwind_ops ops = { .rule = rule_at };
	const struct unwind_stack stack = { BASE, BASE + sizeof(words), (const uint8_t *)words };
	const struct evalscan s = { &ops, &stack, EVAL, EVAL_END, missing };

	return evalscan(&s, BASE, frames, FRAMES);
}

int main(void)
{
	struct unwind_frame frames[FRAMES];

	stack_make(3, 3);
	is_int(scan(3, frames), 7, "three eval calls, their callers, the start");
	is_int(frames[0].pc, EVAL + 0x100, "the first is an eval call's");
	is_int(frames[0].sp, BASE + 8 * 4, "where it lies");
	is_int(frames[6].pc, START + 4, "the last one is the outermost");
	is_int(scan(2, frames), 5, "two are missing: from the second one on");
	is_int(frames[0].sp, BASE + 8 * 10, "the inner one was found before");
	is_int(scan(4, frames), 0, "four cannot be had");
	is_int(scan(0, frames), 0, "none is none");
	words[3 + 4] = 0xdead; /* the first walk derails: in no code */
	is_int(scan(3, frames), 0, "a walk that does not come to the end is no answer");
	is_int(scan(2, frames), 5, "one further out is");
	stack_make(3, 3);
	words[1] = EVAL + 0x200; /* left over from an earlier call: its walk derails */
	is_int(scan(3, frames), 7, "a stale word is no call");
	for (size_t i = 0; i < WORDS; i++)
		words[i] = EVAL + 1;
	is_int(scan(3, frames), 0, "nothing but such words: given up");
	return tap_done();
}
