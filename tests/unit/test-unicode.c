/* SPDX-License-Identifier: MIT
 * str and bytes objects of every layout, whole, cut, torn and hostile. */
#include "py/unicode.h"

#include <errno.h>

#include "fake_remote.h"
#include "tap.h"

#define OBJECT UINT64_C(0x7f0000010000)
#define DATA UINT64_C(0x7f0000450000)
#define OBJECT_BYTES 8192u
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { COMPACT = 1, ASCII = 2 };

static struct fake_remote fake;
static struct remote fake_handle;
static struct py_target target;
static struct buf text;

/* A target of one layout with an empty object and an empty data page. */
static uint8_t *target_set(const struct py_layout *layout)
{
	fake_release(&fake);
	fake_handle = fake_remote(&fake);
	target.remote = &fake_handle;
	target.layout = *layout;
	buf_clear(&text);
	return fake_map(&fake, OBJECT, OBJECT_BYTES);
}

/* Writes a str of `n` characters of `kind` bytes; without COMPACT its characters go to DATA. */
static uint8_t *str_put(const struct py_layout *l, const void *chars, size_t n, unsigned int kind,
			unsigned int flags)
{
	uint8_t *object = target_set(l);
	unsigned int shift = l->unicode_state == UNICODE_KIND_BIT_8 ? 8 : 2;
	uint32_t state = kind | (flags & COMPACT ? 8 : 0) | (flags & ASCII ? 16 : 0);

	fake_put_u64(object, l->unicode.length, n);
	/* Interned, and the bits above those known set: builds leave them as they were. */
	fake_put_u32(object, l->unicode.state, state << shift | 1 | 0xff000000u);
	if (flags & COMPACT) {
		size_t at = flags & ASCII ? l->unicode.ascii_data : l->unicode.compact_data;

		fake_put(object, at, chars, n * kind);
		return object;
	}
	fake_put_u64(object, l->unicode.any_data, DATA);
	fake_put(fake_map(&fake, DATA, n * kind + kind), 0, chars, n * kind);
	return object;
}

static void is_read(const char *want, const char *what)
{
	int ret = unicode_read(&target, OBJECT, &text);

	if (!ok(ret == 0 && text.data && !strcmp(text.data, want), "%s", what))
		printf("#  got: %d %.200s\n# want: %.200s\n", ret, text.data ? text.data : "", want);
}

static void is_refused(int want, const char *what)
{
	buf_clear(&text);
	buf_adds(&text, "before");
	is_int(unicode_read(&target, OBJECT, &text), want, what);
	is_str(text.data, "before", "… and nothing is appended");
}

static void each_layout(const struct py_layout *l)
{
	const uint16_t cyrillic[] = { 0x43a, 0x438, 0x440, 'x', 0xd800, 0x20ac };
	const uint32_t emoji[] = { 'a', 0x1f4a9, 0xdfff, 0, 0x10ffff };
	size_t reads;

	printf("# %u.%u%s%s\n", l->version >> 24, l->version >> 16 & 0xff,
	       l->free_threaded ? "t" : "", l->trace_refs ? " trace refs" : "");
	str_put(l, "main", 4, 1, COMPACT | ASCII);
	reads = fake.reads;
	is_read("main", "ascii");
	is_int((long long)(fake.reads - reads), 1, "one read");
	str_put(l, "", 0, 1, COMPACT | ASCII);
	is_read("", "empty");
	str_put(l, "h\xe9llo", 5, 1, COMPACT);
	is_read("h\xc3\xa9llo", "latin-1");
	str_put(l, cyrillic, COUNT(cyrillic), 2, COMPACT);
	is_read("кирx\xef\xbf\xbd€", "two bytes, lone surrogate");
	str_put(l, emoji, COUNT(emoji), 4, COMPACT);
	is_read("a💩\xef\xbf\xbd\xef\xbf\xbd\xf4\x8f\xbf\xbf", "four bytes, surrogate, NUL");
	str_put(l, "legacy", 6, 1, ASCII);
	is_read("legacy", "not compact");
	str_put(l, cyrillic, 4, 2, 0);
	reads = fake.reads;
	is_read("кирx", "not compact, two bytes");
	is_int((long long)(fake.reads - reads), 2, "two reads");
}

/* PyUnicode_FromUnicode(NULL, n) of 3.6-3.11 before PyUnicode_READY(): wstr alone. */
static void not_ready(void)
{
	const struct py_layout *l = layout_find(PYVER(3, 7), false, false);
	const uint32_t wide[] = { 'w', 0x44b, 0x1f4a9, 0 };
	uint8_t *object = target_set(l);

	fake_put_u64(object, 40, DATA);
	fake_put_u64(object, 64, 3);
	fake_put(fake_map(&fake, DATA, sizeof(wide)), 0, wide, sizeof(wide));
	is_read("wы💩", "3.7, not ready");
	str_put(layout_find(PYVER(3, 12), false, false), "abc", 3, 0, 0);
	is_refused(-EINVAL, "3.12 has no such strings");
}

static void cut(void)
{
	const struct py_layout *l = layout_find(PYVER(3, 13), false, false);
	char long_name[5000], want[UNICODE_CHARS_MAX + 4];
	size_t reads;

	memset(long_name, 'n', sizeof(long_name));
	memset(want, 'n', UNICODE_CHARS_MAX);
	memcpy(want + UNICODE_CHARS_MAX, "…", 4);
	str_put(l, long_name, sizeof(long_name), 1, COMPACT | ASCII);
	reads = fake.reads;
	is_read(want, "5 000 characters are cut");
	is_int((long long)(fake.reads - reads), 2, "two reads");
	str_put(l, long_name, UNICODE_CHARS_MAX, 1, COMPACT | ASCII);
	want[UNICODE_CHARS_MAX] = '\0';
	is_read(want, "as many as there may be");
	str_put(l, long_name, UNICODE_CHARS_MAX + 1, 1, COMPACT | ASCII);
	memcpy(want + UNICODE_CHARS_MAX, "…", 4);
	is_read(want, "one more");
}

/* The last object before an unmapped page: what follows it must not be needed. */
static void page_end(void)
{
	const struct py_layout *l = layout_find(PYVER(3, 14), false, false);
	remote_addr at = OBJECT + 4096 - 48;
	uint8_t *page;

	target_set(l);
	fake_release(&fake);
	page = fake_map(&fake, OBJECT, 4096);
	fake_put_u64(page, 4096 - 48 + l->unicode.length, 7);
	fake_put_u32(page, 4096 - 48 + l->unicode.state, (1 | 8 | 16) << 2);
	fake_put(page, 4096 - 48 + l->unicode.ascii_data, "lastone", 7);
	ok(unicode_read(&target, at, &text) == 0 && !strcmp(text.data, "lastone"),
	   "the last object of the last page");
	buf_clear(&text);
	fake_put_u64(page, 4096 - 48 + l->unicode.length, 8);
	is_int(unicode_read(&target, at, &text), -EFAULT, "one character too many");
	fake_put_u32(page, 4096 - 48 + l->unicode.state, 1 << 2);
	is_int(unicode_read(&target, at, &text), -EFAULT, "its data pointer is not mapped");
	is_int(unicode_read(&target, at + 16, &text), -EFAULT, "half a header");
}

static void refused(void)
{
	const struct py_layout *l = layout_find(PYVER(3, 10), false, false);
	const uint32_t beyond[] = { 'a', 0x110000 };
	uint8_t *object;

	str_put(l, "abcdefghi", 3, 3, COMPACT);
	is_refused(-EINVAL, "kind 3");
	str_put(l, "abcdefgh", 1, 2, COMPACT | ASCII);
	is_refused(-EINVAL, "ASCII of two bytes");
	str_put(l, "ab\xe9", 3, 1, COMPACT | ASCII);
	is_refused(-EINVAL, "ASCII that is none");
	str_put(l, beyond, 2, 4, COMPACT);
	is_refused(-EINVAL, "beyond U+10FFFF");
	object = str_put(l, "abcdef", 6, 1, COMPACT | ASCII);
	fake_put_u64(object, l->unicode.length, 3);
	is_refused(-EINVAL, "no NUL where it ends");
	object = str_put(l, "abc", 3, 1, COMPACT | ASCII);
	fake_put_u64(object, l->unicode.length, (uint64_t)-3);
	is_refused(-EINVAL, "negative length");
	str_put(l, "abc", 3, 1, ASCII);
	fake_put_u64(fake.ranges[0].bytes, l->unicode.any_data, 0);
	is_refused(-EFAULT, "data at 0");
	fake.error = -ESRCH;
	is_refused(-ESRCH, "the target is gone");
	fake.error = 0;
	is_int(unicode_read(&target, 0, &text), -EFAULT, "at 0");
	is_int(unicode_read(&target, OBJECT + 4, &text), -EINVAL, "not aligned");
	is_int(unicode_read(&target, UINT64_MAX - 7, &text), -EFAULT, "at the very end");
}

static void random_objects(void)
{
	uint64_t seed = 88172645463325252u;
	int accepted = 0, bad = 0;

	for (int round = 0; round < 20000; round++) {
		uint8_t *object = target_set(&py_layouts[(size_t)round % py_layouts_count]);

		for (size_t i = 0; i < 512; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			object[i] = (uint8_t)(seed >> 24);
		}
		fake_put_u64(object, target.layout.unicode.length, seed % 24);
		if (unicode_read(&target, OBJECT, &text) == 0)
			accepted++;
		bad += text.len > 24 * 4;
	}
	ok(bad == 0, "random objects: %d accepted", accepted);
}

static void bytes(const struct py_layout *l)
{
	uint8_t *object = target_set(l);

	fake_put_u64(object, l->bytes.length, 5);
	fake_put(object, l->bytes.data, "\0\1\xff" "ab", 5);
	buf_adds(&text, "before");
	ok(bytes_read(&target, OBJECT, 5, &text) == 0 && text.len == 5 &&
	   !memcmp(text.data, "\0\1\xff" "ab", 5), "bytes");
	is_int((long long)fake.reads, 1, "one read");
	is_int(bytes_read(&target, OBJECT, 4, &text), -E2BIG, "longer than wanted");
	fake_put_u64(object, l->bytes.length, 4);
	is_int(bytes_read(&target, OBJECT, 5, &text), -EINVAL, "no NUL behind");
	fake_put_u64(object, l->bytes.length, 6000);
	fake_put(object, l->bytes.data + 5990, "0123456789", 10);
	ok(bytes_read(&target, OBJECT, 1 << 20, &text) == 0 && text.len == 6000 &&
	   !memcmp(text.data + 5990, "0123456789", 10), "long bytes");
	fake_put_u64(object, l->bytes.length, OBJECT_BYTES);
	is_int(bytes_read(&target, OBJECT, 1 << 20, &text), -EFAULT, "beyond what is mapped");
	fake_put_u64(object, l->bytes.length, (uint64_t)-1);
	is_int(bytes_read(&target, OBJECT, 1 << 20, &text), -EINVAL, "negative length");
}

int main(void)
{
	for (size_t i = 0; i < py_layouts_count; i++)
		each_layout(&py_layouts[i]);
	not_ready();
	cut();
	page_end();
	refused();
	random_objects();
	bytes(layout_find(PYVER(3, 6), false, false));
	bytes(layout_find(PYVER(3, 15), true, false));
	fake_release(&fake);
	buf_release(&text);
	return tap_done();
}
