/* SPDX-License-Identifier: MIT
 * The options of `pystoker doctor`. */
#include <errno.h>

#include "cmd/command.h"
#include "doctor.h"
#include "push.h"

#define AT(field) .offset = offsetof(struct doctor_options, field)

const struct option_row doctor_options[] = {
	{ .group = "What to check", .name = "pid", .letter = 'p', .type = OPT_PID, AT(pid),
	  .argument = "PID", .conflicts = "match",
	  .help = "This process; else all Python processes that can be seen" },
	{ .name = "match", .letter = 'm', .type = OPT_STRING, AT(match), .argument = "REGEX",
	  .help = "Every process whose command line this (POSIX extended) expression matches" },
	{ .name = "app", .letter = 'a', .type = OPT_STRING, AT(app), .argument = "NAME",
	  .env = "SERVICE_NAME", .help = "The service whose data are asked for: label service_name" },
	{ .name = "interval", .type = OPT_SECONDS, AT(interval_ns), .argument = "SECONDS",
	  .fallback = "30", .min = 1, .max = 3000, .env = "PROFILE_INTERVAL",
	  .help = "Time covered by one profile; data older than three of it are stale" },
	{ .name = "local", .type = OPT_FLAG, AT(local), .conflicts = "remote",
	  .help = "Only this machine: ask no server" },
	{ .name = "remote", .type = OPT_FLAG, AT(remote),
	  .help = "Only the server: look at no process" },
	{ .name = "spool", .type = OPT_FILE, AT(spool), .argument = "DIR",
	  .fallback = "below XDG_STATE_HOME or /var/tmp",
	  .help = "Folder where push keeps profiles for the server" },
	{ .name = "log", .type = OPT_FILE, AT(log), .argument = "FILE", .fallback = PUSH_LOG_EXEC,
	  .help = "Where push or exec logs, to tell its last line" },
	SERVER_ROWS("Whom to ask", "The server's address, with its path if it has one"),
	{ .group = "How to say it", .name = "json", .letter = 'j', .type = OPT_FLAG, AT(json),
	  .help = "Print the checks as a JSON array" },
	OPTION_HELP_ROW("Other"),
	{ .name = NULL },
};

static int compile(struct doctor_options *o, struct err *err)
{
	char why[200];
	int r = regcomp(&o->regex, o->match, REG_EXTENDED | REG_NOSUB);

	if (!r)
		return 0;
	regerror(r, &o->regex, why, sizeof(why));
	o->match = NULL;
	return err_set(err, -EINVAL, EXIT_USAGE, "doctor: --match: %s", why);
}

int doctor_parse(int argc, char **argv, struct doctor_options *o, struct err *err)
{
	int rest, ret;

	*o = (struct doctor_options)DOCTOR_DEFAULTS;
	ret = options_parse(&cmd_doctor, argc, argv, o, &rest, err);
	if (ret)
		return ret;
	if (rest < argc)
		return err_set(err, -EINVAL, EXIT_USAGE, "doctor: unexpected word '%.200s'",
			       argv[rest]);
	if (!o->interval_ns)
		return err_set(err, -EINVAL, EXIT_USAGE, "doctor: --interval cannot be unlimited");
	return o->match ? compile(o, err) : 0;
}

void doctor_options_release(struct doctor_options *o)
{
	if (o->match)
		regfree(&o->regex);
}
