/* SPDX-License-Identifier: MIT
 * Descendants of a process that look like Python. */
#include "descendants.h"

#include <stdlib.h>

#include "mem/processes.h"
#include "py/guess.h"
#include "util/xalloc.h"

size_t descendants_python(pid_t pid, pid_t *out, size_t max)
{
	struct process_id *list = xcalloc(PROCESSES_MAX, sizeof(*list));
	size_t n = processes_below(pid, list, PROCESSES_MAX), found = 0;

	for (size_t i = 0; i < n && found < max; i++)
		if (list[i].pid != pid && guess_python(list[i].pid))
			out[found++] = list[i].pid;
	free(list);
	return found;
}
