/* SPDX-License-Identifier: MIT
 * The option parser and the tables of record and dump: what each way of writing stores. */
#include <errno.h>
#include <stdlib.h>

#include "cmd/command.h"
#include "../../src/cmd/dump.h"
#include "../../src/cmd/record.h"
#include "export/exporter.h"
#include "native/engine_libunwind.h"
#include "tap.h"
#include "util/clock.h"

#define WORDS_MAX 16

/* Splits "record -p 12 …" at blanks into a fresh argv; returns argc. */
static int split(char *line, char *argv[WORDS_MAX])
{
	int argc = 0;

	for (char *word = strtok(line, " "); word && argc < WORDS_MAX - 1; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return argc;
}

static char line[256];
static char *words[WORDS_MAX];

static int parse(const char *text, struct record_options *o, struct err *err)
{
	snprintf(line, sizeof(line), "%s", text);
	return record_parse(split(line, words), words, o, err);
}

static void test_defaults(void)
{
	struct record_options o;
	struct err err;

	is_int(parse("record -p 1", &o, &err), 0, "a PID is enough");
	is_int(o.pid, 1, "pid");
	ok(o.rate == 100 && o.duration_ns == 0, "100 Hz, unlimited");
	is_str(o.exporter->name, "flamegraph", "flamegraph without -o and -f");
	is_str(o.placement, "auto", "placement auto");
	ok(!o.program && !o.output && !o.threads && !o.gil && !o.idle && !o.function, "nothing else");
}

static void test_spellings(void)
{
	struct record_options o;
	struct err err;

	is_int(parse("record -tgip0x1F -d.25 --rate=1e3 -o x", &o, &err), 0, "clustered letters");
	ok(o.threads && o.gil && o.idle, "each letter counts");
	is_int(o.pid, 31, "hex PID behind its letter");
	is_int((long long)o.duration_ns, NSEC_PER_SEC / 4, "a quarter of a second");
	ok(o.rate == 1000, "exponent");

	is_int(parse("record --pi=12 --dur unlimited --full --form PPROF", &o, &err), 0, "prefixes");
	is_int(o.pid, 12, "--pi");
	is_int((long long)o.duration_ns, 0, "unlimited");
	ok(o.full_filenames, "--full");
	is_str(o.format, "pprof", "a choice in other letters is stored in its own");

	is_int(parse("record -p 1 -r 5 -r 7 -d 5 -d unlimited", &o, &err), 0, "twice");
	ok(o.rate == 7 && o.duration_ns == 0, "the last one counts");
}

static void test_format(void)
{
	static const struct {
		const char *args, *format;
	} cases[] = {
		{ "record -p 1 -o a.svg", "flamegraph" },
		{ "record -p 1 -o a.txt", "raw" },
		{ "record -p 1 -o a.json", "speedscope" },
		{ "record -p 1 -o a.trace.json", "chrometrace" },
		{ "record -p 1 -o a.speedscope.json", "speedscope" },
		{ "record -p 1 -o a.pb.gz", "pprof" },
		{ "record -p 1 -o a.SVG", "flamegraph" },
		{ "record -p 1 -o a", "flamegraph" },
		{ "record -p 1 -o -", "flamegraph" },
		{ "record -p 1 -o a.svg -f speedscope", "speedscope" },
		{ "record -p 1 -f folded", "raw" },
		{ "record -p 1 -f Folded", "raw" },
	};
	struct record_options o;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (is_int(parse(cases[i].args, &o, &err), 0, cases[i].args))
			is_str(o.exporter->name, cases[i].format, cases[i].format);
	}
}

static void test_program(void)
{
	struct record_options o;
	struct err err;

	is_int(parse("record -d 1 -- python3 -c pass -p 1", &o, &err), 0, "a program after --");
	is_int(o.pid, 0, "its options are its own");
	ok(o.program && !strcmp(o.program[0], "python3") && !o.program[4 + 1], "the rest of argv");

	is_int(parse("record -d 1 python3 -r 5", &o, &err), 0, "-- may be left out");
	ok(o.rate == 100, "-r belongs to the program");

	is_int(parse("record -- -odd", &o, &err), 0, "a program that starts with a dash");
	is_str(o.program ? o.program[0] : NULL, "-odd", "is taken as it is");

	is_int(parse("record -p 1 -- sh", &o, &err), -EINVAL, "PID and program");
	is_int(err.status, EXIT_USAGE, "is a usage error");
}

static void test_default_output(void)
{
	struct record_options o;
	struct err err;
	char *name;

	is_int(parse("record -f speedscope -- /usr/bin/python3 x.py", &o, &err), 0, "program by path");
	name = record_default_output(&o);
	ok(!strncmp(name, "python3-2", 9) && strstr(name, ".speedscope.json"), "%s", name);
	free(name);
	is_int(parse("record -p 12 ", &o, &err), 0, "PID");
	name = record_default_output(&o);
	ok(!strncmp(name, "12-2", 4) && strstr(name, ".svg") && !strchr(name, ':'), "%s", name);
	free(name);
}

static void test_dump(void)
{
	char *argv[] = { (char *)"dump", (char *)"-jp7", (char *)"--blocking", NULL };
	struct dump_options o;
	struct err err;

	is_int(dump_parse(3, argv, &o, &err), 0, "dump");
	ok(o.pid == 7 && o.json && o.blocking && !o.nonblocking && !o.full_filenames, "its options");
}

static void test_native(void)
{
	struct record_options o;
	struct err err;

	is_int(parse("record -p 1 --unwinder=rules -d 1", &o, &err), -EINVAL, "nothing to unwind");
	is_int(parse("record -p 1", &o, &err), 0, "without --native");
	ok(!o.native.on, "it is off");
	is_int(parse("record -tnd5 -p 1 --nonblocking", &o, &err), 0, "the letter in a cluster");
	ok(o.native.on && o.native.level == NATIVE_USUAL && o.native.way == NATIVE_NONE &&
	   o.native.engine == ENGINE_RULES && !o.native.debuginfod, "its defaults");
	is_int((long long)o.duration_ns, 5 * NSEC_PER_SEC, "and what follows it");
	is_int(parse("record --native -p 1", &o, &err), 0, "the next word is no value");
	ok(o.native.on && o.pid == 1, "but what it looks like");
	is_int(parse("record -n python3 x.py", &o, &err), 0, "nor a program");
	is_str(o.program ? o.program[0] : NULL, "python3", "it is one");
	is_int(parse("record --native=ALL --unwind=ptrace --unwinder libunwind --debuginfod -p 1", &o,
		     &err) == 0, engine_libunwind_check(NULL) == 0, "everything said");
	ok(o.native.level == NATIVE_ALL && o.native.way == NATIVE_PTRACE &&
	   o.native.engine == ENGINE_LIBUNWIND && o.native.debuginfod, "everything set");
	is_int(parse("record --native=kernel --unwind=perf -p 1", &o, &err), 0, "the kernel");
	ok(o.native.level == NATIVE_KERNEL && o.native.way == NATIVE_PERF, "by perf");
	is_int(parse("record --nat --unwind=auto -n --native=all -p 1", &o, &err), 0, "twice");
	ok(o.native.level == NATIVE_ALL && o.native.way == NATIVE_NONE, "the last one counts");
	is_int(parse("record -n --blocking -p 1", &o, &err), 0, "with --blocking");
	is_int(o.native.way, NATIVE_PTRACE, "by ptrace");
	is_int(parse("record -n --rate 20000 --placement on-cpu -p 1", &o, &err), 0, "20 kHz");
}

static bool has_row(const struct option_row *row, const char *name)
{
	for (; row->name; row++)
		if (!strcmp(row->name, name))
			return true;
	return false;
}

/* What the walkers over the tables rely on. */
static void test_tables(void)
{
	for (size_t c = 0; commands[c]; c++) {
		const struct option_row *rows = commands[c]->options, *row;

		for (row = rows; row->name; row++) {
			for (const struct option_row *o = rows; o < row; o++)
				if (!strcmp(o->name, row->name) ||
				    (o->letter && o->letter == row->letter))
					ok(false, "%s: %s and %s clash", commands[c]->name, o->name,
					   row->name);
			if ((row->type == OPT_FLAG || row->type == OPT_HELP) != !row->argument)
				ok(false, "%s: argument of %s", commands[c]->name, row->name);
			if ((row->type == OPT_CHOICE) != (row->choices != NULL))
				ok(false, "%s: choices of %s", commands[c]->name, row->name);
			if (row->without && row->type != OPT_CHOICE)
				ok(false, "%s: value of %s", commands[c]->name, row->name);
			if (row->needs && !has_row(rows, row->needs))
				ok(false, "%s: need of %s", commands[c]->name, row->name);
		}
		ok(row > rows && row - rows <= (long)OPTIONS_MAX && !strcmp(row[-1].name, "help"),
		   "%s: the table fits and ends with --help", commands[c]->name);
	}
}

/* Nothing that can stand on a command line may crash the parser: three words of each kind. */
static void test_odd_words(void)
{
	static const char *const odd[] = {
		"-", "--", "---", "-=", "--=", "=", "-p", "-p1", "--pid", "--pid=", "--pid=1", "-r",
		"-rnan", "-r-1", "-r0x10", "-rinf", "-d1e400", "-f", "-f=", "-o", "--o", "--",
		"-\xff\xfe", "--\xff", "-\xc3\xa9", "", "-p99999999999999999999",
		"--placement=on", "-Fi", "-n", "--native", "--native=all", "--unwind=perf", "-nn=all", "-h",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		"--xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	};
	const size_t n = ARRAY_SIZE(odd);
	size_t bad = 0;

	for (size_t i = 0; i < n * n * n; i++) {
		const char *argv[] = { "record", odd[i % n], odd[i / n % n], odd[i / n / n], NULL };
		struct record_options o;
		struct err err;
		int ret;

		if (!strcmp(argv[1], "-h") || !strcmp(argv[2], "-h") || !strcmp(argv[3], "-h"))
			continue; /* prints */
		ret = record_parse(4, (char **)argv, &o, &err);
		bad += ret == 0 ? !o.pid == !o.program : err.status != EXIT_USAGE || !err.text[0];
	}
	is_int((long long)bad, 0, "each gives a whole request or a usage error");
}

/* --- lists, sizes, the environment --------------------------------------------------------------- */

struct more {
	struct option_list items;
	uint64_t bytes;
	double rate;
	bool flag;
	const char *name, *level, *way;
};

static const char *level_choice(size_t i)
{
	static const char *const choices[] = { "some", "much", NULL };

	return choices[i];
}

#define AT(field) .offset = offsetof(struct more, field)
static const struct option_row more_rows[] = {
	{ .name = "item", .letter = 'l', .type = OPT_LIST, AT(items), .argument = "X" },
	{ .name = "size", .type = OPT_BYTES, AT(bytes), .argument = "BYTES", .min = 10, .max = 1e15 },
	{ .name = "my-rate", .type = OPT_RATE, AT(rate), .argument = "HZ", .min = 1, .max = 100,
	  .env = "RATE_OF_MINE" },
	{ .name = "flag", .type = OPT_FLAG, AT(flag), .conflicts = "name" },
	{ .name = "name", .type = OPT_STRING, AT(name), .argument = "NAME" },
	{ .name = "level", .type = OPT_CHOICE, AT(level), .argument = "LEVEL",
	  .choices = level_choice, .without = "some" },
	{ .name = "way", .type = OPT_STRING, AT(way), .argument = "WAY", .needs = "level" },
	{ .name = NULL },
};
#undef AT
static const struct command more_command = {
	.name = "more", .options = more_rows, .environment = true,
};

static int parse_more(const char *text, struct more *m, struct err *err)
{
	int rest;

	*m = (struct more){ 0 };
	snprintf(line, sizeof(line), "%s", text);
	return options_parse(&more_command, split(line, words), words, m, &rest, err);
}

static void test_lists_and_sizes(void)
{
	struct more m;
	struct err err;

	is_int(parse_more("more -l a --item=b -lc --size 3k", &m, &err), 0, "lists and sizes");
	ok(m.items.count == 3 && !m.items.items[3], "three items, a NULL behind them");
	is_str(m.items.items[1], "b", "in order");
	is_int((long long)m.bytes, 3072, "3k");
	is_int(parse_more("more --size 1.5M", &m, &err), 0, "fractions");
	is_int((long long)m.bytes, 3 << 19, "1.5M");
	is_int(parse_more("more --size 5", &m, &err), -EINVAL, "below the least");
	is_int(parse_more("more --size k", &m, &err), -EINVAL, "no number");
	is_int(parse_more("more --size 1kM", &m, &err), -EINVAL, "two units");
}

static void test_environment(void)
{
	struct more m;
	struct err err;

	setenv("RATE_OF_MINE", "50", 1);
	setenv("PYSTOKER_ITEM", "x=1,y=2", 1);
	setenv("PYSTOKER_SIZE", "", 1);
	setenv("PYSTOKER_FLAG", "Yes", 1);
	is_int(parse_more("more", &m, &err), 0, "all from the environment");
	ok(m.rate == 50 && m.items.count == 2 && m.flag, "named, generic, flag");
	is_str(m.items.items[1], "y=2", "list between commas");
	is_int((long long)m.bytes, 0, "an empty variable is absent");
	is_int(parse_more("more --my-rate 7 -l z --name n", &m, &err), 0, "given ones win");
	ok(m.rate == 7 && m.items.count == 1, "over the environment");
	ok(!m.flag, "a variable that excludes what is given is ignored");
	setenv("PYSTOKER_FLAG", "off", 1);
	setenv("PYSTOKER_ITEM", "a,b\nc", 1);
	is_int(parse_more("more", &m, &err), 0, "lines");
	ok(!m.flag && m.items.count == 2, "off is off; with lines, commas are text");
	setenv("RATE_OF_MINE", "fast", 1);
	is_int(parse_more("more", &m, &err), -EINVAL, "a bad variable");
	ok(strstr(err.text, "RATE_OF_MINE"), "is named: %s", err.text);
	unsetenv("RATE_OF_MINE");
	unsetenv("PYSTOKER_ITEM");
	unsetenv("PYSTOKER_FLAG");
	unsetenv("PYSTOKER_SIZE");
}

static void test_value_or_none(void)
{
	static const struct {
		const char *env, *args, *level;
	} cases[] = {
		{ "much", "more", "much" }, { "Yes", "more", "some" }, { "off", "more", NULL },
		{ "0", "more", NULL }, { "", "more", NULL }, { "much", "more --level", "some" },
		{ "off", "more --level=much", "much" }, { "much", "more --way w", "much" },
	};
	struct more m;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		setenv("PYSTOKER_LEVEL", cases[i].env, 1);
		is_int(parse_more(cases[i].args, &m, &err), 0, cases[i].args);
		is_str(m.level, cases[i].level, cases[i].env);
	}
	setenv("PYSTOKER_LEVEL", "x", 1);
	is_int(parse_more("more", &m, &err), -EINVAL, "a variable that is no choice");
	setenv("PYSTOKER_LEVEL", "no", 1);
	is_int(parse_more("more --way w", &m, &err), -EINVAL, "given without what it needs");
	ok(strstr(err.text, "--level"), "which is named: %s", err.text);
	unsetenv("PYSTOKER_LEVEL");
	setenv("PYSTOKER_WAY", "w", 1);
	is_int(parse_more("more", &m, &err), 0, "a variable may lack what it needs");
	unsetenv("PYSTOKER_WAY");
}

static int parse_lenient(const char *text, struct more *m, int *rest, struct err *err)
{
	struct command lenient = more_command;

	lenient.lenient = true;
	*m = (struct more){ 0 };
	*rest = -1;
	snprintf(line, sizeof(line), "%s", text);
	return options_parse(&lenient, split(line, words), words, m, rest, err);
}

/* The values that are right, the first complaint, and where the rest begins. */
static void test_lenient(void)
{
	struct more m;
	struct err err;
	int rest;

	is_int(parse_lenient("more --zzz --size 3k --my-rate x --name n prog -l z", &m, &rest, &err),
	       -EINVAL, "two mistakes");
	is_int((long long)m.bytes, 3072, "what lies between counts");
	is_str(m.name, "n", "what comes after counts");
	ok(strstr(err.text, "--zzz") && !strstr(err.text, "--my-rate"), "the first is told: %s", err.text);
	is_int(rest, 8, "the first word that is no option");
	is_int(parse_lenient("more --zzz 5 -- prog -- x", &m, &rest, &err), -EINVAL, "an unknown one");
	is_int(rest, 4, "behind it a -- is surer than a word");
	is_int(parse_lenient("more --name n prog -- x", &m, &rest, &err), 0, "no mistake");
	is_int(rest, 3, "then the word counts");
	is_int(parse_lenient("more --flag --name n prog", &m, &rest, &err), -EINVAL, "a contradiction");
	is_int(rest, 4, "and its rest");
	is_int(parse_lenient("more --size", &m, &rest, &err), -EINVAL, "a value missing at the end");
	is_int(rest, 2, "no rest");
	setenv("RATE_OF_MINE", "fast", 1);
	setenv("PYSTOKER_NAME", "n", 1);
	is_int(parse_lenient("more prog", &m, &rest, &err), -EDOM, "a bad variable");
	is_int(rest, 1, "and its rest");
	is_str(m.name, "n", "the variables after it count");
	is_int(parse_lenient("more --zzz prog", &m, &rest, &err), -EINVAL, "both");
	ok(strstr(err.text, "--zzz"), "the option is told: %s", err.text);
	unsetenv("RATE_OF_MINE");
	unsetenv("PYSTOKER_NAME");
}

static void test_find(void)
{
	ok(option_find(&more_command, "--size") == &more_rows[1], "a name");
	ok(option_find(&more_command, "--size=5") == &more_rows[1], "with a value");
	ok(option_find(&more_command, "--my") == &more_rows[2], "a prefix");
	ok(!option_find(&more_command, "--") && !option_find(&more_command, "size") &&
	   !option_find(&more_command, "-l") && !option_find(&more_command, "--zzz"), "none");
}

int main(void)
{
	test_defaults();
	test_spellings();
	test_format();
	test_program();
	test_default_output();
	test_dump();
	test_native();
	test_tables();
	test_odd_words();
	test_lists_and_sizes();
	test_environment();
	test_value_or_none();
	test_lenient();
	test_find();
	return tap_done();
}
