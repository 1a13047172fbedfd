/* SPDX-License-Identifier: MIT
 * `pystoker exec`: the entrypoint of a container. Starts the pusher beside a program and becomes the
 * program. Whatever goes wrong, the program runs. */
#include "exec.h"

#include <errno.h>
#include <unistd.h>

#include "child.h"
#include "cmd/command.h"
#include "guardian.h"
#include "supervise.h"

/* Where a mistake came before it, SERVICE_NAME is in the options all the same: exec is lenient. */
static bool is_wanted(const struct exec_options *o)
{
	return o->push.app && option_is_true(o->push.enabled);
}

static int fail(const struct err *err)
{
	err_print(err);
	return err->status;
}

struct words_source {
	const struct exec_options *o;
	char **argv;
};

static char **words_for(void *arg, pid_t program)
{
	const struct words_source *from = arg;

	return exec_pusher_words(from->o, from->argv, program);
}

static int exec_supervised(const struct exec_options *o, char **argv, struct err *err)
{
	struct words_source from = { o, argv };
	int status = supervise(o->program, words_for, &from, o->grace_ns, err);

	return status < 0 ? fail(err) : child_mirror(status);
}

/* Returns only when the program cannot be run; the guardian sees us end. */
static int exec_run(const struct command *cmd _unused_, int argc, char **argv)
{
	struct exec_options o;
	struct err err = { 0 };
	int ret = exec_parse(argc, argv, &o, &err);

	if (ret > 0)
		return EXIT_OK;
	if (ret < 0 && !o.program)
		return fail(&err);
	if (ret == -EINVAL)
		err_print(&err); /* this and what is wrong in the environment is said in the log */
	if (is_wanted(&o) && o.supervise)
		return exec_supervised(&o, argv, &err);
	if (is_wanted(&o))
		child_allow_reading(guardian_start(exec_pusher_words(&o, argv, getpid()), argc, argv));
	child_become(o.program, &err);
	return fail(&err);
}

static const char *const exec_examples[] = {
	"SERVICE_NAME=shop pystoker exec -- gunicorn shop.wsgi",
	"run a service and send its profiles to http://pyroscope:4040",
	"pystoker exec --app shop --url http://pyroscope.example:4040 -- python3 app.py",
	"the same, said by options",
	"pystoker exec --supervise -- python3 app.py",
	"as PID 1 of a container, with the last profile sent before its end",
	NULL,
};

const struct command cmd_exec = {
	.name = "exec",
	.summary = "Run a program with a pusher of its profiles beside it",
	.synopsis = "[OPTIONS] -- PROGRAM [ARGUMENT...]",
	.examples = exec_examples,
	.options = exec_options,
	.takes_program = true,
	.environment = true,
	.lenient = true,
	.run = exec_run,
};
