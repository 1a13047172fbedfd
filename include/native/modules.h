/* SPDX-License-Identifier: MIT
 * Which file's code a program counter of a process is in.
 *
 * A module is a file with code (or the vdso, or all code that was written at run time), the same
 * one for all processes that map it: what is made of it, its functions and unwind rules, is made
 * once. A module map says where one process has them. The file behind a mapping is opened when the
 * first program counter falls into it. */
#ifndef NATIVE_MODULES_H
#define NATIVE_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "elf/elf_file.h"
#include "mem/procfs.h"
#include "mem/remote.h"
#include "native/functions.h"
#include "native/lines.h"
#include "native/rules.h"
#include "native/symbols.h"
#include "util/attr.h"
#include "util/err.h"

#define MODULES_REFRESH_NS 100000000ULL    /* unknown addresses read maps again no sooner */
#define MODULES_SYMBOLS_MAX (512u << 20)   /* bytes of symbols and functions, of all */
#define MODULES_LINES_MAX (512u << 20)     /* bytes of all modules' lines together */

enum {
	MODULES_MAX = 4096,           /* modules in all; further ones stay unknown */
	MODULE_IMAGE_MAX = 256 << 20, /* bytes copied of a file that only memory still has */
};

enum module_kind {
	MODULE_FILE,     /* a file with code; an ELF file when segment_count > 0 */
	MODULE_VDSO,     /* the kernel's, copied from the process */
	MODULE_JIT,      /* anonymous memory with code: one module for all, see perf_map.h */
};

struct module {
	uint32_t id;                  /* dense, from 0; never given twice */
	enum module_kind kind;
	uint32_t dev_major, dev_minor;
	uint64_t inode, size;         /* of the file; 0: none */
	uint8_t build_id[ELF_BUILD_ID_MAX];
	size_t build_id_len;          /* 0: none */
	char *path;                   /* as the first process states it; owned */
	const char *name;             /* to show: its last part, "[vdso]", "[jit]"; into path */
	bool deleted;                 /* no longer under that path when it was opened */
	/* Its bytes, for pread(2): dup(2) it for elf_file_open(). Owned; -1 when neither the file
	 * nor the memory could be had. */
	int fd;
	bool image;                   /* fd is a copy from memory: PT_LOADs only, no sections */
	bool fixed;                   /* ET_EXEC */
	uint16_t machine;
	struct elf_segment *segments; /* PT_LOAD; owned */
	size_t segment_count;
	/* See module_symbols(). */
	struct symbols *symbols;      /* owned; NULL: none, or not asked for */
	bool symbols_asked;
	struct functions *functions;  /* see module_functions(); owned */
	bool functions_asked;
	struct rules *rules;          /* see module_rules(); owned */
	bool rules_asked;
	/* See module_lines(). */
	struct lines *lines;          /* owned; NULL: none, or not asked for */
	bool lines_asked;
	char *root;                   /* "/proc/PID/root" of the first process; owned */
	uint64_t image_bias;          /* of that process, when image */
};

/* All modules. One thread at a time. */
struct modules {
	struct module **list;
	size_t count;
	size_t symbol_bytes;          /* memory of what MODULES_SYMBOLS_MAX counts */
	struct lines_budget lines;    /* memory of all lines */
	bool debuginfod;              /* debug files may come from $DEBUGINFOD_URLS; not by default */
	uint32_t refused;             /* modules beyond MODULES_MAX, and tables beyond their cap */
};

void modules_init(struct modules *all);
void modules_release(struct modules *all);

/* The module's functions, loaded at the first call (a millisecond, up to 0.1 s for a huge one: off
 * the sampling path). NULL: it has none, or there is no room for more. Owned by the module. */
const struct symbols *module_symbols(struct modules *all, struct module *m);

/* Where its functions begin, read at the first call (for addresses that have no symbol; 3 ms a MB of
 * .eh_frame). NULL: it does not say, or there is no room for more. Owned by the module. */
const struct functions *module_functions(struct modules *all, struct module *m);

/* The module's unwind rules, read at the first call (10 ms for a huge one: off the sampling path).
 * NULL: it is no ELF file. Owned by the module. */
struct rules *module_rules(struct module *m);

/* Its lines and inlined functions, opened at the first call (a millisecond; of a compressed debug
 * file 5 ms a MB; with debuginfod as long as the download). NULL: it has none, or there is no room.
 * Owned by the module. */
struct lines *module_lines(struct modules *all, struct module *m);

/* A stretch of code in one process. */
struct module_range {
	remote_addr start, end;
	struct module *module;        /* never NULL in what module_map_find() returns */
	uint64_t bias;                /* pc - bias is the address in the file */
};

struct module_map {
	struct modules *all;          /* not owned */
	pid_t pid;
	const struct remote *remote;  /* not owned; NULL: no vdso, no copies from memory */
	struct maps maps;             /* private */
	struct module_range *ranges;  /* private: one for each executable mapping, ascending */
	const struct map **of;        /* private: which */
	size_t count;
	uint64_t read_at;             /* when maps was read; 0: never */
	bool gone;                    /* maps could not be read any more */
};

/* Reads nothing yet. `all` and `remote` must outlive it. One thread at a time. */
void module_map_init(struct module_map *mm, struct modules *all, pid_t pid,
		     const struct remote *remote);
void module_map_release(struct module_map *mm);

/* Reads maps again. 0 or the error of maps_read(): the old ranges then stay. To be called every
 * second or so: a library may have gone and another one come to its place. */
int module_map_refresh(struct module_map *mm, uint64_t now_ns, struct err *err);

/* The range pc is in, NULL when none. An unknown pc reads maps again, at most once in
 * MODULES_REFRESH_NS. Valid until the next call with this map; the module stays. O(log n), 0.05 us;
 * the first one in a file 30 us, as that is when it is opened. */
const struct module_range *module_map_find(struct module_map *mm, remote_addr pc, uint64_t now_ns);

#endif
