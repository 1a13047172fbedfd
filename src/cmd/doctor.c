/* SPDX-License-Identifier: MIT
 * `pystoker doctor`: can I profile here, and does it arrive? */
#include "doctor.h"

#include "cmd/command.h"

static void tell(void *arg)
{
	checks_print(arg);
}

static void tell_later(void *arg _unused_)
{
}

static int doctor_check(const struct doctor_options *o, struct err *err)
{
	struct checks c = { 0 };
	struct http *http = NULL;
	doctor_tell_fn fn = o->json ? tell_later : tell;
	int status;

	if (!o->local && doctor_server_open(o, &http, err))
		return err->status;
	if (!o->remote)
		doctor_local(o, &c, fn, &c);
	if (!o->local)
		doctor_server(o, http, &c, fn, &c);
	http_close(http);
	status = checks_status(&c);
	if (o->json)
		checks_json(&c);
	else
		checks_print(&c);
	checks_release(&c);
	return status;
}

static int doctor_run(const struct command *cmd _unused_, int argc, char **argv)
{
	struct doctor_options o;
	struct err err = { 0 };
	int status, ret = doctor_parse(argc, argv, &o, &err);

	if (ret > 0)
		return EXIT_OK;
	status = ret ? err.status : doctor_check(&o, &err);
	if (err.status)
		err_print(&err);
	doctor_options_release(&o);
	return status;
}

static const char *const doctor_examples[] = {
	"pystoker doctor",
	"what can be profiled here, and whether the server takes it",
	"pystoker doctor --remote --app checkout --url http://pyroscope:4040",
	"whether the newest data of a service are fresh, for an alert",
	NULL,
};

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "Check whether processes can be profiled here, and whether it arrives",
	.synopsis = "[OPTIONS]",
	.examples = doctor_examples,
	.options = doctor_options,
	.environment = true,
	.run = doctor_run,
};
