/* SPDX-License-Identifier: MIT
 * A profile made for a server (pprofcut.h, of one type) as the text formats of /ingest. */
#ifndef SHIP_WIRE_TEXT_PRIVATE_H
#define SHIP_WIRE_TEXT_PRIVATE_H

#include "pprofread.h"

#define WIRE_TEXT_MAX (64u << 20) /* bytes of a body: more is hostile, servers take 256 MB at most */

/* Body of a line per stack with nanoseconds behind it, for sampleRate=1000000000. */
void wire_folded(struct buf *body, const struct pprofread *f);
/* Body with microseconds; what rounding drops from one stack the next one gets. */
void wire_speedscope(struct buf *body, const struct pprofread *f);

#endif
