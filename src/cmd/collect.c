/* SPDX-License-Identifier: MIT
 * Profiles into a folder. */
#include "collect.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "export/sink.h"
#include "util/clock.h"
#include "util/xalloc.h"

enum { APP_MAX = 64 };

/* A name of one's own for each: time in ms, process and kind. */
static char *file_name(const char *dir, const char *app, const struct spool_key *key)
{
	char when[sizeof("2026-01-31T12-00-00")] = "", name[APP_MAX + 1];
	time_t t = (time_t)(key->time_ns / NSEC_PER_SEC);
	struct tm tm;
	size_t i;

	if (gmtime_r(&t, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H-%M-%S", &tm);
	for (i = 0; app[i] && i < APP_MAX; i++)
		name[i] = strchr("/ \t\n", app[i]) ? '_' : app[i];
	name[i] = '\0';
	return xasprintf("%s/%s-%s.%03u-%d.%s.pb.gz", dir, name, when,
			 (unsigned)(key->time_ns / NSEC_PER_MSEC % 1000), (int)key->pid, key->kind);
}

static int write_file(const char *path, const struct buf *data, struct err *err)
{
	struct sink sink;
	int r = sink_open(&sink, path, err);

	if (r)
		return r;
	sink_write(&sink, data->data, data->len);
	return sink_commit(&sink, err);
}

/* What is missing on the way; what is wrong shows when a file is written. */
static void make_folder(const char *dir)
{
	char *path = xstrdup(dir);

	for (char *slash = strchr(path + (*path == '/'), '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0777);
		*slash = '/';
	}
	mkdir(path, 0777);
	free(path);
}

/* False: the folder takes nothing, and would take the next one no better. */
static bool write_item(struct spool *spool, const struct spool_item *item, const struct buf *data,
		       const char *path, struct log *log)
{
	struct err err = { 0 };

	if (write_file(path, data, &err)) {
		log_line(log, "%s; it stays in the spool", err.text);
		return false;
	}
	log_line(log, "wrote %s", path);
	spool_sent(spool, item->id);
	return true;
}

static bool collect_item(struct spool *spool, const struct spool_item *item, const char *dir,
			 const char *app, struct log *log)
{
	char *path = file_name(dir, app, &item->key);
	struct buf data = BUF_INIT;
	int r = spool_read(spool, item->id, &data);
	bool more = r == -ENOENT; /* gone meanwhile: it is not offered again */

	if (!r)
		more = write_item(spool, item, &data, path, log);
	else if (r != -ENOENT)
		log_line(log, "%s cannot be written: reading the spool: %s", path, strerror(-r));
	buf_release(&data);
	free(path);
	return more;
}

void collect(struct spool *spool, const char *dir, const char *app, struct log *log)
{
	struct spool_item item;
	bool more = true;

	make_folder(dir);
	while (more && spool_next(spool, NULL, 0, &item))
		more = collect_item(spool, &item, dir, app, log);
	spool_tend(spool);
}
