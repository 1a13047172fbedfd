/* SPDX-License-Identifier: MIT
 * Private to cmd/: no server: finished profiles collect in a folder ("file:DIR"). */
#ifndef CMD_COLLECT_H
#define CMD_COLLECT_H

#include "ship/spool.h"
#include "util/log.h"

/* Moves everything that waits in the spool to `dir` (made when missing) as
 * APP-2026-01-31T12-00-00.123-PID.KIND.pb.gz, UTC. What cannot be written stays in the spool. */
void collect(struct spool *spool, const char *dir, const char *app, struct log *log);

#endif
