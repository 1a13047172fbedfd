/* SPDX-License-Identifier: MIT
 * Finding the layout row of a version. */
#include "py/layout.h"

#include <elf.h>

#include "util/attr.h"

const struct py_layout *layout_find(uint32_t version, bool free_threaded, bool trace_refs)
{
	for (size_t i = 0; i < py_layouts_count; i++) {
		const struct py_layout *l = &py_layouts[i];

		if (l->version == pyver_minor_of(version) && l->free_threaded == free_threaded &&
		    l->trace_refs == trace_refs)
			return l;
	}
	return NULL;
}

/* sizeof(pthread_mutex_t) is 48 on aarch64 glibc, 40 on x86-64; two of them lie before these. */
enum { AARCH64_MUTEXES = 16 };
/* _PyRuntime.gilstate.tstate_current before 3.7.4 (Include/internal/pystate.h at v3.7.3). */
enum { TSTATE_CURRENT_3_7_3 = 1392 };

void target_layout_arch(struct py_layout *l, uint32_t version, uint16_t machine)
{
	if (pyver_minor_of(version) == PYVER(3, 7) && version < (PYVER(3, 7) | 4u << 8) &&
	    (version & 0xff00))
		l->runtime.tstate_current = TSTATE_CURRENT_3_7_3;
	if (machine != EM_AARCH64)
		return;
	if (l->runtime.tstate_current != NO_FIELD)
		l->runtime.tstate_current += AARCH64_MUTEXES;
	if (l->interp.code_generation != NO_FIELD)
		l->interp.code_generation += AARCH64_MUTEXES;
}

uint32_t layout_tstate_bytes(const struct py_layout *l)
{
	uint32_t end = 0;
	const uint32_t fields[] = {
		l->tstate.next, l->tstate.interp, l->tstate.frame, l->tstate.thread_id,
		l->tstate.native_thread_id, l->tstate.id, l->tstate.datastack_chunk,
		l->tstate.datastack_top, l->tstate.state, l->tstate.gil_requested, l->tstate.cframe,
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (has_field(fields[i]) && fields[i] + 8 > end)
			end = fields[i] + 8;
	return end;
}
