/* SPDX-License-Identifier: MIT
 * The options of `pystoker push`. */
#include <errno.h>
#include <string.h>

#include "cmd/command.h"
#include "push.h"

const char *push_profiles_choice(size_t i)
{
	static const char *const words[] = { "both", "cpu", "wall", NULL };

	return words[i];
}

const char *push_format_choice(size_t i)
{
	static const char *const words[] = { "pprof", "speedscope", "folded", NULL };

	return words[i];
}

const char *push_transport_choice(size_t i)
{
	static const char *const words[] = { "push", "ingest", NULL };

	return words[i];
}

#define AT(field) .offset = offsetof(struct push_options, field)

const struct option_row push_options[] = {
	{ .group = "What to profile", .name = "pid", .letter = 'p', .type = OPT_PID, AT(pid),
	  .argument = "PID", .conflicts = "tree", .help = "This process alone" },
	{ .name = "tree", .type = OPT_PID, AT(tree), .argument = "PID", .conflicts = "match",
	  .help = "Every Python process among this one and its descendants, until this one ends" },
	{ .name = "match", .letter = 'm', .type = OPT_STRING, AT(match), .argument = "REGEX",
	  .conflicts = "pid",
	  .help = "Every Python process whose command line this (POSIX extended) expression "
		  "matches; waits for the first" },
	{ .name = "once", .type = OPT_FLAG, AT(once), .help = "Send one interval and end" },
	{ .name = "replay", .type = OPT_FILE, AT(replay), .argument = "DIR", .conflicts = "pid",
	  .help = "Send the profiles that lie in this folder and end; they stay there" },
	PUSH_ROWS,
	{ .name = "enabled", .type = OPT_STRING, AT(enabled), .argument = "BOOL", .fallback = "true",
	  .env = "PYROSCOPE_ENABLED", .help = "Anything but 1, yes, on, true: do nothing" },
	OPTION_HELP_ROW("Other"),
	{ .name = NULL },
};

static int check_target(const struct push_options *o, struct err *err)
{
	int given = (o->pid != 0) + (o->tree != 0) + (o->match != NULL) + (o->replay != NULL);

	if (given == 1)
		return 0;
	err_set(err, 0, EXIT_USAGE, given ? "push: more than one of --pid, --tree, --match and "
		"--replay is given" : "push: it is not said what to profile");
	err_hint(err, "pystoker push -p PID, --tree PID, --match REGEX or --replay DIR");
	return -EINVAL;
}

static int check_sending(const struct push_options *o, struct err *err)
{
	if (!o->interval_ns)
		return err_set(err, -EINVAL, EXIT_USAGE, "push: --interval cannot be unlimited");
	if (!o->app && !o->replay) {
		err_set(err, 0, EXIT_USAGE, "push: the name of the service is missing");
		err_hint(err, "--app NAME, or SERVICE_NAME in the environment");
		return -EINVAL;
	}
	if (!strncmp(o->server.url, "file:", 5) && (o->replay || strcmp(o->format, "pprof")))
		return err_set(err, -EINVAL, EXIT_USAGE,
			       "push: file:DIR collects pprof files; it does not go with %s",
			       o->replay ? "--replay" : "--format");
	return 0;
}

enum wire_format push_wire_format(const struct push_options *o)
{
	if (!strcmp(o->format, "speedscope"))
		return WIRE_SPEEDSCOPE;
	if (!strcmp(o->format, "folded"))
		return WIRE_FOLDED;
	return strcmp(o->transport, "push") ? WIRE_INGEST_PPROF : WIRE_PUSH;
}

int push_parse(int argc, char **argv, struct push_options *o, struct err *err)
{
	int rest, ret;

	*o = (struct push_options)PUSH_DEFAULTS;
	ret = options_parse(&cmd_push, argc, argv, o, &rest, err);
	if (ret)
		return ret;
	if (rest < argc)
		return err_set(err, -EINVAL, EXIT_USAGE, "push: unexpected word '%.200s'",
			       argv[rest]);
	ret = option_is_true(o->enabled) ? check_target(o, err) : 0;
	if (!ret)
		ret = native_options_check(&o->native, "push", false, err);
	return ret ? ret : check_sending(o, err);
}
