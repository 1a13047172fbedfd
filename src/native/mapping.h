/* SPDX-License-Identifier: MIT
 * Private to native/: a file in memory that stays readable whatever becomes of the file.
 *
 * Debug files are too big to be read in whole, so libdw reads them mapped. Cut off by its owner, a
 * mapped file would kill us with SIGBUS: pages that are gone become zeros instead, by a handler for
 * that signal. Behind the end there are zeros too, for readers who look for a string's end. */
#ifndef SRC_NATIVE_MAPPING_H
#define SRC_NATIVE_MAPPING_H

#include <stddef.h>
#include <stdint.h>

#include "util/attr.h"

enum {
	MAPPINGS_MAX = 512,      /* at the same time */
	MAPPING_TAIL = 64 << 10, /* zeros behind the end */
};

struct mapping {
	uint8_t *at;             /* private to us: writing does not change the file */
	size_t size;             /* of the file */
	int slot;                /* private */
};

/* 0 or -errno; -EMFILE: MAPPINGS_MAX. The file may be closed after. */
int mapping_open(struct mapping *m, int fd) _must_check_;
void mapping_close(struct mapping *m);
/* These bytes, all or nothing of them in the file and never written to, will not be read again
 * soon: they no longer count as our memory. */
void mapping_forget(const struct mapping *m, const uint8_t *at, uint64_t size);

#endif
