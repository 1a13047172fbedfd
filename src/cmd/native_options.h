/* SPDX-License-Identifier: MIT
 * Private to cmd/: --native and what goes with it, the same for record, dump, push and exec. */
#ifndef CMD_NATIVE_OPTIONS_H
#define CMD_NATIVE_OPTIONS_H

#include "cmd/option.h"
#include "mix/mixer.h"
#include "sampler/sampler.h"

struct native_options {
	/* As given; private. */
	const char *level_word;    /* NULL: no --native */
	const char *way_word, *engine_word; /* NULL: not given */
	bool debuginfod;

	/* What that means: set by native_options_check(). */
	bool on;
	enum native_level level;
	enum native_way way;       /* NATIVE_NONE: whichever works, perf before ptrace */
	enum native_engine engine;
};

const char *native_level_choice(size_t i);
const char *native_way_choice(size_t i);
const char *native_engine_choice(size_t i);

/* Rows for a table; the includer defines AT(field), and `field` is its struct native_options. */
#define NATIVE_ROWS(field) \
	{ .group = "Native frames", .name = "native", .letter = 'n', .type = OPT_CHOICE, \
	  AT(field.level_word), .argument = "LEVEL", .choices = native_level_choice, \
	  .without = "usual", \
	  .help = "Show C, C++, Rust frames between Python's: usual leaves out the interpreter's " \
		  "own machinery, all shows it too, kernel adds the kernel's frames to usual" }, \
	{ .name = "unwind", .type = OPT_CHOICE, AT(field.way_word), .argument = "WAY", \
	  .choices = native_way_choice, .fallback = "auto", .needs = "native", \
	  .help = "How registers are had: perf, from the kernel's switch records, stops nothing; " \
		  "ptrace stops the running thread for some microseconds; auto takes perf where it " \
		  "is permitted" }, \
	{ .name = "unwinder", .type = OPT_CHOICE, AT(field.engine_word), .argument = "ENGINE", \
	  .choices = native_engine_choice, .fallback = "rules", .needs = "native", \
	  .help = "What walks the native stack" }, \
	{ .name = "debuginfod", .type = OPT_FLAG, AT(field.debuginfod), .needs = "native", \
	  .help = "Ask the servers named in DEBUGINFOD_URLS for debug files that are not here" }

/* Fills in the second part. `command` is for the message; `blocking`: the process is stopped anyhow.
 * 0, or -EINVAL with EXIT_USAGE in err. */
int native_options_check(struct native_options *o, const char *command, bool blocking,
			 struct err *err) _must_check_;

#endif
