/* SPDX-License-Identifier: MIT
 * Call machinery of a stripped interpreter, found where the interpreter itself refers to it: it has no
 * name there, but its data say what it is. What they say is exact; what they do not say stays shown.
 *
 *  - slotdefs (Objects/typeobject.c): an array of {name, offset, slot function, wrapper, doc, flags,
 *    interned name}, 56 bytes in CPython 3.6 to 3.15, whose names are "__init__", "__call__" …
 *  - tp_call and tp_iternext of the types that calls go through, which the interpreter exports.
 *  - the vectorcall pointer of a Python function (Objects/funcobject.c): of one that is running. */
#ifndef MIX_PLUMBING_H
#define MIX_PLUMBING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem/procfs.h"
#include "mem/remote.h"
#include "native/functions.h"

enum {
	PLUMBING_MAX = 512,             /* functions; 3.14 has 101 */
	PLUMBING_DATA_MAX = 16 << 20,   /* bytes of one mapping that are looked through */
	PLUMBING_TRIES_MAX = 1000,      /* stacks asked for a Python function */
};

/* Where the interpreter is. All is asked for during a call only. */
struct plumbing_from {
	const struct remote *remote;
	const struct maps *maps;
	remote_addr start, end;         /* of its mappings */
	const struct functions *functions;
	uint64_t bias;                  /* of the functions */
	int fd;                         /* its file */
};

struct plumbing {
	remote_addr starts[PLUMBING_MAX];
	size_t count;
	bool asked;                     /* plumbing_load() was */
	bool vectorcall;                /* is among them */
	uint32_t tries;
};

/* Some 0.5 MB of the target are read, once. */
void plumbing_load(struct plumbing *p, const struct plumbing_from *from);
/* `anchor`: an entry frame of 3.12 or later. True when something new is known by it. */
bool plumbing_learn(struct plumbing *p, const struct plumbing_from *from, remote_addr anchor);
/* Whether the function that begins there calls, and does nothing else. */
bool plumbing_has(const struct plumbing *p, remote_addr start);

#endif
