/* SPDX-License-Identifier: MIT
 * Walking the frames of one thread in a snapshot. */
#include "py/frames.h"

#include <string.h>

#include "util/attr.h"

/* Read beyond the top of the data stack, so that a stack that grew by a few frames since the last
 * look is still in one piece. */
enum { CHUNK_SLACK = 1024, PAGE = 4096, REPAIR_MAX = 256, CFRAMES_MAX = FRAMES_MAX + REPAIR_MAX };

/* The walk under way. */
struct walker {
	const struct py_target *t;
	const struct py_layout *l;
	struct snapshot *s;
	struct raw_stack *out;
	remote_addr tstate;
	remote_addr chunk_start, chunk_end; /* of the data stack's chunk copied last */
	remote_addr older;        /* the chunk before it, not copied yet; 0: none */
	remote_addr last;         /* address of the frame below (nearer to the leaf) */
	remote_addr last_on_stack;/* the same, of those on the data stack */
	remote_addr base_frame;   /* 3.15: where the chain must end */
	remote_addr entry_leaf;   /* the newest frame of the entry under way */
	uint32_t chunks;
	bool frozen;
	bool entry_between;       /* an entry frame lies between the last frame and this one */
};

/* A frame's fields, taken out of its bytes. */
struct frame_view {
	remote_addr previous, code;
	uint64_t instr;
	int32_t live;             /* f_executing, f_state or stacktop */
	int owner;                /* -1: no such field */
	bool is_entry;
	int32_t tlbc_index;
};

/* Takes the chunk's bounds and successor from its copied header. */
static bool chunk_enter(struct walker *w, const uint8_t *head, uint64_t used)
{
	const struct py_layout *l = w->l;
	uint64_t size = load_u64(head + l->chunk.size);

	if (size > CHUNK_BYTES_MAX || used > size || ++w->chunks > CHUNKS_MAX)
		return false;
	w->chunk_start = w->older;
	w->chunk_end = w->older + size;
	w->older = load_u64(head + l->chunk.previous);
	return true;
}

/* Copies the newest chunk up to `top`, the live end of the stack, and a little further: as far as
 * its last page goes, so that a few more frames at the next look are still in one piece. */
static bool chunk_newest(struct walker *w, remote_addr chunk, remote_addr top)
{
	uint64_t used = top - chunk;
	uint32_t len = (uint32_t)used + CHUNK_SLACK;
	uint32_t page_left = PAGE - (uint32_t)(top % PAGE);
	const uint8_t *b;

	if (used > CHUNK_BYTES_MAX || used < w->l->chunk.data)
		return false;
	if (len > used + page_left)
		len = (uint32_t)used + page_left;
	w->older = chunk;
	b = snapshot_find(w->s, chunk, (uint32_t)used);
	if (b)
		snapshot_trim(w->s, chunk, len);
	else
		b = snapshot_get(w->s, chunk, len);
	return b && chunk_enter(w, b, used);
}

/* Copies the next older chunk when `addr` lies in it. Older chunks know how full they are
 * (Include/cpython/pystate.h, struct _PyStackChunk at v3.11: `top` counts words of data). */
static bool chunk_older(struct walker *w, remote_addr addr)
{
	const struct py_layout *l = w->l;
	const uint8_t *b = snapshot_get(w->s, w->older, l->chunk.data);
	uint64_t size, used;

	if (!b)
		return false;
	size = load_u64(b + l->chunk.size);
	used = l->chunk.data + load_u64(b + l->chunk.top) * 8;
	if (size > CHUNK_BYTES_MAX || used > size || addr - w->older >= used)
		return false;
	b = snapshot_get(w->s, w->older, (uint32_t)used);
	return b && chunk_enter(w, b, used);
}

/* The bytes of the frame at `addr`: in the data stack's chunks, or somewhere of its own. */
static const uint8_t *frame_bytes(struct walker *w, remote_addr addr)
{
	uint32_t len = w->l->frame.size;
	const uint8_t *b = snapshot_find(w->s, addr, len);

	if (b && (addr - w->chunk_start < w->chunk_end - w->chunk_start || !w->older))
		return b;
	if (w->older && chunk_older(w, addr))
		return snapshot_find(w->s, addr, len);
	return b ? b : snapshot_get(w->s, addr, len);
}

static void frame_view(const struct py_layout *l, const uint8_t *b, struct frame_view *v)
{
	v->previous = load_u64(b + l->frame.previous);
	v->code = load_u64(b + l->frame.code) & l->executable_mask;
	v->owner = has_field(l->frame.owner) ? b[l->frame.owner] : -1;
	v->is_entry = has_field(l->frame.is_entry) && b[l->frame.is_entry];
	v->tlbc_index = has_field(l->frame.tlbc_index) ? load_i32(b + l->frame.tlbc_index) : 0;
	v->live = 0;
	switch (l->liveness) {
	case LIVE_F_EXECUTING:
	case LIVE_F_STATE:
		v->live = (int8_t)b[l->frame.live];
		break;
	case LIVE_STACKTOP:
		v->live = load_i32(b + l->frame.stacktop);
		break;
	case LIVE_EXECUTABLE:
		break;
	}
	if (l->instr == INSTR_LASTI_BYTES || l->instr == INSTR_LASTI_UNITS)
		v->instr = (uint64_t)(int64_t)load_i32(b + l->frame.instr);
	else
		v->instr = load_u64(b + l->frame.instr);
}

/* Whether this frame shows that every frame nearer to the leaf is dead. */
static bool proves_children_dead(const struct walker *w, const struct frame_view *v)
{
	switch (w->l->liveness) {
	case LIVE_STACKTOP:
		/* A frame that made an inlined Python call has spilled its stack (stacktop >= 0);
		 * calls through C do not spill, but put an entry frame between. */
		return v->live == -1 && w->out->count > 0 && !w->entry_between;
	case LIVE_F_EXECUTING:
	case LIVE_F_STATE:
	case LIVE_EXECUTABLE:
		return false;
	}
	return false;
}

/* Whether the frame itself has been left already. */
static bool is_dead(const struct walker *w, const struct frame_view *v)
{
	switch (w->l->liveness) {
	/* Frames that are linked are in the chain whatever these say: a frame is marked a few
	 * instructions after it is linked, and while its trace function sees it begin or end, or an
	 * exception empties its stack, Python code runs above one that is not marked
	 * (Python/ceval.c, v3.8.18 and v3.10.13). */
	case LIVE_F_EXECUTING:
		return v->live != 1 && !w->frozen;
	case LIVE_F_STATE:
		return v->live != 0 && !w->frozen;
	case LIVE_EXECUTABLE:
		return v->code == 0;
	case LIVE_STACKTOP:
		return false;
	}
	return false;
}

/* Takes the frames found so far away: they were dead. A running thread leaves a few of them behind;
 * a long row of them is memory that was freed. */
static bool drop_children(struct walker *w, uint32_t more)
{
	w->out->repaired += w->out->count + more;
	w->out->count = w->out->entry_count = 0;
	return !w->frozen && w->out->repaired <= REPAIR_MAX;
}

/* First frame of the entry under way. */
static uint32_t entry_start(const struct raw_stack *out)
{
	return out->entry_count ? out->entries[out->entry_count - 1].end : 0;
}

/* The frames since the last entry are one more. It has at least one of them: there is room. */
static void entry_close(struct raw_stack *out, remote_addr anchor)
{
	if (out->count > entry_start(out))
		out->entries[out->entry_count++] = (struct raw_entry){ anchor, out->count };
}

/* A frame was added, of versions that have no entry frames: up to 3.10 each has a call of its own.
 * The anchor: see entries_finish(). */
static void entry_step(struct walker *w, remote_addr addr, bool is_entry)
{
	struct raw_stack *out = w->out;

	if (out->count == entry_start(out) + 1)
		w->entry_leaf = addr;
	if (is_entry || w->l->frames == FRAMES_OBJECT)
		entry_close(out, w->entry_leaf);
}

static void frame_add(struct walker *w, const struct frame_view *v)
{
	struct raw_stack *out = w->out;

	out->frames[out->count++] = (struct raw_frame){
		.code = v->code,
		.instr = v->instr,
		.tlbc_index = v->tlbc_index,
		.generator = v->owner >= 0 && v->owner == w->l->owner_generator,
	};
}

/* Frames owned by the thread lie in the data stack, which grows upwards. */
static bool on_stack_in_order(struct walker *w, remote_addr addr)
{
	remote_addr child = w->last_on_stack;

	if (addr < w->chunk_start || addr >= w->chunk_end)
		return false;
	w->last_on_stack = addr;
	return child <= w->chunk_start || child >= w->chunk_end || addr < child;
}

/* One frame of the chain: WALK_OK to go on. */
static enum walk frame_visit(struct walker *w, remote_addr addr, const struct frame_view *v)
{
	if (w->l->owner_hidden_min >= 0 && v->owner >= w->l->owner_hidden_min) {
		if (v->owner > w->l->owner_hidden_min + 1)
			return WALK_TORN;
		w->entry_between = true;
		/* The base frame (3.15) is in the thread state, not on the stack. */
		if (w->out->entries_wanted)
			entry_close(w->out, addr == w->base_frame ? 0 : addr);
		return WALK_OK;
	}
	if (v->owner == 0 && !on_stack_in_order(w, addr))
		return WALK_TORN;
	if (proves_children_dead(w, v) && !drop_children(w, 0))
		return WALK_TORN;
	if (is_dead(w, v))
		return drop_children(w, 1) ? WALK_OK : WALK_TORN;
	if (v->code == 0 || v->code % 8)
		return WALK_TORN;
	frame_add(w, v);
	w->entry_between = v->is_entry;
	if (w->out->entries_wanted)
		entry_step(w, addr, v->is_entry);
	return WALK_OK;
}

/* Whether a chain may end at this frame, whose `previous` is 0. */
static enum walk root_check(const struct walker *w, const struct frame_view *v)
{
	if (w->base_frame)
		return w->last == w->base_frame ? WALK_OK : WALK_UNROOTED;
	/* 3.12-3.14: below the first Python frame lies an entry frame. */
	if (w->l->owner_hidden_min >= 0)
		return v->owner >= w->l->owner_hidden_min ? WALK_OK : WALK_UNROOTED;
	/* 3.11: the first frame was entered from C. */
	if (has_field(w->l->frame.is_entry))
		return v->is_entry && v->owner != w->l->owner_generator ? WALK_OK : WALK_UNROOTED;
	/* Before: the code's flags tell, see code_resolve() in the caller. */
	return WALK_OK;
}

static enum walk chain_walk(struct walker *w, remote_addr addr)
{
	struct frame_view v = { 0 };
	remote_addr mark = 0;

	for (uint32_t links = 0; addr; links++) {
		const uint8_t *b;
		enum walk result;

		/* Freed frames may point at each other: a ring meets its mark again. */
		if (links == FRAMES_WALK_MAX || addr == mark)
			return WALK_ENDLESS;
		if ((links & (links - 1)) == 0)
			mark = addr;
		if (w->out->count == FRAMES_MAX) {
			w->out->skipped = 1;
			return WALK_OK;
		}
		if (addr % 8)
			return WALK_TORN;
		b = frame_bytes(w, addr);
		if (!b)
			return w->s->error ? WALK_GONE : WALK_UNREADABLE;
		frame_view(w->l, b, &v);
		result = frame_visit(w, addr, &v);
		if (result != WALK_OK)
			return result;
		w->last = addr;
		if (addr == w->base_frame)
			break;
		addr = v.previous;
	}
	return root_check(w, &v);
}

/* The address of the newest frame; 0 when the thread runs no Python. */
static bool newest_frame(struct walker *w, const uint8_t *ts, remote_addr *ret)
{
	const struct py_layout *l = w->l;
	remote_addr addr = load_u64(ts + l->tstate.frame);
	const uint8_t *cframe;

	if (l->frames == FRAMES_CFRAME && addr) {
		cframe = snapshot_get(w->s, addr, l->cframe.size);
		if (!cframe)
			return false;
		addr = load_u64(cframe + l->cframe.current_frame);
	}
	*ret = addr;
	return true;
}

/* ---- anchors of entries ------------------------------------------------------------------ */

/* A CFrame of the chain: innermost first, each higher on the stack than the one before, the last in
 * the thread state (Python/ceval.c, v3.10.13 and v3.11.7: _PyEval_EvalFrameDefault). */
struct cframe_at {
	remote_addr addr, next;
	remote_addr current;      /* 3.11: the newest frame of this call */
	bool ended;               /* `next` is the one in the thread state */
};

static bool cframe_step(struct walker *w, struct cframe_at *c)
{
	const struct py_layout *l = w->l;
	const uint8_t *b;

	c->ended = c->next - w->tstate < l->tstate.size;
	if (c->ended || c->next % 8 || c->next <= c->addr)
		return false;
	b = snapshot_get(w->s, c->next, l->cframe.size);
	if (!b)
		return false;
	c->addr = c->next;
	c->next = load_u64(b + l->cframe.previous);
	c->current = has_field(l->cframe.current_frame) ?
		     load_u64(b + l->cframe.current_frame) : 0;
	return true;
}

/* 3.11: each CFrame names the newest frame of its call. Chains have more than there are entries
 * where greenlets put their own below. */
static void anchors_by_frame(struct walker *w, remote_addr head)
{
	struct raw_stack *out = w->out;
	struct cframe_at c = { .next = head };
	uint32_t i = 0;

	for (uint32_t links = 0; i < out->entry_count && links < CFRAMES_MAX && cframe_step(w, &c);
	     links++)
		/* The newest frames may have been taken away. */
		if (c.current == out->entries[i].anchor || (i == 0 && out->repaired))
			out->entries[i++].anchor = c.addr;
	for (; i < out->entry_count; i++)
		out->entries[i].anchor = 0;
}

/* How many CFrames there are; 0 when they do not end as they should. */
static uint32_t cframes_count(struct walker *w, remote_addr head)
{
	struct cframe_at c = { .next = head };
	uint32_t n = 0;

	while (n < CFRAMES_MAX && cframe_step(w, &c))
		n++;
	return c.ended || w->out->skipped ? n : 0;
}

/* 3.10: as many CFrames as frames. A call that begins has a CFrame before its frame is linked, one
 * that ends has its frame a little longer than its CFrame. */
static void anchors_by_count(struct walker *w, remote_addr head)
{
	struct raw_stack *out = w->out;
	struct cframe_at c = { .next = head };
	uint32_t n = cframes_count(w, head), i = 0;

	if (out->skipped == 0 && n == out->count + 1 && out->count < FRAMES_MAX && !out->repaired) {
		memmove(&out->entries[1], &out->entries[0], out->count * sizeof(out->entries[0]));
		out->entries[0].end = 0;
		out->entry_count++;
	} else if (out->skipped == 0 && n + 1 == out->count) {
		out->entries[i++].anchor = 0;
	}
	/* Calls whose frames were taken away. */
	for (; out->repaired && n > out->count; n--)
		cframe_step(w, &c);
	if (out->skipped == 0 && n + i != out->entry_count)
		n = 0;
	for (; i < out->entry_count; i++)
		out->entries[i].anchor = n && cframe_step(w, &c) ? c.addr : 0;
}

/* Entries of a walk that is done get their anchors; of one that failed nothing is left. */
static void entries_finish(struct walker *w, const uint8_t *ts, enum walk result)
{
	const struct py_layout *l = w->l;
	struct raw_stack *out = w->out;
	remote_addr head = has_field(l->tstate.cframe) ? load_u64(ts + l->tstate.cframe) : 0;

	if (result != WALK_OK) {
		out->entry_count = 0;
		return;
	}
	if (!out->skipped)
		entry_close(out, 0);
	if (l->owner_hidden_min >= 0)
		return;
	if (has_field(l->cframe.current_frame))
		anchors_by_frame(w, head);
	else
		anchors_by_count(w, head);
}

enum walk frames_walk(const struct py_target *t, struct snapshot *s, remote_addr tstate,
		      bool frozen, struct raw_stack *out)
{
	const struct py_layout *l = &t->layout;
	struct walker w = { .t = t, .l = l, .s = s, .out = out, .tstate = tstate, .frozen = frozen };
	const uint8_t *ts = snapshot_get(s, tstate, layout_tstate_bytes(l));
	remote_addr addr;
	enum walk result;

	out->count = out->skipped = out->repaired = out->entry_count = 0;
	if (!ts)
		return s->error ? WALK_GONE : WALK_UNREADABLE;
	out->interp = load_u64(ts + l->tstate.interp);
	out->thread_id = load_u64(ts + l->tstate.thread_id);
	out->state = has_field(l->tstate.state) ? load_i32(ts + l->tstate.state) : -1;
	out->gil_requested = has_field(l->tstate.gil_requested) && load_i32(ts + l->tstate.gil_requested);
	if (has_field(l->tstate.base_frame))
		w.base_frame = tstate + l->tstate.base_frame;
	if (has_field(l->tstate.datastack_chunk)) {
		remote_addr chunk = load_u64(ts + l->tstate.datastack_chunk);

		if (chunk && !chunk_newest(&w, chunk, load_u64(ts + l->tstate.datastack_top)))
			return s->error ? WALK_GONE : WALK_UNREADABLE;
	}
	if (!newest_frame(&w, ts, &addr))
		return s->error ? WALK_GONE : WALK_UNREADABLE;
	if (!addr || addr == w.base_frame)
		return WALK_EMPTY;
	result = chain_walk(&w, addr);
	if (result == WALK_OK && out->count == 0)
		return out->repaired ? WALK_TORN : WALK_EMPTY;
	if (out->entries_wanted)
		entries_finish(&w, ts, result);
	return result;
}

const char *walk_text(enum walk w)
{
	static const char *const text[WALK_RESULTS] = {
		[WALK_OK] = "ok",
		[WALK_EMPTY] = "no Python frames",
		[WALK_TORN] = "torn",
		[WALK_UNROOTED] = "unrooted",
		[WALK_UNREADABLE] = "unreadable",
		[WALK_ENDLESS] = "endless",
		[WALK_GONE] = "gone",
	};

	return w < WALK_RESULTS ? text[w] : "?";
}
