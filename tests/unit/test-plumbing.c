/* SPDX-License-Identifier: MIT
 * Machinery without names, found by data: this program plays the interpreter, with a table of slots,
 * exported types and Python functions as CPython has them. */
#include "../../src/mix/plumbing.h"

#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"
#include "util/attr.h"

/* Functions that differ: else compilers fold them into one. */
static volatile int sink;

#define FUNCTION(name, n) \
	__attribute__((noinline, used)) static void name(void) { sink += (n) * sink; }

FUNCTION(slot_one, 2)
FUNCTION(slot_two, 3)
FUNCTION(wrapper, 4)
FUNCTION(lonely, 5)
FUNCTION(type_calls, 6)
FUNCTION(method_calls, 7)
FUNCTION(vectorcall, 8)
FUNCTION(no_machinery, 9)

/* Writable, as CPython's. struct wrapperbase, Include/cpython/descrobject.h. */
struct slot {
	const char *name;
	int offset;
	void (*function)(void), (*wrapper)(void);
	const char *doc;
	int flags;
	void *interned;
};

#define SLOT(f, w) { "__call__", 128, (f), (w), "what it does", 1, NULL }
#define SLOTS_8(f, w) SLOT(f, w), SLOT(f, w), SLOT(f, w), SLOT(f, w), \
	SLOT(f, w), SLOT(f, w), SLOT(f, w), SLOT(f, w)
#define SLOTS_64(f, w) SLOTS_8(f, w), SLOTS_8(f, w), SLOTS_8(f, w), SLOTS_8(f, w), \
	SLOTS_8(f, w), SLOTS_8(f, w), SLOTS_8(f, w), SLOTS_8(f, w)

static __attribute__((used)) struct slot slots[] = { SLOTS_64(slot_one, wrapper), SLOT(slot_two, NULL), SLOT(NULL, NULL),
			       { NULL, 0, NULL, NULL, NULL, 0, NULL } };
/* Too short: any four pointers in a row may look like this. */
static __attribute__((used)) struct slot few[] = { SLOTS_8(lonely, NULL), { NULL, 0, NULL, NULL, NULL, 0, NULL } };
/* PyTypeObject: only what is read. */
struct type {
	uint64_t head[3];
	const char *name;
	uint64_t sizes[3], vectorcall_offset, more[8];
	void (*call)(void);
	uint64_t rest[16];
};

extern struct type PyType_Type, PyMethod_Type, PyFunction_Type;
struct type PyType_Type = { .name = "type", .call = type_calls };
/* A type of another program under that name. */
struct type PyMethod_Type = { .name = "methods", .call = method_calls };

enum { VECTORCALL_AT = 40 };
struct type PyFunction_Type = { .name = "function", .vectorcall_offset = VECTORCALL_AT };

/* A Python function, the frame that runs it, and the entry frame of a call from there. */
static __attribute__((used)) struct { uint64_t refs; struct type *type; uint64_t more[3]; void (*vectorcall)(void); }
function = { 1, &PyFunction_Type, { 0 }, vectorcall };
static __attribute__((used)) uint64_t frame[3], entry[3];

static struct remote remote;
static struct maps maps;
static struct functions functions;
static struct plumbing_from from;

static int find_self(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size, (void)arg;
	from.bias = info->dlpi_addr; /* the first one is the program */
	from.start = UINT64_MAX;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		uint64_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type != PT_LOAD)
			continue;
		if (start < from.start)
			from.start = start & ~4095ull;
		from.end = (start + info->dlpi_phdr[i].p_memsz + 4095) & ~4095ull;
	}
	return 1;
}

static bool has(const struct plumbing *p, void (*f)(void))
{
	return plumbing_has(p, (uint64_t)(uintptr_t)f);
}

static void test_load(void)
{
	struct plumbing p = { 0 };

	plumbing_load(&p, &from);
	ok(p.asked, "asked for");
	ok(has(&p, slot_one) && has(&p, slot_two) && has(&p, wrapper), "functions of the table of slots");
	ok(!has(&p, lonely), "not those of a table that is too short");
	ok(has(&p, type_calls), "what an exported type is called by");
	ok(!has(&p, method_calls), "not of a type that says it is another one");
	ok(!has(&p, no_machinery), "not any other function");
	is_int((long long)p.count, 4, "each of them once");
}

static void test_names(void)
{
	struct plumbing p = { 0 };

	slots[30].name = "next";
	plumbing_load(&p, &from);
	ok(!has(&p, slot_one), "a name that is none of Python's: it is another table");
	slots[30].name = "__call__";
	slots[30].function = (void (*)(void))((uintptr_t)no_machinery + 1);
	p = (struct plumbing){ 0 };
	plumbing_load(&p, &from);
	ok(!has(&p, slot_one), "a pointer into the middle of a function: another table");
	slots[30].function = slot_one;
}

static bool learns(uint64_t tag)
{
	struct plumbing p = { 0 };
	bool learned;

	frame[2] = (uint64_t)(uintptr_t)&function | tag;
	entry[1] = (uint64_t)(uintptr_t)frame;
	learned = plumbing_learn(&p, &from, (uint64_t)(uintptr_t)entry);
	return learned && has(&p, vectorcall) && p.count == 1 &&
	       !plumbing_learn(&p, &from, (uint64_t)(uintptr_t)entry);
}

static void test_learn(void)
{
	struct plumbing p = { 0 };

	ok(learns(0), "what a Python function is called by");
	ok(learns(1), "by a tagged reference (3.14)");
	function.type = &PyType_Type;
	ok(!learns(0), "not of an object that is no function");
	function.type = &PyFunction_Type;
	PyFunction_Type.vectorcall_offset = UINT64_MAX - 8;
	ok(!learns(0), "not far away from it");
	PyFunction_Type.vectorcall_offset = VECTORCALL_AT;
	entry[1] = 0;
	ok(!plumbing_learn(&p, &from, (uint64_t)(uintptr_t)entry), "not of the outermost call");
	for (int i = 0; i < PLUMBING_TRIES_MAX; i++)
		(void)!plumbing_learn(&p, &from, 8);
	entry[1] = (uint64_t)(uintptr_t)frame;
	ok(!plumbing_learn(&p, &from, (uint64_t)(uintptr_t)entry), "it is not tried for ever");
}

int main(void)
{
	from.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	dl_iterate_phdr(find_self, NULL);
	if (from.fd < 0 || functions_load(&functions, from.fd) < 0 ||
	    maps_read(&maps, getpid(), NULL) < 0)
		abort();
	if (!tap_can_read_memory() || remote_open_process(&remote, getpid(), NULL) < 0) {
		tap_skip("plumbing", "processes cannot read memory here");
		return tap_done();
	}
	from.remote = &remote;
	from.maps = &maps;
	from.functions = &functions;
	test_load();
	test_names();
	test_learn();
	remote_close(&remote);
	maps_release(&maps);
	functions_release(&functions);
	close(from.fd);
	return tap_done();
}
