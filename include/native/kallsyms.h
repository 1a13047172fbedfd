/* SPDX-License-Identifier: MIT
 * The kernel's own functions, by address: /proc/kallsyms, read once and sorted.
 *
 * Who has no CAP_SYSLOG reads zeros where addresses are, as kernel.kptr_restrict or
 * kernel.perf_event_paranoid say (kallsyms_show_value() in kernel/ksyms_common.c, Linux 6.1): then no
 * name is known, and a kernel stack is better shown as one frame "[kernel]". */
#ifndef NATIVE_KALLSYMS_H
#define NATIVE_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

enum {
	KALLSYMS_BYTES_MAX = 64 << 20,    /* of the file; usual are 5 to 15 MB */
	KALLSYMS_ENTRIES_MAX = 1 << 20,
	KALLSYMS_LINE_MAX = 1024,         /* KSYM_NAME_LEN is 512; longer lines are left out */
	KALLSYMS_FUNCTION_MAX = 1 << 20,  /* bytes behind a function's start, taken for it */
};

#define KALLSYMS_KERNEL "[kernel]"        /* module of what is part of the kernel itself */

struct kallsyms {
	struct kallsym *list;             /* private; ascending, one for each address */
	size_t count, room;
	struct buf names;                 /* private */
	bool read;                        /* kallsyms_find() has read the file */
	bool hidden;                      /* there are functions, but no addresses for us */
};

void kallsyms_init(struct kallsyms *k);
void kallsyms_release(struct kallsyms *k);

/* The function at an address of the kernel (of a return address: less one); NULL when it is not known.
 * The first call reads the file (0.1 s, 5 MB kept). Valid until kallsyms_release(). */
const char *kallsyms_find(struct kallsyms *k, uint64_t addr);
/* "[kernel]", or the name of its module: "[nf_tables]"; NULL as above. */
const char *kallsyms_module(struct kallsyms *k, uint64_t addr);
/* Memory held, in bytes. */
size_t kallsyms_bytes(const struct kallsyms *k);

/* Part of how a thread is taken off its CPU: what stands at the leaf end of a stack of a switch and
 * says nothing of why. To be cut off from the leaf on as long as it is true; a thread that was
 * preempted in user space has nothing left then. */
bool kernel_is_switching(const char *name);
/* Part of how a system call gets to its function: the same for all of them, at the root end. */
bool kernel_is_entry(const char *name);

#endif
