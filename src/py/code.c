/* SPDX-License-Identifier: MIT
 * The cache of code objects. */
#include "py/code.h"

#include <stdlib.h>
#include <string.h>

#include "py/linetable.h"
#include "py/unicode.h"
#include "util/hash.h"
#include "util/xalloc.h"

enum {
	INDEX_FIRST = 2048,
	/* Include/code.h: CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR; same in 3.6-3.15. */
	CO_SUSPENDABLE = 0x20 | 0x80 | 0x200,
	TLBC_COPIES_MAX = 65536,
	CODE_BYTES_MAX = 64 << 20, /* longest bytecode believed */
};

/* What makes a code object the one we know. co_version (3.12+) is never given twice. */
struct identity {
	uint64_t type, filename, name, linetable;
	uint32_t firstlineno, co_version, flags;
};

struct code_entry {
	remote_addr addr;
	struct identity id;
	remote_addr interp;      /* and the generation of its interpreter when last verified */
	uint64_t generation;
	uint64_t epoch;
	struct linetable lines;
	int32_t first_line;
	uint32_t func;
	uint32_t bytes;          /* of bytecode; UINT32_MAX unknown */
	bool hidden;
	uint64_t memo_offset;    /* instruction looked up last, and its line */
	int32_t memo_line;
};

void code_cache_init(struct code_cache *c, const struct py_target *t, struct symtab *symtab)
{
	*c = (struct code_cache){ .target = t, .symtab = symtab, .code_type = t->code_type };
	c->mask = INDEX_FIRST - 1;
	c->index = xcalloc(INDEX_FIRST, sizeof(c->index[0]));
	c->entries = xcalloc(INDEX_FIRST / 2, sizeof(c->entries[0]));
}

static void entries_clear(struct code_cache *c)
{
	for (uint32_t i = 0; i < c->count; i++)
		linetable_release(&c->entries[i].lines);
	c->count = 0;
}

void code_cache_release(struct code_cache *c)
{
	entries_clear(c);
	free(c->entries);
	free(c->index);
	*c = (struct code_cache){ 0 };
}

/* The slot of an address: its entry's, or the free one where it belongs. */
static uint32_t *slot_of(const struct code_cache *c, remote_addr addr)
{
	uint32_t i = (uint32_t)hash_u64(addr) & c->mask;

	while (c->index[i] && c->entries[c->index[i] - 1].addr != addr)
		i = (i + 1) & c->mask;
	return &c->index[i];
}

static void index_rebuild(struct code_cache *c, uint32_t size)
{
	free(c->index);
	c->mask = size - 1;
	c->index = xcalloc(size, sizeof(c->index[0]));
	c->entries = xreallocarray(c->entries, size / 2, sizeof(c->entries[0]));
	for (uint32_t i = 0; i < c->count; i++)
		*slot_of(c, c->entries[i].addr) = i + 1;
}

/* Room for one more entry: grows up to CODE_CACHE_MAX, then starts anew. */
static struct code_entry *entry_new(struct code_cache *c, remote_addr addr)
{
	if (c->count == CODE_CACHE_MAX) {
		entries_clear(c);
		index_rebuild(c, INDEX_FIRST);
		c->restarts++;
	} else if (c->count == (c->mask + 1) / 2) {
		index_rebuild(c, (c->mask + 1) * 2);
	}
	c->entries[c->count] = (struct code_entry){ .addr = addr };
	*slot_of(c, addr) = c->count + 1;
	c->added++;
	return &c->entries[c->count++];
}

static void identity_load(const struct py_layout *l, const uint8_t *b, struct identity *id)
{
	*id = (struct identity){
		.type = load_u64(b + l->object.ob_type),
		.filename = load_u64(b + l->code.filename),
		.name = load_u64(b + l->code.name),
		.linetable = load_u64(b + l->code.linetable),
		.firstlineno = load_u32(b + l->code.firstlineno),
		.flags = load_u32(b + l->code.flags),
		.co_version = l->code.co_version != NO_FIELD ? load_u32(b + l->code.co_version) : 0,
	};
}

static bool identity_equal(const struct identity *a, const struct identity *b)
{
	return a->type == b->type && a->filename == b->filename && a->name == b->name &&
	       a->linetable == b->linetable && a->firstlineno == b->firstlineno &&
	       a->co_version == b->co_version && a->flags == b->flags;
}

/* Length of the bytecode in bytes, where it is a bytes object of its own (up to 3.10). */
static uint32_t bytecode_length(const struct py_target *t, const uint8_t *header)
{
	const struct py_layout *l = &t->layout;
	uint64_t len;

	if (l->instr != INSTR_LASTI_BYTES && l->instr != INSTR_LASTI_UNITS)
		return UINT32_MAX;
	if (remote_read_u64(t->remote, load_u64(header + l->code.bytecode) + l->bytes.length, &len) ||
	    len > CODE_BYTES_MAX)
		return 0;
	return (uint32_t)len;
}

/* CPython's shim frames: `_Py_InitCleanup` runs below __init__ for Cls() from 3.13 on
 * (Python/specialize.c at v3.13.0: its co_name and co_filename are both "__init__"), trampolines
 * are called "<interpreter trampoline>" (Python/pylifecycle.c at v3.12.0). */
static bool is_shim(const struct buf *name, const struct buf *file)
{
	return (!strcmp(name->data, "__init__") && !strcmp(file->data, "__init__")) ||
	       !strcmp(name->data, "<interpreter trampoline>");
}

static int names_read(struct code_cache *c, const uint8_t *header, struct buf *name,
		      struct buf *file)
{
	const struct py_layout *l = &c->target->layout;
	uint32_t field = l->code.qualname != NO_FIELD ? l->code.qualname : l->code.name;
	int r = unicode_read(c->target, load_u64(header + field), name);

	return r ? r : unicode_read(c->target, load_u64(header + l->code.filename), file);
}

static int lines_read(struct code_cache *c, const uint8_t *header, struct code_entry *e)
{
	const struct py_layout *l = &c->target->layout;
	struct buf table = BUF_INIT;
	int r = bytes_read(c->target, load_u64(header + l->code.linetable), LINETABLE_BYTES_MAX,
			   &table);

	linetable_release(&e->lines);
	if (!r)
		r = linetable_decode(&e->lines, l->lines, (const uint8_t *)table.data, table.len,
				     e->first_line, e->bytes);
	buf_release(&table);
	return r;
}

/* Reads names and line table of the code object whose header is at hand into the entry. */
static bool entry_fill(struct code_cache *c, struct code_entry *e, const struct identity *id,
		       const uint8_t *header)
{
	struct buf name = BUF_INIT, file = BUF_INIT;
	bool good = false;

	e->id = *id;
	e->first_line = (int32_t)e->id.firstlineno;
	e->bytes = bytecode_length(c->target, header);
	e->memo_offset = UINT64_MAX;
	if (!names_read(c, header, &name, &file) && !lines_read(c, header, e)) {
		uint32_t f = symtab_file(c->symtab, file.data, file.len);

		e->func = symtab_func(c->symtab, SYM_PYTHON, name.data, name.len, f, e->first_line);
		e->hidden = is_shim(&name, &file);
		good = true;
	}
	buf_release(&name);
	buf_release(&file);
	return good;
}

static bool type_ok(struct code_cache *c, const struct identity *id)
{
	if (c->code_type == 0)
		return id->type != 0 && id->type % 8 == 0;
	return id->type == c->code_type;
}

/* Makes the entry (NULL: none yet) that of the code object at hand. */
static struct code_entry *entry_renew(struct code_cache *c, struct code_entry *e, remote_addr addr,
				      const struct identity *id, const uint8_t *header)
{
	if (!type_ok(c, id))
		return NULL;
	if (e)
		c->replaced++;
	else
		e = entry_new(c, addr);
	if (!entry_fill(c, e, id, header)) {
		e->id = (struct identity){ 0 }; /* matches nothing: read again when met again */
		return NULL;
	}
	if (c->code_type == 0)
		c->code_type = id->type;
	return e;
}

void code_cache_look(struct code_cache *c, struct snapshot *s, remote_addr interp, bool verify)
{
	uint32_t field = c->target->layout.interp.code_generation;
	const uint8_t *b = NULL;

	c->epoch += verify;
	c->interp = interp;
	if (field != NO_FIELD)
		b = snapshot_get(s, interp + field, 8);
	c->generation = b ? load_u64(b) + 1 : 0;
}

static bool is_verified(const struct code_cache *c, const struct code_entry *e)
{
	if (c->generation)
		return e->generation == c->generation && e->interp == c->interp;
	return e->epoch == c->epoch;
}

/* The entry for a code object, verified in this snapshot. */
static struct code_entry *entry_get(struct code_cache *c, struct snapshot *s, remote_addr addr,
				    enum code_result *why)
{
	uint32_t slot = *slot_of(c, addr);
	struct code_entry *e = slot ? &c->entries[slot - 1] : NULL;
	const uint8_t *header;
	struct identity id;

	if (e && is_verified(c, e))
		return e;
	header = snapshot_get(s, addr, c->target->layout.code.size);
	if (!header) {
		*why = CODE_UNREADABLE;
		return NULL;
	}
	identity_load(&c->target->layout, header, &id);
	if (!e || !identity_equal(&id, &e->id)) {
		e = entry_renew(c, e, addr, &id, header);
		*why = CODE_INVALID;
		if (!e)
			return NULL;
	}
	e->interp = c->interp;
	e->generation = c->generation;
	e->epoch = c->epoch;
	return e;
}

/* Address of the first instruction: inside the code object, or in the thread's own copy
 * (free-threaded 3.14+: Include/internal/pycore_code.h, _PyCodeArray). */
static remote_addr bytecode_base(struct code_cache *c, struct snapshot *s,
				 const struct raw_frame *raw)
{
	const struct py_layout *l = &c->target->layout;
	remote_addr base = raw->code + l->code.bytecode;
	const uint8_t *b;

	if (raw->tlbc_index <= 0 || raw->tlbc_index >= TLBC_COPIES_MAX || l->code.tlbc == NO_FIELD)
		return base;
	b = snapshot_get(s, raw->code + l->code.tlbc, 8);
	if (!b)
		return 0;
	b = snapshot_get(s, load_u64(b) + 8 + 8 * (uint64_t)raw->tlbc_index, 8);
	return b ? load_u64(b) : 0;
}

/* Byte offset of the instruction in its code; negative: not started. INT64_MAX: outside. */
static int64_t instr_offset(struct code_cache *c, struct snapshot *s, const struct raw_frame *raw)
{
	remote_addr base;

	switch (c->target->layout.instr) {
	case INSTR_LASTI_BYTES:
		return (int64_t)raw->instr;
	case INSTR_LASTI_UNITS:
		return (int64_t)raw->instr * 2;
	case INSTR_POINTER_LAST:
	case INSTR_POINTER_NOW:
		base = bytecode_base(c, s, raw);
		if (base && raw->instr + 2 >= base)
			return (int64_t)(raw->instr - base);
		break;
	}
	return INT64_MAX;
}

static int32_t entry_line(struct code_entry *e, int64_t offset)
{
	if (offset < 0)
		return e->first_line;
	if (e->memo_offset != (uint64_t)offset) {
		e->memo_line = linetable_line(&e->lines, (uint32_t)offset);
		e->memo_offset = (uint64_t)offset;
	}
	return e->memo_line;
}

enum code_result code_resolve(struct code_cache *c, struct snapshot *s,
			      const struct raw_frame *raw, struct sym_frame *ret,
			      bool *ret_generator)
{
	enum code_result why = CODE_INVALID;
	struct code_entry *e = entry_get(c, s, raw->code, &why);
	int64_t offset;

	if (!e)
		return why;
	*ret_generator = e->id.flags & CO_SUSPENDABLE;
	if (e->hidden)
		return CODE_HIDDEN;
	offset = instr_offset(c, s, raw);
	if (offset > (int64_t)e->lines.end)
		return CODE_INVALID;
	*ret = (struct sym_frame){ .func = e->func, .line = entry_line(e, offset) };
	return CODE_OK;
}
