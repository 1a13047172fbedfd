/* SPDX-License-Identifier: MIT
 * The folder of one run: every access is relative to an open folder and follows no link. */
#include "spool_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "spool_name.h"
#include "util/clock.h"
#include "util/xalloc.h"

/* linux/fs.h, Linux 3.15; not in the headers of older libcs. */
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#endif

enum {
	ENTRIES_MAX = 1 << 20, /* entries of one folder read at all */
	TEMP_TRIES = 100,
	LIST_FIRST = 64,
	ASKER_TRIES = 1000,    /* a millisecond apart */
};

static const char LOCK[] = "lock";

static const struct {
	const char *folder, *suffix;
} places[SPOOL_PLACES] = {
	[SPOOL_WAITING] = { ".", "pb.gz" },
	[SPOOL_SENT] = { "sent", "pb.gz" },
	[SPOOL_RUNNING] = { "running", "pb" },
};

/* --- locks ------------------------------------------------------------------
 * A flock belongs to the open file, which fork() shares: a child would keep our lock when we are
 * gone, and nobody would adopt what we left. So every held lock is listed here, and closed in the
 * child of each fork(). */
static pthread_mutex_t held_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct spool_run *held;

static void before_fork(void)
{
	pthread_mutex_lock(&held_mutex);
}

static void after_fork_parent(void)
{
	pthread_mutex_unlock(&held_mutex);
}

static void after_fork_child(void)
{
	for (struct spool_run *r = held; r; r = r->next) {
		close(r->lock);
		r->lock = -1;
	}
	held = NULL;
	pthread_mutex_unlock(&held_mutex);
}

static void watch_forks(void)
{
	pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

/* 0, or -errno. Whoever only asks whether a run lives (spool_survey) holds its lock, shared, for a
 * moment, and must not keep it from us for good: then we get it shared too, and try again. */
static int lock_exclusive(int fd)
{
	static const struct timespec pause = { .tv_nsec = NSEC_PER_MSEC };

	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB); i++) {
		if (errno != EWOULDBLOCK || i == ASKER_TRIES || flock(fd, LOCK_SH | LOCK_NB))
			return errno == EWOULDBLOCK ? -EBUSY : -errno;
		flock(fd, LOCK_UN);
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* Opens and takes RUN/lock, making it where there is none. O_NONBLOCK: somebody may have put a FIFO
 * there. A lock file that was removed while we waited to open it locks nothing: -EBUSY too. */
static int lock_open(int folder)
{
	int fd = openat(folder, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
		r = -EPERM;
	else
		r = lock_exclusive(fd);
	if (r == 0 && (fstat(fd, &st) || st.st_nlink == 0))
		r = -EBUSY;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static int lock_take(struct spool_run *r)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, watch_forks);
	pthread_mutex_lock(&held_mutex);
	r->lock = lock_open(r->folder[SPOOL_WAITING]);
	if (r->lock >= 0) {
		r->next = held;
		held = r;
	}
	pthread_mutex_unlock(&held_mutex);
	return r->lock < 0 ? r->lock : 0;
}

static void lock_give(struct spool_run *r)
{
	pthread_mutex_lock(&held_mutex);
	for (struct spool_run **p = &held; *p; p = &(*p)->next) {
		if (*p != r)
			continue;
		*p = r->next;
		break;
	}
	if (r->lock >= 0) {
		flock(r->lock, LOCK_UN);
		close(r->lock);
	}
	r->lock = -1;
	pthread_mutex_unlock(&held_mutex);
}

/* --- the folder --------------------------------------------------------------- */

static int open_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		r = -errno;
	else if (st.st_uid != geteuid())
		r = -EPERM;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static int open_subfolder(struct spool_run *r, enum spool_place place)
{
	int at = r->folder[SPOOL_WAITING];

	if (mkdirat(at, places[place].folder, 0700) && errno != EEXIST)
		return -errno;
	r->folder[place] = open_folder(at, places[place].folder);
	return r->folder[place] < 0 ? r->folder[place] : 0;
}

static void close_all(struct spool_run *r)
{
	for (int i = 0; i < SPOOL_PLACES; i++) {
		if (r->folder[i] >= 0)
			close(r->folder[i]);
		r->folder[i] = -1;
	}
}

static int open_and_lock(struct spool_run *r, int dir, const char *name)
{
	int err;

	*r = (struct spool_run){ .folder = { -1, -1, -1 }, .lock = -1 };
	r->folder[SPOOL_WAITING] = open_folder(dir, name);
	if (r->folder[SPOOL_WAITING] < 0)
		return r->folder[SPOOL_WAITING];
	err = lock_take(r);
	if (err < 0)
		close_all(r);
	return err;
}

/* Between mkdir and lock another run may find the folder without a lock, adopt its nothing and remove
 * it: then the lock cannot be had or made, and another name is tried. */
int spool_run_make(struct spool_run *r, int dir, const char *name)
{
	int err = mkdirat(dir, name, 0700) ? -errno : open_and_lock(r, dir, name);

	if (err < 0 && err != -EEXIST)
		unlinkat(dir, name, AT_REMOVEDIR); /* made, but no room for the lock, say */
	if (err < 0)
		return err == -ENOENT || err == -EBUSY ? -EEXIST : err;
	err = open_subfolder(r, SPOOL_SENT);
	if (err == 0)
		err = open_subfolder(r, SPOOL_RUNNING);
	if (err < 0)
		spool_run_leave(r, dir, name, true);
	else
		fsync(dir); /* as well as it goes: the files' own fsync mostly carries it */
	return err;
}

int spool_run_take(struct spool_run *r, int dir, const char *name)
{
	int err = open_and_lock(r, dir, name);

	if (err < 0)
		return err;
	/* Without these there is less to adopt, that is all. */
	for (int i = SPOOL_SENT; i < SPOOL_PLACES; i++)
		r->folder[i] = open_folder(r->folder[SPOOL_WAITING], places[i].folder);
	return 0;
}

static bool is_empty(const struct spool_run *r)
{
	struct spool_key *keys;
	uint64_t others = 0;
	size_t n = spool_run_list(r, SPOOL_WAITING, 1, &keys, &others);

	free(keys);
	return n == 0 && others == 0;
}

/* The lock goes before its folder; whoever makes a new one in between has taken the folder over, and
 * rmdir() fails. */
void spool_run_leave(struct spool_run *r, int dir, const char *name, bool remove)
{
	int at = r->folder[SPOOL_WAITING];
	bool gone = false;

	if (remove && at >= 0) {
		bool sent = unlinkat(at, places[SPOOL_SENT].folder, AT_REMOVEDIR) == 0 || errno == ENOENT;
		bool run = unlinkat(at, places[SPOOL_RUNNING].folder, AT_REMOVEDIR) == 0 ||
			   errno == ENOENT;

		gone = sent && run && is_empty(r) && unlinkat(at, LOCK, 0) == 0;
	}
	if (gone)
		unlinkat(dir, name, AT_REMOVEDIR);
	lock_give(r);
	close_all(r);
}

bool spool_run_lost(const struct spool_run *r)
{
	struct stat st;

	return fstat(r->folder[SPOOL_WAITING], &st) || st.st_nlink == 0;
}

bool spool_run_is_ours(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == geteuid() && st->st_nlink == 1 &&
	       st->st_size <= (off_t)SPOOL_FILE_MAX;
}

int spool_run_stat(const struct spool_run *r, enum spool_place place, const struct spool_key *key,
		   struct stat *ret)
{
	char name[SPOOL_NAME_MAX];

	spool_name_item(name, key, places[place].suffix);
	return fstatat(r->folder[place], name, ret, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}

/* Some file systems cannot sync a folder and say so: that is no reason to distrust them. */
static int sync_folder(int fd)
{
	if (fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP)
		return 0;
	return -errno;
}

int spool_run_sync(const struct spool_run *r)
{
	int a = sync_folder(r->folder[SPOOL_WAITING]), b = sync_folder(r->folder[SPOOL_SENT]);

	return a < 0 ? a : b;
}

/* --- files ----------------------------------------------------------------------- */

static int rename_checked(int from_fd, const char *from, int to_fd, const char *to)
{
	struct stat st;

	if (fstatat(to_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(from_fd, from, to_fd, to) ? -errno : 0;
}

/* Not all file systems know RENAME_NOREPLACE (EINVAL), nor hard links. The last way has a gap between
 * look and rename, in a folder where nobody but us makes files. */
static int rename_new(int from_fd, const char *from, int to_fd, const char *to)
{
	if (syscall(SYS_renameat2, from_fd, from, to_fd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	return rename_checked(from_fd, from, to_fd, to);
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int set_mtime(int fd, uint64_t ns)
{
	struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = (time_t)(ns / NSEC_PER_SEC), .tv_nsec = (long)(ns % NSEC_PER_SEC) },
	};

	return futimens(fd, times) ? -errno : 0;
}

struct content {
	const void *data;
	size_t len;
	uint64_t mtime_ns;
	bool sync;
};

static int fill(int fd, const struct content *c)
{
	int r = write_all(fd, c->data, c->len);

	if (r == 0 && c->mtime_ns)
		r = set_mtime(fd, c->mtime_ns);
	if (r == 0 && c->sync && fsync(fd))
		r = -errno;
	return r;
}

/* A nameless file that gets its name when it is complete. -EOPNOTSUPP: not here. */
static int put_nameless(int folder, const char *name, const struct content *c)
{
	int fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	char link[64];
	int r;

	/* open(2): EISDIR by old kernels, EOPNOTSUPP by file systems, EINVAL by some; EPERM by ext4 in a
	 * removed folder, where the named way fails with the true reason. */
	if (fd < 0)
		return errno == EISDIR || errno == EINVAL || errno == EPERM ? -EOPNOTSUPP : -errno;
	r = fill(fd, c);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (r == 0 && linkat(AT_FDCWD, link, folder, name, AT_SYMLINK_FOLLOW)) {
		r = -errno;
		/* No /proc, or no hard links: as good as no O_TMPFILE. */
		if (r == -ENOENT || r == -ENOTDIR || r == -EPERM || r == -EXDEV || r == -EACCES)
			r = -EOPNOTSUPP;
	}
	close(fd);
	return r;
}

static int make_temp(struct spool_run *r, int folder, char name[SPOOL_NAME_MAX])
{
	for (int i = 0; i < TEMP_TRIES; i++) {
		int fd;

		spool_name_temp(name, r->temporaries++);
		fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd < 0 ? -errno : fd;
	}
	return -EEXIST;
}

static int put_named(struct spool_run *r, int folder, const char *name, const struct content *c,
		     bool replace)
{
	char temp[SPOOL_NAME_MAX];
	int fd = make_temp(r, folder, temp), err;

	if (fd < 0)
		return fd == -EEXIST ? -EIO : fd;
	err = fill(fd, c);
	if (close(fd) && err == 0)
		err = -errno; /* NFS tells of a full disk only here */
	if (err == 0 && replace)
		err = renameat(folder, temp, folder, name) ? -errno : 0;
	else if (err == 0)
		err = rename_new(folder, temp, folder, name);
	if (err < 0)
		unlinkat(folder, temp, 0);
	return err;
}

int spool_run_put(struct spool_run *r, enum spool_place place, const struct spool_key *key,
		  const void *data, size_t len, uint64_t mtime_ns)
{
	struct content c = { data, len, mtime_ns, true };
	int folder = r->folder[place], err = -EOPNOTSUPP;
	char name[SPOOL_NAME_MAX];

	spool_name_item(name, key, places[place].suffix);
	if (!r->by_name)
		err = put_nameless(folder, name, &c);
	if (err == -EOPNOTSUPP) {
		err = put_named(r, folder, name, &c, false);
		r->by_name = r->by_name || err == 0;
	}
	if (err < 0)
		return err;
	err = sync_folder(folder);
	if (err < 0) /* may be there after a crash, may not: the caller keeps it otherwise */
		unlinkat(folder, name, 0);
	return err;
}

int spool_run_checkpoint(struct spool_run *r, const struct spool_key *key, const void *data,
			 size_t len)
{
	struct content c = { .data = data, .len = len };
	char name[SPOOL_NAME_MAX];

	spool_name_item(name, key, places[SPOOL_RUNNING].suffix);
	return put_named(r, r->folder[SPOOL_RUNNING], name, &c, true);
}

int spool_run_open(const struct spool_run *r, enum spool_place place, const struct spool_key *key)
{
	char name[SPOOL_NAME_MAX];
	struct stat st;
	int fd;

	spool_name_item(name, key, places[place].suffix);
	fd = openat(r->folder[place], name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !spool_run_is_ours(&st)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

int spool_run_slurp(int fd, struct buf *ret)
{
	size_t before = ret->len;
	char step[16384];
	ssize_t n;

	while ((n = read(fd, step, sizeof(step))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		if (ret->len - before > SPOOL_FILE_MAX)
			break; /* grows under our hands */
		buf_add(ret, step, (size_t)n);
	}
	n = n < 0 ? -errno : n > 0 ? -EFBIG : 0;
	close(fd);
	return (int)n;
}

int spool_run_move(const struct spool_run *from, enum spool_place place,
		   const struct spool_key *key, const struct spool_run *to,
		   enum spool_place to_place, const struct spool_key *to_key)
{
	char name[SPOOL_NAME_MAX], to_name[SPOOL_NAME_MAX];

	spool_name_item(name, key, places[place].suffix);
	spool_name_item(to_name, to_key, places[to_place].suffix);
	return rename_new(from->folder[place], name, to->folder[to_place], to_name);
}

/* The time before the move: a file in sent/ never has a wrong one, however we end. */
int spool_run_mark_sent(const struct spool_run *r, const struct spool_key *key, uint64_t real_ns)
{
	int fd = spool_run_open(r, SPOOL_WAITING, key), err;

	if (fd < 0)
		return fd;
	err = set_mtime(fd, real_ns);
	close(fd);
	return err < 0 ? err : spool_run_move(r, SPOOL_WAITING, key, r, SPOOL_SENT, key);
}

int spool_run_remove(const struct spool_run *r, enum spool_place place, const struct spool_key *key)
{
	char name[SPOOL_NAME_MAX];

	spool_name_item(name, key, places[place].suffix);
	return unlinkat(r->folder[place], name, 0) ? -errno : 0;
}

/* --- listing ------------------------------------------------------------------------ */

struct listing {
	struct spool_key *keys;
	size_t count, cap, max;
	uint64_t ignored;
};

static bool is_usual(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, LOCK) ||
	       !strcmp(name, places[SPOOL_SENT].folder) || !strcmp(name, places[SPOOL_RUNNING].folder);
}

/* By name and by kind: whoever puts a file of our name there that is none of ours keeps it. */
static void remove_temp(int folder, const char *name)
{
	struct stat st;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid())
		unlinkat(folder, name, 0);
}

static void list_entry(struct listing *l, int folder, const char *name, const char *suffix)
{
	struct spool_key key;

	if (is_usual(name))
		return;
	if (spool_name_is_temp(name)) {
		remove_temp(folder, name);
		return;
	}
	if (!spool_name_parse_item(&key, name, suffix) || l->count == l->max) {
		l->ignored++;
		return;
	}
	if (l->count == l->cap) {
		l->cap = l->cap ? l->cap * 2 : LIST_FIRST;
		l->keys = xreallocarray(l->keys, l->cap, sizeof(*l->keys));
	}
	l->keys[l->count++] = key;
}

static int order_keys(const void *a, const void *b)
{
	return spool_name_order(a, b);
}

size_t spool_run_list(const struct spool_run *r, enum spool_place place, size_t max,
		      struct spool_key **ret, uint64_t *ignored)
{
	struct listing l = { .max = max };
	int fd = r->folder[place] < 0 ? -1 : openat(r->folder[place], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir && fd >= 0)
		close(fd);
	for (int i = 0; dir && i < ENTRIES_MAX && (d = readdir(dir)); i++)
		list_entry(&l, r->folder[place], d->d_name, places[place].suffix);
	if (dir)
		closedir(dir);
	if (l.count)
		qsort(l.keys, l.count, sizeof(*l.keys), order_keys);
	*ret = l.keys;
	*ignored += l.ignored;
	return l.count;
}
