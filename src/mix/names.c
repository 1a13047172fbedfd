/* SPDX-License-Identifier: MIT
 * Names of native frames, each found once. */
#include "names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native/demangle.h"
#include "py/version.h"
#include "util/xalloc.h"

enum {
	NAMES_MAX = 1 << 18,       /* addresses remembered; then all are forgotten */
	ADDRESS_BITS = 44,         /* of a file's address within a key; more is not remembered */
	OFFSET_TEXT = 48,
};

void names_init(struct names *n, struct space *space, const struct py_target *t,
		struct symtab *symtab, bool all)
{
	*n = (struct names){ .space = space, .target = t, .symtab = symtab, .all = all };
	idmap_init(&n->index);
}

void names_release(struct names *n)
{
	idmap_release(&n->index);
	for (size_t i = 0; i < n->method_modules; i++)
		methods_release(&n->methods[i].table);
	free(n->methods);
	free(n->items);
	free(n->frames);
	*n = (struct names){ 0 };
}

static void forget(struct names *n)
{
	idmap_release(&n->index);
	idmap_init(&n->index);
	n->count = n->frame_count = 0;
}

void names_begin(struct names *n, uint32_t frames)
{
	if (n->count + frames > NAMES_MAX)
		forget(n);
}

static void add_frame(struct names *n, const char *name, const char *file, int32_t line)
{
	uint32_t in = symtab_file(n->symtab, file, strlen(file));

	if (n->frame_count == n->frame_room) {
		n->frame_room = n->frame_room ? 2 * n->frame_room : 256;
		n->frames = xreallocarray(n->frames, n->frame_room, sizeof(n->frames[0]));
	}
	n->frames[n->frame_count++] = (struct sym_frame){
		.func = symtab_func(n->symtab, SYM_NATIVE, name, strlen(name), in, 0),
		.line = line,
	};
}

/* --- what the interpreter's own code is --------------------------------------------------------- */

static bool is_interpreter(const struct names *n, const struct module_range *range)
{
	return range->start < n->target->module_end && range->end > n->target->module_start;
}

static bool is_c_library(const struct module *m)
{
	static const char *const names[] = { "libc.so", "libc-", "libpthread", "ld-" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(m->name, names[i], strlen(names[i])))
			return true;
	return false;
}

static enum machinery machinery_of(const struct names *n, const struct module_range *range,
				   const char *plain)
{
	enum machinery what = machinery_find(plain);
	bool interpreter = is_interpreter(n, range);

	if (!interpreter && !is_c_library(range->module))
		return MACHINERY_NONE;
	return interpreter || what == MACHINERY_START ? what : MACHINERY_NONE;
}

/* --- names -------------------------------------------------------------------------------------- */

static void name_run_time(struct names *n, struct name *ret, uint64_t addr)
{
	remote_addr start;
	const char *known = perf_map_find(&n->space->perf, addr, n->space->now_ns, &start);

	ret->run_time = true;
	/* CPython's trampolines, one for each Python function (Python/perf_trampoline.c, v3.12.0). */
	if (known && !strncmp(known, "py::", 4))
		ret->machinery = MACHINERY_CALL;
	add_frame(n, known ? known : "[jit]", "[jit]", 0);
}

/* Outside the interpreter they come from Python's headers; anything else is somebody else's. */
static bool is_inlined_machinery(const struct names *n, const struct module_range *range,
				 const char *name)
{
	return machinery_find(name) == MACHINERY_CALL &&
	       (is_interpreter(n, range) || !strncmp(name, "Py", 2) || !strncmp(name, "_Py", 3));
}

/* The function `plain`, with what was inlined there in front of it. */
static void name_lines(struct names *n, const struct module_range *range, uint64_t addr,
		       const char *plain)
{
	struct module *m = range->module;
	struct lines *lines = module_lines(n->space->map.all, m);
	struct line_frame found[LINES_INLINE_MAX];
	size_t count = lines ? lines_find(lines, addr, found) : 0;
	char inlined[DEMANGLE_OUT_MAX];

	for (size_t i = 0; i + 1 < count; i++) {
		demangle(found[i].name ? found[i].name : "?", inlined, sizeof(inlined));
		if (!n->all && is_inlined_machinery(n, range, inlined))
			continue;
		add_frame(n, inlined, found[i].file ? found[i].file : m->path, found[i].line);
	}
	if (count && found[count - 1].file)
		add_frame(n, plain, found[count - 1].file, found[count - 1].line);
	else
		add_frame(n, plain, m->path, 0);
}

/* No symbol: where the function begins, else from where to where nothing is known, so that the loops of
 * an assembler's kernels are one, else the very address. */
static uint64_t unnamed(struct names *n, struct module *m, uint64_t addr, char text[OFFSET_TEXT])
{
	const struct functions *table = module_functions(n->space->map.all, m);
	uint64_t start = addr, end;

	if (table && !functions_start(table, addr, &start) && functions_gap(table, addr, &start, &end))
		snprintf(text, OFFSET_TEXT, "0x%" PRIx64 "-0x%" PRIx64, start, end);
	else
		snprintf(text, OFFSET_TEXT, "0x%" PRIx64, start);
	return start;
}

static struct plumbing_from plumbing_from(struct names *n, const struct module_range *range)
{
	return (struct plumbing_from){
		.remote = n->space->remote, .maps = &n->space->map.maps, .bias = range->bias,
		.start = n->target->module_start, .end = n->target->module_end,
		.functions = module_functions(n->space->map.all, range->module),
		.fd = range->module->fd,
	};
}

/* Only the interpreter's own code, and only code that has no name. */
static enum machinery unnamed_machinery(struct names *n, const struct module_range *range,
					uint64_t start)
{
	if (!n->plumbing.asked) {
		struct plumbing_from from = plumbing_from(n, range);

		plumbing_load(&n->plumbing, &from);
		n->interpreter = start + range->bias;
	}
	return plumbing_has(&n->plumbing, start + range->bias) ? MACHINERY_CALL : MACHINERY_NONE;
}

bool names_learn(struct names *n, const uint64_t *anchors, size_t count)
{
	const struct module_range *range;
	struct plumbing_from from;
	bool learned = false;

	if (!n->plumbing.asked || n->plumbing.vectorcall || n->target->version < PYVER(3, 12) ||
	    n->plumbing.tries >= PLUMBING_TRIES_MAX)
		return false;
	range = module_map_find(&n->space->map, n->interpreter, n->space->now_ns);
	if (!range)
		return false;
	from = plumbing_from(n, range);
	for (size_t i = 0; i < count && !learned; i++)
		learned = anchors[i] && plumbing_learn(&n->plumbing, &from, anchors[i]);
	if (learned)
		forget(n);
	return learned;
}

/* &PyType_Type: code objects are of a type, whose type it is. 0: not known. */
static remote_addr type_type(const struct names *n)
{
	remote_addr type;

	return n->target->code_type &&
	       remote_read_u64(n->space->remote, n->target->code_type +
			       n->target->layout.object.ob_type, &type) == 0 ? type : 0;
}

static void load_methods(struct names *n, const struct module_range *range, struct methods *ret)
{
	const struct module *m = range->module;
	const struct methods_from from = {
		.remote = n->space->remote, .maps = &n->space->map.maps,
		.segments = m->segments, .segment_count = m->segment_count, .bias = range->bias,
		.functions = module_functions(n->space->map.all, range->module),
		.type_type = type_type(n), .minor = n->target->version >> 16 & 0xff,
		.ob_type = n->target->layout.object.ob_type,
	};

	methods_load(ret, &from);
	n->method_bytes += ret->bytes;
}

/* What Python itself calls the function that begins there; NULL: it says nothing. */
static const char *method_name(struct names *n, const struct module_range *range, uint64_t start)
{
	uint32_t id = range->module->id;

	if (!n->space->remote || range->module->kind != MODULE_FILE)
		return NULL;
	if (id >= n->method_modules) {
		n->methods = xreallocarray(n->methods, id + 1, sizeof(*n->methods));
		memset(n->methods + n->method_modules, 0,
		       (id + 1 - n->method_modules) * sizeof(*n->methods));
		n->method_modules = id + 1;
	}
	if (!n->methods[id].asked && n->method_bytes < NAMES_METHODS_MAX)
		load_methods(n, range, &n->methods[id].table);
	n->methods[id].asked = true;
	return methods_find(&n->methods[id].table, start);
}

static void name_file(struct names *n, struct name *ret, const struct module_range *range,
		      uint64_t addr)
{
	const struct symbols *table = module_symbols(n->space->map.all, range->module);
	char text[OFFSET_TEXT], plain[DEMANGLE_OUT_MAX], buf[SYMBOL_NAME_MAX];
	struct symbol symbol;

	if (!table || !symbols_find(table, addr, &symbol, buf)) {
		uint64_t start = unnamed(n, range->module, addr, text);
		const char *method = method_name(n, range, start);

		if (is_interpreter(n, range))
			ret->machinery = (uint8_t)unnamed_machinery(n, range, start);
		ret->unnamed = is_interpreter(n, range) || is_c_library(range->module);
		name_lines(n, range, addr, method ? method : text);
		return;
	}
	demangle(symbol.name, plain, sizeof(plain));
	ret->machinery = (uint8_t)machinery_of(n, range, plain);
	if (ret->machinery == MACHINERY_EVAL && symbol.size > n->eval_hi - n->eval_lo) {
		n->eval_lo = symbol.addr + range->bias; /* its large part, not ".cold" */
		n->eval_hi = n->eval_lo + symbol.size;
	}
	ret->start = machinery_find(plain) == MACHINERY_START;
	name_lines(n, range, addr, plain);
}

static struct name name_new(struct names *n, const struct module_range *range, uint64_t addr)
{
	struct name name = { .first = (uint32_t)n->frame_count };

	if (!range)
		add_frame(n, "[unknown code]", "", 0);
	else if (range->module->kind == MODULE_JIT)
		name_run_time(n, &name, addr);
	else
		name_file(n, &name, range, addr - range->bias);
	name.count = (uint16_t)(n->frame_count - name.first);
	return name;
}

const struct name *names_find(struct names *n, uint64_t addr)
{
	const struct module_range *range = module_map_find(&n->space->map, addr, n->space->now_ns);
	uint64_t in_file = range ? addr - range->bias : addr;
	bool cached = range && range->module->kind != MODULE_JIT && in_file >> ADDRESS_BITS == 0;
	uint32_t *place, at;

	if (cached) {
		place = idmap_put(&n->index, (uint64_t)range->module->id << ADDRESS_BITS | in_file);
		if (*place != IDMAP_NONE)
			return &n->items[*place];
		*place = (uint32_t)n->count;
	}
	if (n->count == n->room) {
		n->room = n->room ? 2 * n->room : 256;
		n->items = xreallocarray(n->items, n->room, sizeof(n->items[0]));
	}
	at = (uint32_t)n->count++;
	n->items[at] = name_new(n, range, addr);
	return &n->items[at];
}
