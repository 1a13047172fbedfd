/* SPDX-License-Identifier: MIT
 * The process's name and command line. */
#include "title.h"

#include <string.h>
#include <sys/prctl.h>

void title_set_name(const char *name)
{
	prctl(PR_SET_NAME, name, 0, 0, 0);
}

/* /proc/PID/cmdline shows the memory that argv's words lie in, one behind the other; the last NUL has
 * to stay, or the environment would be shown as well (get_mm_cmdline() in fs/proc/base.c at v6.1). */
void title_set_words(int argc, char **argv, const char *text)
{
	char *start = argc > 0 ? argv[0] : NULL, *end = start;
	size_t room, len = strlen(text);

	for (int i = 0; i < argc && argv[i] == end; i++)
		end += strlen(end) + 1;
	if (start == end)
		return;
	room = (size_t)(end - start) - 1;
	if (len > room)
		len = room;
	memset(start, 0, room);
	memcpy(start, text, len);
}
