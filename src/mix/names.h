/* SPDX-License-Identifier: MIT
 * Native program counters of one process as frames with names, and whether they are shown. */
#ifndef MIX_NAMES_H
#define MIX_NAMES_H

#include "native/lines.h"
#include "native/machinery.h"
#include "native/space.h"
#include "methods.h"
#include "plumbing.h"
#include "py/target.h"
#include "sym/symtab.h"
#include "util/idmap.h"
#include "util/pool.h"

enum { NAMES_METHODS_MAX = 64 << 20 };  /* bytes of names that data give, of all modules */

/* What is at one address. */
struct name {
	uint32_t first;          /* in names.frames: the innermost inlined function */
	uint16_t count;          /* frames; the last one is the function itself */
	uint8_t machinery;       /* enum machinery */
	bool start;              /* by its name it is where programs and threads begin */
	bool unnamed;            /* in the interpreter or the C library, stripped */
	bool run_time;           /* code written at run time: no cache */
};

struct names {
	struct space *space;     /* not owned */
	const struct py_target *target;
	struct symtab *symtab;
	struct plumbing plumbing;/* machinery that has no name; asked for when some code has none */
	remote_addr interpreter; /* some code of it, once plumbing was asked for */
	uint64_t eval_lo, eval_hi; /* the eval loop, once it was met; 0: unknown */
	/* Of modules that have code without symbols, by the module's id. */
	struct names_methods {
		bool asked;
		struct methods table;
	} *methods;
	size_t method_modules, method_bytes;
	bool all;                /* calls of the interpreter that were inlined are shown too */
	struct idmap index;      /* (module, address in the file) -> items */
	struct name *items;
	size_t count, room;
	struct sym_frame *frames;
	size_t frame_count, frame_room;
};

void names_init(struct names *n, struct space *space, const struct py_target *t,
		struct symtab *symtab, bool all);
void names_release(struct names *n);

/* The eval calls of the stack whose names were found: which code without a name is machinery may be
 * learned from them. True: it was, the names are to be found again. */
bool names_learn(struct names *n, const uint64_t *anchors, size_t count);

/* Before a stack of `frames` frames: names found from now on stay valid until the next stack. */
void names_begin(struct names *n, uint32_t frames);
/* The address to look up (return addresses less one). Valid until the next call; its frames, until the
 * next names_begin(). */
const struct name *names_find(struct names *n, uint64_t addr);

static inline const struct sym_frame *name_frames(const struct names *n, const struct name *name)
{
	return n->frames + name->first;
}

#endif
