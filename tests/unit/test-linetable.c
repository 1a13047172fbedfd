/* SPDX-License-Identifier: MIT
 * Line tables: each format by hand, then truncated and random bytes. What real compilers write is
 * compared in tests/live/linetables. */
#include "py/linetable.h"

#include <errno.h>
#include <stdlib.h>

#include "tap.h"

#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define NO_BYTES (const uint8_t *)"", 0

struct expect {
	int64_t offset;
	int32_t line;
};

static void check(enum linetable_format format, const uint8_t *bytes, size_t len, int32_t first,
		  uint32_t code_len, int want, const struct expect *expect, size_t n,
		  const char *what)
{
	struct linetable t;
	bool good = true;
	int ret = linetable_decode(&t, format, bytes, len, first, code_len);

	for (size_t i = 0; i < n; i++) {
		int32_t line = linetable_line(&t, expect[i].offset);

		if (line != expect[i].line) {
			good = false;
			printf("# offset %lld: line %d, want %d\n", (long long)expect[i].offset,
			       line, expect[i].line);
		}
	}
	ok(good && ret == want, "%s (returned %d)", what, ret);
	linetable_release(&t);
}

#define CHECK(format, bytes, first, code_len, want, what, ...) \
	check(format, bytes, first, code_len, want, (const struct expect[]){ __VA_ARGS__ }, \
	      sizeof((const struct expect[]){ __VA_ARGS__ }) / sizeof(struct expect), what)

static void lnotab(void)
{
	CHECK(LINES_LNOTAB, BYTES(6, 1, 44, 5, 6, 0xff), 10, 80, 0, "lnotab, a step back",
	      { -1, 10 }, { 0, 10 }, { 4, 10 }, { 6, 11 }, { 48, 11 }, { 50, 16 }, { 56, 15 },
	      { 78, 15 }, { 80, 0 });
	CHECK(LINES_LNOTAB, BYTES(0, 1, 255, 0, 45, 127, 0, 100), 1, 400, 0,
	      "lnotab, steps longer than a byte", { 0, 2 }, { 254, 2 }, { 298, 2 }, { 300, 229 },
	      { -1, 1 });
	CHECK(LINES_LNOTAB, NO_BYTES, 7, 4, 0, "lnotab, empty: the first line",
	      { 0, 7 }, { 2, 7 }, { 4, 0 });
	CHECK(LINES_LNOTAB, BYTES(2, 1, 2), 7, 8, -EINVAL, "lnotab, half a pair", { 0, 7 },
	      { 2, 8 }, { 6, 8 });
	CHECK(LINES_LNOTAB, BYTES(2, 1, 200, 1), 7, 8, 0, "lnotab, beyond the code", { 6, 8 },
	      { 8, 0 }, { 202, 0 });
	CHECK(LINES_LNOTAB, BYTES(0, 127, 2, 127), INT32_MAX - 130, 8, -EINVAL,
	      "lnotab, a line beyond 32 bits", { 0, INT32_MAX - 3 });
	CHECK(LINES_LNOTAB, BYTES(2, 0x80, 2, 0x7f), 100, 8, 0, "lnotab, below line 1",
	      { 0, 100 }, { 2, 0 }, { 4, 99 });
}

static void pep626(void)
{
	/* def f():  try: g()  finally: h()  … as Objects/lnotab_notes.txt at v3.10.0 explains */
	CHECK(LINES_PEP626, BYTES(2, 0, 4, 1, 6, 0x80, 8, 2, 2, 0xfe), 5, 0, 0,
	      "PEP 626, no line and a step back", { -1, 5 }, { 0, 5 }, { 2, 6 }, { 5, 6 },
	      { 6, 0 }, { 11, 0 }, { 12, 8 }, { 20, 6 }, { 21, 6 }, { 22, 0 });
	CHECK(LINES_PEP626, BYTES(254, 100, 254, 0, 2, 0, 0, 127, 0, 127, 6, 46), 1, 0, 0,
	      "PEP 626, long stretch and long step", { 0, 101 }, { 509, 101 }, { 510, 401 },
	      { 515, 401 }, { 516, 0 });
	CHECK(LINES_PEP626, BYTES(2, 1, 2), 1, 0, -EINVAL, "PEP 626, half a pair", { 0, 2 },
	      { 2, 0 });
	CHECK(LINES_PEP626, NO_BYTES, 3, 0, 0, "PEP 626, empty", { 0, 0 },
	      { -1, 3 });
}

#define ENTRY(code, units) (0x80 | (code) << 3 | ((units) - 1))

static void pep657(void)
{
	CHECK(LINES_PEP657, BYTES(ENTRY(15, 1), ENTRY(0, 2), 0x12, ENTRY(11, 8), 3, 9,
				  ENTRY(12, 1), 3, 9), 10, 0, 0,
	      "PEP 657, short forms", { -1, 10 }, { 0, 0 }, { 2, 10 }, { 5, 10 }, { 6, 11 },
	      { 21, 11 }, { 22, 13 }, { 24, 0 });
	CHECK(LINES_PEP657, BYTES(ENTRY(14, 1), 0x64, 0x01, 0x02, 0x41, 0x01, 0x05, /* +50 */
				  ENTRY(13, 2), 0x03,                              /* -1 */
				  ENTRY(14, 1), 0x40, 0x7f, 0x40, 0x01, 0, 0, 0), 1, 0, 0,
	      "PEP 657, long and no-column forms", { 0, 1 + 50 }, { 2, 50 }, { 5, 50 },
	      { 6, 50 + ((63 << 6 | 1 << 18) >> 1) });
	CHECK(LINES_PEP657, BYTES(ENTRY(0, 1), 1, ENTRY(14, 1), 2, 1, 1), 4, 0, -EINVAL,
	      "PEP 657, a long entry cut short", { 0, 4 }, { 2, 0 });
	CHECK(LINES_PEP657, BYTES(ENTRY(0, 1), 1, ENTRY(13, 1), 0x7f, 0x7f, 0x7f, 0x7f, 0x7f,
				  0x7f, 0x7f, 1), 4, 0, -EINVAL,
	      "PEP 657, an endless number", { 0, 4 }, { 2, 0 });
	CHECK(LINES_PEP657, BYTES(ENTRY(10, 1), 1), 4, 0, -EINVAL, "PEP 657, columns missing",
	      { 0, 0 });
	CHECK(LINES_PEP657, BYTES(1, ENTRY(0, 1), 1), 4, 0, -EINVAL,
	      "PEP 657, starts inside an entry", { 0, 0 });
}

/* Neighbours of one line are one range: a module-size table stays small. */
static void merge(void)
{
	struct linetable t;
	int ret = linetable_decode(&t, LINES_PEP657,
				   BYTES(ENTRY(0, 8), 1, ENTRY(3, 8), 1, ENTRY(10, 8), 1, 1), 2,
				   0);

	ok(ret == 0 && t.count == 1 && t.end == 48, "one line is one range");
	linetable_release(&t);
}

static void too_long(void)
{
	uint8_t *bytes = calloc(1, LINETABLE_BYTES_MAX + 1);
	struct linetable t;

	is_int(linetable_decode(&t, LINES_PEP626, bytes, LINETABLE_BYTES_MAX + 1, 1, 0), -EINVAL,
	       "longer than the longest");
	linetable_release(&t);
	memset(bytes, ENTRY(15, 8), LINETABLE_BYTES_MAX);
	is_int(linetable_decode(&t, LINES_PEP657, bytes, LINETABLE_BYTES_MAX, 1, 0), 0,
	       "the longest");
	is_int(t.end, LINETABLE_BYTES_MAX * 16u, "the longest table's end");
	linetable_release(&t);
	free(bytes);
}

/* What a decoded table must be, whatever the bytes were. */
static bool table_sane(const struct linetable *t)
{
	for (uint32_t i = 0; i < t->count; i++) {
		if (t->ranges[i].line < 0 || t->ranges[i].start >= t->end)
			return false;
		if (i && (t->ranges[i].start <= t->ranges[i - 1].start ||
			  t->ranges[i].line == t->ranges[i - 1].line))
			return false;
		if (linetable_line(t, t->ranges[i].start) != t->ranges[i].line)
			return false;
	}
	return linetable_line(t, t->end) == 0;
}

/* Bytes end where their allocation ends, so that a sanitizer sees one byte too far. */
static void random_bytes(enum linetable_format format, const char *what)
{
	uint64_t seed = 88172645463325252u;
	int bad = 0, accepted = 0;

	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)round % 67;
		uint8_t *bytes = malloc(len + !len);
		struct linetable t;

		for (size_t i = 0; i < len; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			bytes[i] = (uint8_t)(seed >> 24);
		}
		accepted += !linetable_decode(&t, format, bytes, len, (int32_t)seed, 1 + seed % 999);
		bad += !table_sane(&t);
		linetable_release(&t);
		free(bytes);
	}
	ok(bad == 0 && accepted > 0, "random bytes, %s: %d tables out of order, %d whole", what,
	   bad, accepted);
}

int main(void)
{
	lnotab();
	pep626();
	pep657();
	merge();
	too_long();
	random_bytes(LINES_LNOTAB, "lnotab");
	random_bytes(LINES_PEP626, "PEP 626");
	random_bytes(LINES_PEP657, "PEP 657");
	return tap_done();
}
