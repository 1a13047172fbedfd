/* SPDX-License-Identifier: MIT
 * `pystoker push`: profiles for as long as the service lives and sends each interval.
 *
 * Three kinds of threads: one samples each process; this one turns what they have seen into profiles
 * at the borders of the clock and puts them into the spool; the pusher empties the spool. None waits
 * for one that comes after it. */
#include "push.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmd/command.h"
#include "collect.h"
#include "find.h"
#include "mem/procfs.h"
#include "pushlog.h"
#include "replay.h"
#include "ship/pusher.h"
#include "ship/spool.h"
#include "title.h"
#include "util/clock.h"
#include "util/gzip.h"
#include "util/xalloc.h"
#include "watch.h"

#define FIND_EVERY_NS (900 * NSEC_PER_MSEC)      /* a new process is found within a second */
#define CHECKPOINT_NS (5 * NSEC_PER_SEC)
#define STOP_PATIENCE_NS (10 * NSEC_PER_SEC)     /* for the last interval to be sent */
#define KEEP_SENT_NS (3600 * NSEC_PER_SEC)       /* a 1.x server may lose the last hour */
enum { POLL_FDS_MAX = FIND_MAX + 2 };

struct push {
	struct push_options o;
	struct labels labels;        /* of every profile, but for the PID */
	struct log log;
	struct pushlog say;
	struct spool *spool;
	struct pusher *pusher;       /* NULL: profiles are collected in a folder */
	const char *collect_dir;     /* "file:" */
	struct http_config http;
	struct server_secrets secrets;
	struct finder finder;
	struct watch *watches;
	size_t watch_count;
	struct window merged;        /* with --merge */
	pid_t merged_pid;            /* what stands for all of them as a label */
	sigset_t old_mask;
	int signal_fd, root_fd;      /* root: with --tree, --pid: its end is ours; -1: no pidfd */
	struct process_id root;      /* its PID and start; PID 0: none */
	uint64_t start_ns, border_ns, checkpoint_ns, find_ns; /* CLOCK_MONOTONIC */
	uint64_t cpu_ns;             /* our own at the last border */
	struct push_note note;       /* the interval being closed */
	bool noting;                 /* between note_open() and note_close() */
	bool waiting_told, ever_found, done, once_done;
	int status;
};

/* --- what a profile carries ------------------------------------------------------------------- */

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

/* The comments of a stored profile that state its labels; NULL-terminated, one allocation each. */
static char **comments_of(struct push *p, pid_t pid)
{
	char **list = xcalloc(LABELS_MAX + 2, sizeof(*list));
	struct buf b = BUF_INIT;
	char number[16];
	size_t n = 0;

	for (size_t i = 0; i < p->labels.count; i++) {
		wire_label_comment(&b, p->labels.list[i].name, p->labels.list[i].value);
		list[n++] = buf_detach(&b);
	}
	if (!labels_get(&p->labels, "pid")) {
		snprintf(number, sizeof(number), "%d", (int)pid);
		wire_label_comment(&b, "pid", number);
		list[n] = buf_detach(&b);
	}
	return list;
}

static void comments_free(char **list)
{
	for (size_t i = 0; list[i]; i++)
		free(list[i]);
	free(list);
}

/* --- from a window to the spool ----------------------------------------------------------------- */

struct storing {
	struct push *p;
	struct spool_key key;
	bool complete;               /* not a checkpoint */
	size_t items;
};

static int store_chunk(void *arg, const struct buf *pb, uint64_t time_ns, size_t samples _unused_)
{
	struct storing *s = arg;
	struct buf packed = BUF_INIT;

	s->key.time_ns = time_ns;
	if (!s->complete) { /* uncompressed: it costs less, and lives for seconds only */
		spool_checkpoint(s->p->spool, &s->key, pb->data, pb->len);
		return 1; /* the first chunk stands for all: more than one is a rare thing */
	}
	gzip_pack(&packed, pb->data, pb->len);
	if (!spool_add(s->p->spool, &s->key, packed.data, packed.len))
		s->items++;
	buf_release(&packed);
	return 0;
}

static bool kind_wanted(const struct push *p, enum pprof_kind kind)
{
	if (!strcmp(p->o.profiles, "both"))
		return true;
	return !strcmp(p->o.profiles, kind == PPROF_CPU ? "cpu" : "wall");
}

static const char *const kind_names[PPROF_KINDS] = { [PPROF_CPU] = "cpu", [PPROF_WALL] = "wall" };

static void store_kind(struct push *p, struct window *w, enum pprof_kind kind, pid_t pid,
		       const char *mapping, char **comments, bool complete)
{
	struct pprof_series series = {
		.kind = kind,
		.thread_label = p->o.thread_names,
		.comments = (const char *const *)comments,
		.mapping = mapping,
		.bytes_max = WIRE_PROFILE_BYTES_MAX,
		.samples_max = WIRE_SAMPLES_MAX,
		.frames_max = WIRE_FRAMES_MAX,
		.chunk_step_ns = WIRE_CHUNK_STEP_NS,
	};
	struct storing storing = { .p = p, .key = { .pid = pid }, .complete = complete };

	snprintf(storing.key.kind, sizeof(storing.key.kind), "%s", kind_names[kind]);
	if (pprof_series(&w->profile, &series, store_chunk, &storing) < 0)
		log_line(&p->log, "profile of PID %d (%s) could not be written", (int)pid,
			 kind_names[kind]);
	if (complete)
		spool_checkpoint_drop(p->spool, pid, kind_names[kind]);
	p->note.items += storing.items;
}

static void window_store(struct push *p, struct window *w, pid_t pid, const char *mapping,
			 uint64_t now, bool complete)
{
	char **comments = comments_of(p, pid);

	window_close(w, now);
	for (int kind = 0; kind < PPROF_KINDS; kind++)
		if (kind_wanted(p, kind))
			store_kind(p, w, kind, pid, mapping, comments, complete);
	comments_free(comments);
	if (!complete)
		return;
	stats_add(&p->note.stats, &w->stats);
	if (!p->note.first_ns || w->profile.meta.start_real_ns < p->note.first_ns)
		p->note.first_ns = w->profile.meta.start_real_ns;
	if (now - w->start_ns > p->note.wall_ns)
		p->note.wall_ns = now - w->start_ns;
}

/* --- intervals ---------------------------------------------------------------------------------- */

static enum merge_threads threads_of(const struct push *p)
{
	return p->o.thread_names ? MERGE_BY_NAME : MERGE_ONE_THREAD;
}

static struct window *window_of(struct push *p, struct watch *w)
{
	return p->o.merge ? &p->merged : &w->window;
}

/* Takes over what one process has been seen doing; without --merge its window is stored too. */
static void watch_flush(struct push *p, struct watch *w, uint64_t now, bool complete)
{
	struct window *window = window_of(p, w);

	watch_collect(w, window, threads_of(p));
	if (p->o.merge)
		return;
	window_store(p, window, w->id.pid, w->interpreter, now, complete);
	if (complete) {
		window_release(window);
		window_open(window, now);
	}
}

static void merged_flush(struct push *p, uint64_t now, bool complete)
{
	if (!p->o.merge || (!p->watches && !p->merged.stats.samples))
		return;
	window_store(p, &p->merged, p->merged_pid, "python", now, complete);
	if (complete) {
		window_release(&p->merged);
		window_open(&p->merged, now);
	}
}

static void note_open(struct push *p)
{
	if (!p->noting)
		pushlog_begin(&p->say);
	p->noting = true;
	p->note.processes = p->watch_count;
}

/* The interval's line comes when the server has all of it. */
static void note_close(struct push *p)
{
	uint64_t cpu = clock_process_cpu_ns();

	if (!p->noting)
		return;
	p->noting = false;
	p->note.last_ns = clock_real_ns();
	p->note.cpu_percent = p->note.wall_ns ?
		100.0 * (double)(cpu - p->cpu_ns) / (double)p->note.wall_ns : 0;
	p->cpu_ns = cpu;
	pushlog_interval(&p->say, &p->note);
	p->note = (struct push_note){ 0 };
	if (p->pusher)
		pusher_wake(p->pusher);
	else
		collect(p->spool, p->collect_dir, p->o.app, &p->log);
	pushlog_spool(&p->say);
}

static void stats_file(struct push *p)
{
	struct err err;

	if (p->o.stats_file &&
	    pushlog_stats_file(&p->say, p->pusher, p->o.app, p->o.stats_file, &err))
		log_line(&p->log, "%s", err.text);
}

/* Time `border` is where one interval ends and the next begins: not when we come to it. */
static void interval_end(struct push *p, uint64_t border)
{
	note_open(p);
	for (struct watch *w = p->watches; w; w = w->next)
		watch_flush(p, w, border, true);
	merged_flush(p, border, true);
	note_close(p);
	stats_file(p);
	if (p->o.once && p->ever_found)
		p->done = p->once_done = true;
}

static void checkpoint(struct push *p, uint64_t now)
{
	for (struct watch *w = p->watches; w; w = w->next)
		watch_flush(p, w, now, false);
	merged_flush(p, now, false);
}

/* --- whom --------------------------------------------------------------------------------------- */

static void watch_end(struct push *p, struct watch **at)
{
	struct watch *w = *at;
	uint64_t now = clock_mono_ns();

	recorder_stop(&w->recorder);
	watch_flush(p, w, now, true);
	log_line(&p->log, "PID %d has ended or is another program now", (int)w->id.pid);
	*at = w->next;
	watch_close(w);
	p->watch_count--;
}

static void watches_reap(struct push *p)
{
	bool ended = false;

	for (struct watch **at = &p->watches; *at;) {
		if (watch_is_over(*at)) {
			if (!p->o.merge)
				note_open(p);
			watch_end(p, at);
			ended = true;
		} else {
			at = &(*at)->next;
		}
	}
	if (ended && !p->watches)
		p->find_ns = 0;
	note_close(p);
}

static void watch_begin(struct push *p, const struct process_id *id)
{
	struct sampler_config config = {
		.rate_hz = p->o.rate,
		.idle = !p->o.no_idle && strcmp(p->o.profiles, "cpu"),
	};
	struct err err = { 0 };
	struct watch *w = watch_open(id, &config, &err);
	char version[PYVER_TEXT_MAX];

	if (!w) {
		bool quiet = err.status == EXIT_GONE || (err.status == EXIT_NOT_PYTHON && !p->o.pid);

		if (finder_refuse(&p->finder, id) && !quiet)
			log_line(&p->log, "%s%s%s", err.text, err.hint[0] ? "; " : "", err.hint);
		return;
	}
	w->next = p->watches;
	p->watches = w;
	p->watch_count++;
	p->ever_found = true;
	p->waiting_told = false;
	log_line(&p->log, "profiling PID %d, Python %s: %s", (int)id->pid,
		 pyver_text(w->attached.target.version, version), w->program);
}

/* Before Linux 5.3 there are no pidfds. */
static bool root_is_gone(const struct push *p)
{
	struct proc_stat st;

	return p->root.pid && p->root_fd < 0 &&
	       (proc_stat_read(&st, p->root.pid) || st.start_ticks != p->root.start_ticks ||
		st.state == 'Z');
}

static void find(struct push *p)
{
	struct process_id *known = xcalloc(FIND_MAX, sizeof(*known)), *found = known;
	size_t n_known = 0, n;

	for (struct watch *w = p->watches; w && n_known < FIND_MAX; w = w->next)
		known[n_known++] = w->id;
	found = xcalloc(FIND_MAX, sizeof(*found));
	n = finder_look(&p->finder, known, n_known, found, FIND_MAX - n_known);
	for (size_t i = 0; i < n; i++)
		watch_begin(p, &found[i]);
	free(known);
	free(found);
	if (p->watches || p->waiting_told)
		return;
	log_line(&p->log, "No Python process found, waiting...");
	p->waiting_told = true;
}

/* --- the loop ----------------------------------------------------------------------------------- */

static void on_signals(struct push *p)
{
	struct signalfd_siginfo info;
	bool ours;
	int r;

	while (read(p->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGHUP:
			ours = log_is(&p->log, STDERR_FILENO);
			r = log_reopen(&p->log);
			if (ours && !r) /* exec's pusher: what crashes us goes to the log as well */
				log_take_streams(&p->log);
			log_line(&p->log, r ? "the log could not be opened anew: %s" :
				 "log opened anew%s", r ? strerror(-r) : "");
			break;
		case SIGUSR1:
			pushlog_status(&p->say, p->pusher, p->o.app);
			break;
		default:
			log_line(&p->log, "told to end (%s)", strsignal((int)info.ssi_signo));
			p->done = true;
		}
	}
}

static int wait_ms(const struct push *p)
{
	uint64_t now = clock_mono_ns(), due = p->border_ns;

	if (p->checkpoint_ns < due)
		due = p->checkpoint_ns;
	if (p->find_ns < due)
		due = p->find_ns;
	return due > now ? (int)((due - now) / NSEC_PER_MSEC) + 1 : 0;
}

/* Waits for a time that is due, a signal, or the end of a process. */
static void loop_wait(struct push *p)
{
	static struct pollfd fds[POLL_FDS_MAX];
	nfds_t n = 0;

	fds[n++] = (struct pollfd){ .fd = p->signal_fd, .events = POLLIN };
	fds[n++] = (struct pollfd){ .fd = p->root_fd, .events = POLLIN };
	for (struct watch *w = p->watches; w && n < POLL_FDS_MAX; w = w->next)
		fds[n++] = (struct pollfd){ .fd = w->pidfd, .events = POLLIN };
	poll(fds, n, wait_ms(p));
	if (fds[0].revents)
		on_signals(p);
	if (fds[1].revents)
		p->done = true;
}

static void after_border(struct push *p, uint64_t now)
{
	while (p->border_ns <= now) /* the machine may have slept through some */
		p->border_ns += p->o.interval_ns;
	p->checkpoint_ns = now + CHECKPOINT_NS;
}

static void loop(struct push *p)
{
	while (!p->done) {
		uint64_t now;

		loop_wait(p);
		now = clock_mono_ns();
		watches_reap(p);
		if (now >= p->border_ns) {
			uint64_t late = (now - p->border_ns) / p->o.interval_ns;

			interval_end(p, p->border_ns + late * p->o.interval_ns);
			after_border(p, now);
		} else if (now >= p->checkpoint_ns) {
			checkpoint(p, now);
			p->checkpoint_ns = now + CHECKPOINT_NS;
		}
		if (now >= p->find_ns && !p->done) {
			find(p);
			p->done = root_is_gone(p);
			p->find_ns = clock_mono_ns() + FIND_EVERY_NS;
			for (struct watch *w = p->watches; w; w = w->next)
				watch_look_after(w);
		}
	}
}

/* Everything sampled so far becomes the last, shorter interval; with --once there is none after the
 * one that was wanted. */
static void finish(struct push *p)
{
	bool wanted = !p->once_done;
	uint64_t now;

	for (struct watch *w = p->watches; w; w = w->next)
		recorder_stop(&w->recorder);
	now = clock_mono_ns();
	note_open(p);
	while (p->watches) {
		struct watch *w = p->watches;

		if (wanted)
			watch_flush(p, w, now, true);
		p->watches = w->next;
		watch_close(w);
	}
	if (wanted)
		merged_flush(p, now, true);
	note_close(p);
}

/* --- setting up --------------------------------------------------------------------------------- */

static void signals_take(struct push *p)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, &p->old_mask);
	signal(SIGPIPE, SIG_IGN);
	p->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int spool_begin(struct push *p, struct err *err)
{
	struct spool_config c = {
		.bytes_max = p->o.spool_bytes,
		.age_max_ns = p->collect_dir ? 0 : p->o.spool_age_ns,
		.keep_sent_ns = p->collect_dir ? 0 : KEEP_SENT_NS,
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
	if (s.adopted)
		log_line(&p->log, "%llu profiles of an earlier run are sent now",
			 (unsigned long long)s.adopted);
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

static int push_begin(struct push *p, struct err *err)
{
	int r = spool_begin(p, err);

	p->say.spool = p->spool;
	return r ? r : pusher_begin(p, err);
}

static void push_end(struct push *p)
{
	size_t left = p->pusher ? pusher_stop(p->pusher, STOP_PATIENCE_NS) : 0;

	if (left)
		log_line(&p->log, "%zu profiles wait in %s for the next run", left,
			 spool_folder(p->spool));
	if (p->spool)
		pushlog_spool(&p->say);
	stats_file(p);
	spool_close(p->spool);
}

static void push_run_loop(struct push *p)
{
	p->start_ns = clock_mono_ns();
	p->cpu_ns = clock_process_cpu_ns();
	p->border_ns = p->start_ns + p->o.interval_ns;
	p->checkpoint_ns = p->start_ns + CHECKPOINT_NS;
	window_open(&p->merged, p->start_ns);
	loop(p);
	finish(p);
	window_release(&p->merged);
}

/* The server's address without the user and password that may be in it. */
static void url_shown(char *out, size_t size, const char *url)
{
	const char *host = strstr(url, "://"), *at;
	size_t scheme = host ? (size_t)(host - url) + 3 : 0;

	host = url + scheme;
	at = host + strcspn(host, "/@");
	snprintf(out, size, "%.*s%s", (int)scheme, url, *at == '@' ? at + 1 : host);
}

static int push_work(struct push *p, struct err *err)
{
	char url[HTTP_URL_MAX];
	int r;

	signals_take(p);
	title_set_name("pyroscope-push"); /* `pgrep -a pyroscope` finds it */
	log_line(&p->log, "Starting profiler for %s", p->o.app);
	url_shown(url, sizeof(url), p->o.server.url);
	r = push_begin(p, err);
	if (!r) {
		log_line(&p->log, "every %.10g s at %.10g Hz to %s, kept in %s",
			 (double)p->o.interval_ns / NSEC_PER_SEC, p->o.rate, url,
			 spool_folder(p->spool));
		push_run_loop(p);
	}
	push_end(p);
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
