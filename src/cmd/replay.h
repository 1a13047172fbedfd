/* SPDX-License-Identifier: MIT
 * Private to cmd/: sending a folder of profiles. */
#ifndef CMD_REPLAY_H
#define CMD_REPLAY_H

#include "push.h"

/* Sends every .pb and .pb.gz below o->replay; the files stay. A line on stderr for each that was not
 * taken, and a sum. EXIT_FAILED when not all of them arrived. */
int replay(const struct push_options *o, struct err *err) _must_check_;

#endif
