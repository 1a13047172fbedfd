/* SPDX-License-Identifier: MIT
 * One look's registers and stack into one stack of frames: walk, names, merge. */
#ifndef MIX_BLEND_H
#define MIX_BLEND_H

#include "mix/mixer.h"
#include "names.h"
#include "native/engine_libunwind.h"
#include "native/kallsyms.h"
#include "native/merge.h"
#include "native/stack.h"

enum { BLEND_FRAMES_MAX = 32768 };  /* of one merged stack, inlined ones included */

/* Words in the place of frames. */
enum blend_mark {
	MARK_NO_INFO,      /* frames are missing: code without unwind information */
	MARK_CUT,          /* the native stack could not be followed to its end */
	MARK_MISMATCH,     /* native and Python frames could not be brought together */
	MARK_NO_REGISTERS, /* no native frames: registers not to be had */
	MARK_LOST,         /* no native frames: no room in the ring */
	MARK_UNKNOWN,      /* no frames at all: the look that had them was lost */
	BLEND_MARKS
};

/* Room for one stack under way; one for all clients of a mixer. */
struct scratch {
	struct unwind_frame *walked;    /* NATIVE_FRAMES_MAX */
	struct merge_native *native;
	struct name *names;             /* of walked[] */
	struct merge_entry *entries;    /* FRAMES_MAX */
	uint64_t *anchors;
	struct merge_item *items;       /* merge_room() of the above */
	struct sym_frame *frames;       /* BLEND_FRAMES_MAX: the result, leaf first */
	uint32_t count;
};

/* What one process needs. */
struct blend {
	const struct mixer_config *config;
	struct symtab *symtab;
	struct kallsyms *kallsyms;      /* the mixer's */
	struct space space;
	struct names names;
	struct native_learned learned;
	struct engine_libunwind *engine; /* NULL: our own rules */
	uint32_t marks[BLEND_MARKS];    /* functions in the symtab */
	struct mixer_stats *stats;      /* the client's */
	struct scratch *scratch;
};

struct blend_init {
	const struct mixer_config *config;
	struct modules *modules;
	struct kallsyms *kallsyms;
	const struct py_target *target;
	const struct remote *remote;    /* NULL: cannot be read */
	struct symtab *symtab;
	struct mixer_stats *stats;
	struct scratch *scratch;
};

void scratch_init(struct scratch *s);
void scratch_release(struct scratch *s);

/* All pointers stay the caller's. */
void blend_init(struct blend *b, const struct blend_init *init);
void blend_release(struct blend *b);

/* The look's merged stack goes to scratch->frames, scratch->count. */
void blend_look(struct blend *b, const struct look *look, bool lost_native, uint64_t now_ns);

/* The same for a look of which nothing is known. */
void blend_unknown(struct blend *b);

#endif
