/* SPDX-License-Identifier: MIT
 * The folder that all runs share: made, and trusted or refused. */
#ifndef SHIP_SPOOL_DIR_H
#define SHIP_SPOOL_DIR_H

#include "util/attr.h"
#include "util/err.h"

/* Opens the folder of that absolute path, making what is missing. -ENOTDIR: it cannot be one, ever;
 * -EPERM: it belongs to somebody else. err says what and why. */
int spool_dir_open(const char *path, struct err *err) _must_check_;

#endif
