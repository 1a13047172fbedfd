/* SPDX-License-Identifier: MIT
 * Prints a row of the layouts as scripts/gen-layouts prints it: `group.field offset`.
 * usage: print-layout 3.13 [t] */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "py/layout.h"
#include "util/attr.h"

#define FIELD(group, name) { #group "." #name, offsetof(struct py_layout, group.name) }

static const struct { const char *name; size_t at; } fields[] = {
	FIELD(runtime, interpreters_head),
	FIELD(runtime, finalizing),
	FIELD(runtime, main_thread),
	FIELD(runtime, tstate_current),
	FIELD(runtime, gil_last_holder),
	FIELD(runtime, gil_locked),
	FIELD(interp, next),
	FIELD(interp, id),
	FIELD(interp, threads_head),
	FIELD(interp, gil),
	FIELD(interp, modules),
	FIELD(interp, code_generation),
	FIELD(interp, gc_collecting),
	FIELD(interp, gc_frame),
	FIELD(tstate, prev),
	FIELD(tstate, next),
	FIELD(tstate, interp),
	FIELD(tstate, frame),
	FIELD(tstate, thread_id),
	FIELD(tstate, native_thread_id),
	FIELD(tstate, id),
	FIELD(tstate, datastack_chunk),
	FIELD(tstate, datastack_top),
	FIELD(tstate, state),
	FIELD(tstate, holds_gil),
	FIELD(tstate, gil_requested),
	FIELD(tstate, base_frame),
	FIELD(tstate, cframe),
	FIELD(cframe, current_frame),
	FIELD(cframe, previous),
	FIELD(frame, previous),
	FIELD(frame, code),
	FIELD(frame, instr),
	FIELD(frame, live),
	FIELD(frame, stacktop),
	FIELD(frame, owner),
	FIELD(frame, is_entry),
	FIELD(frame, tlbc_index),
	FIELD(code, flags),
	FIELD(code, firstlineno),
	FIELD(code, filename),
	FIELD(code, name),
	FIELD(code, qualname),
	FIELD(code, linetable),
	FIELD(code, bytecode),
	FIELD(code, co_version),
	FIELD(code, firsttraceable),
	FIELD(code, framesize),
	FIELD(code, tlbc),
	FIELD(chunk, previous),
	FIELD(chunk, size),
	FIELD(chunk, top),
	FIELD(chunk, data),
	FIELD(unicode, length),
	FIELD(unicode, state),
	FIELD(unicode, any_data),
	FIELD(bytes, data),
	FIELD(gil, last_holder),
	FIELD(gil, locked),
	FIELD(gil, cond),
	FIELD(object, ob_type),
};

int main(int argc, char **argv)
{
	bool free_threaded = argc > 2 && !strcmp(argv[2], "t");
	const struct py_layout *l;

	l = argc > 1 ? layout_find(pyver_parse(argv[1]), free_threaded, false) : NULL;
	if (!l) {
		fprintf(stderr, "usage: print-layout VERSION [t]\n");
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		uint32_t offset;

		memcpy(&offset, (const char *)l + fields[i].at, sizeof(offset));
		if (offset == NO_FIELD)
			printf("%s -\n", fields[i].name);
		else
			printf("%s %" PRIu32 "\n", fields[i].name, offset);
	}
	return 0;
}
