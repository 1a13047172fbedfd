/* SPDX-License-Identifier: MIT
 * Names of C functions that have no symbol, out of the data by which Python finds them itself:
 *
 *  - PyMethodDef {name, function, flags, doc}: 32 bytes, tables ended by a zero row, that types
 *    (tp_methods), modules (PyModuleDef.m_methods) and type specs point to;
 *  - PyGetSetDef {name, get, set, doc, closure} of types;
 *  - functions in a type's slots, or in the PyType_Slot array of a PyType_Spec.
 *
 * What is found is exact or not there: a row counts when all of it fits, in a table where all rows do,
 * and its function begins where the unwind information says that one begins. */
#ifndef MIX_METHODS_H
#define MIX_METHODS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elf/elf_file.h"
#include "mem/procfs.h"
#include "mem/remote.h"
#include "native/functions.h"

enum {
	METHODS_DATA_MAX = 16 << 20,    /* bytes of a module's data that are looked through */
	METHODS_MAX = 1 << 16,          /* rows of a module; 3.14 has 7000 */
	METHODS_TEXT_MAX = 4 << 20,     /* bytes of names of a module */
	METHODS_NAME_MAX = 120,         /* bytes of a function's or an owner's name */
	METHODS_STEPS_MAX = 1 << 18,    /* slots and attributes looked at */
};

/* Where the module is. All is asked for during the call only. */
struct methods_from {
	const struct remote *remote;
	const struct maps *maps;
	const struct elf_segment *segments;
	size_t segment_count;
	uint64_t bias;
	const struct functions *functions;
	remote_addr type_type;          /* &PyType_Type; 0: unknown, then types without tables are too */
	unsigned minor;                 /* of Python: 14 in 3.14 */
	uint32_t ob_type;               /* where an object says its type: 8, free-threaded 24 */
};

struct methods {
	struct method_row *rows;        /* private: ascending */
	size_t count;
	char *text;                     /* private */
	size_t bytes;                   /* memory of the above */
};

/* Reads the module's data, 1 ms a megabyte. A module without any leaves *m empty. */
void methods_load(struct methods *m, const struct methods_from *from);
void methods_release(struct methods *m);

/* The name of the function that begins there (the file's own address); NULL: none. "list.sort",
 * "_json.scanstring", "sorted"; without an owner's name where several, or none, say it is theirs; with
 * a "|" between the names when its owner has it under several. */
const char *methods_find(const struct methods *m, uint64_t start);

#endif
