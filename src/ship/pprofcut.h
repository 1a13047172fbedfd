/* SPDX-License-Identifier: MIT
 * A part of a stored profile as a profile of its own: some samples, with the names they need. */
#ifndef SHIP_PPROFCUT_PRIVATE_H
#define SHIP_PPROFCUT_PRIVATE_H

#include "pprofread.h"

enum { PPROFCUT_ALL = -1 };

struct pprofcut {
	size_t from, to;           /* samples [from, to) */
	int type;                  /* the only sample type kept, or PPROFCUT_ALL of them */
	uint64_t time_ns;
	size_t frames_max;         /* of a stack: its root end is cut; 0: no limit */
};

/* With one type it is made for a server: samples without a value are left out, those that differ
 * only in what is dropped are one; comments (they hold the command line) and all labels of samples
 * but thread_name are dropped. With all types nothing is lost. Appends to *out, uncompressed; returns
 * the number of samples. The same input gives the same bytes. */
size_t pprofcut(const struct pprofread *f, const struct pprofcut *c, struct buf *out);

#endif
