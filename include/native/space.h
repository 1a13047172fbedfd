/* SPDX-License-Identifier: MIT
 * The code of one process, as a walk over one of its stacks asks for it: rules and bytes by address. */
#ifndef NATIVE_SPACE_H
#define NATIVE_SPACE_H

#include "native/modules.h"
#include "native/perf_map.h"
#include "native/unwind.h"

#define SPACE_REFRESH_NS 1000000000ULL  /* mappings are read again at least this often */

/* One thread at a time. */
struct space {
	struct module_map map;
	struct perf_map perf;
	const struct remote *remote;  /* not owned */
	uint64_t now_ns;              /* of the stack at hand */
};

/* `all` and `remote` stay the caller's and must outlive it. */
void space_init(struct space *s, struct modules *all, pid_t pid, const struct remote *remote);
void space_release(struct space *s);
/* Before each stack: CLOCK_MONOTONIC. */
void space_begin(struct space *s, uint64_t now_ns);

/* struct native_ops: `arg` is the space. */
const struct rule *space_rule(void *arg, uint64_t addr);
bool space_code(void *arg, uint64_t addr, void *buf, size_t len);
bool space_start(void *arg, uint64_t addr, uint64_t *ret);

#endif
