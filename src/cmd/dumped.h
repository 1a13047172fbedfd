/* SPDX-License-Identifier: MIT
 * Private to cmd/: what a dump found, and the ways to print it. */
#ifndef CMD_DUMPED_H
#define CMD_DUMPED_H

#include "sampler/sampler.h"

struct dumped {
	struct sampler_thread_info info;
	struct sym_frame *frames;   /* leaf first; owned */
	uint32_t count, skipped;
	char *name;                 /* owned; NULL unknown */
	char state;                 /* R S D T …; '?' unknown */
	bool holds_gil, waits_gil;
};

struct dump {
	struct py_target *target;
	struct symtab symtab;
	struct dumped *threads;     /* owned; newest first */
	uint32_t count;
	struct sampler_stats stats;
	bool full_filenames;
	bool native;                /* stacks hold native frames too */
	char cmdline[1024];
};

void dump_text(struct dump *d);
void dump_json(struct dump *d);

/* Warns that the target's version is newer than any we know. */
void say_version_guessed(const struct py_target *t);

#endif
