/* SPDX-License-Identifier: MIT
 * Private to cmd/: what `pystoker push` was asked for. `exec` takes the same, for the pusher that it
 * starts beside the program. */
#ifndef CMD_PUSH_H
#define CMD_PUSH_H

#include <sys/types.h>

#include "export/pprof.h"
#include "native_options.h"
#include "server.h"
#include "ship/labels.h"
#include "ship/wire.h"

#define PUSH_LOG_EXEC "/tmp/profiler.log" /* where exec's pusher logs unless told otherwise */

struct push_options {
	/* Whom to profile; exactly one of the first three, or `replay`. */
	pid_t pid, tree;
	const char *match;
	bool merge, once;

	/* What is sent. */
	const char *app, *environment;
	struct option_list labels;
	uint64_t interval_ns;
	double rate;
	const char *profiles;        /* "both", "cpu", "wall" */
	bool thread_names, no_idle;
	struct native_options native;

	/* Where to, and how. */
	struct server_options server;
	const char *format;          /* "pprof", "speedscope", "folded" */
	const char *transport;       /* "push", "ingest" */

	/* What is kept, what is said. */
	const char *spool;           /* NULL: the default folder */
	uint64_t spool_bytes, spool_age_ns;
	const char *replay;          /* NULL: none */
	const char *log, *stats_file; /* log: "-" is stderr */
	const char *enabled;         /* PYROSCOPE_ENABLED */
};

#define PUSH_DEFAULTS { \
	.environment = "development", .interval_ns = 30000000000ull, .rate = 100, .profiles = "both", \
	.server = SERVER_DEFAULTS, .format = "pprof", .transport = "push", \
	.spool_bytes = 256ull << 20, .spool_age_ns = 55 * 60000000000ull, .log = "-", \
	.enabled = "true" }

const char *push_profiles_choice(size_t i);
const char *push_format_choice(size_t i);
const char *push_transport_choice(size_t i);

/* Rows for push and exec; the includer defines AT(field) for push_options' fields. */
#define PUSH_ROWS \
	{ .group = "What to send", .name = "app", .letter = 'a', .type = OPT_STRING, AT(app), \
	  .argument = "NAME", .env = "SERVICE_NAME", \
	  .help = "The name of the service: label service_name" }, \
	{ .name = "environment", .type = OPT_STRING, AT(environment), .argument = "NAME", \
	  .fallback = "development", .env = "ENVIRONMENT", .help = "Label environment" }, \
	{ .name = "label", .letter = 'l', .type = OPT_LIST, AT(labels), .argument = "NAME=VALUE", \
	  .help = "One more label; may be repeated" }, \
	{ .name = "interval", .type = OPT_SECONDS, AT(interval_ns), .argument = "SECONDS", \
	  .fallback = "30", .min = 1, .max = 3000, .env = "PROFILE_INTERVAL", \
	  .help = "Time covered by one profile" }, \
	{ .name = "rate", .letter = 'r', .type = OPT_RATE, AT(rate), .argument = "HZ", \
	  .fallback = "100", .min = 0.1, .max = 10000, .env = "PYROSCOPE_SAMPLE_RATE", \
	  .help = "Samples per second" }, \
	{ .name = "profiles", .type = OPT_CHOICE, AT(profiles), .argument = "WHICH", \
	  .choices = push_profiles_choice, .fallback = "both", \
	  .help = "CPU time, wall-clock time, or both" }, \
	{ .name = "no-idle", .type = OPT_FLAG, AT(no_idle), \
	  .help = "Leave threads that sleep or wait out of the wall-clock profile" }, \
	{ .name = "thread-names", .type = OPT_FLAG, AT(thread_names), \
	  .help = "Keep threads apart by a label thread_name on their samples; each name is one " \
		  "more series on the server" }, \
	{ .name = "merge", .type = OPT_FLAG, AT(merge), \
	  .help = "One series for all processes, instead of one for each" }, \
	NATIVE_ROWS(native), \
	SERVER_ROWS("Where to send it", "The server's address, with its path if it has one; " \
		    "file:DIR collects the profiles in a folder instead"), \
	{ .name = "transport", .type = OPT_CHOICE, AT(transport), .argument = "WAY", \
	  .choices = push_transport_choice, .fallback = "push", \
	  .help = "push: /push.v1.PusherService/Push; ingest: /ingest, for proxies that know only that" }, \
	{ .name = "format", .letter = 'f', .type = OPT_CHOICE, AT(format), .argument = "FORMAT", \
	  .choices = push_format_choice, .fallback = "pprof", \
	  .help = "What is sent: speedscope and folded go to /ingest in the one form that servers " \
		  "really store (microseconds, one profile) and lose files, lines and thread names; " \
		  "an ordinary speedscope file is not stored by any server" }, \
	{ .group = "What to keep", .name = "spool", .type = OPT_FILE, AT(spool), .argument = "DIR", \
	  .fallback = "below XDG_STATE_HOME or /var/tmp", \
	  .help = "Folder where profiles wait for the server" }, \
	{ .name = "spool-size", .type = OPT_BYTES, AT(spool_bytes), .argument = "BYTES", \
	  .fallback = "256M", .min = 65536, .max = 1e15, \
	  .help = "Most that may lie there, k, M, G allowed; the oldest go first" }, \
	{ .name = "spool-age", .type = OPT_SECONDS, AT(spool_age_ns), .argument = "SECONDS", \
	  .fallback = "3300", .min = 1, .max = 1e9, \
	  .help = "Oldest profile worth sending; servers refuse those older than an hour" }, \
	{ .group = "What to say", .name = "log", .type = OPT_FILE, AT(log), .argument = "FILE", \
	  .fallback = "stderr; with exec " PUSH_LOG_EXEC, .help = "Where to log; - is stderr" }, \
	{ .name = "stats-file", .type = OPT_FILE, AT(stats_file), .argument = "FILE", \
	  .help = "Prometheus text about the pusher, written anew after each interval" }

extern const struct option_row push_options[];

/* Fills `o` with the defaults, the environment and argv[1..], checked as a whole. As record_parse(). */
int push_parse(int argc, char **argv, struct push_options *o, struct err *err) _must_check_;

enum wire_format push_wire_format(const struct push_options *o);

#endif
