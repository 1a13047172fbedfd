/* SPDX-License-Identifier: MIT
 * Private to native/: the separate file with a stripped module's symbols and lines. */
#ifndef SRC_NATIVE_DEBUGFILE_H
#define SRC_NATIVE_DEBUGFILE_H

#include "elf/elf_file.h"
#include "native/symbols.h"
#include "util/attr.h"

enum { DEBUGLINK_CRC_MAX = 64 << 20 }; /* bytes read to compare the checksum of .gnu_debuglink */

/* Looked for below /usr/lib/debug of root, then of ours: by build-id, then by .gnu_debuglink's
 * name. It must have the same build-id, or where the module has none, the link's checksum.
 * 0 with *ret open (the caller closes), or -ENOENT. */
int debugfile_open(const struct elf_file *f, const char *path, const char *root,
		   struct elf_file *ret) _must_check_;
/* The same, and where it was asked for, from the network (debuginfod.h). */
int debugfile_find(const struct elf_file *f, const struct symbols_from *from, struct elf_file *ret)
	_must_check_;

#endif
