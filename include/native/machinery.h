/* SPDX-License-Identifier: MIT
 * The functions by which the interpreter calls and runs Python code: what a reader of stacks that
 * show Python and C does not ask for. The default level of --native hides them; what a call does
 * (sorted, list.sort, re, json …) is not among them. */
#ifndef NATIVE_MACHINERY_H
#define NATIVE_MACHINERY_H

enum machinery {
	MACHINERY_NONE = 0,   /* not in the table: shown */
	MACHINERY_EVAL,       /* the eval loop itself: one call of it runs one or more Python frames */
	MACHINERY_CALL,       /* getting from a call to what is called: vectorcall, slots, wrappers */
	MACHINERY_RUN,        /* from main() or a thread's start to the first Python frame */
	MACHINERY_START,      /* of the C library, before main() and the thread's function */
};

/* What the name (plain, without ".cold" and the like: see demangle()) is. One name means the same
 * in CPython 3.6 to 3.15; 0.1 us. Ask only for names of the interpreter's module, and for
 * MACHINERY_START of the C library's: elsewhere they are somebody else's. */
enum machinery machinery_find(const char *name);

#endif
