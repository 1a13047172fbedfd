/* SPDX-License-Identifier: MIT
 * Dicts, instances and ints built by hand in every shape, then hostile ones. That the shapes are
 * CPython's is what tests/live/threadnames compares. */
#include "py/dict.h"

#include <errno.h>

#include "fake_remote.h"
#include "py/integer.h"
#include "py/threadname.h"
#include "tap.h"

#define ARENA UINT64_C(0x7f0000000000)
#define ARENA_BYTES (64u << 10)

static struct fake_remote fake;
static struct remote fake_handle;
static struct py_target target;
static uint8_t *arena;
static size_t used;

static void target_set(const struct py_layout *layout)
{
	fake_release(&fake);
	fake_handle = fake_remote(&fake);
	target.remote = &fake_handle;
	target.layout = *layout;
	arena = fake_map(&fake, ARENA, ARENA_BYTES);
	used = 64; /* words before the first object */
}

static size_t head(void)
{
	return target.layout.object.ob_type + 8;
}

/* Room for an object of `len` bytes and 32 before it. */
static remote_addr place(size_t len)
{
	remote_addr addr = ARENA + used + 32;

	used += (len + 32 + 15) / 16 * 16;
	if (used > ARENA_BYTES)
		abort();
	return addr;
}

static void put(remote_addr addr, uint64_t value)
{
	fake_put_u64(arena, addr - ARENA, value);
}

static remote_addr str_new(const char *text)
{
	const struct py_layout *l = &target.layout;
	size_t len = strlen(text);
	remote_addr addr = place(l->unicode.ascii_data + len + 1);
	unsigned int shift = l->unicode_state == UNICODE_KIND_BIT_8 ? 8 : 2;

	put(addr + l->unicode.length, len);
	fake_put_u32(arena, addr - ARENA + l->unicode.state, (1 | 8 | 16) << shift);
	fake_put(arena, addr - ARENA + l->unicode.ascii_data, text, len);
	return addr;
}

static remote_addr int_new(uint64_t value)
{
	remote_addr addr = place(head() + 24);
	uint64_t count = 0;

	for (uint64_t v = value; v; v >>= 30)
		fake_put_u32(arena, addr - ARENA + head() + 8 + 4 * count++, v & 0x3fffffff);
	if (target.layout.version >= PYVER(3, 12))
		count = count ? count << 3 : 1 << 3 | 1;
	put(addr + head(), count);
	return addr;
}

static bool old_keys(void)
{
	return target.layout.version < PYVER(3, 11);
}

/* A keys object for `n` of `1 << log2_size` entries: kind 0 general, 1 str, 2 split. */
static remote_addr keys_new(const remote_addr *keys, const remote_addr *values, size_t n,
			    unsigned int log2_size, unsigned int kind)
{
	size_t size = (size_t)1 << log2_size, width = log2_size < 8 ? 1 : log2_size < 16 ? 2 : 4;
	size_t indices = old_keys() ? 40 : 32, entry = old_keys() || kind == 0 ? 24 : 16;
	remote_addr addr = place(indices + width * size + entry * size);
	remote_addr first = addr + indices + width * size + (entry == 24 ? 8 : 0);
	uint8_t *bytes = arena + (addr - ARENA);

	if (old_keys()) {
		put(addr + 8, size);
		put(addr + 32, n);
	} else {
		bytes[8] = (uint8_t)log2_size;
		bytes[9] = (uint8_t)(log2_size + (width == 4 ? 2 : width - 1));
		bytes[10] = (uint8_t)kind;
		put(addr + 24, n);
	}
	for (size_t i = 0; i < n; i++) {
		put(first + i * entry, keys[i]);
		if (values)
			put(first + i * entry + 8, values[i]);
	}
	return addr;
}

static remote_addr dict_new(remote_addr keys, remote_addr values)
{
	remote_addr addr = place(head() + 32);

	put(addr + head() + 16, keys);
	put(addr + head() + 24, values);
	return addr;
}

static remote_addr values_new(const remote_addr *values, size_t n)
{
	size_t data = target.layout.version >= PYVER(3, 13) ? 8 : 0;
	remote_addr addr = place(data + n * 8);

	for (size_t i = 0; i < n; i++)
		put(addr + data + i * 8, values[i]);
	return addr;
}

struct sum {
	uint64_t count, keys, values;
};

static int add(void *arg, const struct dict_item *item)
{
	struct sum *s = arg;

	s->count++;
	s->keys += item->key;
	s->values += item->value;
	return 0;
}

static int stop(void *arg, const struct dict_item *item)
{
	(void)item;
	return ++*(int *)arg == 3 ? 77 : 0;
}

static void finds(const struct dict *d, const char *name, remote_addr want, const char *what)
{
	struct dict_item got = { 0 };
	remote_addr in_slot = 0;
	int ret = dict_find(&target, d, name, &got);

	if (want)
		memcpy(&in_slot, arena + (got.slot - ARENA) % ARENA_BYTES, sizeof(in_slot));
	ok(want ? ret == 0 && got.value == want && in_slot == want : ret == -ENOENT, "%s: %s (%d)",
	   what, name, ret);
}

/* 200 str keys, some deleted, with values beside them or apart. */
static void tables(unsigned int kind, bool split, const char *what)
{
	remote_addr keys[200], values[200], addr;
	struct sum sum = { 0 }, want = { 0 };
	char name[16];
	struct dict d;
	int count = 0;

	for (size_t i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "key%zu", i);
		keys[i] = str_new(name);
		values[i] = i % 7 ? ARENA + 8 * i : 0;
		if (values[i])
			add(&want, &(struct dict_item){ keys[i], values[i], 0 });
	}
	addr = dict_new(keys_new(keys, split ? NULL : values, 200, 9, kind),
			split ? values_new(values, 200) : 0);
	ok(dict_open(&target, addr, &d) == 0 && d.count == 200, "%s: open", what);
	ok(dict_each(&target, &d, add, &sum) == 0 && sum.count == want.count &&
	   sum.keys == want.keys && sum.values == want.values, "%s: each", what);
	ok(dict_each(&target, &d, stop, &count) == 77 && count == 3, "%s: each, stopped", what);
	finds(&d, "key1", values[1], what);
	finds(&d, "key199", values[199], what);
	finds(&d, "key7", 0, what);
	finds(&d, "key", 0, what);
	/* A key that went away stands for no match and hides none after it. */
	put(d.entries + 3 * d.entry_size, 0x1000);
	finds(&d, "key4", values[4], what);
}

static remote_addr type_new(uint64_t flags, int64_t dictoffset, remote_addr cached_keys)
{
	remote_addr addr = place(1024);
	uint32_t minor = target.layout.version >> 16 & 0xff;

	put(addr + head() + 16, head() + 16); /* tp_basicsize: two fields */
	put(addr + head() + 24, 8);           /* tp_itemsize */
	put(addr + head() + 152, flags);
	put(addr + head() + 272, (uint64_t)dictoffset);
	put(addr + head() + (minor < 12 ? 856 : minor < 15 ? 864 : 872), cached_keys);
	return addr;
}

static remote_addr instance_new(remote_addr type)
{
	remote_addr addr = place(256);

	put(addr + target.layout.object.ob_type, type);
	return addr;
}

static void is_instance(remote_addr addr, remote_addr want, const char *what)
{
	struct dict d;
	int ret = dict_open_instance(&target, addr, &d);

	if (!want) {
		is_int(ret, -ENOENT, what);
		return;
	}
	if (ok(ret == 0, "%s: open (%d)", what, ret))
		finds(&d, "_name", want, what);
}

static void instances(void)
{
	remote_addr keys[2] = { str_new("other"), str_new("_name") };
	remote_addr values[2] = { ARENA + 8, ARENA + 16 }, type, addr, dict, shared;
	bool free_threaded = target.layout.free_threaded;
	uint32_t minor = target.layout.version >> 16 & 0xff;

	dict = dict_new(keys_new(keys, values, 2, 3, 1), 0);
	shared = keys_new(keys, NULL, 2, 3, 2);
	is_instance(instance_new(type_new(0, 0, 0)), 0, "no attributes");
	addr = instance_new(type_new(0, (int64_t)head() + 8, 0));
	is_instance(addr, 0, "no dict yet");
	put(addr + head() + 8, dict);
	is_instance(addr, ARENA + 16, "tp_dictoffset");
	addr = instance_new(type_new(0, -8, 0));
	put(addr + head(), minor < 12 ? (uint64_t)-3 : 3); /* ob_size: 3 items of 8 bytes */
	put(addr + head() + 16 + 3 * 8 - 8, dict);
	is_instance(addr, ARENA + 16, "tp_dictoffset from the end");
	if (minor < 11)
		return;
	type = type_new(1 << 4 | 1 << 2, -1, shared);
	addr = instance_new(type);
	put(addr - (free_threaded ? 8 : 24), dict);
	is_instance(addr, ARENA + 16, "managed dict");
	addr = instance_new(type);
	if (minor == 11)
		put(addr - 32, values_new(values, 2));
	else if (minor == 12)
		put(addr - 24, values_new(values, 2) - 1);
	else
		for (int i = 0; i < 2; i++)
			put(addr + head() + 16 + 8 + 8 * (uint64_t)i, values[i]);
	is_instance(addr, ARENA + 16, "managed values");
	if (minor >= 13)
		is_instance(instance_new(type_new(1 << 4, -1, shared)), 0, "managed, none yet");
}

static void is_integer(uint64_t value)
{
	uint64_t got = value + 1;
	int ret = integer_read_u64(&target, int_new(value), &got);

	ok(ret == 0 && got == value, "int %llu", (unsigned long long)value);
}

static void integers(void)
{
	bool tagged = target.layout.version >= PYVER(3, 12);
	remote_addr addr;
	uint64_t got;

	is_integer(0);
	is_integer(1);
	is_integer(UINT64_C(140737353963072));
	is_integer(UINT64_MAX);
	addr = int_new(5);
	put(addr + head(), tagged ? 1 << 3 | 2 : (uint64_t)-1);
	is_int(integer_read_u64(&target, addr, &got), -ERANGE, "negative");
	addr = int_new(UINT64_MAX);
	fake_put_u32(arena, addr - ARENA + head() + 16, 16);
	is_int(integer_read_u64(&target, addr, &got), -ERANGE, "2**64");
	put(addr + head(), tagged ? 4 << 3 : 4);
	is_int(integer_read_u64(&target, addr, &got), -ERANGE, "four digits");
	addr = int_new(5);
	fake_put_u32(arena, addr - ARENA + head() + 8, 1u << 30);
	is_int(integer_read_u64(&target, addr, &got), -EINVAL, "a digit too big");
}

static void hostile(void)
{
	remote_addr keys[1] = { str_new("a") }, values[1] = { ARENA };
	remote_addr table = keys_new(keys, values, 1, 3, 1), addr = dict_new(table, 0);
	struct dict_item value;
	struct dict d;

	put(table + (old_keys() ? 32 : 24), UINT64_MAX);
	is_int(dict_open(&target, addr, &d), -EINVAL, "more entries than room");
	put(table + (old_keys() ? 32 : 24), 9);
	is_int(dict_open(&target, addr, &d), -EINVAL, "one entry too many");
	put(table + (old_keys() ? 32 : 24), 1);
	put(table + 8, 0xff0505);
	is_int(dict_open(&target, addr, &d), -EINVAL, "no size of a dict");
	put(addr + head() + 16, 0);
	is_int(dict_open(&target, addr, &d), -EFAULT, "no keys");
	is_int(dict_open(&target, addr + 1, &d), -EINVAL, "not aligned");
	d = (struct dict){ .entries = ARENA + ARENA_BYTES - 32, .count = DICT_ENTRIES_MAX,
			   .entry_size = 16, .value_offset = 8 };
	is_int(dict_find(&target, &d, "a", &value), -EFAULT, "entries run off the map");
	fake.error = -ESRCH;
	is_int(dict_find(&target, &d, "a", &value), -ESRCH, "the target is gone");
	fake.error = 0;
}

static void holds(void)
{
	remote_addr keys[2] = { str_new("a"), str_new("b") }, values[2] = { ARENA, ARENA + 8 };
	remote_addr addr = dict_new(keys_new(keys, values, 2, 3, 1), 0);
	struct dict_item item;
	struct dict d;

	if (!ok(!dict_open(&target, addr, &d) && !dict_find(&target, &d, "b", &item), "found"))
		return;
	is_int(dict_holds(&target, &d, &item), 0, "still held");
	put(item.slot, 0);
	is_int(dict_holds(&target, &d, &item), -EAGAIN, "deleted");
	put(item.slot, item.value);
	put(addr + head() + 16, keys_new(keys, values, 2, 4, 1));
	is_int(dict_holds(&target, &d, &item), -ESTALE, "in a table left behind");
	fake.error = -ESRCH;
	is_int(dict_holds(&target, &d, &item), -ESRCH, "the target is gone");
	fake.error = 0;
}

static void count_name(void *arg, uint64_t id, const char *name)
{
	(void)id;
	if (strlen(name) > THREADNAME_BYTES_MAX)
		abort();
	++*(int *)arg;
}

static remote_addr dict_of(const char *name, remote_addr value)
{
	remote_addr keys[2] = { str_new("another"), str_new(name) };
	remote_addr values[2] = { ARENA, value };

	return dict_new(keys_new(keys, values, 2, 3, 1), 0);
}

static remote_addr thread_new(const char *name)
{
	remote_addr addr = instance_new(type_new(0, (int64_t)head() + 8, 0));

	put(addr + head() + 8, dict_of("_name", str_new(name)));
	return addr;
}

/* An interpreter at ARENA whose `threading` knows three threads. */
static void interpreter_new(void)
{
	char long_name[300];
	remote_addr idents[3] = { int_new(11), int_new(12), int_new(UINT64_C(1) << 46) };
	remote_addr threads[3] = { thread_new("MainThread"), thread_new("worker") };
	remote_addr module = place(64);

	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[299] = '\0';
	threads[2] = thread_new(long_name);
	put(module + head(), dict_of("_active", dict_new(keys_new(idents, threads, 3, 3, 0), 0)));
	target.layout.interp.modules = 0;
	put(ARENA, dict_of("threading", module));
}

/* A sane interpreter in which a few words are replaced by addresses of its memory, small numbers or
 * anything. Must end, and read nothing that is not there. */
static void damaged(void)
{
	uint64_t seed = 88172645463325252u ^ target.layout.version;
	uint8_t *whole = malloc(ARENA_BYTES);
	int names = 0, fewer = 0;

	interpreter_new();
	memcpy(whole, arena, ARENA_BYTES);
	is_int(threadnames_read(&target, ARENA, count_name, &names), 3, "three threads");
	is_int(names, 3, "three names");
	for (int round = 0; round < 3000; round++) {
		names = 0;
		for (int i = 0; i < 1 + round % 20; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			fake_put_u64(arena, seed % used / 8 * 8,
				     seed >> 20 & 1 ? ARENA + (seed >> 24) % used / 8 * 8 :
				     seed >> 21 & 1 ? seed >> 56 : seed);
		}
		if (threadnames_read(&target, ARENA, count_name, &names) != names)
			fewer++;
		else
			fewer += names < 3;
		memcpy(arena, whole, ARENA_BYTES);
	}
	ok(fewer > 100 && fewer < 3000, "damaged memory: %d of 3000 had fewer names", fewer);
	free(whole);
	put(ARENA, 0);
	is_int(threadnames_read(&target, ARENA, count_name, &names), -ENOENT, "no modules yet");
	put(ARENA, dict_of("threads", ARENA));
	is_int(threadnames_read(&target, ARENA, count_name, &names), -ENOENT, "no threading");
	put(ARENA, 8);
	is_int(threadnames_read(&target, ARENA, count_name, &names), -EFAULT, "not readable");
	fake.error = -ESRCH;
	is_int(threadnames_read(&target, ARENA, count_name, &names), -ESRCH, "gone");
	fake.error = 0;
}

int main(void)
{
	for (size_t i = 0; i < py_layouts_count; i++) {
		const struct py_layout *l = &py_layouts[i];

		printf("# %u.%u%s%s\n", l->version >> 24, l->version >> 16 & 0xff,
		       l->free_threaded ? "t" : "", l->trace_refs ? " trace refs" : "");
		target_set(l);
		tables(0, false, "general");
		target_set(l);
		tables(1, false, "str keys");
		target_set(l);
		tables(2, true, "split");
		target_set(l);
		instances();
		integers();
		hostile();
		holds();
		target_set(l);
		damaged();
	}
	fake_release(&fake);
	return tap_done();
}
