/* SPDX-License-Identifier: MIT
 * _Py_DebugOffsets as recorded from live interpreters, and spoiled in every field. */
#include "py/debug_offsets.h"

#include <errno.h>
#include <stdlib.h>

#include "../../src/py/scan.h"
#include "tap.h"
#include "util/attr.h"

static const struct {
	const char *name;
	uint32_t version;
	bool free_threaded, debug;
} recorded[] = {
	{ "3.13.0", 0x030d00f0, false, false }, { "3.13.5t", 0x030d05f0, true, false },
	{ "3.14.10", 0x030e0af0, false, false }, { "3.14.10d", 0x030e0af0, false, true },
	{ "3.15.2", 0x030f02f0, false, false },
};

static bool load(const char *name, uint8_t bytes[DEBUG_OFFSETS_MAX])
{
	char path[512];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), TESTS_DIR "/fixtures/debug-offsets-%s.bin", name);
	f = fopen(path, "rb");
	if (f) {
		n = fread(bytes, 1, DEBUG_OFFSETS_MAX, f);
		fclose(f);
	}
	return ok(n == DEBUG_OFFSETS_MAX, "%s: recorded bytes", name);
}

/* Each member compared as the number it is; says which differ. */
static void same_layout(const char *name, const struct py_layout *got, const struct py_layout *want)
{
	size_t from = offsetof(struct py_layout, runtime) / 4, to = sizeof(*got) / 4;
	const uint32_t *a = (const void *)got, *b = (const void *)want;
	int differ = 0;

	for (size_t i = from; i < to; i++) {
		if (a[i] == b[i])
			continue;
		printf("# word %zu behind runtime: %u, row %u\n", i - from, a[i], b[i]);
		differ++;
	}
	is_int(differ, 0, name);
}

static void put(uint8_t *bytes, size_t pos, uint64_t value)
{
	memcpy(bytes + pos, &value, 8);
}

static bool inside(const struct py_layout *l)
{
	return l->tstate.frame < l->tstate.size && l->tstate.datastack_top < l->tstate.size &&
	       l->code.linetable < l->code.size && l->code.bytecode < l->code.size &&
	       l->frame.owner < l->frame.size && l->frame.instr < l->frame.size &&
	       l->tstate.size <= 32768 && l->code.size <= 1024 && l->frame.size <= 512 &&
	       l->gil.locked < 256 && l->unicode.compact_data < 256;
}

/* Any one word replaced: refused, or still within the limits that readers rely on. */
static void spoil(const char *name, const uint8_t good[DEBUG_OFFSETS_MAX])
{
	static const uint64_t values[] = { 0, 1, 7, 8, 255, 4096, 1u << 30, UINT32_MAX, UINT64_MAX,
					   INT64_MAX };
	int outside = 0, refused = 0;

	for (size_t pos = 8; pos < DEBUG_OFFSETS_MAX; pos += 8) {
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			uint8_t bytes[DEBUG_OFFSETS_MAX];
			struct debug_offsets o;

			memcpy(bytes, good, sizeof(bytes));
			put(bytes, pos, values[i]);
			if (debug_offsets_parse(&o, bytes, sizeof(bytes)) < 0)
				refused++;
			else
				outside += !inside(&o.layout);
		}
	}
	is_int(outside, 0, name);
	ok(refused > 200, "%s: %d spoiled ones refused", name, refused);
}

static void test_recorded(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(recorded); i++) {
		const char *name = recorded[i].name;
		uint8_t bytes[DEBUG_OFFSETS_MAX];
		const struct py_layout *row = layout_find(recorded[i].version,
							  recorded[i].free_threaded, false);
		struct debug_offsets o;

		if (!load(name, bytes) ||
		    !is_int(debug_offsets_parse(&o, bytes, sizeof(bytes)), 0, name))
			continue;
		ok(o.version == recorded[i].version && o.free_threaded == recorded[i].free_threaded &&
		   !o.guessed, "%s: version and flavour", name);
		is_int(o.base_frame_pointer, o.version >= PYVER(3, 15) ? 80 : (long long)NO_FIELD,
		       "pointer to the root frame");
		if (recorded[i].debug) /* its structures are longer at their end */
			o.layout.tstate.size = row->tstate.size;
		same_layout(name, &o.layout, row);
		spoil(name, bytes);
	}
}

static int parse_as(uint8_t *bytes, uint32_t version, struct debug_offsets *o)
{
	put(bytes, 8, version);
	return debug_offsets_parse(o, bytes, DEBUG_OFFSETS_MAX);
}

static void test_versions(void)
{
	uint8_t bytes[DEBUG_OFFSETS_MAX];
	struct debug_offsets o;

	if (!load("3.15.2", bytes))
		return;
	ok(parse_as(bytes, 0x031000a1, &o) == 0 && o.guessed && o.layout.version == PYVER(3, 15),
	   "3.16.0a1 is tried as 3.15");
	ok(parse_as(bytes, 0x030f00b2, &o) == 0 && o.guessed, "a beta of 3.15 is a guess");
	is_int(parse_as(bytes, 0x030c00f0, &o), -ENOTSUP, "3.12 has no such thing");
	is_int(parse_as(bytes, 0x040000f0, &o), -ENOTSUP, "4.0 is too far");
	ok(parse_as(bytes, 0x030d00f0, &o) == -EINVAL, "3.15's bytes are not 3.13's");
	put(bytes, 8, 0x030f02f0);
	for (size_t len = 0; len < DEBUG_OFFSETS_MAX; len += 8)
		if (debug_offsets_parse(&o, bytes, len) >= 0)
			ok(false, "cut at %zu", len);
	bytes[0] = 'X';
	is_int(debug_offsets_parse(&o, bytes, sizeof(bytes)), -ENOENT, "no cookie");
}

static uint32_t text(const char *before, const char *version)
{
	char buf[256] = "";
	size_t n = strlen(before), m = strlen(version);

	memcpy(buf, before, n);
	memcpy(buf + n, version, m);
	return scan_version_text(buf, n + m);
}

static void test_version_text(void)
{
	is_int(text("", "3.8.18 (default, Nov 21 2026, 09:46:03) \n[GCC 12.2.0]"), 0x030812f0, "3.8");
	is_int(text("x", "3.10.0rc2 (main, Nov 21 2026) [Clang 14]"), 0x030a00c2, "candidate");
	is_int(text("", "3.9.2+ (heads/3.9:abc, Nov 21) \n[GCC 12]"), 0x030902f0, "with a plus");
	is_int(text("", "2.7.18 (default, Nov 21) \n[GCC 12]"), 0x020712f0, "2.7");
	is_int(text("1", "3.8.18 (default, Nov 21) \n[GCC 12]"), 0, "13.8.18 is none");
	is_int(text("", "3.40.1 2022-12-28 14:03:47"), 0, "SQLite's is none");
	is_int(text("", "3.8.18 (default"), 0, "cut");
	is_int(text("", "3.8.18 (default) "), 0, "cut behind the bracket");
	is_int(text("", "3.8.18 (default) \n"), 0, "cut behind the newline");
}

int main(void)
{
	test_recorded();
	test_versions();
	test_version_text();
	return tap_done();
}
