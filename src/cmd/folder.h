/* SPDX-License-Identifier: MIT
 * Private to cmd/: whether files can be written in a place, found out by writing one. */
#ifndef CMD_FOLDER_H
#define CMD_FOLDER_H

#include <limits.h>
#include <stdint.h>

struct folder {
	char path[PATH_MAX];   /* the folder tried: DIR, or the nearest above it that exists */
	uint64_t free_bytes;   /* what we may still fill; UINT64_MAX unknown */
};

/* 0, or -errno of what failed, with path set. Leaves nothing behind. */
int folder_try(struct folder *ret, const char *dir);

#endif
