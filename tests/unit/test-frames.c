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

/* Every answer is one that is known, and what comes with it is within bounds. */
static bool sane(struct stack_reader *r)
{
	bool good = r->thread_count <= (ssize_t)THREADS_MAX;

	for (ssize_t i = 0; good && i < r->thread_count && i < 32; i++) {
		enum code_result code = CODE_OK;
		enum walk walked = stack_read(r, i, i % 2, &code);

		good = (unsigned int)walked < WALK_RESULTS && (unsigned int)code <= CODE_UNREADABLE &&
		       r->count <= FRAMES_MAX && r->raw->count <= FRAMES_MAX;
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
