/* SPDX-License-Identifier: MIT
 * What a recording is, in one or two lines: titles, comments. */
#ifndef EXPORT_TITLE_PRIVATE_H
#define EXPORT_TITLE_PRIVATE_H

#include "profile/profile.h"
#include "util/buf.h"

#define TITLE_PROGRAM_MAX 160u /* bytes of the command line shown */
#define TITLE_NATIVE_MAX 512u

/* `python app.py · PID 42 · Python 3.13.0 · 10.0 s at 100 Hz` */
void title_add(struct buf *b, const struct profile *p);
/* `python app.py`, cut and clean; "python" when unknown */
void title_add_program(struct buf *b, const struct profile *p);

/* The remarks: `995 samples`, `3 dropped (torn 3)`, `1 repaired`, `how sampled`, …; returns false
 * (and adds nothing) for an i beyond the last one. */
bool title_add_remark(struct buf *b, const struct profile *p, unsigned i);
/* All of them with ` · ` between. */
void title_add_remarks(struct buf *b, const struct profile *p);

/* `1.50 s`, `12.3 ms`, `2 h 05 min` */
void title_add_time(struct buf *b, uint64_t ns);

#endif
