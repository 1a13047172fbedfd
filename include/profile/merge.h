/* SPDX-License-Identifier: MIT
 * One profile added to another, each with names of its own. */
#ifndef PROFILE_MERGE_H
#define PROFILE_MERGE_H

#include "profile/profile.h"

enum merge_threads {
	MERGE_ONE_THREAD,   /* all stacks go to the first thread of `to` */
	MERGE_BY_NAME,      /* threads of one name are one thread */
};

/* Adds every stack of `from` to `to`; names, files and threads that `to` does not know are added to
 * its symtab, which must be another one. Nobody else may use `to` meanwhile; `from` may be read by
 * others, and its symtab added to. */
void profile_merge(struct profile *to, const struct profile *from, enum merge_threads threads);

#endif
