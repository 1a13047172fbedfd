/* SPDX-License-Identifier: MIT
 * The functions of one module: which one an address belongs to. A sorted table of its own, 16 bytes
 * a function, because libdwfl's look-up takes 80 us and this one 0.1 us.
 *
 * From the module's .symtab, else from its debug file's (build-id or .gnu_debuglink below
 * /usr/lib/debug; the network when told to), else from .dynsym together with .gnu_debugdata. Symbols that
 * are no code (data, section and file names, marks such as "$x" and ".L1") are left out. The file
 * may be hostile: what does not fit the caps or the file is not there. */
#ifndef NATIVE_SYMBOLS_H
#define NATIVE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attr.h"

enum {
	SYMBOLS_MAX = 4 << 20,        /* functions of a module; the rest is not there */
	SYMBOLS_NAMES_MAX = 32 << 20, /* bytes of names kept in memory; longer tables stay on disk */
	SYMBOLS_NEST_MAX = 16,        /* symbols looked through for one that surrounds the address */
	SYMBOL_NAME_MAX = 4096,       /* bytes, with the NUL, of a name read from disk */
	SYMBOLS_PACKED_MAX = 16 << 20,   /* bytes of .gnu_debugdata */
	SYMBOLS_UNPACKED_MAX = 64 << 20, /* bytes of what is in it */
};

/* Where the functions come from; several at once are possible. */
enum symbols_source {
	SYMBOLS_SYMTAB = 1,     /* .symtab */
	SYMBOLS_DYNSYM = 2,     /* .dynsym, or the dynamic linker's tables when sections are gone */
	SYMBOLS_DEBUGDATA = 4,  /* .gnu_debugdata ("minidebuginfo") */
	SYMBOLS_DEBUG_FILE = 8, /* .symtab of a file of its own */
};

struct symbols_from {
	int fd;             /* the module's file: not owned, only pread(2) */
	const char *path;   /* as the target states it; "": unknown */
	const char *root;   /* in front of the target's paths: "/proc/PID/root"; "": ours */
	uint64_t bias;      /* of an image copied from memory; else 0 */
	/* Ask $DEBUGINFOD_URLS for a debug file that is not here. May take as long as a download. */
	bool debuginfod;
};

struct symbols {
	struct symbol_row *rows;  /* private, ascending by address */
	size_t count;
	struct symbol_names {
		char *text;       /* owned, NUL-terminated; NULL: read from fd */
		int fd;           /* owned, -1 unless the names stay on disk */
		uint64_t offset, size;
	} names[2];
	size_t bytes;             /* of memory held */
	unsigned sources;         /* enum symbols_source */
};

struct symbol {
	uint64_t addr, size;      /* as in the file, without load bias */
	const char *name;         /* mangled; into the table or into the caller's buffer */
};

/* 0; -ENOENT: no function has a name; -ENOEXEC: no ELF file for us. *s is sane (empty) then too.
 * 1 ms for 10 000 functions. */
int symbols_load(struct symbols *s, const struct symbols_from *from);
void symbols_release(struct symbols *s);

/* The function whose code the address (of the file, without load bias) is in; false: none known.
 * Symbols without a size reach up to the next one or the end of their section. Of several names
 * for one address: a function before a label, global before local, then with fewer "_" in front,
 * then the shortest. Any thread; 0.1 us, or a pread(2) when the names are on disk. */
bool symbols_find(const struct symbols *s, uint64_t addr, struct symbol *ret,
		  char buf[SYMBOL_NAME_MAX]);

#endif
