/* SPDX-License-Identifier: MIT
 * A spool seen from outside, as doctor looks at one. Runs come, end and adopt each other meanwhile:
 * what is gone when it is looked at is not counted. */
#include "ship/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool_name.h"
#include "util/clock.h"

enum {
	RUNS_MAX = 4096,        /* as many as adoption looks into */
	ENTRIES_MAX = 1 << 20,  /* entries read in all folders together */
};

struct surveyor {
	struct spool_survey *to;
	size_t entries;         /* read so far */
	size_t items;           /* files looked at so far */
};

static uint64_t time_of(const struct timespec *t)
{
	return t->tv_sec < 0 ? 0 : (uint64_t)t->tv_sec * NSEC_PER_SEC + (uint64_t)t->tv_nsec;
}

/* Takes the descriptor. */
static DIR *open_stream(int fd)
{
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (!stream && fd >= 0)
		close(fd);
	return stream;
}

static int open_folder(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The next name but "." and "..", within what may be read. */
static const char *next_name(struct surveyor *s, DIR *stream)
{
	struct dirent *d;

	while (stream && (d = readdir(stream))) {
		if (s->entries == ENTRIES_MAX) {
			s->to->partial = true;
			return NULL;
		}
		s->entries++;
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
			return d->d_name;
	}
	return NULL;
}

/* --- files ---------------------------------------------------------------------------------- */

enum kind { WAITING, SENT, RUNNING };

static const struct {
	const char *folder, *suffix;
} kinds[] = {
	[WAITING] = { ".", "pb.gz" },
	[SENT] = { "sent", "pb.gz" },
	[RUNNING] = { "running", "pb" },
};

static bool is_usual(const char *name)
{
	return !strcmp(name, "lock") || !strcmp(name, kinds[SENT].folder) ||
	       !strcmp(name, kinds[RUNNING].folder) || spool_name_is_temp(name);
}

static bool is_ours(const struct surveyor *s, const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == s->to->owner && st->st_nlink == 1 &&
	       st->st_size <= (off_t)SPOOL_FILE_MAX;
}

static void count_waiting(struct spool_survey *to, const struct spool_key *key,
			  const struct stat *st)
{
	to->waiting++;
	to->waiting_bytes += (uint64_t)st->st_size;
	if (!to->oldest_ns || key->time_ns < to->oldest_ns)
		to->oldest_ns = key->time_ns;
}

static void count_sent(struct spool_survey *to, const struct stat *st)
{
	uint64_t when = time_of(&st->st_mtim);

	to->sent++;
	if (when > to->newest_sent_ns)
		to->newest_sent_ns = when;
}

static void count_file(struct surveyor *s, int folder, const char *name, enum kind kind)
{
	struct spool_key key;
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW))
		return;
	if (!spool_name_parse_item(&key, name, kinds[kind].suffix) || !is_ours(s, &st))
		s->to->ignored++;
	else if (s->items == SPOOL_ITEMS_MAX)
		s->to->partial = true;
	else if (++s->items && kind == WAITING && st.st_size > 0) /* empty: adoption removes it */
		count_waiting(s->to, &key, &st);
	else if (kind == SENT)
		count_sent(s->to, &st);
	else if (kind == RUNNING)
		s->to->checkpoints++;
}

static void count_files(struct surveyor *s, int run, enum kind kind)
{
	DIR *stream = open_stream(open_folder(run, kinds[kind].folder));
	const char *name;

	while ((name = next_name(s, stream)))
		if (kind != WAITING || !is_usual(name))
			count_file(s, dirfd(stream), name, kind);
	if (stream)
		closedir(stream);
}

/* --- runs ----------------------------------------------------------------------------------- */

/* O_NONBLOCK: somebody may have put a FIFO there. No lock: nobody holds it. */
static bool is_alive(const struct surveyor *s, int run)
{
	int fd = openat(run, "lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	bool held;

	if (fd < 0)
		return false;
	held = !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == s->to->owner &&
	       flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd);
	return held;
}

/* Keeps the list in its order, the newest first; the oldest falls out. */
static void note_alive(struct spool_survey *to, const struct spool_run_name *run)
{
	uint64_t since_ns = run->seconds > UINT64_MAX / NSEC_PER_SEC ? UINT64_MAX :
			    run->seconds * NSEC_PER_SEC;
	size_t n = to->live < SPOOL_SURVEY_LIVE_MAX ? to->live : SPOOL_SURVEY_LIVE_MAX, i = n;

	to->live++;
	while (i > 0 && to->alive[i - 1].since_ns < since_ns)
		i--;
	if (i == SPOOL_SURVEY_LIVE_MAX)
		return;
	if (n == SPOOL_SURVEY_LIVE_MAX)
		n--;
	memmove(&to->alive[i + 1], &to->alive[i], (n - i) * sizeof(to->alive[0]));
	to->alive[i].pid = run->pid;
	to->alive[i].since_ns = since_ns;
}

static void survey_run(struct surveyor *s, int dir, const char *name)
{
	struct spool_run_name run;
	bool is_run = spool_name_parse_run(&run, name);
	int folder = is_run ? open_folder(dir, name) : -1;
	struct stat st;

	if (is_run && folder < 0 && (errno == EACCES || errno == EPERM)) {
		s->to->unread++;
	} else if (folder < 0 || fstat(folder, &st) || st.st_uid != s->to->owner) {
		s->to->ignored++;
	} else if (s->to->runs == RUNS_MAX) {
		s->to->partial = true;
	} else {
		s->to->runs++;
		if (is_alive(s, folder))
			note_alive(s->to, &run);
		else
			count_files(s, folder, RUNNING);
		count_files(s, folder, WAITING);
		count_files(s, folder, SENT);
	}
	if (folder >= 0)
		close(folder);
}

int spool_survey(struct spool_survey *ret, const char *dir)
{
	struct surveyor s = { .to = ret };
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	const char *name;
	DIR *stream;

	*ret = (struct spool_survey){ 0 };
	if (fd < 0)
		return -errno;
	stream = open_stream(fd);
	if (!stream || fstat(dirfd(stream), &st)) {
		int r = -errno;

		if (stream)
			closedir(stream);
		return r;
	}
	ret->owner = st.st_uid;
	while ((name = next_name(&s, stream)))
		survey_run(&s, dirfd(stream), name);
	closedir(stream);
	return 0;
}
