/* SPDX-License-Identifier: MIT
 * The options of `pystoker record`: py-spy's, and a few more. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cmd/command.h"
#include "export/exporter.h"
#include "record.h"
#include "util/xalloc.h"

#define YEAR_SECONDS (365.25 * 24 * 3600)
#define DURATION_MAX (100 * YEAR_SECONDS)

static const char *format_choice(size_t i)
{
	return exporters[i] ? exporters[i]->name : NULL;
}

static const char *format_alias(const char *word)
{
	const struct exporter *e = exporter_by_name(word);

	return e ? e->name : NULL;
}

static const char *placement_choice(size_t i)
{
	static const char *const words[] = { "auto", "on-cpu", "off-cpu", NULL };

	return words[i];
}

#define AT(field) .offset = offsetof(struct record_options, field)

const struct option_row record_options[] = {
	{ .group = "What to record", .name = "pid", .letter = 'p', .type = OPT_PID, AT(pid),
	  .argument = "PID", .help = "The running process to look into, in decimal or 0x hex" },
	{ .name = "duration", .letter = 'd', .type = OPT_SECONDS, AT(duration_ns),
	  .argument = "SECONDS", .fallback = "unlimited", .min = 0.001, .max = DURATION_MAX,
	  .help = "Stop after so many seconds, fractions allowed; a program that was started "
		  "goes on" },
	{ .name = "rate", .letter = 'r', .type = OPT_RATE, AT(rate), .argument = "HZ",
	  .fallback = "100", .min = 0.01, .max = 1e6, .help = "Samples per second, fractions allowed" },
	{ .name = "gil", .letter = 'g', .type = OPT_FLAG, AT(gil),
	  .help = "Only the thread that holds the GIL" },
	{ .name = "idle", .letter = 'i', .type = OPT_FLAG, AT(idle),
	  .help = "Also threads that sleep or wait" },

	{ .group = "What to write", .name = "output", .letter = 'o', .type = OPT_FILE, AT(output),
	  .argument = "FILE", .fallback = "NAME-TIME.SUFFIX",
	  .help = "The file to write, - for stdout" },
	{ .name = "format", .letter = 'f', .type = OPT_CHOICE, AT(format), .argument = "FORMAT",
	  .choices = format_choice, .alias = format_alias,
	  .fallback = "by the suffix of FILE, else flamegraph", .help = "The format of the file" },
	{ .name = "threads", .letter = 't', .type = OPT_FLAG, AT(threads),
	  .help = "Put the thread in front of each stack" },
	{ .name = "function", .letter = 'F', .type = OPT_FLAG, AT(function),
	  .conflicts = "nolineno",
	  .help = "Count by function: show the line where it starts, not the line it is at" },
	{ .name = "nolineno", .type = OPT_FLAG, AT(nolineno), .help = "Show no line numbers" },
	{ .name = "full-filenames", .type = OPT_FLAG, AT(full_filenames),
	  .help = "Show whole paths, not only the part below the package's folder" },

	{ .group = "How to sample", .name = "nonblocking", .type = OPT_FLAG, AT(nonblocking),
	  .conflicts = "blocking",
	  .help = "Never stop the process; this is the default, the option is for py-spy's users" },
	{ .name = "blocking", .type = OPT_FLAG, AT(blocking),
	  .help = "Stop the process with ptrace for each sample: exact, and slows it down" },
	{ .name = "placement", .type = OPT_CHOICE, AT(placement), .argument = "WHERE",
	  .choices = placement_choice, .fallback = "auto",
	  .help = "Where the sampler wakes: on the target's CPU, or beside it for very high "
		  "rates" },
	NATIVE_ROWS(native),
	OPTION_HELP_ROW("Other"),
	{ .name = NULL },
};

static int check_target(const struct record_options *o, struct err *err)
{
	if (o->pid && o->program)
		return err_set(err, -EINVAL, EXIT_USAGE,
			       "record: a PID and a program ('%.200s') are both given", o->program[0]);
	if (o->pid || o->program)
		return 0;
	err_set(err, 0, EXIT_USAGE, "record: neither a PID nor a program is given");
	err_hint(err, "pystoker record -p PID, or pystoker record -- python3 program.py");
	return -EINVAL;
}

/* Registers and Python's frames have to be of one moment, which only the proven ways give. */
static int check_native(struct record_options *o, struct err *err)
{
	if (native_options_check(&o->native, "record", o->blocking, err) < 0)
		return -EINVAL;
	if (!o->native.on)
		return 0;
	if (!strcmp(o->placement, "off-cpu"))
		return err_set(err, -EINVAL, EXIT_USAGE, "record: --native needs a moment in which "
			       "the thread does not run; --placement=off-cpu has none");
	if (o->rate > PLACE_ON_CPU_MAX_HZ)
		return err_set(err, -EINVAL, EXIT_USAGE, "record: --native works up to --rate %.0f",
			       PLACE_ON_CPU_MAX_HZ);
	return 0;
}

int record_parse(int argc, char **argv, struct record_options *o, struct err *err)
{
	int rest, ret;

	*o = (struct record_options){ .rate = RECORD_RATE, .placement = "auto" };
	ret = options_parse(&cmd_record, argc, argv, o, &rest, err);
	if (ret)
		return ret;
	if (rest < argc)
		o->program = argv + rest;
	if (o->format)
		o->exporter = exporter_by_name(o->format);
	else if (o->output)
		o->exporter = exporter_by_suffix(o->output);
	if (!o->exporter)
		o->exporter = &export_flamegraph;
	if (check_target(o, err) < 0)
		return -EINVAL;
	return check_native(o, err);
}

/* No colons in the time: they are not allowed on some file systems. */
char *record_default_output(const struct record_options *o)
{
	char when[sizeof("2026-01-31T12-00-00")] = "";
	const char *suffix = o->exporter->suffixes[0], *name;
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H-%M-%S", &tm);
	if (!o->program)
		return xasprintf("%ld-%s%s", (long)o->pid, when, suffix);
	name = strrchr(o->program[0], '/');
	return xasprintf("%s-%s%s", name ? name + 1 : o->program[0], when, suffix);
}
