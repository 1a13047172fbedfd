/* SPDX-License-Identifier: MIT
 * `pystoker push --replay DIR`: a folder of profiles, through a spool of its own, to the server. */
#include "replay.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export/pprof.h"
#include "ship/pusher.h"
#include "util/clock.h"
#include "util/gzip.h"
#include "util/xalloc.h"

#define NO_PROGRESS_NS (60 * NSEC_PER_SEC)
enum { WALK_FDS = 16, DEPTH_MAX = 4, POLL_MS = 100 };

struct replay {
	const struct push_options *o;
	struct spool *spool;
	struct pusher *pusher;
	size_t files, unread;
	_Atomic uint64_t progress_ns;   /* when the server last took or refused one */
	_Atomic size_t sent, refused;
};

static struct replay *walking; /* nftw() hands on no argument */

static bool is_profile_name(const char *name)
{
	static const char *const suffixes[] = { ".pb.gz", ".pb", ".pprof" };
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (len > n && !strcmp(name + len - n, suffixes[i]))
			return true;
	}
	return false;
}

static int file_read(const char *path, struct buf *data)
{
	char block[64 * 1024];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return -errno;
	while (data->len <= SPOOL_FILE_MAX && (n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(data, block, n);
	fclose(f);
	return data->len > SPOOL_FILE_MAX ? -EFBIG : 0;
}

/* The spool keeps apart what has one time by moving it on: the kind is the file's own number. */
static int file_store(struct replay *r, const struct buf *data, struct err *err)
{
	struct spool_key key = { .pid = (pid_t)r->files };
	struct labels labels = { 0 };
	struct buf packed = BUF_INIT;
	int ret = wire_labels(data->data, data->len, &labels, &key.time_ns, err);
	bool named = labels_get(&labels, "service_name") || r->o->app;

	labels_release(&labels);
	if (ret)
		return ret;
	if (!named)
		return err_set(err, -EINVAL, EXIT_USAGE, "states no service_name; --app gives one");
	snprintf(key.kind, sizeof(key.kind), "replay");
	if (!gzip_is(data->data, data->len))
		gzip_pack(&packed, data->data, data->len);
	ret = spool_add(r->spool, &key, packed.len ? packed.data : data->data,
			packed.len ? packed.len : data->len);
	buf_release(&packed);
	return ret ? err_set(err, ret, EXIT_OUTPUT, "no room to keep it: %s", strerror(-ret)) : 0;
}

static int on_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct replay *r = walking;
	struct buf data = BUF_INIT;
	struct err err = { 0 };
	int ret;

	/* FTW_F are also fifos, which would hold us up for ever. */
	if (type != FTW_F || !S_ISREG(st->st_mode) || ftw->level > DEPTH_MAX || !is_profile_name(path + ftw->base))
		return 0;
	r->files++;
	ret = file_read(path, &data);
	if (ret)
		err_set(&err, ret, EXIT_FAILED, "%s", strerror(-ret));
	else
		ret = file_store(r, &data, &err);
	if (ret) {
		say("%s: %s", path, err.text);
		r->unread++;
	}
	buf_release(&data);
	return 0;
}

static void on_event(void *arg, const struct push_event *e)
{
	struct replay *r = arg;

	if (e->kind == PUSH_FAILED) {
		say("not taken yet: HTTP %03d: %s; again in %.1f s", e->status, e->why,
		    (double)e->again_in_ns / NSEC_PER_SEC);
		return;
	}
	atomic_store(&r->progress_ns, clock_mono_ns());
	if (e->kind == PUSH_SENT)
		atomic_fetch_add(&r->sent, 1);
	if (e->kind != PUSH_DROPPED)
		return;
	say("refused: HTTP %03d: %s", e->status, e->why);
	atomic_fetch_add(&r->refused, 1);
}

/* Until all is sent, somebody interrupts, or nothing moves for long. */
static void wait_for_server(struct replay *r, int signal_fd)
{
	struct pollfd fd = { .fd = signal_fd, .events = POLLIN };
	struct spool_stats s;

	atomic_store(&r->progress_ns, clock_mono_ns());
	do {
		spool_stats(r->spool, &s);
		if (!s.waiting || clock_mono_ns() > atomic_load(&r->progress_ns) + NO_PROGRESS_NS)
			break;
	} while (poll(&fd, 1, POLL_MS) <= 0);
}

static int signals_take(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &mask, SFD_CLOEXEC);
}

static int labels_for(const struct push_options *o, struct labels *l, struct err *err)
{
	int r = o->app ? labels_set(l, "service_name", o->app, err) : 0;

	for (size_t i = 0; !r && i < o->labels.count; i++)
		r = labels_parse(l, o->labels.items[i], err);
	return r;
}

static int push_all(struct replay *r, const struct push_options *o, struct err *err)
{
	struct pusher_config c = { .format = push_wire_format(o), .seed = clock_real_ns() };
	struct server_secrets secrets = { 0 };
	size_t left;
	int signal_fd = signals_take();
	int ret = server_config(&o->server, &c.http, &secrets, err);

	if (!ret)
		ret = labels_for(o, &c.more, err);
	if (!ret)
		ret = pusher_start(&r->pusher, &c, r->spool, on_event, r, err);
	labels_release(&c.more);
	server_secrets_release(&secrets);
	if (ret)
		return ret;
	wait_for_server(r, signal_fd);
	left = pusher_stop(r->pusher, 0, NULL);
	close(signal_fd);
	say("%zu files: %zu profiles sent, %zu refused, %zu not sent, %zu unreadable", r->files,
	    atomic_load(&r->sent), atomic_load(&r->refused), left, r->unread);
	if (left || atomic_load(&r->refused) || r->unread)
		return err_set(err, -EIO, EXIT_FAILED, "not all of %s has arrived", o->replay);
	return 0;
}

static int remove_one(const char *path, const struct stat *st _unused_, int type _unused_,
		      struct FTW *ftw _unused_)
{
	return remove(path);
}

int replay(const struct push_options *o, struct err *err)
{
	char *dir = xasprintf("%s/pystoker-replay-XXXXXX",
			      getenv("TMPDIR") ? getenv("TMPDIR") : "/var/tmp");
	struct spool_config c = {
		.dir = dir, .bytes_max = UINT64_MAX, .now_real_ns = clock_real_ns,
	};
	struct replay r = { .o = o };
	int ret;

	if (access(o->replay, R_OK | X_OK)) {
		free(dir);
		return err_set(err, -errno, EXIT_FAILED, "--replay: %s: %s", o->replay,
			       strerror(errno));
	}
	if (!mkdtemp(dir)) {
		ret = err_set(err, -errno, EXIT_OUTPUT, "%s: %s", dir, strerror(errno));
		free(dir);
		return ret;
	}
	ret = spool_open(&r.spool, &c, err);
	walking = &r;
	if (!ret)
		nftw(o->replay, on_file, WALK_FDS, FTW_PHYS);
	if (!ret)
		ret = push_all(&r, o, err);
	spool_close(r.spool);
	nftw(dir, remove_one, WALK_FDS, FTW_PHYS | FTW_DEPTH);
	free(dir);
	return ret;
}
