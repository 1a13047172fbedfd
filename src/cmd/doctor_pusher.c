/* SPDX-License-Identifier: MIT
 * doctor's look at the pusher: whether one runs with this spool, what waits there, and what its log
 * says last. Nothing of this asks for an exit status: a service may well be profiled only at times. */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "arrival.h"
#include "folder.h"
#include "push.h"
#include "ship/spool.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define PIDS_SHOWN 4u
#define DIR_SHOWN 300
#define LINE_SHOWN 300                 /* bytes of the log's last line */
#define TAIL_MAX (64u << 10)           /* bytes of a log read, from its end */

/* --- words ------------------------------------------------------------------------------------ */

struct words {
	char text[48];
};

static const char *span(struct words *w, uint64_t ns)
{
	uint64_t s = ns / NSEC_PER_SEC;

	if (s < 180)
		snprintf(w->text, sizeof(w->text), "%" PRIu64 " s", s);
	else if (s < 180 * 60)
		snprintf(w->text, sizeof(w->text), "%" PRIu64 " min", s / 60);
	else if (s < 72 * 3600)
		snprintf(w->text, sizeof(w->text), "%" PRIu64 " h", s / 3600);
	else
		snprintf(w->text, sizeof(w->text), "%" PRIu64 " days", s / 86400);
	return w->text;
}

static const char *size(struct words *w, uint64_t bytes)
{
	if (bytes < 1000)
		snprintf(w->text, sizeof(w->text), "%" PRIu64 " bytes", bytes);
	else if (bytes < 1000 * 1000)
		snprintf(w->text, sizeof(w->text), "%.1f kB", (double)bytes / 1e3);
	else
		snprintf(w->text, sizeof(w->text), "%.1f MB", (double)bytes / 1e6);
	return w->text;
}

static const char *moment(struct words *w, uint64_t ns)
{
	time_t t = (time_t)(ns / NSEC_PER_SEC);
	struct tm tm;

	if (!localtime_r(&t, &tm) || !strftime(w->text, sizeof(w->text), "%Y-%m-%d %H:%M:%S", &tm))
		return "an unknown time";
	return w->text;
}

/* A clock that was ahead makes times that are yet to come: those are now. */
static uint64_t ago(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

/* --- the pusher ------------------------------------------------------------------------------- */

static void add_running(struct buf *b, const struct spool_survey *v)
{
	size_t named = v->live < SPOOL_SURVEY_LIVE_MAX ? v->live : SPOOL_SURVEY_LIVE_MAX;
	struct words w;

	if (v->live == 1) {
		buf_addf(b, "running since %s (PID %d)", moment(&w, v->alive[0].since_ns),
			 (int)v->alive[0].pid);
		return;
	}
	buf_addf(b, "%" PRIu64 " are running (PIDs", v->live);
	for (size_t i = 0; i < named && i < PIDS_SHOWN; i++)
		buf_addf(b, "%s %d", i ? "," : "", (int)v->alive[i].pid);
	buf_addf(b, "%s), the last since %s", v->live > PIDS_SHOWN ? ", …" : "",
		 moment(&w, v->alive[0].since_ns));
}

static void add_sent(struct buf *b, const struct spool_survey *v, uint64_t now_ns)
{
	struct words w;

	if (v->newest_sent_ns)
		buf_addf(b, ", last sent %s ago", span(&w, ago(now_ns, v->newest_sent_ns)));
}

/* "18 profiles (3.1 MB, the oldest 12 min) wait" */
static void add_waiting(struct buf *b, const struct spool_survey *v, uint64_t now_ns)
{
	struct words bytes, age;
	bool one = v->waiting == 1;

	if (!v->waiting) {
		buf_adds(b, "nothing waits");
		return;
	}
	buf_addf(b, "%s%" PRIu64 " profile%s (%s, %s%s) wait%s", v->partial ? "at least " : "",
		 v->waiting, one ? "" : "s", size(&bytes, v->waiting_bytes), one ? "" : "the oldest ",
		 span(&age, ago(now_ns, v->oldest_ns)), one ? "s" : "");
}

static void add_owner(struct buf *b, const struct spool_survey *v)
{
	if (v->owner != geteuid())
		buf_addf(b, " (of user %u)", (unsigned int)v->owner);
}

static struct check *say_pusher(struct checks *c, enum check_verdict verdict, struct buf *b)
{
	struct check *check = checks_say(c, "pusher", verdict, 0, "%s", b->data);

	buf_release(b);
	return check;
}

/* A profile waits from the start of its interval on: for one interval it is being made. */
static void say_running(const struct doctor_options *o, struct checks *c,
			const struct spool_survey *v, uint64_t now_ns)
{
	uint64_t patience_ns = ARRIVAL_INTERVALS * o->interval_ns;
	bool late = v->waiting && ago(now_ns, v->oldest_ns) > patience_ns;
	bool moves = v->newest_sent_ns && ago(now_ns, v->newest_sent_ns) < o->interval_ns * 2;
	struct buf b = BUF_INIT;
	struct check *check;

	add_running(&b, v);
	add_sent(&b, v, now_ns);
	buf_adds(&b, ", ");
	add_waiting(&b, v, now_ns);
	if (late)
		buf_adds(&b, moves ? ": the server takes them slowly" : ": the server does not take them");
	check = say_pusher(c, late ? CHECK_WARN : CHECK_OK, &b);
	if (late)
		err_hint(&check->err, "the pusher's log says why, and so do the checks of the server; "
			 "nothing is lost yet, but servers refuse what is older than an hour");
}

static void say_ended(struct checks *c, const struct spool_survey *v, const char *dir,
		      uint64_t now_ns)
{
	uint64_t left = v->waiting + v->checkpoints;
	struct buf b = BUF_INIT;
	struct check *check;

	buf_addf(&b, "no pusher runs with the spool %.*s", DIR_SHOWN, dir);
	add_owner(&b, v);
	add_sent(&b, v, now_ns);
	buf_adds(&b, "; ");
	add_waiting(&b, v, now_ns);
	buf_adds(&b, " there");
	if (v->checkpoints)
		buf_addf(&b, ", and %" PRIu64 " cut short", v->checkpoints);
	check = say_pusher(c, CHECK_WARN, &b);
	if (left)
		err_hint(&check->err, "the next push or exec with this spool sends them; servers "
			 "refuse what is older than an hour");
	else
		err_hint(&check->err, "one of another user or in another container has another spool: "
			 "--spool DIR");
}

static void say_unseen(struct checks *c, const char *dir, int error)
{
	struct check *check;

	if (error == -ENOENT)
		check = checks_say(c, "pusher", CHECK_WARN, 0, "no pusher runs with the spool %.*s, "
				   "which is not there", DIR_SHOWN, dir);
	else
		check = checks_say(c, "pusher", CHECK_WARN, 0, "cannot look into the spool %.*s: %s",
				   DIR_SHOWN, dir, strerror(-error));
	err_hint(&check->err, "one of another user or in another container has another spool: "
		 "--spool DIR");
}

/* Some may live: nothing can be said. */
static void say_unread(struct checks *c, const struct spool_survey *v, const char *dir)
{
	struct check *check = checks_say(c, "pusher", CHECK_WARN, 0, "cannot look into the spool %.*s: "
					 "%" PRIu64 " run%s there may not be read", DIR_SHOWN, dir,
					 v->unread, v->unread == 1 ? "" : "s");

	err_hint(&check->err, "run it as root, or as user %u, to whom the folder belongs",
		 (unsigned int)v->owner);
}

static void add_figures(struct check *check, const struct spool_survey *v, uint64_t now_ns)
{
	checks_figure(check, "running", v->live);
	if (v->live) {
		checks_figure(check, "pusher_pid", (uint64_t)v->alive[0].pid);
		checks_figure(check, "since", v->alive[0].since_ns / NSEC_PER_SEC);
	}
	checks_figure(check, "waiting", v->waiting);
	checks_figure(check, "waiting_bytes", v->waiting_bytes);
	if (v->waiting)
		checks_figure(check, "oldest_seconds", ago(now_ns, v->oldest_ns) / NSEC_PER_SEC);
	if (v->newest_sent_ns)
		checks_figure(check, "sent_seconds_ago",
			      ago(now_ns, v->newest_sent_ns) / NSEC_PER_SEC);
	checks_figure(check, "unfinished", v->checkpoints);
}

/* Without the service's name nobody knows which spool is meant. */
static void check_pusher(const struct doctor_options *o, struct checks *c)
{
	uint64_t now_ns = clock_real_ns();
	struct spool_survey v;
	char *dir;
	int r;

	if (!o->app && !o->spool)
		return;
	dir = o->spool ? xstrdup(o->spool) : spool_default_dir(o->app);
	r = spool_survey(&v, dir);
	if (r)
		say_unseen(c, dir, r);
	else if (v.unread && !v.live)
		say_unread(c, &v, dir);
	else if (v.live)
		say_running(o, c, &v, now_ns);
	else
		say_ended(c, &v, dir, now_ns);
	if (!r && (v.live || !v.unread))
		add_figures(&c->list[c->count - 1], &v, now_ns);
	free(dir);
}

/* --- its log ---------------------------------------------------------------------------------- */

/* Only regular files: a pipe would be emptied, and a device may block. The link is followed only where
 * somebody asked for this file: in /tmp anybody may have put it there. */
static int open_log(const char *path, bool asked, struct stat *st)
{
	int fd;

	if (asked ? stat(path, st) : lstat(path, st))
		return -errno;
	if (!S_ISREG(st->st_mode))
		return -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (asked ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return -errno;
	if (fstat(fd, st) || !S_ISREG(st->st_mode)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

static size_t read_tail(int fd, off_t end, char tail[TAIL_MAX])
{
	off_t at = end > (off_t)TAIL_MAX ? end - (off_t)TAIL_MAX : 0;
	size_t len = 0;

	while (len < TAIL_MAX) {
		ssize_t n = pread(fd, tail + len, TAIL_MAX - len, at + (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return len;
}

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

/* The last line that is not blank, in place, NUL-terminated; what is no text in it is blank. */
static char *last_line(char *tail, size_t len)
{
	size_t end = len, start;

	while (end > 0 && is_blank(tail[end - 1]))
		end--;
	for (start = end; start > 0 && tail[start - 1] != '\n'; start--)
		if (is_blank(tail[start - 1]))
			tail[start - 1] = ' ';
	tail[end] = '\0';
	return tail + start;
}

/* Behind "2026-01-31 12:00:00 ", if it begins so. */
static const char *behind_time(const char *line)
{
	static const char form[] = "0000-00-00 00:00:00 ";

	for (size_t i = 0; form[i]; i++)
		if (form[i] == '0' ? line[i] < '0' || line[i] > '9' : line[i] != form[i])
			return line;
	return line + sizeof(form) - 1;
}

static void say_line(struct checks *c, const char *path, uint64_t age_ns, const char *line)
{
	static const char failed[] = "Failed to push profile";
	const char *words = behind_time(line);
	bool failing = !strncmp(words, failed, sizeof(failed) - 1);
	struct words w;
	struct check *check = checks_say(c, "log", failing ? CHECK_WARN : CHECK_OK, 0,
					 "%.*s, %s ago: %.*s", DIR_SHOWN, path, span(&w, age_ns),
					 LINE_SHOWN, words);

	checks_figure(check, "age_seconds", age_ns / NSEC_PER_SEC);
}

/* Whether the log said something. */
static bool check_said(const struct doctor_options *o, struct checks *c, const char *path)
{
	struct stat st;
	int fd = open_log(path, o->log, &st);
	char *tail, *line;
	uint64_t written_ns;
	bool said;

	if (fd < 0)
		return false;
	tail = xmalloc(TAIL_MAX + 1);
	line = last_line(tail, read_tail(fd, st.st_size, tail));
	close(fd);
	written_ns = st.st_mtim.tv_sec < 0 ? 0 : (uint64_t)st.st_mtim.tv_sec * NSEC_PER_SEC;
	said = *line;
	if (said)
		say_line(c, path, ago(clock_real_ns(), written_ns), line);
	free(tail);
	return said;
}

/* The file where it is there, else its folder. */
static int try_writing(const struct doctor_options *o, const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
		      (o->log ? 0 : O_NOFOLLOW));
	struct folder f;

	if (fd < 0)
		return errno == ENOENT ? folder_try(&f, path) : -errno;
	close(fd);
	return 0;
}

static void check_log(const struct doctor_options *o, struct checks *c)
{
	const char *path = o->log ? o->log : PUSH_LOG_EXEC;
	int r = try_writing(o, path);
	struct check *check;

	if (r) {
		check = checks_say(c, "log", CHECK_WARN, 0, "%.*s cannot be written: %s", DIR_SHOWN,
				   path, strerror(-r));
		err_hint(&check->err, "exec --log FILE (PYSTOKER_LOG) names another file");
	}
	if (!check_said(o, c, path) && !r)
		checks_say(c, "log", CHECK_OK, 0, "%.*s can be written", DIR_SHOWN, path);
}

void doctor_pusher(const struct doctor_options *o, struct checks *c)
{
	check_pusher(o, c);
	if (!o->log || strcmp(o->log, "-") != 0)
		check_log(o, c);
}
