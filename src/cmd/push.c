/* SPDX-License-Identifier: MIT
 * `pystoker push`: profiles for as long as the service lives and sends each interval. */
#include "push.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/command.h"
#include "mem/procfs.h"
#include "native.h"
#include "pushing.h"
#include "replay.h"
#include "title.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define STOP_PATIENCE_NS (4 * NSEC_PER_SEC) /* to send the last interval; exec --grace gives 5 s,
					     * docker stop 10 s */

static int labels_init(struct push *p, struct err *err)
{
	char host[256] = "unknown";
	int r = labels_set(&p->labels, "environment", p->o.environment, err);

	gethostname(host, sizeof(host) - 1);
	if (!r)
		r = labels_set(&p->labels, "hostname", host, err);
	for (size_t i = 0; !r && i < p->o.labels.count; i++)
		r = labels_parse(&p->labels, p->o.labels.items[i], err);
	if (!r && p->o.app)
		r = labels_set(&p->labels, "service_name", p->o.app, err);
	return r;
}

static void signals_take(struct push *p)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	p->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int spool_begin(struct push *p, struct err *err)
{
	struct spool_config c = {
		.bytes_max = p->o.spool_bytes,
		.age_max_ns = p->collect_dir ? 0 : p->o.spool_age_ns,
		.keep_sent_ns = p->collect_dir ? 0 : PUSHER_RESEND_NS,
		.now_real_ns = clock_real_ns,
	};
	char *dir = p->o.spool ? xstrdup(p->o.spool) : spool_default_dir(p->o.app);
	struct spool_stats s;
	int r;

	c.dir = dir;
	err->text[0] = '\0';
	r = spool_open(&p->spool, &c, err);
	free(dir);
	if (r)
		return r;
	if (err->text[0])
		log_line(&p->log, "profiles wait in memory only: %s", err->text);
	spool_stats(p->spool, &s);
	if (s.waiting) /* of those adopted: the others have been sent, and are kept for a while */
		log_line(&p->log, "%llu profile%s of an earlier run %s sent now",
			 (unsigned long long)s.waiting, s.waiting == 1 ? "" : "s",
			 s.waiting == 1 ? "is" : "are");
	return 0;
}

static int pusher_begin(struct push *p, struct err *err)
{
	struct pusher_config c = {
		.http = p->http,
		.format = push_wire_format(&p->o),
		.seed = clock_real_ns() ^ (uint64_t)getpid(),
	};
	int r;

	if (p->collect_dir)
		return 0;
	labels_copy(&c.more, &p->labels);
	r = pusher_start(&p->pusher, &c, p->spool, pushlog_on_event, &p->say, err);
	labels_release(&c.more);
	return r;
}

/* The process whose end is ours. */
static int root_open(struct push *p, struct err *err)
{
	pid_t pid = p->o.tree ? p->o.tree : p->o.pid;
	struct proc_stat st;

	p->root_fd = -1;
	p->merged_pid = pid ? pid : getpid();
	if (!pid)
		return 0;
	if (proc_stat_read(&st, pid))
		return err_set(err, -ESRCH, EXIT_GONE, "PID %d: no such process", (int)pid);
	p->root = (struct process_id){ pid, st.start_ticks };
	p->root_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return 0;
}

/* What can be wrong with what was asked, before anything is done. */
static int push_check(struct push *p, struct err *err)
{
	int r = labels_init(p, err);

	if (!strncmp(p->o.server.url, "file:", 5))
		p->collect_dir = p->o.server.url + 5;
	if (!r)
		r = finder_init(&p->finder, &p->o, err);
	if (!r)
		r = root_open(p, err);
	if (!r && !p->collect_dir)
		r = server_config(&p->o.server, &p->http, &p->secrets, err);
	return r;
}

static int sampling_begin(struct push *p, struct err *err)
{
	char how[NATIVE_HOW_MAX];
	int r;

	p->config = (struct sampler_config){
		.rate_hz = p->o.rate,
		.idle = !p->o.no_idle && strcmp(p->o.profiles, "cpu"),
	};
	r = native_begin(&p->o.native, p->o.pid, &p->config, &p->mixer, how, sizeof(how), err);
	if (!r && how[0])
		log_line(&p->log, "native frames: %s", how);
	return r;
}

static int push_begin(struct push *p, struct err *err)
{
	int r = sampling_begin(p, err);

	if (!r)
		r = spool_begin(p, err);
	p->say.spool = p->spool;
	return r ? r : pusher_begin(p, err);
}

static void push_end(struct push *p)
{
	size_t left = 0;

	if (p->pusher)
		left = pusher_stop(p->pusher, STOP_PATIENCE_NS, &p->say.push);
	p->pusher = NULL; /* its last figures are in p->say */
	pushlog_flush(&p->say);
	if (left)
		log_line(&p->log, "%zu profiles wait in %s for the next run", left,
			 spool_folder(p->spool));
	if (p->spool) {
		pushlog_spool(&p->say);
		interval_stats_file(p);
	}
	spool_close(p->spool);
	mixer_free(p->mixer);
}

static int push_work(struct push *p, struct err *err)
{
	char *url = http_url_shown(p->o.server.url);
	int r;

	signals_take(p);
	title_set_name("pyroscope-push"); /* `pgrep -a pyroscope` finds it */
	log_line(&p->log, "Starting profiler for %s", p->o.app);
	r = push_begin(p, err);
	if (!r) {
		const char *folder = spool_folder(p->spool);

		log_line(&p->log, "every %.10g s at %.10g Hz to %s, kept in %s",
			 (double)p->o.interval_ns / NSEC_PER_SEC, p->o.rate, url,
			 *folder ? folder : "memory");
		r = pushing_run(p, err);
	}
	push_end(p);
	free(url);
	return r;
}

/* An error goes to stderr, and to the log where that is a file: nobody may be reading the former. */
static int push_session(struct push *p, struct err *err)
{
	int r = log_open(&p->log, p->o.log, err);

	if (r)
		return r;
	pushlog_init(&p->say, &p->log);
	r = push_check(p, err);
	if (!r)
		r = push_work(p, err);
	if (r && !log_is(&p->log, STDERR_FILENO))
		log_line(&p->log, "%s%s%s", err->text, err->hint[0] ? "; " : "", err->hint);
	finder_release(&p->finder);
	labels_release(&p->labels);
	server_secrets_release(&p->secrets);
	pushlog_release(&p->say);
	if (!r)
		log_line(&p->log, "ended");
	log_close(&p->log);
	return r;
}

static int push_run(const struct command *cmd _unused_, int argc, char **argv)
{
	static struct push p = { .signal_fd = -1, .root_fd = -1 };
	struct err err = { 0 };
	int r = push_parse(argc, argv, &p.o, &err);

	if (r > 0)
		return EXIT_OK;
	if (!r && !option_is_true(p.o.enabled)) {
		say("push: profiling is switched off (PYROSCOPE_ENABLED is %s)", p.o.enabled);
		return EXIT_OK;
	}
	if (!r)
		r = p.o.replay ? replay(&p.o, &err) : push_session(&p, &err);
	if (!r)
		return EXIT_OK;
	err_print(&err);
	return err.status;
}

static const char *const push_examples[] = {
	"pystoker push --tree 1 --app shop --url http://pyroscope:4040",
	"every Python process of this container, in intervals of 30 s",
	"SERVICE_NAME=shop pystoker push --match 'gunicorn|celery' --merge",
	"all of them as one series, to the default server",
	"pystoker push -p 4242 --app shop --url file:/var/lib/profiles --interval 60",
	"no server: a pprof file per minute and kind",
	"pystoker push --replay /var/tmp/pystoker-0/shop --app shop",
	"send what lies in a spool or any folder of pprof files",
	NULL,
};

const struct command cmd_push = {
	.name = "push",
	.summary = "Profile a service for as long as it lives, and send it to Pyroscope",
	.synopsis = "[OPTIONS] -p PID | --tree PID | --match REGEX | --replay DIR",
	.examples = push_examples,
	.options = push_options,
	.environment = true,
	.run = push_run,
};
