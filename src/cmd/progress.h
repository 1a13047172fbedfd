/* SPDX-License-Identifier: MIT
 * Private to cmd/: the line on the terminal while recording. */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "sampler/stats.h"

struct progress {
	bool shown;              /* stderr is a terminal that nobody else writes to */
	uint64_t duration_ns;    /* 0: unlimited */
	uint64_t last_ns;        /* when the line was drawn */
};

void progress_draw(struct progress *p, uint64_t elapsed_ns, const struct sampler_stats *stats);
void progress_clear(struct progress *p);

#endif
