/* SPDX-License-Identifier: MIT
 * libunwind asks for registers, memory and tables; it is answered from the copies (of the modules:
 * eh_tables.c). */
#include "native/engine_libunwind.h"

#include <errno.h>

#include "config.h"

#if defined(HAVE_LIBUNWIND) && defined(__x86_64__)

#include <dlfcn.h>
#include <libunwind.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eh_tables.h"
#include "util/clock.h"
#include "util/hash.h"
#include "util/xalloc.h"

enum {
	CACHE_RULES = 16384,       /* unw_set_cache_size(): a Python process has some 500 addresses */
	SIGNAL_SLOTS = 512,
};

/* Exported, but in no header: libunwind 1.6.2, include/dwarf.h; perf declares it so too. */
typedef int search_table(unw_addr_space_t as, unw_word_t ip, unw_dyn_info_t *di,
			 unw_proc_info_t *pi, int need_unwind_info, void *arg);

#define FUNCTIONS(X) \
	X(create_addr_space) X(destroy_addr_space) X(set_caching_policy) X(set_cache_size) \
	X(flush_cache) X(init_remote) X(step) X(get_reg) X(is_signal_frame)

static struct {
#define MEMBER(name) __typeof__(unw_##name) *name;
	FUNCTIONS(MEMBER)
#undef MEMBER
	search_table *search;
	char missing[256];         /* "": all is there */
} lib;

struct engine_libunwind {
	struct module_map *mm;
	unw_addr_space_t space;
	struct eh_tables tables;
	struct { uint64_t pc; bool signal; } signals[SIGNAL_SLOTS];
	uint64_t maps_hash, read_at, now;
	/* Of one walk. */
	const struct unwind_stack *stack;
	const struct unwind_registers *regs;
	uint64_t missing;          /* the last word of a stack that was not there */
	bool no_info, no_word, no_register;
};

/* --- its questions --------------------------------------------------------------------------- */

static int access_mem(unw_addr_space_t as, unw_word_t addr, unw_word_t *value, int write, void *arg)
{
	struct engine_libunwind *e = arg;
	const struct unwind_stack *s = e->stack;

	(void)as;
	if (write)
		return -UNW_EINVAL;
	if (eh_tables_piece(s->bytes, s->lo, s->hi - s->lo, addr, value) ||
	    eh_tables_word(&e->tables, addr, value))
		return 0;
	e->no_word = true;
	e->missing = addr;
	return -UNW_EINVAL;
}

static int access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *value, int write, void *arg)
{
	struct engine_libunwind *e = arg;

	(void)as;
	if (write || reg < 0 || reg >= RULE_REGISTERS || !(e->regs->known >> reg & 1)) {
		e->no_register = true;
		return -UNW_EBADREG;
	}
	*value = e->regs->value[reg];
	if (reg == RULE_RA)
		*value -= e->regs->at_return; /* of the call: there is no other way to say so */
	return 0;
}

static int find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *pi, int need,
			  void *arg)
{
	struct engine_libunwind *e = arg;
	const struct module_range *range = module_map_find(e->mm, ip, e->now);
	const struct eh_placed *p = range ? eh_tables_place(&e->tables, range) : NULL;
	unw_dyn_info_t di = { .format = UNW_INFO_FORMAT_REMOTE_TABLE };
	int err;

	e->no_info = true;
	if (!p)
		return -UNW_ENOINFO;
	di.start_ip = range->start;
	di.end_ip = range->end;
	di.u.rti.segbase = p->bias + p->table->hdr;
	di.u.rti.table_data = di.u.rti.segbase + 12;
	di.u.rti.table_len = p->table->entries * 8 / sizeof(unw_word_t);
	err = lib.search(as, ip, &di, pi, need, arg);
	e->no_info = err < 0;
	return err;
}

static void put_unwind_info(unw_addr_space_t as, unw_proc_info_t *pi, void *arg)
{
	(void)as, (void)pi, (void)arg; /* its memory is libunwind's own */
}

static int no_dyn_info(unw_addr_space_t as, unw_word_t *ret, void *arg)
{
	(void)as, (void)ret, (void)arg;
	return -UNW_ENOINFO;
}

static int no_fpreg(unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *value, int write, void *arg)
{
	(void)as, (void)reg, (void)value, (void)write, (void)arg;
	return -UNW_EBADREG;
}

static int no_resume(unw_addr_space_t as, unw_cursor_t *cursor, void *arg)
{
	(void)as, (void)cursor, (void)arg;
	return -UNW_EINVAL;
}

static int no_proc_name(unw_addr_space_t as, unw_word_t ip, char *name, size_t size,
			unw_word_t *offset, void *arg)
{
	(void)as, (void)ip, (void)name, (void)size, (void)offset, (void)arg;
	return -UNW_ENOINFO;
}

static unw_accessors_t accessors = {
	.find_proc_info = find_proc_info,
	.put_unwind_info = put_unwind_info,
	.get_dyn_info_list_addr = no_dyn_info,
	.access_mem = access_mem,
	.access_reg = access_reg,
	.access_fpreg = no_fpreg,
	.resume = no_resume,
	.get_proc_name = no_proc_name,
};

/* --- loading --------------------------------------------------------------------------------- */

#define TEXT(name) TEXT2(name)
#define TEXT2(name) #name

static void *function_find(void *library, const char *name)
{
	void *found = library ? dlsym(library, name) : NULL;

	if (!found && !lib.missing[0])
		snprintf(lib.missing, sizeof(lib.missing), "libunwind has no %s", name);
	return found;
}

static void load(void)
{
	void *library = dlopen("libunwind-x86_64.so.8", RTLD_LAZY | RTLD_LOCAL);

	if (!library)
		snprintf(lib.missing, sizeof(lib.missing), "%s", dlerror());
#define FIND(name) *(void **)&lib.name = function_find(library, TEXT(UNW_OBJ(name)));
	FUNCTIONS(FIND)
#undef FIND
	*(void **)&lib.search = function_find(library, TEXT(UNW_OBJ(dwarf_search_unwind_table)));
}

int engine_libunwind_check(struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (!lib.missing[0])
		return 0;
	err_set(err, -ENOENT, EXIT_FAILED, "cannot unwind by libunwind: %s", lib.missing);
	err_hint(err, "install libunwind (Debian and Ubuntu: apt install libunwind8), or leave "
		 "--unwinder away");
	return -ENOENT;
}

int engine_libunwind_open(struct engine_libunwind **ret, struct module_map *mm, struct err *err)
{
	struct engine_libunwind *e;
	int missing = engine_libunwind_check(err);

	if (missing < 0)
		return missing;
	e = xcalloc(1, sizeof(*e));
	e->mm = mm;
	e->space = lib.create_addr_space(&accessors, 0);
	if (!e->space) {
		free(e);
		return err_set(err, -ENOMEM, EXIT_FAILED, "cannot unwind by libunwind: it gives no "
			       "address space");
	}
	lib.set_caching_policy(e->space, UNW_CACHE_GLOBAL);
	lib.set_cache_size(e->space, CACHE_RULES, 0);
	*ret = e;
	return 0;
}

void engine_libunwind_close(struct engine_libunwind *e)
{
	if (!e)
		return;
	lib.destroy_addr_space(e->space);
	eh_tables_release(&e->tables);
	free(e);
}

/* --- walking --------------------------------------------------------------------------------- */

/* libunwind keeps what it found by address: all of it is dropped when other code may be there. */
static void check_maps(struct engine_libunwind *e)
{
	const struct module_map *mm = e->mm;
	uint64_t hash = mm->count;

	if (e->read_at == mm->read_at)
		return;
	e->read_at = mm->read_at;
	for (size_t i = 0; i < mm->count; i++)
		hash = hash_u64(hash ^ hash_u64(mm->ranges[i].start ^ hash_u64(mm->ranges[i].end)) ^
				hash_u64((uint64_t)mm->of[i]->inode ^ mm->of[i]->offset << 32));
	if (hash == e->maps_hash)
		return;
	e->maps_hash = hash;
	e->tables.placed_count = 0;
	memset(e->signals, 0, sizeof(e->signals));
	lib.flush_cache(e->space, 0, 0);
}

/* It compares the code with __restore_rt's, for which it reads the file. */
static bool is_signal(struct engine_libunwind *e, unw_cursor_t *cursor, uint64_t pc)
{
	size_t slot = hash_u64(pc) % SIGNAL_SLOTS;

	if (e->signals[slot].pc != pc) {
		e->signals[slot].pc = pc;
		e->signals[slot].signal = lib.is_signal_frame(cursor) > 0;
	}
	return e->signals[slot].signal;
}

static enum unwind_end why(const struct engine_libunwind *e, int err)
{
	uint64_t hi = e->stack->hi;

	if (e->no_info)
		return UNWIND_NO_INFO;
	if (e->no_word)
		return e->missing > hi - 8 && e->missing - (hi - 8) < UNWIND_GROW_MAX ?
		       UNWIND_TRUNCATED : UNWIND_ELSEWHERE;
	if (e->no_register || err == -UNW_EBADREG)
		return UNWIND_UNKNOWN;
	return UNWIND_STUCK;
}

/* To the caller; false: *end says why not. Its own guesses, made without information, do not count:
 * they are not verified. */
static bool step(struct engine_libunwind *e, unw_cursor_t *cursor, struct unwind_frame *f,
		 struct unwind_frame *next, enum unwind_end *end)
{
	unw_word_t pc = 0, sp = 0;
	int err;

	f->signal = is_signal(e, cursor, f->pc);
	e->no_info = e->no_word = e->no_register = false;
	err = lib.step(cursor);
	*end = err == 0 && !e->no_info ? UNWIND_COMPLETE : why(e, err);
	if (err <= 0 || e->no_info)
		return false;
	if (lib.get_reg(cursor, UNW_X86_64_RIP, &pc) < 0 ||
	    lib.get_reg(cursor, UNW_X86_64_RSP, &sp) < 0) {
		*end = e->no_word ? why(e, -UNW_EINVAL) : UNWIND_UNKNOWN;
		return false;
	}
	*end = UNWIND_STUCK;
	if (sp % 8 != 0 || (sp <= f->sp && !f->signal))
		return false;
	f->cfa = sp;
	*next = (struct unwind_frame){ .pc = pc, .sp = sp, .how = UNWIND_CFI,
				       .at_return = !f->signal };
	*end = pc == 0 ? UNWIND_COMPLETE : UNWIND_NO_CODE;
	return pc != 0 && module_map_find(e->mm, unwind_lookup_addr(next), e->now) != NULL;
}

struct unwind_result engine_libunwind_walk(void *engine, struct unwind_registers *regs,
					   const struct unwind_stack *stack,
					   struct unwind_frame *frames, size_t max)
{
	struct engine_libunwind *e = engine;
	struct unwind_result result = { .end = UNWIND_UNKNOWN };
	unw_cursor_t cursor;

	e->stack = stack;
	e->regs = regs;
	e->now = clock_mono_ns();
	if (!(regs->known >> RULE_RA & 1) || stack->hi < 8 || max == 0)
		return result;
	check_maps(e);
	if (lib.init_remote(&cursor, e->space, e) < 0)
		return result;
	frames[0] = (struct unwind_frame){ .pc = regs->value[RULE_RA], .sp = regs->value[RULE_SP],
					   .how = UNWIND_START, .at_return = regs->at_return };
	for (result.count = 1; ; result.count++) {
		struct unwind_frame next;

		if (!step(e, &cursor, &frames[result.count - 1], &next, &result.end))
			break;
		result.end = UNWIND_FULL;
		if (result.count == max)
			break;
		frames[result.count] = next;
	}
	if (result.end == UNWIND_TRUNCATED || result.end == UNWIND_ELSEWHERE)
		result.missing = e->missing;
	*regs = (struct unwind_registers){ .at_return = frames[result.count - 1].at_return };
	unwind_set(regs, RULE_SP, frames[result.count - 1].sp);
	unwind_set(regs, RULE_RA, frames[result.count - 1].pc);
	return result;
}

#else

int engine_libunwind_check(struct err *err)
{
	return err_set(err, -ENOTSUP, EXIT_FAILED,
		       "cannot unwind by libunwind: this pystoker was built without it");
}

int engine_libunwind_open(struct engine_libunwind **ret, struct module_map *mm, struct err *err)
{
	(void)ret, (void)mm;
	return engine_libunwind_check(err);
}

void engine_libunwind_close(struct engine_libunwind *e)
{
	(void)e;
}

struct unwind_result engine_libunwind_walk(void *engine, struct unwind_registers *regs,
					   const struct unwind_stack *stack,
					   struct unwind_frame *frames, size_t max)
{
	(void)engine, (void)regs, (void)stack, (void)frames, (void)max;
	return (struct unwind_result){ .end = UNWIND_NO_INFO };
}

#endif
