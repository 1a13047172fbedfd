/* SPDX-License-Identifier: MIT
 * Torn stacks, made by hand: what a walk believes, repairs and refuses in each version's rules.
 * (Whole stacks of real interpreters: test-frames.) */
#include "py/frames.h"

#include <stdlib.h>

#include "fake_remote.h"
#include "tap.h"

enum {
	TSTATE = 0x10000, CFRAME = 0x20000, CHUNK = 0x30000, CHUNK_BYTES = 0x1000,
	INTERP = 0x40000, CODE = 0x50000, GENERATOR = 0x60000, FRAME_STEP = 0x80,
};

/* A thread of a made-up process. */
struct world {
	const struct py_layout *l;
	struct fake_remote fake;
	struct remote remote;
	struct py_target target;
	struct snapshot snap;
	struct plan plan;
	struct raw_stack raw;
	uint8_t *tstate, *chunk, *cframe, *generator;
};

static void world_init(struct world *w, uint32_t version)
{
	*w = (struct world){ .l = layout_find(version, false, false) };
	w->remote = fake_remote(&w->fake);
	w->tstate = fake_map(&w->fake, TSTATE, 2048);
	w->chunk = fake_map(&w->fake, CHUNK, CHUNK_BYTES);
	w->cframe = fake_map(&w->fake, CFRAME, 256);
	w->generator = fake_map(&w->fake, GENERATOR, 256);
	w->target = (struct py_target){ .remote = &w->remote, .layout = *w->l };
	fake_put_u64(w->tstate, w->l->tstate.interp, INTERP);
	if (w->l->chunk.size != NO_FIELD) {
		fake_put_u64(w->chunk, w->l->chunk.size, CHUNK_BYTES);
		fake_put_u64(w->tstate, w->l->tstate.datastack_chunk, CHUNK);
		fake_put_u64(w->tstate, w->l->tstate.datastack_top, CHUNK + 0x800);
	}
	snapshot_init(&w->snap, &w->remote);
}

static void world_release(struct world *w)
{
	snapshot_release(&w->snap);
	fake_release(&w->fake);
}

static remote_addr frame_at(int i)
{
	return CHUNK + FRAME_STEP * (remote_addr)(i + 1);
}

/* Frame i (0: root) in the data stack, alive. */
static uint8_t *frame_put(struct world *w, int i, remote_addr previous)
{
	uint8_t *f = w->chunk + FRAME_STEP * (i + 1);

	fake_put_u64(f, w->l->frame.previous, previous);
	fake_put_u64(f, w->l->frame.code, CODE + 0x100 * (uint64_t)i);
	if (w->l->liveness == LIVE_F_EXECUTING)
		f[w->l->frame.live] = 1;
	if (w->l->liveness == LIVE_STACKTOP)
		fake_put_u32(f, w->l->frame.stacktop, 0);
	return f;
}

/* Marks a frame as one of the interpreter's own entry frames. */
static void frame_entry(struct world *w, int i)
{
	w->chunk[FRAME_STEP * (i + 1) + w->l->frame.owner] = (uint8_t)w->l->owner_hidden_min;
}

static void leaf_set(struct world *w, remote_addr leaf)
{
	if (w->l->frames == FRAMES_CFRAME) {
		fake_put_u64(w->tstate, w->l->tstate.frame, CFRAME);
		fake_put_u64(w->cframe, w->l->cframe.current_frame, leaf);
	} else {
		fake_put_u64(w->tstate, w->l->tstate.frame, leaf);
	}
}

static enum walk walk(struct world *w, bool frozen)
{
	snapshot_begin(&w->snap, &w->plan);
	return frames_walk(&w->target, &w->snap, TSTATE, frozen, &w->raw);
}

/* entry <- f1 <- f2 <- f3, the leaf executing. */
static void three_frames(struct world *w)
{
	frame_put(w, 0, 0);
	frame_entry(w, 0);
	for (int i = 1; i <= 3; i++)
		frame_put(w, i, frame_at(i - 1));
	leaf_set(w, frame_at(3));
}

static void whole_chain(uint32_t version)
{
	struct world w;

	world_init(&w, version);
	three_frames(&w);
	is_int(walk(&w, true), WALK_OK, "a whole chain");
	is_int(w.raw.count, 3, "without the entry frame");
	is_int((long long)w.raw.frames[0].code, CODE + 0x300, "leaf first");
	world_release(&w);
}

/* 3.12, 3.13: an executing frame has stacktop -1; one that called has not. */
static void stacktop_rule(void)
{
	struct world w;

	world_init(&w, PYVER(3, 13));
	three_frames(&w);
	fake_put_u32(w.chunk + FRAME_STEP * 3, w.l->frame.stacktop, UINT32_MAX); /* f2 executes */
	is_int(walk(&w, false), WALK_OK, "3.13: f2 executes, so f3 is dead");
	is_int(w.raw.count, 2, "and is left out");
	is_int(w.raw.repaired, 1, "and counted");
	is_int(walk(&w, true), WALK_TORN, "in a frozen thread that is a fault");
	world_release(&w);
}

static void stacktop_below_c_call(void)
{
	struct world w;

	world_init(&w, PYVER(3, 13));
	frame_put(&w, 0, 0);
	frame_entry(&w, 0);
	fake_put_u32(frame_put(&w, 1, frame_at(0)), w.l->frame.stacktop, UINT32_MAX);
	frame_put(&w, 2, frame_at(1));
	frame_entry(&w, 2);
	frame_put(&w, 3, frame_at(2));
	leaf_set(&w, frame_at(3));
	is_int(walk(&w, true), WALK_OK, "3.13: a call through C spills nothing");
	is_int(w.raw.count, 2, "both Python frames show");
	world_release(&w);
}

/* 3.14: f_executable is cleared when the frame is popped; NULL is the tag bit alone. */
static void cleared_executable(void)
{
	struct world w;

	world_init(&w, PYVER(3, 14));
	three_frames(&w);
	fake_put_u64(w.chunk + FRAME_STEP * 4, w.l->frame.code, 1);
	is_int(walk(&w, false), WALK_OK, "3.14: a cleared leaf is left out");
	is_int(w.raw.count, 2, "two frames are left");
	is_int(w.raw.repaired, 1, "one was repaired");
	is_int(walk(&w, true), WALK_TORN, "in a frozen thread that is a fault");
	world_release(&w);
}

static void cut_generator(uint32_t version)
{
	struct world w;

	world_init(&w, version);
	three_frames(&w);
	fake_put_u64(w.generator, w.l->frame.code, CODE);
	w.generator[w.l->frame.owner] = (uint8_t)w.l->owner_generator;
	leaf_set(&w, GENERATOR);
	is_int(walk(&w, true), WALK_UNROOTED, "a generator that is not linked to its caller");
	fake_put_u64(w.generator, w.l->frame.previous, frame_at(3));
	is_int(walk(&w, true), WALK_OK, "and once it is");
	is_int(w.raw.count, 4, "all four show");
	ok(w.raw.frames[0].generator && !w.raw.frames[1].generator, "the first is a generator's");
	world_release(&w);
}

static void faults(uint32_t version)
{
	struct world w;

	world_init(&w, version);
	three_frames(&w);
	fake_put_u64(w.chunk + FRAME_STEP * 2, w.l->frame.previous, frame_at(3)); /* a ring */
	ok(walk(&w, false) != WALK_OK, "a ring of frames");
	three_frames(&w);
	fake_put_u64(w.chunk + FRAME_STEP * 4, w.l->frame.previous, frame_at(5)); /* upwards */
	frame_put(&w, 5, frame_at(2));
	is_int(walk(&w, true), WALK_TORN, "a caller above its callee in the data stack");
	three_frames(&w);
	leaf_set(&w, frame_at(3) + 4);
	is_int(walk(&w, true), WALK_TORN, "a crooked address");
	leaf_set(&w, 0x7fff0000);
	is_int(walk(&w, true), WALK_UNREADABLE, "an address that is not mapped");
	leaf_set(&w, 0);
	is_int(walk(&w, true), WALK_EMPTY, "no Python frame at all");
	w.fake.error = -3; /* ESRCH */
	is_int(walk(&w, true), WALK_GONE, "no process");
	world_release(&w);
}

/* 3.8: freed frames keep their links; f_executing tells. */
static void executing_rule(void)
{
	struct world w;

	world_init(&w, PYVER(3, 8));
	for (int i = 0; i < 3; i++)
		frame_put(&w, i, i ? frame_at(i - 1) : 0);
	leaf_set(&w, frame_at(2));
	w.chunk[FRAME_STEP * 3 + w.l->frame.live] = 0;
	is_int(walk(&w, false), WALK_OK, "3.8: a leaf that has returned");
	is_int(w.raw.count, 2, "is left out");
	is_int(walk(&w, true), WALK_OK, "in a frozen thread it was linked a moment ago");
	is_int(w.raw.count, 3, "and shows");
	world_release(&w);
}

int main(void)
{
	static const uint32_t with_entry_frames[] = { PYVER(3, 12), PYVER(3, 13), PYVER(3, 14) };

	for (size_t i = 0; i < ARRAY_SIZE(with_entry_frames); i++) {
		whole_chain(with_entry_frames[i]);
		cut_generator(with_entry_frames[i]);
		faults(with_entry_frames[i]);
	}
	stacktop_rule();
	stacktop_below_c_call();
	cleared_executable();
	executing_rule();
	return tap_done();
}
