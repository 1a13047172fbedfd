/* SPDX-License-Identifier: MIT
 * Names of code written at run time: /tmp/perf-PID.map as the target's namespaces have it.
 *
 * A line is "7f3c5a2294c0 1a0 py::run:/srv/app.py": start and size in hexadecimal, and the name
 * (Linux, tools/perf/Documentation/jit-interface.txt). CPython 3.12+ writes it with -X perf, V8 and
 * others too. The file only grows; who wrote last over an address is right. */
#ifndef NATIVE_PERF_MAP_H
#define NATIVE_PERF_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mem/remote.h"
#include "util/buf.h"

#define PERF_MAP_REFRESH_NS 100000000ULL   /* unknown addresses read on no sooner */

enum {
	PERF_MAP_BYTES_MAX = 64 << 20,  /* of the file; what follows is not read */
	PERF_MAP_ENTRIES_MAX = 1 << 20,
};

struct perf_map {
	pid_t pid;
	char *path;                   /* owned */
	struct perf_map_entry *list;  /* private; ascending when sorted */
	size_t count, room;
	bool sorted;
	struct buf names;             /* NUL after each */
	uint64_t read_bytes, inode;   /* how far the file was read */
	uint64_t read_at;             /* 0: never */
};

/* Reads nothing yet. One thread at a time. */
void perf_map_init(struct perf_map *pm, pid_t pid);
void perf_map_release(struct perf_map *pm);

/* The name of the code at pc, NULL when none is known; *ret_start is where it begins. Valid until
 * the next call. Reads on when pc is unknown, at most once in PERF_MAP_REFRESH_NS. */
const char *perf_map_find(struct perf_map *pm, remote_addr pc, uint64_t now_ns,
			  remote_addr *ret_start);

#endif
