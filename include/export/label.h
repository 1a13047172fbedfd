/* SPDX-License-Identifier: MIT
 * How a frame reads in text: `qualname (file.py:line)`; native code `symbol (file.c:line)` where debug
 * information is, else `symbol (library.so)`; the kernel's `symbol ([kernel])`. */
#ifndef EXPORT_LABEL_H
#define EXPORT_LABEL_H

#include <stdbool.h>

#include "profile/profile.h"
#include "util/buf.h"

#define LABEL_NAME_MAX 1024u /* bytes of a name shown; longer ones end in "…" */
#define LABEL_FILE_MAX 4096u /* of a file name: they begin with "…" */

/* Appends the frame's text: valid UTF-8, control characters and newlines are spaces. */
void label_frame(struct buf *b, const struct profile *p, const struct profile_node *node,
		 bool full_filenames);

/* Any text on one line: valid UTF-8 that XML can hold, control characters are spaces, at most `max`
 * bytes of it and then "…". */
void label_clean(struct buf *b, const char *text, size_t max);

/* The two parts of it: `qualname`, and `file.py:line` (nothing when there is no file). */
void label_name(struct buf *b, const struct sym_func *f);
void label_place(struct buf *b, const struct profile *p, const struct profile_node *node,
		 bool full_filenames);

/* The module a Python function is defined in, as far as its file's short path tells: `pkg.mod` of
 * pkg/mod.py, `pkg` of pkg/__init__.py, `importlib._bootstrap` of <frozen importlib._bootstrap>.
 * Nothing for <string> and the like, for native code and marks. */
void label_module(struct buf *b, const struct symtab *t, const struct sym_func *f);

/* `thread (0x7F…): "name"`; `thread (tid 123): "name"` when Python does not know it */
void label_thread(struct buf *b, const struct profile_thread *t);

/* The function's file as shown. Python's: its short path unless full_filenames or not resolved. Of
 * native code, whose files lie in no package, the last part: the source's, or the library's. */
const char *label_file(const struct symtab *t, const struct sym_func *f, bool full_filenames);
const char *label_last_part(const char *path);

/* The file of a native function is its library: nobody knows the source. False for Python's. */
bool label_in_library(const struct symtab *t, const struct sym_func *f);

enum label_origin {
	ORIGIN_APPLICATION,
	ORIGIN_LIBRARY,
	ORIGIN_STDLIB,
	ORIGIN_NATIVE,       /* compiled code */
	ORIGIN_KERNEL,
	ORIGIN_MARK,         /* words of ours, threads */
	ORIGINS
};

/* Where a function comes from, judged by its path (site-packages, lib/python3.X, <frozen …>). */
enum label_origin label_origin(const struct symtab *t, const struct sym_func *f);

#endif
