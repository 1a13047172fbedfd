/* SPDX-License-Identifier: MIT
 * Finding the layout row of a version. */
#include "py/layout.h"

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
