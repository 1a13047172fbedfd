/* SPDX-License-Identifier: MIT
 * Private to native/: the file that dwz moved to what several debug files have in common (their
 * section .gnu_debugaltlink names it; Fedora's packages are made so). libdw would open it by
 * itself: whatever the name leads to, a FIFO too, and in our root. */
#ifndef SRC_NATIVE_ALTFILE_H
#define SRC_NATIVE_ALTFILE_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

#include "mapping.h"
#include "native/symbols.h"
#include "util/attr.h"

struct altfile_wanted {
	const char *name;          /* as the link has it */
	const uint8_t *build_id;
	size_t len;
};

/* Looked for below the target's root, then ours: under its build-id and "/.dwz/…" in
 * /usr/lib/debug, and under its name when that is absolute; then, where debuginfod may be asked,
 * there. It must have the build-id. 0 with both set (the caller ends the one, then closes the
 * other), or -ENOENT. */
int altfile_open(const struct altfile_wanted *w, const struct symbols_from *from,
		 struct mapping *ret_map, Elf **ret_elf) _must_check_;

#endif
