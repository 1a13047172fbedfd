/* SPDX-License-Identifier: MIT
 * The options of `pystoker exec`: push's, which the pusher gets as they are, and its own two. */
#include "exec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "util/xalloc.h"

#define AT(field) .offset = offsetof(struct exec_options, push.field)
#define AT_OWN(field) .offset = offsetof(struct exec_options, field)

const struct option_row exec_options[] = {
	{ .group = "How to run the program", .name = "supervise", .type = OPT_FLAG, AT_OWN(supervise),
	  .help = "Stay as the program's parent instead of becoming it, so that the last profile is "
		  "sent where the program is PID 1 of a container; signals are passed on, orphans "
		  "reaped" },
	{ .name = "grace", .type = OPT_SECONDS, AT_OWN(grace_ns), .argument = "SECONDS",
	  .fallback = "5", .min = 0.001, .max = 3600,
	  .help = "With --supervise: how long the last profile may take once the program has ended" },
	PUSH_ROWS,
	{ .name = "enabled", .type = OPT_STRING, AT(enabled), .argument = "BOOL", .fallback = "true",
	  .env = "PYROSCOPE_ENABLED", .help = "Anything but 1, yes, on, true: only run the program" },
	OPTION_HELP_ROW("Other"),
	{ .name = NULL },
};

#define GRACE_NS 5000000000ull

int exec_parse(int argc, char **argv, struct exec_options *o, struct err *err)
{
	int rest = argc, ret;

	*o = (struct exec_options){ .push = PUSH_DEFAULTS, .grace_ns = GRACE_NS };
	o->push.log = PUSH_LOG_EXEC;
	ret = options_parse(&cmd_exec, argc, argv, o, &rest, err);
	if (ret > 0)
		return ret;
	o->words = rest;
	if (o->words > 1 && !strcmp(argv[o->words - 1], "--"))
		o->words--;
	if (rest < argc)
		o->program = argv + rest;
	if (o->program || ret < 0)
		return ret;
	err_set(err, 0, EXIT_USAGE, "exec: it is not said which program to run");
	err_hint(err, "pystoker exec -- python3 app.py");
	return -EINVAL;
}

/* --- the pusher's command line ---------------------------------------------------------------- */

struct words {
	char **list;
	size_t count;
};

static void words_add(struct words *w, const char *word)
{
	w->list = xreallocarray(w->list, w->count + 2, sizeof(*w->list));
	w->list[w->count++] = xstrdup(word);
	w->list[w->count] = NULL;
}

static bool is_own(const struct option_row *row)
{
	return row && (row->offset == offsetof(struct exec_options, supervise) ||
		       row->offset == offsetof(struct exec_options, grace_ns));
}

/* Those that push does not know have only long names. */
static void add_given(struct words *w, const struct exec_options *o, char **argv)
{
	for (int i = 1; i < o->words; i++) {
		const struct option_row *row = option_find(&cmd_exec, argv[i]);
		bool two = row && option_takes_word(row) && !strchr(argv[i], '=') &&
			   i + 1 < o->words;

		if (!is_own(row)) {
			words_add(w, argv[i]);
			if (two)
				words_add(w, argv[i + 1]);
		}
		i += two;
	}
}

/* "file:" is the prefix of a URL that names a folder, "" of an ordinary path. */
static void add_absolute(struct words *w, const char *name, const char *prefix, const char *path,
			 const char *folder)
{
	char *option = xasprintf("--%s", name), *value;

	value = *path == '/' || !*folder ? xasprintf("%s%s", prefix, path)
					 : xasprintf("%s%s/%s", prefix, folder, path);
	words_add(w, option);
	words_add(w, value);
	free(option);
	free(value);
}

/* The pusher runs in "/": paths that count from the current folder are said again, from the root;
 * the last of several counts. */
static void add_paths(struct words *w, const struct exec_options *o, const char *folder)
{
	static const char file[] = "file:";
	const char *url = o->push.server.url;

	for (const struct option_row *row = exec_options; row->name; row++) {
		const char *path;

		if (row->type != OPT_FILE || row->offset == offsetof(struct exec_options, push.log))
			continue;
		path = *(const char *const *)((const char *)o + row->offset);
		if (path && *path != '/')
			add_absolute(w, row->name, "", path, folder);
	}
	if (!strncmp(url, file, sizeof(file) - 1) && url[sizeof(file) - 1] != '/')
		add_absolute(w, "url", file, url + sizeof(file) - 1, folder);
}

char **exec_pusher_words(const struct exec_options *o, char **argv, pid_t tree)
{
	char *folder = getcwd(NULL, 0);
	struct words w = { 0 };
	char pid[16];

	snprintf(pid, sizeof(pid), "%ld", (long)tree);
	words_add(&w, "pystoker");
	words_add(&w, "push");
	words_add(&w, "--tree");
	words_add(&w, pid);
	add_given(&w, o, argv);
	add_paths(&w, o, folder ? folder : "");
	if (!strcmp(o->push.log, "-")) {
		words_add(&w, "--log");
		words_add(&w, "-");
	} else {
		add_absolute(&w, "log", "", o->push.log, folder ? folder : "");
	}
	free(folder);
	return w.list;
}
