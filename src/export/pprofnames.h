/* SPDX-License-Identifier: MIT
 * What a profile.proto calls the frames of a profile: each file, function and location is written
 * when it is first asked for. */
#ifndef EXPORT_PPROFNAMES_PRIVATE_H
#define EXPORT_PPROFNAMES_PRIVATE_H

#include "export/proto.h"
#include "profile/profile.h"
#include "util/idmap.h"

struct pprof_names {
	struct proto *proto;         /* where they go; not owned */
	const struct profile *p;
	bool qualified;              /* names begin with their module */
	uint32_t locations_written;  /* ids are 1 … */
	struct idmap files;          /* sym_file -> string */
	struct idmap functions;      /* function -> itself, once written; its id is one more */
	struct idmap locations;      /* (function, line) -> id */
	struct buf text;
};

void pprof_names_init(struct pprof_names *n, struct proto *proto, const struct profile *p,
		      bool qualified);
void pprof_names_release(struct pprof_names *n);

/* Moves the text collected in n->text to the string table. */
uint32_t pprof_names_text(struct pprof_names *n);
/* The location of a frame, of any line of one function. */
uint64_t pprof_names_location(struct pprof_names *n, uint32_t func, int32_t line);

/* The comments every profile gets: what was recorded, how, and by which version. */
void pprof_names_comments(struct pprof_names *n);

/* Nanoseconds between two looks at the rate asked for; 0: unknown. */
uint64_t pprof_names_period(const struct pprof_names *n);

#endif
