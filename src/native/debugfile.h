/* SPDX-License-Identifier: MIT
 * Private to native/: the separate file with a stripped module's symbols and lines. */
#ifndef SRC_NATIVE_DEBUGFILE_H
#define SRC_NATIVE_DEBUGFILE_H

#include "elf/elf_file.h"
#include "native/symbols.h"
#include "util/attr.h"

#define DEBUGFILE_DIR "/usr/lib/debug"

enum {
	DEBUGLINK_CRC_MAX = 64 << 20, /* bytes read to compare the checksum of .gnu_debuglink */
	DEBUGFILE_ID_PATH_MAX = 64 + 2 * ELF_BUILD_ID_MAX,
};

/* "/usr/lib/debug/.build-id/ab/cdef….debug", for 2 to ELF_BUILD_ID_MAX bytes. */
void debugfile_id_path(const uint8_t *id, size_t len, char ret[DEBUGFILE_ID_PATH_MAX]);

/* Looked for below /usr/lib/debug of root, then of ours: by build-id, then by .gnu_debuglink's
 * name. It must have the same build-id, or where the module has none, the link's checksum.
 * 0 with *ret open (the caller closes), or -ENOENT. */
int debugfile_open(const struct elf_file *f, const char *path, const char *root,
		   struct elf_file *ret) _must_check_;
/* The same, and where it was asked for, from the network (debuginfod.h). */
int debugfile_find(const struct elf_file *f, const struct symbols_from *from, struct elf_file *ret)
	_must_check_;

#endif
