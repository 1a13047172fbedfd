/* SPDX-License-Identifier: MIT
 * Stacks read from recorded memory of every version, compared with what the target itself stated; and the same
 * memory damaged, which must end in an answer, not in a crash or without end. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "py/fixture.h"
#include "stack_reader.h"
#include "tap.h"

enum {
	PATIENCE_S = 600,         /* a walk without end is a failure, not a hang; sanitizers are slow */
	DAMAGES = 500,            /* of each kind and recording */
	READER_LIFE = 64,         /* damages read by one reader: the caches see several */
	CYCLE_AT = 3,             /* frames from the leaf */
};

/* One recording, loaded. */
struct recording {
	const char *name;
	struct fixture fixture;
	struct remote remote;
	struct py_target target;
};

static bool recording_open(struct recording *r, const char *path)
{
	struct err err = { 0 };
	const char *slash = strrchr(path, '/');

	r->name = slash ? slash + 1 : path;
	if (!ok(!fixture_load(&r->fixture, path, &err), "%s: loads", r->name)) {
		printf("# %s\n", err.text);
		return false;
	}
	fixture_remote(&r->remote, &r->fixture);
	if (!ok(!target_from_fixture(&r->target, &r->fixture, &r->remote, &err), "%s: has a layout",
		r->name)) {
		printf("# %s\n", err.text);
		return false;
	}
	return true;
}

/* ---- as recorded ------------------------------------------------------------------------ */

static ssize_t thread_find(const struct stack_reader *r, uint64_t thread_id)
{
	for (ssize_t i = 0; i < r->thread_count; i++)
		if (r->threads[i].thread_id == thread_id)
			return i;
	return -1;
}

/* The frame as an "expect" line has it. */
static void frame_text(const struct stack_reader *r, uint64_t thread_id, uint32_t i, struct buf *out)
{
	const struct sym_func *fn = symtab_func_at(&r->symtab, r->frames[i].func);

	buf_clear(out);
	buf_addf(out, "%llu\t%d\t%d\t%s\t%s", (unsigned long long)thread_id, r->frames[i].line,
		 fn->first_line, fn->name, symtab_file_at(&r->symtab, fn->file)->path);
}

/* Reads one thread and compares it with the lines from `line` on; returns the first line that is not its own. */
static size_t thread_compare(const struct recording *rec, struct stack_reader *r, size_t line,
			     const char **ret_wrong)
{
	uint64_t id = strtoull(fixture_value(&rec->fixture, "expect", line), NULL, 10);
	ssize_t at = thread_find(r, id);
	struct buf text = BUF_INIT;
	enum code_result code = CODE_INVALID;
	enum walk walked = at < 0 ? WALK_GONE : stack_read(r, at, true, &code);
	const char *want;
	uint32_t i = 0;

	if (walked != WALK_OK || code != CODE_OK)
		*ret_wrong = walk_text(walked);
	for (; (want = fixture_value(&rec->fixture, "expect", line)) != NULL; line++, i++) {
		if (strtoull(want, NULL, 10) != id)
			break;
		if (i < r->count)
			frame_text(r, id, i, &text);
		if (!*ret_wrong && (i >= r->count || strcmp(text.data, want) != 0)) {
			printf("# got:  %s\n", i < r->count ? text.data : "(no more frames)");
			*ret_wrong = want;
		}
	}
	if (!*ret_wrong && i != r->count)
		*ret_wrong = "(the end of the stack)";
	buf_release(&text);
	return line;
}

static void test_as_recorded(const struct recording *rec)
{
	struct stack_reader r;
	const char *wrong = NULL;
	size_t line = 0, threads = 0;

	stack_reader_init(&r, &rec->target);
	while (!wrong && fixture_value(&rec->fixture, "expect", line)) {
		line = thread_compare(rec, &r, line, &wrong);
		threads++;
	}
	if (!ok(!wrong && threads > 2 && (ssize_t)threads == r.thread_count,
		"%s: %zu stacks, %zu frames as the target stated them", rec->name, threads, line))
		printf("# want: %s; %zd threads\n", wrong ? wrong : "", r.thread_count);
	stack_reader_release(&r);
}

/* Where the word at `addr` is kept; NULL when it was not recorded. */
static uint8_t *place_of(const struct recording *rec, remote_addr addr)
{
	for (size_t i = 0; i < rec->fixture.range_count; i++) {
		const struct fixture_range *g = &rec->fixture.ranges[i];

		if (addr >= g->addr && addr + 8 <= g->addr + g->len)
			return (uint8_t *)g->bytes + (addr - g->addr);
	}
	return NULL;
}

static uint64_t word_at(const struct recording *rec, remote_addr addr)
{
	const uint8_t *p = place_of(rec, addr);

	return p ? load_u64(p) : 0;
}

static remote_addr leaf_of(const struct recording *rec, remote_addr tstate)
{
	const struct py_layout *l = &rec->target.layout;
	remote_addr leaf = word_at(rec, tstate + l->tstate.frame);

	return l->frames == FRAMES_CFRAME ? word_at(rec, leaf + l->cframe.current_frame) : leaf;
}

/* ---- entries: the eval calls that run the frames ----------------------------------------- */

enum {
	STACK_BYTES = 8 << 20,    /* of a thread, below its pthread structure */
	ENTRIES_LEAST = 3,        /* a thread whose Python calls C that calls Python: some more */
	ENTRIES_DEEP = 64,        /* frames of a recursion within one call, 3.11+ */
};

/* Recorded before CFrames were read: all but the newest have no anchor there. */
static bool lacks_cframes(const struct recording *rec)
{
	return strcmp(rec->name, "stacks-3.11.2-aarch64.pages.gz") == 0;
}

static int byte_at(const struct recording *rec, remote_addr addr)
{
	const uint8_t *p = place_of(rec, addr & ~7ull);

	return p ? p[addr & 7] : -1;
}

/* Whether an eval call's own part ends at this frame: by each version's rule, read anew. */
static bool entry_ends_at(const struct recording *rec, remote_addr tstate, remote_addr frame)
{
	const struct py_layout *l = &rec->target.layout;

	if (l->frames == FRAMES_OBJECT)
		return true;
	if (l->owner_hidden_min < 0)
		return byte_at(rec, frame + l->frame.is_entry) == 1;
	return byte_at(rec, frame + l->frame.owner) >= l->owner_hidden_min &&
	       frame - tstate >= l->tstate.size + 4096;
}

static uint32_t entries_due(const struct recording *rec, remote_addr tstate)
{
	remote_addr addr = leaf_of(rec, tstate);
	uint32_t n = 0;

	for (; addr; addr = word_at(rec, addr + rec->target.layout.frame.previous))
		n += entry_ends_at(rec, tstate, addr);
	return n;
}

/* Whether the anchor may be on the stack of this thread: not in the state, not among the frames, and
 * just below the pthread structure of all threads but the main one. */
static bool anchor_fits(const struct recording *rec, const struct py_thread *th, bool main_thread,
			remote_addr anchor)
{
	const struct py_layout *l = &rec->target.layout;

	if (anchor % 8 || anchor - th->tstate < l->tstate.size + 4096)
		return false;
	if (has_field(l->tstate.datastack_chunk)) {
		remote_addr chunk = word_at(rec, th->tstate + l->tstate.datastack_chunk);

		if (anchor - chunk < word_at(rec, chunk + l->chunk.size))
			return false;
	}
	return main_thread || th->thread_id - anchor < STACK_BYTES;
}

static const char *entries_fault(const struct recording *rec, const struct stack_reader *r, ssize_t i)
{
	const struct raw_stack *raw = r->raw;
	bool anchored = rec->target.layout.version >= PYVER(3, 10);
	remote_addr last = 0;
	uint32_t end = 0;

	if (raw->entry_count != entries_due(rec, r->threads[i].tstate))
		return "as many as there are calls";
	for (uint32_t n = 0; n < raw->entry_count; n++) {
		const struct raw_entry *e = &raw->entries[n];

		if (e->end <= end)
			return "each with frames";
		end = e->end;
		if (!anchored && e->anchor)
			return "no anchors";
		if (!anchored || (n && lacks_cframes(rec)))
			continue;
		if (e->anchor <= last)
			return "anchors one above the other";
		if (!anchor_fits(rec, &r->threads[i], i == r->thread_count - 1, e->anchor))
			return "anchors on the stack";
		last = e->anchor;
	}
	return end == r->count ? NULL : "all frames in one";
}

/* Threads are listed newest first: the main one is the last. */
static void test_entries(const struct recording *rec)
{
	struct stack_reader r;
	const char *fault = NULL;
	enum code_result code;
	uint32_t most = 0, deepest = 0;

	stack_reader_init(&r, &rec->target);
	for (ssize_t i = 0; !fault && i < r.thread_count; i++) {
		if (stack_read(&r, i, true, &code) != WALK_OK)
			fault = "read";
		else
			fault = entries_fault(rec, &r, i);
		if (most < r.raw->entry_count)
			most = r.raw->entry_count;
		if (r.raw->entry_count && deepest < r.raw->entries[0].end)
			deepest = r.raw->entries[0].end;
	}
	if (!fault && most < ENTRIES_LEAST)
		fault = "some that were called by C";
	if (!fault && (rec->target.layout.frames == FRAMES_OBJECT ? deepest != 1 :
		       deepest < ENTRIES_DEEP))
		fault = "calls within one, from 3.11 on";
	if (!ok(!fault, "%s: entries of all threads, up to %u", rec->name, most))
		printf("# want: %s\n", fault);
	stack_reader_release(&r);
}

/* Only the walk, with what the last look learned. Returns its reads. */
static uint32_t walk_reads(struct stack_reader *r, ssize_t i, bool entries)
{
	enum walk walked;

	r->raw->entries_wanted = entries;
	snapshot_begin(&r->snap, &r->plan);
	walked = frames_walk(r->target, &r->snap, r->threads[i].tstate, true, r->raw);
	r->raw->entries_wanted = true;
	return walked == WALK_OK ? r->snap.reads : 0;
}

/* Entries cost reads only when they are wanted, and then none of their own. */
static void test_entries_reads(const struct recording *rec)
{
	struct stack_reader r;
	bool cframes = has_field(rec->target.layout.tstate.cframe) && rec->target.layout.owner_hidden_min < 0;
	ssize_t good = 0;

	stack_reader_init(&r, &rec->target);
	for (ssize_t i = 0; i < r.thread_count; i++) {
		uint32_t without = walk_reads(&r, i, false), count = r.raw->count;
		bool none = r.raw->entry_count == 0;
		uint32_t with = walk_reads(&r, i, true), entries = r.raw->entry_count;

		plan_learn(&r.plan, &r.snap);
		none = none && r.raw->count == count;
		/* 3.11 has read the newest of them anyway. */
		with -= cframes ? entries - has_field(rec->target.layout.cframe.current_frame) : 0;
		good += none && (with == without || lacks_cframes(rec)) &&
			(walk_reads(&r, i, true) == 1 + r.plan.count / REMOTE_IOV_MAX ||
			 lacks_cframes(rec));
		plan_release(&r.plan);
	}
	ok(good == r.thread_count, "%s: no reads but CFrames', planned (%zd of %zd)", rec->name, good,
	   r.thread_count);
	stack_reader_release(&r);
}

/* 3.10: a call is entered CFrame first, and left CFrame first. */
static void test_half_linked(const struct recording *rec)
{
	const struct py_layout *l = &rec->target.layout;
	struct raw_entry kept[2];
	struct stack_reader r;
	enum code_result code;
	uint8_t *head, *leaf;
	uint64_t word;
	uint32_t n;

	if (l->version != PYVER(3, 10))
		return;
	stack_reader_init(&r, &rec->target);
	head = place_of(rec, r.threads[0].tstate + l->tstate.cframe);
	leaf = place_of(rec, r.threads[0].tstate + l->tstate.frame);
	stack_read(&r, 0, true, &code);
	memcpy(kept, r.raw->entries, sizeof(kept));
	n = r.raw->entry_count;

	word = load_u64(head);
	memcpy(head, (uint64_t[]){ word_at(rec, word + l->cframe.previous) }, 8);
	stack_read(&r, 0, true, &code);
	ok(r.raw->entry_count == n && r.raw->entries[0].anchor == 0 && r.raw->entries[0].end == 1 &&
	   r.raw->entries[1].anchor == kept[1].anchor, "%s: a call being left", rec->name);
	memcpy(head, &word, 8);

	word = load_u64(leaf);
	memcpy(leaf, (uint64_t[]){ word_at(rec, word + l->frame.previous) }, 8);
	stack_read(&r, 0, true, &code);
	ok(r.raw->entry_count == n && r.raw->entries[0].anchor == kept[0].anchor &&
	   r.raw->entries[0].end == 0 && r.raw->entries[1].anchor == kept[1].anchor &&
	   r.raw->entries[1].end == 1, "%s: a call being entered", rec->name);
	memcpy(leaf, &word, 8);
	stack_reader_release(&r);
}

/* Whether the walk succeeds with the second CFrame's link being `link`, and the rest has no anchors. */
static bool chain_broken(const struct recording *rec, struct stack_reader *r, ssize_t i, uint8_t *at,
			 uint64_t link)
{
	uint64_t kept = load_u64(at);
	enum code_result code;
	enum walk walked;
	bool none = true;

	memcpy(at, &link, 8);
	walked = stack_read(r, i, true, &code);
	memcpy(at, &kept, 8);
	for (uint32_t n = 2; n < r->raw->entry_count; n++)
		none = none && r->raw->entries[n].anchor == 0;
	return walked == WALK_OK && none &&
	       r->raw->entry_count == entries_due(rec, r->threads[i].tstate);
}

/* Reads one thread's stack after the other until one has calls enough; its number. */
static ssize_t read_deep(struct stack_reader *r)
{
	enum code_result code;
	ssize_t i = 0;

	do {
		stack_read(r, i, true, &code);
	} while (r->raw->entry_count < ENTRIES_LEAST && ++i < r->thread_count);
	return i;
}

/* CFrames that lead back, elsewhere, or nowhere: the stack is read, anchors are missing. */
static void test_broken_cframes(const struct recording *rec)
{
	const struct py_layout *l = &rec->target.layout;
	struct stack_reader r;
	remote_addr second;
	uint8_t *link;
	ssize_t i;

	if (!has_field(l->tstate.cframe) || l->owner_hidden_min >= 0 || lacks_cframes(rec))
		return;
	stack_reader_init(&r, &rec->target);
	i = read_deep(&r);
	second = r.raw->entries[1].anchor;
	link = place_of(rec, second + l->cframe.previous);
	ok(r.raw->entry_count > 2 && link && chain_broken(rec, &r, i, link, second) &&
	   chain_broken(rec, &r, i, link, r.raw->entries[0].anchor) &&
	   chain_broken(rec, &r, i, link, 0) && chain_broken(rec, &r, i, link, second + 4) &&
	   chain_broken(rec, &r, i, link, second + (1ull << 40)), "%s: CFrames that lead astray", rec->name);
	stack_reader_release(&r);
}

/* Reads the stack with the word at `at` replaced; what came of it is left in r->raw. */
static bool read_with(struct stack_reader *r, uint8_t *at, uint64_t word, ssize_t i)
{
	uint64_t kept = load_u64(at);
	enum code_result code;
	enum walk walked;

	memcpy(at, &word, 8);
	walked = stack_read(r, i, true, &code);
	memcpy(at, &kept, 8);
	return walked == WALK_OK;
}

/* A chain of CFrames that has one too few (3.11), or does not reach the thread state (3.10). */
static void test_odd_cframes(const struct recording *rec)
{
	const struct py_layout *l = &rec->target.layout;
	bool named = has_field(l->cframe.current_frame), good = true;
	const struct raw_entry *entries;
	struct stack_reader r;
	remote_addr last;
	ssize_t i;
	uint32_t n;

	if (!has_field(l->tstate.cframe) || l->owner_hidden_min >= 0 || lacks_cframes(rec))
		return;
	stack_reader_init(&r, &rec->target);
	i = read_deep(&r);
	entries = r.raw->entries;
	n = r.raw->entry_count;
	last = named ? entries[2].anchor : 0;
	good = n >= ENTRIES_LEAST &&
	       read_with(&r, place_of(rec, entries[named ? 0 : n - 1].anchor + l->cframe.previous), last,
			 i) &&
	       r.raw->entry_count == n && (entries[0].anchor != 0) == named;
	for (uint32_t k = 1; k < n; k++)
		good = good && entries[k].anchor == 0;
	ok(good, "%s: %s", rec->name, named ? "a CFrame left out" : "CFrames without an end");
	stack_reader_release(&r);
}

/* 3.15: Python frames right above the thread state's base frame, which is nobody's anchor. */
static void test_base_frame(const struct recording *rec)
{
	const struct py_layout *l = &rec->target.layout;
	remote_addr addr, entry, base, above;
	struct stack_reader r;
	enum code_result code;
	uint32_t n;

	if (!has_field(l->tstate.base_frame))
		return;
	stack_reader_init(&r, &rec->target);
	stack_read(&r, 0, true, &code);
	n = r.raw->entry_count;
	entry = r.raw->entries[n - 1].anchor;
	base = word_at(rec, entry + l->frame.previous);
	for (addr = above = leaf_of(rec, r.threads[0].tstate); addr && addr != entry;
	     addr = word_at(rec, addr + l->frame.previous))
		above = addr;
	ok(addr && base - r.threads[0].tstate < l->tstate.size + 4096 &&
	   read_with(&r, place_of(rec, above + l->frame.previous), base, 0) &&
	   r.raw->entry_count == n && r.raw->entries[n - 1].anchor == 0 &&
	   r.raw->entries[n - 1].end == r.count, "%s: the base frame is no anchor", rec->name);
	stack_reader_release(&r);
}

/* ---- damaged ---------------------------------------------------------------------------- */

static uint64_t seed;

static uint64_t random_next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* A place in the recorded memory, `len` bytes long and aligned to it; NULL where a range is shorter. */
static uint8_t *random_place(const struct recording *rec, uint64_t len)
{
	const struct fixture_range *g =
		&rec->fixture.ranges[random_next() % rec->fixture.range_count];

	if (g->len < len)
		return NULL;
	return (uint8_t *)g->bytes + random_next() % (g->len / len) * len;
}

static void flip_bit(const struct recording *rec, uint8_t *p)
{
	(void)rec;
	*p ^= (uint8_t)(1u << random_next() % 8);
}

static void random_byte(const struct recording *rec, uint8_t *p)
{
	(void)rec;
	*p = (uint8_t)random_next();
}

/* A word of another place: pointers that lead elsewhere, counts that are pointers, cycles. */
static void other_word(const struct recording *rec, uint8_t *p)
{
	const uint8_t *other = random_place(rec, 8);

	if (other)
		memmove(p, other, 8);
}

static void odd_word(const struct recording *rec, uint8_t *p)
{
	static const uint64_t words[] = {
		0, 1, 7, 8, UINT64_MAX, INT64_MAX, (uint64_t)INT64_MIN, UINT32_MAX, INT32_MAX,
		1ull << 31, 1ull << 47, REMOTE_ADDR_MAX - 8, REMOTE_ADDR_MAX, 0x7fffffffff, 4096,
	};

	(void)rec;
	memcpy(p, &words[random_next() % (sizeof(words) / sizeof(words[0]))], 8);
}

static void nearby_word(const struct recording *rec, uint8_t *p)
{
	uint64_t v = load_u64(p) + (random_next() % 65 - 32) * 8;

	(void)rec;
	memcpy(p, &v, 8);
}

static const struct damage {
	const char *name;
	uint64_t len;
	void (*make)(const struct recording *rec, uint8_t *p);
} damages[] = {
	{ "single bits", 1, flip_bit },
	{ "single bytes", 1, random_byte },
	{ "words of elsewhere", 8, other_word },
	{ "odd words", 8, odd_word },
	{ "pointers a little off", 8, nearby_word },
};

static bool entries_sane(const struct raw_stack *raw, enum walk walked)
{
	uint32_t end = 0;
	bool good = raw->entry_count <= raw->count + 1 && (walked == WALK_OK || !raw->entry_count);

	for (uint32_t i = 0; good && i < raw->entry_count; i++) {
		good = raw->entries[i].end >= end && raw->entries[i].end <= raw->count;
		end = raw->entries[i].end;
	}
	return good;
}

/* Every answer is one that is known, and what comes with it is within bounds. */
static bool sane(struct stack_reader *r)
{
	bool good = r->thread_count <= (ssize_t)THREADS_MAX;

	for (ssize_t i = 0; good && i < r->thread_count && i < 32; i++) {
		enum code_result code = CODE_OK;
		enum walk walked = stack_read(r, i, i % 2, &code);

		good = (unsigned int)walked < WALK_RESULTS && (unsigned int)code <= CODE_UNREADABLE &&
		       r->count <= FRAMES_MAX && r->raw->count <= FRAMES_MAX;
		good = good && entries_sane(r->raw, walked);
		for (uint32_t n = 0; good && n < r->count; n++)
			good = r->frames[n].func < pool_count(&r->symtab.funcs);
	}
	return good;
}

static bool sane_again(struct stack_reader *r)
{
	r->thread_count = threads_list(r->target, r->threads, THREADS_MAX);
	return sane(r);
}

static void test_damage(const struct recording *rec, const struct damage *d)
{
	struct stack_reader r;
	int good = 0, tried = 0;

	seed = 88172645463325252ull;
	stack_reader_init(&r, &rec->target);
	for (int i = 0; i < DAMAGES; i++) {
		uint8_t *p = random_place(rec, d->len), kept[8];

		if (!p)
			continue;
		memcpy(kept, p, d->len);
		d->make(rec, p);
		good += sane_again(&r);
		tried++;
		memcpy(p, kept, d->len);
		if (i % READER_LIFE == READER_LIFE - 1) {
			stack_reader_release(&r);
			stack_reader_init(&r, &rec->target);
		}
	}
	stack_reader_release(&r);
	ok(good == tried && tried > DAMAGES / 2, "%s: %s damaged", rec->name, d->name);
}

/* Pages that are not mapped any more, or end early. */
static void test_missing(const struct recording *rec)
{
	struct stack_reader r;
	int good = 0;

	stack_reader_init(&r, &rec->target);
	for (size_t i = 0; i < rec->fixture.range_count; i++) {
		struct fixture_range *g = &rec->fixture.ranges[i];
		uint64_t kept = g->len;

		g->len = i % 3 ? g->len / 2 : 0;
		good += sane_again(&r);
		g->len = kept;
	}
	stack_reader_release(&r);
	ok((size_t)good == rec->fixture.range_count, "%s: each of %zu pieces missing", rec->name,
	   rec->fixture.range_count);
}

/* A chain of frames, or of threads, that comes back to itself. */
static bool cycle_ends(const struct recording *rec, struct stack_reader *r, ssize_t thread)
{
	uint32_t previous = rec->target.layout.frame.previous;
	remote_addr leaf = leaf_of(rec, r->threads[thread].tstate), addr = leaf;
	enum code_result code;
	enum walk walked;
	uint64_t kept;
	uint8_t *link;

	for (int i = 0; i < CYCLE_AT && addr; i++)
		addr = word_at(rec, addr + previous);
	link = addr ? place_of(rec, addr + previous) : NULL;
	if (!link)
		return false;
	kept = load_u64(link);
	memcpy(link, &leaf, 8);
	walked = stack_read(r, thread, thread % 2, &code);
	memcpy(link, &kept, 8);
	return walked == WALK_TORN || walked == WALK_ENDLESS || walked == WALK_UNROOTED;
}

static void test_cycles(const struct recording *rec)
{
	const struct py_layout *l = &rec->target.layout;
	struct stack_reader r;
	ssize_t good = 0;
	uint8_t *next, *interp;
	uint64_t kept;

	stack_reader_init(&r, &rec->target);
	for (ssize_t i = 0; i < r.thread_count; i++)
		good += cycle_ends(rec, &r, i);
	/* Stacks of fewer frames have no such place; most have. */
	ok(good > r.thread_count / 2, "%s: %zd of %zd stacks made endless", rec->name, good,
	   r.thread_count);
	next = place_of(rec, r.threads[2].tstate + l->tstate.next);
	if (ok(next != NULL, "%s: a thread's link", rec->name)) {
		kept = load_u64(next);
		memcpy(next, &r.threads[0].tstate, 8);
		ok(sane_again(&r), "%s: a list of threads made endless", rec->name);
		memcpy(next, &kept, 8);
	}
	interp = place_of(rec, r.threads[0].interp + l->interp.next);
	if (ok(interp != NULL, "%s: an interpreter's link", rec->name)) {
		kept = load_u64(interp);
		memcpy(interp, &r.threads[0].interp, 8);
		ok(sane_again(&r), "%s: a list of interpreters made endless", rec->name);
		memcpy(interp, &kept, 8);
	}
	stack_reader_release(&r);
}

static void recording_test(const char *path)
{
	struct recording rec = { 0 };

	if (recording_open(&rec, path)) {
		test_as_recorded(&rec);
		test_entries(&rec);
		test_entries_reads(&rec);
		test_half_linked(&rec);
		test_broken_cframes(&rec);
		test_odd_cframes(&rec);
		test_base_frame(&rec);
		test_missing(&rec);
		test_cycles(&rec);
		for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
			test_damage(&rec, &damages[i]);
		test_as_recorded(&rec);
	}
	fixture_release(&rec.fixture);
}

int main(void)
{
	glob_t found;

	alarm(PATIENCE_S);
	if (glob(TESTS_DIR "/fixtures/stacks-*.pages.gz", 0, NULL, &found)) {
		ok(false, "there are recordings in %s/fixtures", TESTS_DIR);
		return tap_done();
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		recording_test(found.gl_pathv[i]);
	globfree(&found);
	return tap_done();
}
