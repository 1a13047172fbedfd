/* SPDX-License-Identifier: MIT
 * What ended runs have left becomes ours, by renaming. Being killed at any point leaves each file in
 * one place, and the rest for the next run: whoever adopts holds the lock of the ended run. */
#include "spool_adopt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "spool_name.h"
#include "util/gzip.h"
#include "util/xalloc.h"

enum {
	RUNS_MAX = 4096,        /* folders of ended runs looked into by one opening */
	ENTRIES_MAX = 1 << 20,  /* entries of DIR read at all */
};

static int newest_first(const void *a, const void *b)
{
	const struct spool_run_name *x = a, *y = b;

	if (x->seconds != y->seconds)
		return x->seconds > y->seconds ? -1 : 1;
	return x->pid > y->pid ? -1 : x->pid < y->pid;
}

/* The caller frees *ret. */
static size_t list_runs(int dir, struct spool_run_name **ret)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	size_t n = 0;

	*ret = xcalloc(RUNS_MAX, sizeof(**ret));
	if (!stream && fd >= 0)
		close(fd);
	for (int i = 0; stream && i < ENTRIES_MAX && n < RUNS_MAX && (d = readdir(stream)); i++)
		n += spool_name_parse_run(&(*ret)[n], d->d_name);
	if (stream)
		closedir(stream);
	qsort(*ret, n, sizeof(**ret), newest_first);
	return n;
}

static bool exists(const struct spool_run *r, enum spool_place place, const struct spool_key *key)
{
	struct stat st;

	return r->folder[place] >= 0 && spool_run_stat(r, place, key, &st) == 0;
}

/* Packs a checkpoint into a waiting file of the same run, synced, before it removes it: killed in
 * between, the next adoption finds both and takes the complete one. */
static int complete(struct spool_run *r, const struct spool_key *key)
{
	struct buf raw = BUF_INIT, packed = BUF_INIT;
	int fd = spool_run_open(r, SPOOL_RUNNING, key), err;

	if (fd < 0)
		return fd;
	err = spool_run_slurp(fd, &raw);
	if (err == 0 && raw.len == 0)
		err = -ENODATA;
	if (err == 0) {
		gzip_pack(&packed, raw.data, raw.len);
		err = spool_run_put(r, SPOOL_WAITING, key, packed.data, packed.len, 0);
	}
	buf_release(&raw);
	buf_release(&packed);
	return err;
}

static void adopt_checkpoint(struct spool_adopter *a, struct spool_run *r,
			     const struct spool_key *key)
{
	struct stat st, small;
	int err;

	if (spool_run_stat(r, SPOOL_RUNNING, key, &st) < 0)
		return;
	small = st;
	small.st_size = 0;
	if (!spool_run_is_ours(&small)) {
		a->ignored++;
		return;
	}
	if (!exists(r, SPOOL_WAITING, key) && !exists(r, SPOOL_SENT, key)) {
		err = st.st_size <= 0 || st.st_size > (off_t)SPOOL_FILE_MAX ? -ENODATA : complete(r, key);
		if (err == -ENODATA)
			a->broken++;
		else if (err < 0) {
			a->ignored++; /* the disk is full, say: the next run finds it again */
			return;
		}
	}
	spool_run_remove(r, SPOOL_RUNNING, key);
}

static void adopt_file(struct spool_adopter *a, struct spool_run *r, enum spool_place place,
		       const struct spool_key *key)
{
	struct stat st;

	if (spool_run_stat(r, place, key, &st) < 0)
		return;
	if (!spool_run_is_ours(&st)) {
		a->ignored++;
	} else if (st.st_size == 0) {
		spool_run_remove(r, place, key);
		a->broken++;
	} else if (a->take(a->arg, r, place, key, &st) < 0) {
		a->ignored++;
	}
}

static void adopt_place(struct spool_adopter *a, struct spool_run *r, enum spool_place place)
{
	struct spool_key *keys;
	size_t n = spool_run_list(r, place, SPOOL_ITEMS_MAX, &keys, &a->ignored);

	for (size_t i = n; i-- > 0;) {
		if (place == SPOOL_RUNNING)
			adopt_checkpoint(a, r, &keys[i]);
		else
			adopt_file(a, r, place, &keys[i]);
	}
	free(keys);
}

static void adopt_run(struct spool_adopter *a, int dir, const char *name,
		      const struct spool_run *own)
{
	struct spool_run r;

	if (spool_run_take(&r, dir, name) < 0)
		return;
	adopt_place(a, &r, SPOOL_RUNNING);
	adopt_place(a, &r, SPOOL_WAITING);
	adopt_place(a, &r, SPOOL_SENT);
	spool_run_sync(own); /* before the names are gone for good with their folder */
	spool_run_leave(&r, dir, name, true);
}

void spool_adopt(struct spool_adopter *a, int dir, const struct spool_run *own)
{
	struct spool_run_name *runs;
	size_t n = list_runs(dir, &runs);

	for (size_t i = 0; i < n; i++) {
		char name[SPOOL_NAME_MAX];

		spool_name_run(name, &runs[i]);
		adopt_run(a, dir, name, own); /* ours is locked, also for ourselves */
	}
	free(runs);
}
