/* SPDX-License-Identifier: MIT
 * Names out of tables of functions: a module made by hand, whole and damaged. */
#include "../../src/mix/methods.h"

#include <stdlib.h>

#include "fake_remote.h"
#include "tap.h"
#include "util/attr.h"

/* Code, text, data of the module, in its file; another module's code; a type that is not of the module. */
#define BIAS 0x7f0000000000ULL
enum {
	CODE = 0x1000, CODE_LEN = 0x4000, FUNCTION_LEN = 0x40, FUNCTIONS = CODE_LEN / FUNCTION_LEN,
	TEXT = 0x8000, TEXT_LEN = 0x2000, DATA = 0x10000, DATA_LEN = 0x4000, BSS_LEN = 0x1000,
};
#define ELSEWHERE 0x7e0000001000ULL
#define TYPE_TYPE 0x7d0000000040ULL
#define OLD_TYPE 0x7d0000000080ULL

static struct fake_remote fake;
static struct remote remote;
static uint8_t *text, *data;
static size_t text_used, data_used;
static struct function_row rows[FUNCTIONS];
static struct functions functions = { .rows = rows, .count = FUNCTIONS };
static struct map elsewhere[] = { { .start = ELSEWHERE, .end = ELSEWHERE + 0x1000, .exec = true } };
static struct maps maps = { .list = elsewhere, .count = 1 };
static struct elf_segment segments[] = {
	{ .vaddr = CODE, .file_size = CODE_LEN, .mem_size = CODE_LEN, .exec = true },
	{ .vaddr = TEXT, .file_size = TEXT_LEN, .mem_size = TEXT_LEN },
	{ .vaddr = DATA, .file_size = DATA_LEN, .mem_size = DATA_LEN + BSS_LEN, .write = true },
};
static struct methods_from from;
static struct methods methods;

static void begin(void)
{
	fake_release(&fake);
	text = fake_map(&fake, BIAS + TEXT, TEXT_LEN);
	data = fake_map(&fake, BIAS + DATA, DATA_LEN);
	text_used = data_used = 64;
	remote = fake_remote(&fake);
	for (size_t i = 0; i < FUNCTIONS; i++)
		rows[i] = (struct function_row){ CODE + i * FUNCTION_LEN, FUNCTION_LEN };
	from = (struct methods_from){
		.remote = &remote, .maps = &maps, .segments = segments,
		.segment_count = ARRAY_SIZE(segments), .bias = BIAS, .functions = &functions,
		.type_type = TYPE_TYPE, .minor = 14, .ob_type = 8,
	};
}

static uint64_t f(unsigned n)
{
	return BIAS + CODE + n * FUNCTION_LEN;
}

static uint64_t put_text(const char *s)
{
	uint64_t addr = BIAS + TEXT + text_used;

	fake_put(text, text_used, s, strlen(s) + 1);
	text_used += strlen(s) + 1;
	return addr;
}

static uint64_t put_words(const uint64_t *words, size_t n)
{
	uint64_t addr = BIAS + DATA + data_used;

	for (size_t i = 0; i < n; i++)
		fake_put_u64(data, data_used + i * 8, words[i]);
	data_used += n * 8;
	return addr;
}

static uint64_t put(uint64_t word)
{
	return put_words(&word, 1);
}

static uint64_t put_method(const char *name, uint64_t function, uint64_t flags)
{
	return put_words((uint64_t[]){ put_text(name), function, flags, put_text("what it does") }, 4);
}

static void put_end(size_t words)
{
	for (size_t i = 0; i < words; i++)
		put(0);
}

/* Two methods: first … */
static uint64_t put_table(const char *one, uint64_t f1, const char *two, uint64_t f2)
{
	uint64_t table = put_method(one, f1, 0x82);

	put_method(two, f2, 0x8 | 0x10);
	put_end(4);
	return table;
}

/* PyModuleDef. */
static void put_module(const char *name, uint64_t table)
{
	put_words((uint64_t[]){ 1, OLD_TYPE, 0, 0, 0, put_text(name), 0, (uint64_t)-1, table, 0, 0, 0, 0 },
		  13);
}

enum { W_OB_TYPE = 1, W_NAME = 3, W_REPR = 11, W_NUMBER = 12, W_ITERNEXT = 28, W_METHODS = 29,
       W_GETSET = 31, W_BASE = 32, W_VECTORCALL = 50, TYPE_LEN = 52 };

/* PyTypeObject; the caller fills in more. */
static uint64_t *new_type(uint64_t w[TYPE_LEN], const char *name, uint64_t table)
{
	memset(w, 0, TYPE_LEN * 8);
	w[0] = 1;
	w[W_OB_TYPE] = TYPE_TYPE;
	w[W_NAME] = put_text(name);
	w[4] = 48;
	w[W_METHODS] = table;
	return w;
}

static void is_name(unsigned function, const char *want, const char *what)
{
	is_str(methods_find(&methods, f(function) - BIAS), want, what);
}

static void load(void)
{
	methods_release(&methods);
	methods_load(&methods, &from);
}

/* --- whole --------------------------------------------------------------------------------------- */

static void test_modules(void)
{
	begin();
	put_module("_json", put_table("scanstring", f(1), "encode", f(2)));
	put_module("builtins", put_table("sorted", f(3), "__import__", f(4)));
	put_table("nobodys", f(5), "own", f(6));
	load();
	is_name(1, "_json.scanstring", "a module's function");
	is_name(2, "_json.encode", "and the next");
	is_name(3, "sorted", "a builtin goes by its name alone");
	is_name(5, "nobodys", "a table of nobody's: the name alone");
	is_name(7, NULL, "a function of no table");
	ok(!methods_find(&methods, f(1) - BIAS + 1), "nor the middle of one");
	is_int((long long)methods.count, 6, "no others");
	ok(methods.bytes > 0, "the memory is counted");
}

static void test_types(void)
{
	uint64_t w[TYPE_LEN], number[40] = { f(10), f(11) }, base, getset;

	begin();
	new_type(w, "base", put_table("sort", f(1), "append", f(2)));
	w[W_REPR] = f(3);
	w[W_NUMBER] = put_words(number, 36);
	w[W_ITERNEXT] = f(4);
	base = put_words(w, TYPE_LEN);
	getset = put_words((uint64_t[]){ put_text("real"), f(5), f(6), 0, 0 }, 5);
	put_end(5);
	new_type(w, "pkg.derived", 0);
	w[W_REPR] = f(3);                 /* inherited */
	w[W_NUMBER] = put_words((uint64_t[36]){ f(10), f(12) }, 36);
	w[W_ITERNEXT] = f(7);
	w[W_GETSET] = getset;
	w[W_BASE] = base;
	put_words(w, TYPE_LEN);
	load();
	is_name(1, "base.sort", "a method of a type");
	is_name(3, "base.__repr__", "a slot, inherited: its base's");
	is_name(4, "base.__next__", "its own");
	is_name(7, "pkg.derived.__next__", "of the type that has another one");
	is_name(5, "pkg.derived.real", "what gets an attribute");
	is_name(6, "pkg.derived.real", "what sets it");
	is_name(10, "base.__add__", "of numbers, inherited");
	is_name(12, "pkg.derived.__sub__", "of numbers");
}

static void test_layouts(void)
{
	uint64_t w[TYPE_LEN];

	begin();
	new_type(w, "new", put_table("early", f(1), "bird", f(2)));
	w[W_OB_TYPE] = 0;
	put_words(w, TYPE_LEN);
	load();
	is_name(1, "new.early", "a type that Python has not seen yet");
	begin();
	new_type(w, "t", 0);
	w[W_VECTORCALL] = f(3);
	put_words(w, TYPE_LEN);
	load();
	is_name(3, "t.tp_vectorcall", "3.14: the last slot of a type");
	from.minor = 7;
	load();
	is_name(3, NULL, "3.7: types end before it");
	begin();
	data_used = DATA_LEN - 50 * 8;
	put_words(new_type(w, "last", 0), 3);
	w[W_ITERNEXT] = f(3);
	put_words(w + 3, 47);
	from.minor = 7;
	load();
	is_name(3, "last.__next__", "3.7: the last thing in the data");
}

static void test_specs(void)
{
	uint64_t slots, table;

	begin();
	table = put_table("encode", f(1), "reset", f(2));
	slots = put_words((uint64_t[]){ 60, f(3), 64, table, 50, f(4), 90, f(5), 56, put_text("doc"), 0, 0 }, 12);
	put_words((uint64_t[]){ put_text("_json.Encoder"), 48, 0x1400, slots }, 4);
	load();
	is_name(1, "_json.Encoder.encode", "a method of a type that is made at run time");
	is_name(4, "_json.Encoder.__call__", "its slot");
	is_name(5, "_json.Encoder.mp_ass_subscript", "a slot by its number of 3.15");
}

static void test_several(void)
{
	uint64_t w[TYPE_LEN], table;

	begin();
	table = put_table("copy", f(1), "__copy__", f(1));
	put_words(new_type(w, "one", table), TYPE_LEN);
	load();
	is_name(1, "one.copy|__copy__", "two names of one owner");
	put_words(new_type(w, "other", table), TYPE_LEN);
	load();
	is_name(1, "copy|__copy__", "two names, two owners of one table");
	begin();
	table = put_table("a", f(1), "b", f(2));
	put_words(new_type(w, "one", table), TYPE_LEN);
	put_words(new_type(w, "other", table), TYPE_LEN);
	table = put_method("a", f(3), 4);
	for (char name[] = "b"; name[0] < 'f'; name[0]++)
		put_method(name, f(3), 4);
	put_end(4);
	put_words(new_type(w, "many", table), TYPE_LEN);
	put_words(new_type(w, "left", put_table("l", f(4), "m", f(5))), TYPE_LEN);
	put_words(new_type(w, "right", put_table("r", f(4), "m", f(5))), TYPE_LEN);
	load();
	is_name(1, "a", "one name, two owners: the name alone");
	is_name(3, NULL, "five names are none");
	is_name(4, NULL, "two names of two owners are none");
	is_name(5, "m", "one name of two tables");
}

static void test_elsewhere(void)
{
	begin();
	put_method("__class_getitem__", ELSEWHERE + 0x10, 0x18);
	put_method("mine", f(1), 4);
	put_end(4);
	load();
	is_name(1, "mine", "beside a function of another module");
	is_int((long long)methods.count, 1, "which is not this one's");
}

/* --- damaged ------------------------------------------------------------------------------------- */

/* What a table says of f(1) when its second row is like this. */
static const char *beside(const char *name, uint64_t function, uint64_t flags, uint64_t doc, uint64_t end)
{
	begin();
	put_method("good", f(1), 4);
	put_words((uint64_t[]){ put_text(name), function, flags, doc }, 4);
	put_words((uint64_t[]){ end, 0, 0, 0 }, 4);
	load();
	return methods_find(&methods, f(1) - BIAS);
}

static void test_rows(void)
{
	char longest[METHODS_NAME_MAX + 2];

	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	is_str(beside("fine", f(2), 4, 0, 0), "good", "a table");
	ok(!beside("two words", f(2), 4, 0, 0), "a name that is none");
	ok(!beside("", f(2), 4, 0, 0), "an empty one");
	ok(!beside("9", f(2), 4, 0, 0), "one that begins with a digit");
	ok(!beside("caf\xc3\xa9", f(2), 4, 0, 0), "one with other letters");
	ok(!beside(longest, f(2), 4, 0, 0), "one that is too long");
	is_str(beside(longest + 1, f(2), 4, 0, 0), "good", "the longest one");
	ok(!beside("fine", f(2) + 4, 4, 0, 0), "the middle of a function");
	ok(!beside("fine", BIAS + DATA, 4, 0, 0), "no code");
	ok(!beside("fine", 0, 4, 0, 0), "no function");
	ok(!beside("fine", ELSEWHERE + 0x1000, 4, 0, 0), "code nowhere");
	ok(!beside("fine", f(2), 0, 0, 0), "flags of no call");
	ok(!beside("fine", f(2), 0x84, 0, 0), "flags of two calls");
	ok(!beside("fine", f(2), 1ULL << 32 | 4, 0, 0), "flags with something behind");
	ok(!beside("fine", f(2), 4, 1, 0), "documentation that is nowhere");
	ok(!beside("fine", f(2), 4, 0, 1), "no end");
}

static void test_ends(void)
{
	begin();
	data_used = DATA_LEN - 4 * 8;
	put_method("good", f(1), 4);
	load();
	is_int((long long)methods.count, 0, "a table that goes on behind the data");
	begin();
	text_used = TEXT_LEN - 4;
	fake_put(text, text_used, "name", 4);
	put_words((uint64_t[]){ BIAS + TEXT + text_used, f(1), 4, 0, 0, 0, 0, 0 }, 8);
	load();
	is_int((long long)methods.count, 0, "a name that goes on behind the text");
	begin();
	put_table("a", f(1), "b", f(2));
	fake.error = -ESRCH;
	load();
	is_int((long long)methods.count, 0, "a process that is gone");
	begin();
	segments[2].file_size = METHODS_DATA_MAX + 8;
	load();
	ok(methods.count == 0 && fake.reads == 0, "too much data is not read");
	segments[2].file_size = DATA_LEN;
	segments[2].vaddr = UINT64_MAX - 8;
	load();
	is_int((long long)methods.count, 0, "data behind all memory");
	segments[2].vaddr = DATA;
	from.remote = NULL;
	load();
	is_int((long long)methods.count, 0, "no memory at all");
}

/* Everything there is, once. */
static void put_all(void)
{
	uint64_t w[TYPE_LEN], base, slots;

	begin();
	new_type(w, "base", put_table("sort", f(1), "append", f(2)));
	w[W_NUMBER] = put_words((uint64_t[36]){ f(10), f(11) }, 36);
	base = put_words(w, TYPE_LEN);
	new_type(w, "derived", put_table("x", f(3), "y", f(4)));
	w[W_BASE] = base;
	w[W_GETSET] = put_words((uint64_t[10]){ put_text("real"), f(5), f(6) }, 10);
	put_words(w, TYPE_LEN);
	put_module("_json", put_table("scanstring", f(7), "encode", f(8)));
	slots = put_words((uint64_t[]){ 60, f(9), 64, base, 0, 0 }, 6);
	put_words((uint64_t[]){ put_text("_json.Encoder"), 48, 0x1400, slots }, 4);
}

static bool sane(void)
{
	bool good = true;

	for (unsigned i = 0; i < FUNCTIONS; i++) {
		const char *name = methods_find(&methods, f(i) - BIAS);

		good = good && (!name || (name[0] && strlen(name) < 8 * METHODS_NAME_MAX));
	}
	return good && methods.count <= FUNCTIONS;
}

/* Each word of the data becomes each of what it could best lie with. */
static void test_damage(void)
{
	bool good = true;

	put_all();
	load();
	is_int((long long)methods.count, 11, "all of it is found");
	for (size_t at = 0; at < data_used; at += 8) {
		const uint64_t lies[] = { 0, 1, 64, UINT64_MAX, TYPE_TYPE, f(1), f(1) + 1, BIAS + TEXT + 64,
					  BIAS + TEXT + TEXT_LEN - 1, BIAS + DATA + at, BIAS + DATA + DATA_LEN - 8,
					  BIAS + DATA + DATA_LEN + 8, 1ULL << 63, BIAS + DATA + 64 };

		for (size_t k = 0; k < ARRAY_SIZE(lies); k++) {
			uint64_t old;

			memcpy(&old, data + at, 8);
			fake_put_u64(data, at, lies[k]);
			load();
			good = good && sane();
			fake_put_u64(data, at, old);
		}
	}
	ok(good, "no damaged word is believed");
}

/* Data that are nothing but the costliest of words. */
static void test_floods(void)
{
	const uint64_t words[] = { TYPE_TYPE, BIAS + DATA + 64, BIAS + TEXT + 64, f(1) };
	uint64_t name;

	for (size_t k = 0; k < ARRAY_SIZE(words); k++) {
		put_all();
		for (size_t at = data_used; at < DATA_LEN; at += 8)
			fake_put_u64(data, at, words[k]);
		load();
		ok(sane() && methods.count >= 10, "a flood of words of one kind");
	}
	begin();
	name = put_text("endless");
	while (data_used + 4 * 8 <= DATA_LEN)
		put_words((uint64_t[]){ name, f(1), 4, 0 }, 4);
	load();
	is_int((long long)methods.count, 0, "rows without an end");
}

int main(void)
{
	test_modules();
	test_types();
	test_layouts();
	test_specs();
	test_several();
	test_elsewhere();
	test_rows();
	test_ends();
	test_damage();
	test_floods();
	methods_release(&methods);
	fake_release(&fake);
	return tap_done();
}
