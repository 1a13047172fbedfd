/* SPDX-License-Identifier: MIT
 * --native and what goes with it: words to numbers, and what contradicts what. */
#include "native_options.h"

#include <errno.h>
#include <string.h>

#include "native/engine_libunwind.h"
#include "util/attr.h"

static const char *const level_words[] = {
	[NATIVE_USUAL] = "usual", [NATIVE_ALL] = "all", [NATIVE_KERNEL] = "kernel",
};
static const char *const way_words[] = {
	[NATIVE_NONE] = "auto", [NATIVE_PERF] = "perf", [NATIVE_PTRACE] = "ptrace",
};
static const char *const engine_words[] = {
	[ENGINE_RULES] = "rules", [ENGINE_LIBUNWIND] = "libunwind",
};

const char *native_level_choice(size_t i)
{
	return i < ARRAY_SIZE(level_words) ? level_words[i] : NULL;
}

const char *native_way_choice(size_t i)
{
	return i < ARRAY_SIZE(way_words) ? way_words[i] : NULL;
}

const char *native_engine_choice(size_t i)
{
	return i < ARRAY_SIZE(engine_words) ? engine_words[i] : NULL;
}

/* `word` is one of the choices, as the parser stores them, or NULL: the first. */
static unsigned int number_of(const char *(*choice)(size_t), const char *word)
{
	const char *known;

	for (unsigned int i = 0; word && (known = choice(i)); i++)
		if (!strcmp(known, word))
			return i;
	return 0;
}

int native_options_check(struct native_options *o, const char *command, bool blocking,
			 struct err *err)
{
	o->on = o->level_word != NULL;
	o->level = (enum native_level)number_of(native_level_choice, o->level_word);
	o->way = (enum native_way)number_of(native_way_choice, o->way_word);
	o->engine = (enum native_engine)number_of(native_engine_choice, o->engine_word);
	if (!o->on)
		return 0;
	if (blocking && o->way == NATIVE_PERF)
		return err_set(err, -EINVAL, EXIT_USAGE, "%s: --blocking takes the registers by "
			       "ptrace; it does not go with --unwind=perf", command);
	if (blocking)
		o->way = NATIVE_PTRACE;
	if (o->level == NATIVE_KERNEL && o->way == NATIVE_PTRACE)
		return err_set(err, -EINVAL, EXIT_USAGE, "%s: the kernel's frames come with "
			       "--unwind=perf alone; --native=kernel does not go with %s", command,
			       blocking ? "--blocking" : "--unwind=ptrace");
	if (o->engine == ENGINE_LIBUNWIND)
		return engine_libunwind_check(err);
	return 0;
}
