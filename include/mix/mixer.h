/* SPDX-License-Identifier: MIT
 * Looks with native stacks become looks with one stack: a filter between the sampler and whoever
 * takes its looks.
 *
 * The sampling thread copies a look's registers and stack into a ring and goes on; a thread of the
 * mixer unwinds, merges, finds names and lines, and hands the finished look to the client. One mixer
 * serves all clients, so that what is made of a module is made once. When the ring is full the look
 * loses its native part, which is counted. */
#ifndef MIX_MIXER_H
#define MIX_MIXER_H

#include "py/target.h"
#include "sampler/sampler.h"
#include "sym/symtab.h"
#include "util/buf.h"

enum native_level {
	NATIVE_USUAL,     /* without the interpreter's own machinery */
	NATIVE_ALL,
	NATIVE_KERNEL,    /* usual, and the kernel's frames */
};

enum native_engine { ENGINE_RULES, ENGINE_LIBUNWIND };

struct mixer_config {
	enum native_level level;
	enum native_engine engine;
	bool debuginfod;          /* ask the servers of $DEBUGINFOD_URLS for debug files */
};

/* What became of the looks; see mixer_stats_text(). */
struct mixer_stats {
	uint64_t looks;        /* with a native part wanted */
	uint64_t merged;       /* Python and native frames (or native alone) brought together */
	uint64_t complete;     /* of the walks: nothing is missing; up to the outermost call of Python at least,
				* as a greenlet's stack has no end that is known */
	uint64_t walks;
	uint64_t partly;       /* native stack ended before Python's: marked */
	uint64_t mismatched;   /* marked */
	uint64_t no_registers; /* marked */
	uint64_t ring_full;    /* marked */
	uint64_t lost;         /* looks for which there was no room at all */
	uint64_t resynced;     /* stacks with frames missing that an anchor bridged: marked */
	uint64_t truncated;    /* stacks deeper than the copy */
	uint64_t guessed;      /* stacks with frames found without unwind information */
	uint64_t walk_ns;      /* time spent unwinding and merging */
	uint64_t walk_frames;  /* native frames */
};

struct mixer;
struct mixer_client;

/* To be freed by the caller. NULL and err: EXIT_FAILED when there is no thread for it. */
struct mixer *mixer_new(const struct mixer_config *c, struct err *err);
void mixer_free(struct mixer *m); /* all clients are gone; NULL is fine */

/* Takes looks for `t`, gives them to ops->on_look from the mixer's thread. The symtab is the one the
 * sampler adds to. `t`, `symtab` must outlive the client, which mixer_leave() frees. */
struct mixer_client *mixer_join(struct mixer *m, const struct py_target *t, struct symtab *symtab,
				const struct sampler_ops *ops);
/* The sampler's ops that lead to this client. */
struct sampler_ops mixer_ops(struct mixer_client *c);
/* Waits until everything that was put in has come out, `patience_ns` at most: false when it has not
 * (what is made ready for another client, a debug file's download, may take long). Not while its
 * client's on_look waits for the caller. */
bool mixer_flush(struct mixer_client *c, uint64_t patience_ns);
#define MIXER_FOREVER UINT64_MAX
/* Counters so far; any thread, any time. */
void mixer_stats(const struct mixer_client *c, struct mixer_stats *ret);
void mixer_leave(struct mixer_client *c); /* flushes; no look may be put in any more; NULL is fine */

void mixer_stats_add(struct mixer_stats *sum, const struct mixer_stats *add);
void mixer_stats_subtract(struct mixer_stats *from, const struct mixer_stats *what);
/* "mismatched 3, truncated 1", nothing when all is well. */
void mixer_stats_text(const struct mixer_stats *s, struct buf *out);

#endif
