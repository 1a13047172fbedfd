/* SPDX-License-Identifier: MIT
 * The spool: which item goes where, and when it goes.
 *
 * Two mutexes. `disk` is held by whoever changes anything, over the I/O that belongs to it; `lock`
 * guards the index and the counters for the moment of the change itself. So who only asks
 * (spool_next, spool_stats) takes `lock` alone and never waits for a disk; who holds `disk` may read
 * the index without `lock`. Order: disk, then lock. */
#include "ship/spool.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool_adopt.h"
#include "spool_dir.h"
#include "spool_index.h"
#include "spool_name.h"
#include "util/clock.h"
#include "util/xalloc.h"

enum {
	RUN_TRIES = 64,         /* names of our run tried, a second apart */
	NAME_TRIES = 1000,      /* names of an item tried that files of others have */
	CHECKPOINTS_MAX = 4096, /* (pid, kind) */
};

struct spool {
	pthread_mutex_t disk, lock;
	struct spool_config config;
	pid_t pid;                  /* who opened it */
	char *dir;                  /* absolute */
	char *folder;               /* dir/name; NULL before the first time that works */
	char name[SPOOL_NAME_MAX];  /* of our run */
	int dirfd;                  /* -1: memory only */
	struct spool_run run;       /* valid when dirfd >= 0 */
	struct spool_index index;
	struct spool_key *checkpoints;
	size_t checkpoint_count;
	struct spool_stats counts;  /* what the index does not know */
};

static uint64_t real_now(const struct spool *s)
{
	return s->config.now_real_ns ? s->config.now_real_ns() : clock_real_ns();
}

static uint64_t mono_now(const struct spool *s)
{
	return s->config.now_mono_ns ? s->config.now_mono_ns() : clock_mono_ns();
}

static uint64_t since(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0;
}

static void add_up(struct spool *s, uint64_t *counter, uint64_t n)
{
	pthread_mutex_lock(&s->lock);
	*counter += n;
	pthread_mutex_unlock(&s->lock);
}

static void set_disk_error(struct spool *s, int error)
{
	pthread_mutex_lock(&s->lock);
	s->counts.disk_error = error;
	pthread_mutex_unlock(&s->lock);
}

/* --- the items; `disk` is held ---------------------------------------------------- */

static void insert(struct spool *s, const struct spool_entry *e)
{
	pthread_mutex_lock(&s->lock);
	spool_index_add(&s->index, e);
	pthread_mutex_unlock(&s->lock);
}

/* Out of the index first, so that nobody is offered what is about to vanish. A file that cannot be
 * removed is adopted by the next run. `counter` (may be NULL) counts waiting ones. */
static void drop(struct spool *s, struct spool_entry *e, uint64_t *counter)
{
	enum spool_place place = e->place;
	struct spool_key key = e->item.key;

	pthread_mutex_lock(&s->lock);
	if (counter && !e->sent)
		++*counter;
	spool_index_remove(&s->index, e);
	pthread_mutex_unlock(&s->lock);
	if (place != SPOOL_MEMORY && s->dirfd >= 0)
		spool_run_remove(&s->run, place, &key);
}

static uint64_t bytes_held(const struct spool *s)
{
	return s->index.waiting.bytes + s->index.sent.bytes;
}

static size_t items_held(const struct spool *s)
{
	return s->index.waiting.count + s->index.sent.count;
}

static bool is_full(const struct spool *s, size_t bytes, size_t items)
{
	return (s->config.bytes_max && bytes_held(s) + bytes > s->config.bytes_max) ||
	       items_held(s) + items > SPOOL_ITEMS_MAX;
}

/* Drops what is worth less than a new item of that time. False: there is nothing. */
static bool make_room(struct spool *s, const struct spool_key *key, size_t len)
{
	if (s->config.bytes_max && len > s->config.bytes_max)
		return false;
	while (is_full(s, len, 1)) {
		struct spool_entry *e = spool_index_victim(&s->index, false);

		if (!e || (!e->sent && spool_name_order(&e->item.key, key) > 0))
			return false;
		drop(s, e, &s->counts.dropped_size);
	}
	return true;
}

static bool make_memory_room(struct spool *s, const struct spool_key *key, size_t len)
{
	if (len > SPOOL_MEMORY_MAX)
		return false;
	while (s->index.memory_bytes + len > SPOOL_MEMORY_MAX) {
		struct spool_entry *e = spool_index_victim(&s->index, true);

		if (!e || (!e->sent && spool_name_order(&e->item.key, key) > 0))
			return false;
		drop(s, e, &s->counts.dropped_size);
	}
	return true;
}

/* After a write that failed by -errno. Has somebody removed our folder (file systems answer with
 * this errno and that), spool_tend() makes it again. */
static void note_failure(struct spool *s, int error)
{
	bool lost = spool_run_lost(&s->run);

	set_disk_error(s, lost ? ENOENT : -error);
	if (!lost)
		return;
	spool_run_leave(&s->run, s->dirfd, s->name, false);
	close(s->dirfd);
	s->dirfd = -1;
}

/* Writes the bytes under *key or, where that name is taken by a file we do not know, a later one. */
static int put(struct spool *s, enum spool_place place, struct spool_key *key, const void *data,
	       size_t len, uint64_t mtime_ns)
{
	int r = -EEXIST;

	if (s->dirfd < 0)
		return -ENODEV;
	for (int i = 0; i < NAME_TRIES && r == -EEXIST; i++) {
		r = spool_run_put(&s->run, place, key, data, len, mtime_ns);
		if (r == -EEXIST) {
			key->time_ns += NSEC_PER_MSEC;
			spool_index_unique(&s->index, key);
		}
	}
	if (r < 0)
		note_failure(s, r);
	else
		set_disk_error(s, 0);
	return r;
}

static int add(struct spool *s, struct spool_entry *e, const void *data, size_t len)
{
	spool_index_unique(&s->index, &e->item.key);
	if (put(s, SPOOL_WAITING, &e->item.key, data, len, 0) < 0) {
		if (!make_memory_room(s, &e->item.key, len))
			return -ENOSPC;
		e->place = SPOOL_MEMORY;
		e->data = xmalloc(len);
		memcpy(e->data, data, len);
	}
	insert(s, e);
	return 0;
}

int spool_add(struct spool *s, const struct spool_key *key, const void *data, size_t len)
{
	struct spool_entry e = { .item = { .key = *key, .bytes = len }, .place = SPOOL_WAITING };
	int r;

	if (len == 0 || !spool_name_valid(key))
		return -EINVAL;
	e.item.key.time_ns -= key->time_ns % NSEC_PER_MSEC;
	e.known_ns = mono_now(s);
	pthread_mutex_lock(&s->disk);
	r = -ENOSPC;
	if (len <= SPOOL_FILE_MAX && make_room(s, &e.item.key, len))
		r = add(s, &e, data, len);
	if (r < 0)
		add_up(s, &s->counts.dropped_size, 1);
	pthread_mutex_unlock(&s->disk);
	return r;
}

bool spool_next(struct spool *s, const uint64_t *except, size_t n, struct spool_item *ret)
{
	struct spool_entry *e;

	pthread_mutex_lock(&s->lock);
	e = spool_index_newest(&s->index, except, n);
	if (e)
		*ret = e->item;
	pthread_mutex_unlock(&s->lock);
	return e;
}

static bool may_pass(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -EINTR;
}

/* The file is there but cannot be read, or is gone: out of the index, without touching the disk. */
static int give_up(struct spool *s, uint64_t id, int error)
{
	struct spool_entry *e;

	if (may_pass(error))
		return error;
	pthread_mutex_lock(&s->disk);
	pthread_mutex_lock(&s->lock);
	e = spool_index_find(&s->index, id);
	if (e)
		spool_index_remove(&s->index, e);
	pthread_mutex_unlock(&s->lock);
	pthread_mutex_unlock(&s->disk);
	return error;
}

/* Only the opening needs `disk`: an open file stays readable whatever becomes of its name. */
static int open_item(struct spool *s, uint64_t id, struct buf *ret)
{
	struct spool_entry *e;
	int fd = -ENOENT;

	pthread_mutex_lock(&s->disk);
	e = spool_index_find(&s->index, id);
	if (e && e->item.in_memory) {
		buf_add(ret, e->data, e->item.bytes);
		fd = -EALREADY;
	} else if (e && s->dirfd >= 0) {
		fd = spool_run_open(&s->run, e->place, &e->item.key);
	}
	pthread_mutex_unlock(&s->disk);
	return fd;
}

int spool_read(struct spool *s, uint64_t id, struct buf *ret)
{
	size_t before = ret->len;
	int fd = open_item(s, id, ret), r;

	if (fd == -EALREADY)
		return 0;
	r = fd < 0 ? fd : spool_run_slurp(fd, ret);
	if (r == 0)
		return 0;
	ret->len = before;
	return give_up(s, id, r);
}

/* --- the fate of an item ----------------------------------------------------------- */

static void turn(struct spool *s, struct spool_entry *e, bool sent)
{
	pthread_mutex_lock(&s->lock);
	e->age_ns = sent ? 0 : e->age_ns;
	e->known_ns = mono_now(s);
	e->item.sent_ns = sent ? real_now(s) : 0;
	spool_index_turn(&s->index, e, sent);
	pthread_mutex_unlock(&s->lock);
}

void spool_sent(struct spool *s, uint64_t id)
{
	struct spool_entry *e;

	pthread_mutex_lock(&s->disk);
	e = spool_index_find(&s->index, id);
	if (e && !e->sent) {
		turn(s, e, true);
		if (s->config.keep_sent_ns == 0)
			drop(s, e, NULL);
		else if (e->place == SPOOL_WAITING && s->dirfd >= 0 &&
			 spool_run_mark_sent(&s->run, &e->item.key, e->item.sent_ns) == 0)
			e->place = SPOOL_SENT;
		/* Else it stays where it is: should we die, it is sent once more. */
	}
	pthread_mutex_unlock(&s->disk);
}

static void drop_id(struct spool *s, uint64_t id, uint64_t *counter)
{
	struct spool_entry *e;

	pthread_mutex_lock(&s->disk);
	e = spool_index_find(&s->index, id);
	if (e)
		drop(s, e, counter);
	pthread_mutex_unlock(&s->disk);
}

void spool_refuse(struct spool *s, uint64_t id)
{
	drop_id(s, id, &s->counts.dropped_refused);
}

void spool_remove(struct spool *s, uint64_t id)
{
	drop_id(s, id, NULL);
}

static void resend(struct spool *s, struct spool_entry *e)
{
	if (e->place == SPOOL_SENT && s->dirfd >= 0 &&
	    spool_run_move(&s->run, SPOOL_SENT, &e->item.key, &s->run, SPOOL_WAITING,
			   &e->item.key) == 0)
		e->place = SPOOL_WAITING;
	turn(s, e, false);
}

size_t spool_resend(struct spool *s, uint64_t since_ns)
{
	struct spool_list *sent = &s->index.sent;
	uint64_t span, mono = mono_now(s);
	size_t n = 0;

	pthread_mutex_lock(&s->disk);
	span = since(real_now(s), since_ns);
	for (size_t i = sent->count; i-- > 0;) {
		struct spool_entry *e = spool_list_at(sent, i);

		if (e->item.sent_ns < since_ns && e->age_ns + since(mono, e->known_ns) >= span)
			continue;
		resend(s, e);
		n++;
	}
	pthread_mutex_unlock(&s->disk);
	return n;
}

/* --- checkpoints ---------------------------------------------------------------------- */

static struct spool_key *checkpoint_find(struct spool *s, pid_t pid, const char *kind)
{
	for (size_t i = 0; i < s->checkpoint_count; i++) {
		struct spool_key *c = &s->checkpoints[i];

		if (c->pid == pid && !strncmp(c->kind, kind, sizeof(c->kind)))
			return c;
	}
	return NULL;
}

/* The new one first, then the one before: killed in between, both are there, and the one before is of
 * an interval that is complete. */
static int checkpoint(struct spool *s, const struct spool_key *key, const void *data, size_t len)
{
	struct spool_key *old = checkpoint_find(s, key->pid, key->kind);
	int r;

	if (s->dirfd < 0)
		return -ENODEV;
	if (!old && s->checkpoint_count == CHECKPOINTS_MAX)
		return -ENOSPC;
	r = spool_run_checkpoint(&s->run, key, data, len);
	if (r < 0) {
		note_failure(s, r);
		return r;
	}
	if (old && !spool_name_same(old, key))
		spool_run_remove(&s->run, SPOOL_RUNNING, old);
	if (!old) {
		s->checkpoints = xreallocarray(s->checkpoints, s->checkpoint_count + 1, sizeof(*old));
		old = &s->checkpoints[s->checkpoint_count++];
	}
	*old = *key;
	return 0;
}

int spool_checkpoint(struct spool *s, const struct spool_key *key, const void *data, size_t len)
{
	int r;

	if (len == 0 || !spool_name_valid(key))
		return -EINVAL;
	if (len > SPOOL_FILE_MAX)
		return -EFBIG;
	pthread_mutex_lock(&s->disk);
	r = checkpoint(s, key, data, len);
	pthread_mutex_unlock(&s->disk);
	return r;
}

void spool_checkpoint_drop(struct spool *s, pid_t pid, const char *kind)
{
	struct spool_key *c;

	pthread_mutex_lock(&s->disk);
	c = checkpoint_find(s, pid, kind);
	if (c) {
		if (s->dirfd >= 0)
			spool_run_remove(&s->run, SPOOL_RUNNING, c);
		*c = s->checkpoints[--s->checkpoint_count];
	}
	pthread_mutex_unlock(&s->disk);
}

/* --- opening and tending ------------------------------------------------------------- */

/* One file of an ended run: into our folder, under a name that is free there and here. */
static int take(void *arg, const struct spool_run *from, enum spool_place place,
		const struct spool_key *key, const struct stat *st)
{
	struct spool *s = arg;
	struct spool_entry e = {
		.item = { .key = *key, .bytes = (size_t)st->st_size },
		.place = place, .sent = place == SPOOL_SENT, .known_ns = mono_now(s),
	};
	int r = -EEXIST;

	if (items_held(s) >= SPOOL_ITEMS_MAX)
		return -E2BIG;
	for (int i = 0; i < NAME_TRIES && r == -EEXIST; i++) {
		spool_index_unique(&s->index, &e.item.key);
		r = spool_run_move(from, place, key, &s->run, place, &e.item.key);
		if (r == -EEXIST)
			e.item.key.time_ns += NSEC_PER_MSEC;
	}
	if (r < 0)
		return r;
	if (e.sent)
		e.item.sent_ns = (uint64_t)st->st_mtim.tv_sec * NSEC_PER_SEC + (uint64_t)st->st_mtim.tv_nsec;
	e.age_ns = since(real_now(s), e.sent ? e.item.sent_ns : key->time_ns);
	insert(s, &e);
	add_up(s, &s->counts.adopted, 1);
	return 0;
}

static void adopt(struct spool *s, struct err *err)
{
	struct spool_adopter a = { .take = take, .arg = s };

	spool_adopt(&a, s->dirfd, &s->run);
	add_up(s, &s->counts.dropped_broken, a.broken);
	add_up(s, &s->counts.ignored, a.ignored);
	if (a.ignored)
		err_set(err, 0, EXIT_OUTPUT, "spool folder %s: %" PRIu64 " files of ended runs were left "
			"alone: not ours, or too many", s->dir, a.ignored);
}

/* The name we had, should our folder have been lost; else one of this second, or a later one. */
static int make_run(struct spool *s, int dir)
{
	struct spool_run_name name = { real_now(s) / NSEC_PER_SEC, getpid() };
	int r = s->folder ? spool_run_make(&s->run, dir, s->name) : -EEXIST;

	if (name.seconds < SPOOL_RUN_SECONDS_MIN)
		name.seconds = SPOOL_RUN_SECONDS_MIN;
	for (int i = 0; i < RUN_TRIES && r == -EEXIST && !s->folder; i++, name.seconds++) {
		spool_name_run(s->name, &name);
		r = spool_run_make(&s->run, dir, s->name);
	}
	return r;
}

static int open_folder(struct spool *s, struct err *err)
{
	int dir = spool_dir_open(s->dir, err), r;

	if (dir < 0)
		return dir;
	r = make_run(s, dir);
	if (r < 0) {
		close(dir);
		return err_set(err, r, EXIT_OUTPUT, "spool folder %s: %s; intervals are kept in memory "
			       "until it works", s->dir, strerror(-r));
	}
	pthread_mutex_lock(&s->lock);
	if (!s->folder)
		s->folder = xasprintf("%s/%s", s->dir, s->name);
	s->counts.disk_error = 0;
	pthread_mutex_unlock(&s->lock);
	s->dirfd = dir;
	adopt(s, err);
	return 0;
}

static bool is_old(const struct spool *s, const struct spool_entry *e, uint64_t real, uint64_t mono)
{
	uint64_t known = e->age_ns + since(mono, e->known_ns);
	uint64_t wall = since(real, e->item.key.time_ns);

	if (e->sent)
		return known >= s->config.keep_sent_ns;
	return s->config.age_max_ns && known > s->config.age_max_ns && wall > s->config.age_max_ns;
}

static size_t list_old(const struct spool *s, const struct spool_list *l, uint64_t *ids)
{
	uint64_t real = real_now(s), mono = mono_now(s);
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		if (is_old(s, spool_list_at(l, i), real, mono))
			ids[n++] = spool_list_at(l, i)->item.id;
	return n;
}

/* What is too old, then what is too much; `disk` is held. */
static void trim(struct spool *s)
{
	uint64_t *ids = xcalloc(items_held(s) + 1, sizeof(*ids));
	size_t n = list_old(s, &s->index.sent, ids);

	n += list_old(s, &s->index.waiting, ids + n);
	for (size_t i = 0; i < n; i++)
		drop(s, spool_index_find(&s->index, ids[i]), &s->counts.dropped_age);
	free(ids);
	while (is_full(s, 0, 0))
		drop(s, spool_index_victim(&s->index, false), &s->counts.dropped_size);
}

/* Brings the most valuable item of those in memory to the disk. False: none, or the disk fails. */
static bool flush_one(struct spool *s)
{
	struct spool_entry *e = NULL;
	struct spool_key key;
	enum spool_place place;
	int r;

	for (size_t i = s->index.waiting.count; i-- > 0 && !e;)
		if (spool_list_at(&s->index.waiting, i)->item.in_memory)
			e = spool_list_at(&s->index.waiting, i);
	for (size_t i = s->index.sent.count; i-- > 0 && !e;)
		if (spool_list_at(&s->index.sent, i)->item.in_memory)
			e = spool_list_at(&s->index.sent, i);
	key = e->item.key;
	place = e->sent ? SPOOL_SENT : SPOOL_WAITING;
	r = put(s, place, &key, e->data, e->item.bytes, e->sent ? e->item.sent_ns : 0);
	if (r < 0)
		return false;
	pthread_mutex_lock(&s->lock);
	spool_index_on_disk(&s->index, e, place, &key);
	pthread_mutex_unlock(&s->lock);
	return true;
}

/* `disk` is free between two items, so that spool_add() waits for one at most. */
static void flush(struct spool *s)
{
	bool again = true;

	while (again) {
		pthread_mutex_lock(&s->disk);
		again = s->index.memory_count > 0 && flush_one(s);
		pthread_mutex_unlock(&s->disk);
	}
}

void spool_tend(struct spool *s)
{
	pthread_mutex_lock(&s->disk);
	if (s->dirfd < 0)
		open_folder(s, NULL);
	trim(s);
	pthread_mutex_unlock(&s->disk);
	flush(s);
}

/* Kept absolute: we may change our folder, and look for this one again much later. */
static char *absolute(const char *dir)
{
	char *here, *path;

	if (dir[0] == '/')
		return xstrdup(dir);
	here = getcwd(NULL, 0);
	path = xasprintf("%s/%s", here ? here : "", dir);
	free(here);
	return path;
}

static struct spool *spool_new(const struct spool_config *c)
{
	struct spool *s = xcalloc(1, sizeof(*s));

	pthread_mutex_init(&s->disk, NULL);
	pthread_mutex_init(&s->lock, NULL);
	s->config = *c;
	s->config.dir = NULL;
	s->pid = getpid();
	s->dir = absolute(c->dir);
	s->dirfd = -1;
	spool_index_init(&s->index);
	return s;
}

static void spool_free(struct spool *s)
{
	spool_index_release(&s->index);
	pthread_mutex_destroy(&s->disk);
	pthread_mutex_destroy(&s->lock);
	free(s->checkpoints);
	free(s->folder);
	free(s->dir);
	free(s);
}

int spool_open(struct spool **ret, const struct spool_config *c, struct err *err)
{
	struct spool *s;
	int r;

	if (!c->dir || !c->dir[0])
		return err_set(err, -EINVAL, EXIT_USAGE, "spool folder: no name given");
	err_set(err, 0, EXIT_OK, "%s", "");
	s = spool_new(c);
	pthread_mutex_lock(&s->disk);
	r = open_folder(s, err);
	if (r < 0)
		set_disk_error(s, -r);
	trim(s);
	pthread_mutex_unlock(&s->disk);
	if (r == -ENOTDIR) {
		spool_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	if (s->pid == getpid())
		flush(s);
	if (s->dirfd >= 0) {
		spool_run_leave(&s->run, s->dirfd, s->name, s->pid == getpid());
		close(s->dirfd);
	}
	spool_free(s);
}

/* --- questions ------------------------------------------------------------------------- */

void spool_stats(struct spool *s, struct spool_stats *ret)
{
	const struct spool_list *waiting = &s->index.waiting;

	pthread_mutex_lock(&s->lock);
	*ret = s->counts;
	ret->waiting = waiting->count;
	ret->waiting_bytes = waiting->bytes;
	ret->sent_kept = s->index.sent.count;
	ret->in_memory = s->index.memory_count;
	ret->oldest_ns = ret->waiting ? spool_list_at(waiting, 0)->item.key.time_ns : 0;
	pthread_mutex_unlock(&s->lock);
}

const char *spool_folder(struct spool *s)
{
	const char *folder;

	pthread_mutex_lock(&s->lock);
	folder = s->folder ? s->folder : "";
	pthread_mutex_unlock(&s->lock);
	return folder;
}
