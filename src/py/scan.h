/* SPDX-License-Identifier: MIT
 * Private to py/: finding a CPython without symbols, by what its writable memory looks like. */
#ifndef SRC_PY_SCAN_H
#define SRC_PY_SCAN_H

#include "elf/elf_file.h"
#include "mem/procfs.h"
#include "py/layout.h"

/* One binary of the target, as mapped. */
struct scan_area {
	const struct remote *remote;
	const struct maps *maps;
	const struct elf_file *elf;
	uint64_t bias;
};

/* Address of _PyRuntime by the cookie of _Py_DebugOffsets (3.13+); 0: none. */
remote_addr scan_cookie(const struct scan_area *a);
/* PY_VERSION_HEX by the text that sys.version is made of ("3.8.18 (default, Nov …) \n[GCC 12…]",
 * the static buffer of Py_GetVersion() in Python/getversion.c); 0: none. */
uint32_t scan_version(const struct scan_area *a);
/* Address of _PyRuntime (3.6: &interp_head) by a pointer that leads to an interpreter whose thread
 * leads back; 0: none. */
remote_addr scan_head(const struct scan_area *a, const struct py_layout *l);

/* The same search in one piece of memory, for scan_version(); 0: none. */
uint32_t scan_version_text(const char *text, size_t len);

#endif
