/* SPDX-License-Identifier: MIT
 * Private to native/: debug files from the servers named by $DEBUGINFOD_URLS, by elfutils'
 * libdebuginfod, which keeps them in its cache (~/.cache/debuginfod_client). Loaded when the first
 * one is asked for: it brings libcurl and what that needs. */
#ifndef SRC_NATIVE_DEBUGINFOD_H
#define SRC_NATIVE_DEBUGINFOD_H

#include <stddef.h>
#include <stdint.h>

#include "util/attr.h"

enum { DEBUGINFOD_WAIT_S = 90 }; /* for one file, unless $DEBUGINFOD_TIMEOUT says otherwise */

/* The file with that build-id, open for reading: the caller closes. -ENOENT: the servers have none,
 * or there are none, or no library; -ETIME: they took too long, and are not asked again by this
 * process. Any thread. */
int debuginfod_fetch(const uint8_t *build_id, size_t len) _must_check_;

#endif
