/* SPDX-License-Identifier: MIT
 * The spool: nothing acknowledged is lost to a kill, a full disk or a jumping clock, nothing is there
 * by half or twice, and nothing that is not ours is touched. */
#include "ship/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../../src/ship/spool_index.h"
#include "../../src/ship/spool_name.h"
#include "../../src/ship/spool_run.h"
#include "tap.h"
#include "util/clock.h"
#include "util/gzip.h"
#include "util/xalloc.h"

#define SEC NSEC_PER_SEC
#define MS NSEC_PER_MSEC
#define HOUR (3600 * SEC)
#define DAY (24 * HOUR)
#define T0 (1795246045ull * SEC)

static uint64_t real_ns = T0, mono_ns = 5 * SEC;
static char root[4096], dir[4200];

static uint64_t fake_real(void) { return real_ns; }
static uint64_t fake_mono(void) { return mono_ns; }

static void pass(uint64_t ns)
{
	real_ns += ns;
	mono_ns += ns;
}

/* --- helpers ------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st; (void)flag; (void)f;
	if (remove(path))
		printf("# %s stays: %s\n", path, strerror(errno));
	return 0;
}

static void fresh(void)
{
	static int n;

	real_ns = T0;
	mono_ns = 5 * SEC;
	snprintf(dir, sizeof(dir), "%s/a%d/spool", root, n++);
}

static struct spool *open_with(uint64_t bytes_max, uint64_t age_max, uint64_t keep, struct err *err)
{
	struct spool_config c = { .dir = dir, .bytes_max = bytes_max, .age_max_ns = age_max,
				  .keep_sent_ns = keep, .now_real_ns = fake_real,
				  .now_mono_ns = fake_mono };
	struct spool *s = NULL;
	struct err unused;

	if (spool_open(&s, &c, err ? err : &unused) != 0)
		return NULL;
	return s;
}

static struct spool *open_usual(void)
{
	return open_with(64 << 20, HOUR, HOUR, NULL);
}

static struct spool_key key_at(uint64_t time_ns)
{
	return (struct spool_key){ .time_ns = time_ns, .pid = 42, .kind = "cpu" };
}

static int add_text(struct spool *s, uint64_t time_ns, const char *text)
{
	struct spool_key key = key_at(time_ns);

	return spool_add(s, &key, text, strlen(text));
}

static int add_bytes(struct spool *s, uint64_t time_ns, size_t len)
{
	struct spool_key key = key_at(time_ns);
	char *data = malloc(len);
	int r;

	memset(data, 'x', len);
	r = spool_add(s, &key, data, len);
	free(data);
	return r;
}

static struct spool_stats stats(struct spool *s)
{
	struct spool_stats st;

	spool_stats(s, &st);
	return st;
}

/* The texts of all that waits, the newest first, separated by spaces. The caller frees. */
static char *waiting(struct spool *s)
{
	struct buf text = BUF_INIT;
	struct spool_item item;
	uint64_t seen[256];
	size_t n = 0;

	while (n < 256 && spool_next(s, seen, n, &item)) {
		struct buf b = BUF_INIT;

		buf_adds(&text, n ? " " : "");
		if (spool_read(s, item.id, &b) == 0)
			buf_add(&text, b.data, b.len);
		else
			buf_adds(&text, "?");
		buf_release(&b);
		seen[n++] = item.id;
	}
	buf_adds(&text, "");
	return buf_detach(&text);
}

static void is_waiting(struct spool *s, const char *want, const char *what)
{
	char *got = waiting(s);

	is_str(got, want, what);
	free(got);
}

static uint64_t newest(struct spool *s)
{
	struct spool_item item;

	return spool_next(s, NULL, 0, &item) ? item.id : 0;
}

static char *in_dir(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void make_file(const char *name, const char *text, size_t len)
{
	char *path = in_dir(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		printf("# cannot make %s: %s\n", path, strerror(errno));
	close(fd);
	free(path);
}

static void make_folder(const char *name)
{
	char *path = in_dir(name);

	if (mkdir(path, 0700))
		printf("# cannot make %s: %s\n", path, strerror(errno));
	free(path);
}

static bool there(const char *name)
{
	char *path = in_dir(name);
	struct stat st;
	bool yes = lstat(path, &st) == 0;

	free(path);
	return yes;
}

static int entries(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n - 2;
}

/* --- the ordinary life of items ---------------------------------------------------- */

static void names(void)
{
	static const char *const bad[] = {
		"", "1-2.cpu.pb", "01-2.cpu.pb.gz", "1-02.cpu.pb.gz", "1--2.cpu.pb.gz",
		"-1-2.cpu.pb.gz", "+1-2.cpu.pb.gz", " 1-2.cpu.pb.gz", "1-2..pb.gz", "1-2.cpu.pb.gzx",
		"1-2.cpu.pb.gz.pb.gz", "1-2.c/u.pb.gz", "1-99999999999.cpu.pb.gz",
		"99999999999999999999999-2.cpu.pb.gz", "18446744073710-2.cpu.pb.gz",
		"1-2.abcdefghijklmnop.pb.gz", "1-2.cpu.pb.gz ", ".1-2.cpu.pb.gz",
	};
	static const char *const bad_runs[] = {
		"", "2024-11", "01795246045-1", "1795246045", "1795246045-", "1795246045--1",
		"1795246045-1 ", "1795246045-1/", "1795246045-99999999999", "lost+found",
	};
	struct spool_run_name run;
	struct spool_key key;
	char name[SPOOL_NAME_MAX];

	ok(spool_name_parse_item(&key, "1795246045138-4242.cpu.pb.gz", "pb.gz") &&
	   key.time_ns == 1795246045138 * MS && key.pid == 4242 && !strcmp(key.kind, "cpu"),
	   "a name is read");
	spool_name_item(name, &key, "pb");
	is_str(name, "1795246045138-4242.cpu.pb", "and written");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(!spool_name_parse_item(&key, bad[i], "pb.gz"), "no item: \"%s\"", bad[i]);
	ok(spool_name_parse_run(&run, "1795246045-17") && run.pid == 17, "a run");
	for (size_t i = 0; i < ARRAY_SIZE(bad_runs); i++)
		ok(!spool_name_parse_run(&run, bad_runs[i]), "no run: \"%s\"", bad_runs[i]);
	ok(spool_name_is_temp(".pystoker-7.tmp") && !spool_name_is_temp(".pystoker-7.tmp~") &&
	   !spool_name_is_temp(".pystoker-x.tmp"), "temporaries");
}

static void ordinary(void)
{
	struct spool_item item;
	struct spool *s;
	struct err err = { .text = "left" };
	char *folder;

	fresh();
	s = open_with(64 << 20, HOUR, HOUR, &err);
	is_str(err.text, "", "nothing to say of a folder that works");
	ok(!spool_next(s, NULL, 0, &item), "nothing waits at first");
	add_text(s, T0 + 2 * SEC, "b");
	add_text(s, T0 + 1 * SEC, "a");
	add_text(s, T0 + 3 * SEC + 999999, "c");
	is_waiting(s, "c b a", "the newest first, whatever the order of adding");
	spool_next(s, NULL, 0, &item);
	ok(item.key.time_ns == T0 + 3 * SEC && item.bytes == 1 && item.sent_ns == 0 && !item.in_memory,
	   "an item tells of itself");
	folder = xasprintf("%s/%llu-42.cpu.pb.gz", spool_folder(s), (T0 + 3 * SEC) / MS);
	ok(access(folder, R_OK) == 0, "it lies in the run's folder under its name");
	spool_sent(s, item.id);
	ok(access(folder, R_OK) < 0, "no longer when sent");
	is_waiting(s, "b a", "nor does it wait");
	ok(stats(s).sent_kept == 1 && stats(s).waiting == 2 && stats(s).waiting_bytes == 2 &&
	   stats(s).oldest_ns == T0 + SEC, "the counts agree");
	spool_refuse(s, newest(s));
	ok(stats(s).dropped_refused == 1, "a refused one is counted");
	spool_remove(s, newest(s));
	spool_remove(s, newest(s));
	spool_sent(s, 12345);
	ok(stats(s).waiting == 0 && stats(s).dropped_refused == 1, "a removed one is not");
	is_int((int)spool_resend(s, T0 + 1), 0, "nothing was sent later");
	is_int((int)spool_resend(s, T0), 1, "one was since");
	is_waiting(s, "c", "and waits again");
	ok(access(folder, R_OK) == 0 && stats(s).sent_kept == 0, "at its old place");
	spool_refuse(s, newest(s));
	spool_close(s);
	is_int(entries(dir), 0, "an empty run leaves no folder");
	free(folder);
}

static void wrong_use(void)
{
	struct spool_config c = { .dir = "" };
	struct spool_key no_kind = { .time_ns = T0, .pid = 1 }, slash = { T0, 1, "../x" };
	struct spool *s = NULL;
	struct err err;

	ok(spool_open(&s, &c, &err) == -EINVAL && err.status == EXIT_USAGE, "no name of a folder");
	fresh();
	s = open_usual();
	ok(spool_add(s, &no_kind, "x", 1) == -EINVAL && spool_add(s, &slash, "x", 1) == -EINVAL &&
	   add_text(s, T0, "") == -EINVAL, "keys that are none, and no bytes");
	ok(add_bytes(s, T0, SPOOL_FILE_MAX + 1) == -ENOSPC && stats(s).dropped_size == 1,
	   "more than one file may be");
	spool_close(s);
	make_file("file", "x", 1);
	strcat(dir, "/file");
	c.dir = dir;
	ok(spool_open(&s, &c, &err) == -ENOTDIR && err.status == EXIT_USAGE, "a file is no folder");
	strcat(dir, "/below");
	ok(spool_open(&s, &c, &err) == -ENOTDIR && strstr(err.text, dir), "nor has it one below: %s",
	   err.text);
}

static void equal_names(void)
{
	struct spool_item item;
	struct spool *s;
	char *path;

	fresh();
	s = open_usual();
	path = xasprintf("%s/%llu-42.cpu.pb.gz", spool_folder(s) + strlen(dir) + 1, T0 / MS + 2);
	make_file(path, "foreign", 7); /* at the second one's second try */
	add_text(s, T0, "a");
	add_text(s, T0 + 5, "b");
	add_text(s, T0 + 7, "c");
	spool_sent(s, newest(s));
	add_text(s, T0, "d");
	spool_resend(s, 0);
	is_waiting(s, "d c b a", "equal times make later names, past sent ones and unknown files");
	spool_next(s, NULL, 0, &item);
	is_int((long long)((item.key.time_ns - T0) / MS), 4, "by a millisecond each");
	spool_close(s);
	s = open_usual();
	is_waiting(s, "d c foreign b a", "none overwrote another");
	free(path);
	path = xasprintf("%s/sent/%llu-42.cpu.pb.gz", spool_folder(s) + strlen(dir) + 1, T0 / MS + 4);
	make_file(path, "planted", 7);
	spool_sent(s, newest(s));
	spool_close(s);
	s = open_usual();
	spool_resend(s, 0);
	is_waiting(s, "planted d c foreign b a", "nor by being sent");
	spool_close(s);
	free(path);
}

/* --- what a run leaves to the next --------------------------------------------------- */

static void adoption(void)
{
	struct spool_key key = key_at(T0 + 9 * SEC), later = key_at(T0 + 10 * SEC);
	struct spool_item item;
	struct spool *s, *t;
	struct buf b = BUF_INIT, raw = BUF_INIT;

	fresh();
	s = open_usual();
	add_text(s, T0 + 1 * SEC, "old");
	add_text(s, T0 + 2 * SEC, "sent");
	pass(10 * SEC);
	spool_sent(s, newest(s));
	spool_checkpoint(s, &key, "first", 5);
	spool_checkpoint(s, &key, "second", 6);
	spool_checkpoint(s, &later, "third", 5);
	t = open_usual();
	ok(stats(t).adopted == 0 && strcmp(spool_folder(s), spool_folder(t)),
	   "a second spool leaves the first's alone");
	spool_close(s);
	spool_close(t);
	is_int(entries(dir), 1, "a run with items leaves its folder");
	pass(20 * SEC);
	s = open_usual();
	is_int((long long)stats(s).adopted, 3, "the next one adopts: waiting, sent, under way");
	is_int(entries(dir), 1, "and the ended run's folder is gone");
	ok(spool_next(s, NULL, 0, &item) && item.key.time_ns == later.time_ns,
	   "the checkpoint waits under the time of its interval");
	ok(spool_read(s, item.id, &b) == 0 && gzip_unpack(&raw, b.data, b.len, 100) == 0 &&
	   !strcmp(raw.data, "third"), "its last state, gzip'd");
	spool_remove(s, item.id);
	is_waiting(s, "old", "what waited waits");
	is_int((int)spool_resend(s, T0 + 10 * SEC), 1, "the sent one knows when it was sent");
	is_waiting(s, "sent old", "and can be sent again");
	/* The interval complete, and its checkpoint not yet dropped. */
	spool_checkpoint(s, &key, "partial", 7);
	add_text(s, key.time_ns, "whole");
	spool_close(s);
	s = open_usual();
	is_waiting(s, "whole sent old", "of a complete interval there is no checkpoint");
	spool_checkpoint(s, &later, "x", 1);
	spool_checkpoint_drop(s, later.pid, later.kind);
	spool_checkpoint_drop(s, later.pid, "none");
	spool_close(s);
	s = open_usual();
	is_waiting(s, "whole sent old", "nor of one that was dropped");
	spool_close(s);
	buf_release(&b);
	buf_release(&raw);
}

static void collisions(void)
{
	struct spool *s, *t;

	fresh();
	s = open_usual();
	pass(SEC);
	t = open_usual();
	add_text(s, T0, "a");
	add_text(t, T0, "b");
	spool_close(s);
	spool_close(t);
	s = open_usual();
	ok(stats(s).adopted == 2 && stats(s).waiting == 2, "equal names of two runs are both kept");
	spool_close(s);
}

#define DEAD "1795246000-7"

static void hostile(void)
{
	char outside[4300], *path;
	struct err err;
	struct spool *s;
	struct stat st;

	fresh();
	s = open_usual();
	spool_close(s);
	snprintf(outside, sizeof(outside), "%s.outside", dir);
	make_folder("../spool.outside");
	make_file("../spool.outside/1795246000001-1.cpu.pb.gz", "secret", 6);
	make_folder(DEAD);
	make_folder(DEAD "/sent");
	make_folder(DEAD "/running");
	make_file(DEAD "/1795246000001-1.cpu.pb.gz", "good", 4);
	make_file(DEAD "/1795246000002-1.cpu.pb.gz", "", 0);
	make_file(DEAD "/1795246000003-01.cpu.pb.gz", "almost", 6);
	make_file(DEAD "/notes.txt", "mine", 4);
	make_file(DEAD "/.pystoker-3.tmp", "half", 4);
	make_file(DEAD "/.pystoker-3.tmp.mine", "whole", 5);
	make_folder(DEAD "/1795246000004-1.cpu.pb.gz");
	path = in_dir(DEAD "/1795246000005-1.cpu.pb.gz");
	ok(symlink("../../spool.outside/1795246000001-1.cpu.pb.gz", path) == 0, "a link");
	free(path);
	path = in_dir(DEAD "/1795246000006-1.cpu.pb.gz");
	ok(mkfifo(path, 0600) == 0, "a FIFO");
	free(path);
	path = in_dir(DEAD "/1795246000007-1.cpu.pb.gz");
	strcat(outside, "/1795246000001-1.cpu.pb.gz");
	ok(link(outside, path) == 0, "a second name of a file elsewhere");
	free(path);
	make_file(DEAD "/1795246000008-1.cpu.pb.gz", "x", 1);
	path = in_dir(DEAD "/1795246000008-1.cpu.pb.gz");
	ok(truncate(path, SPOOL_FILE_MAX + 1) == 0, "a file too large");
	free(path);
	make_file(DEAD "/running/1795246000009-1.cpu.pb", "", 0);
	make_file(DEAD "/running/1795246000010-1.cpu.pb", "x", 1);
	path = in_dir(DEAD "/running/1795246000010-1.cpu.pb");
	ok(truncate(path, SPOOL_FILE_MAX + 1) == 0, "a checkpoint too large");
	free(path);
	make_file(DEAD "/running/.pystoker-0.tmp", "half", 4);
	path = in_dir("1795246000-8");
	ok(symlink("../spool.outside", path) == 0, "a link in a run's place");
	free(path);
	make_folder("1795246000-9");
	path = in_dir("1795246000-9/lock");
	ok(mkfifo(path, 0600) == 0, "a FIFO as lock");
	free(path);
	make_file("1795246000-10", "x", 1);
	make_folder("2024-11");

	s = open_with(64 << 20, HOUR, HOUR, &err);
	is_waiting(s, "good", "the one good file is adopted");
	ok(strstr(err.text, "left alone"), "the others are spoken of: %s", err.text);
	ok(stats(s).dropped_broken == 3, "empty ones and the large checkpoint are removed and counted");
	is_int((long long)stats(s).ignored, 8, "so many are left alone");
	ok(!there(DEAD "/1795246000002-1.cpu.pb.gz") && !there(DEAD "/.pystoker-3.tmp") &&
	   !there(DEAD "/running"), "what was ours and useless is gone");
	ok(there(DEAD "/1795246000003-01.cpu.pb.gz") && there(DEAD "/notes.txt") &&
	   there(DEAD "/.pystoker-3.tmp.mine") && there(DEAD "/1795246000004-1.cpu.pb.gz") &&
	   there(DEAD "/1795246000005-1.cpu.pb.gz") && there(DEAD "/1795246000006-1.cpu.pb.gz") &&
	   there(DEAD "/1795246000007-1.cpu.pb.gz") && there(DEAD "/1795246000008-1.cpu.pb.gz") &&
	   there("1795246000-8") && there("1795246000-9") && there("1795246000-10") &&
	   there("2024-11") && !there("2024-11/lock"), "what was not is still there");
	ok(stat(outside, &st) == 0 && st.st_size == 6, "and nothing outside was touched");
	spool_close(s);
}

static void many(void)
{
	char shm[] = "/dev/shm/test-spool.XXXXXX";
	struct spool_stats st;
	struct spool *s;
	struct err err;
	uint64_t start;

	fresh();
	if (mkdtemp(shm)) /* whatever TMPDIR says: 66000 files are slow on many a disk */
		snprintf(dir, sizeof(dir), "%s/spool", shm);
	s = open_usual();
	spool_close(s);
	make_folder(DEAD);
	for (unsigned i = 0; i < SPOOL_ITEMS_MAX + 1000; i++) {
		char name[100];

		snprintf(name, sizeof(name), DEAD "/%llu-%u.cpu.pb.gz", T0 / MS + i % 70000, i / 70000);
		make_file(name, "x", 1);
	}
	start = clock_mono_ns();
	s = open_with(0, 0, HOUR, &err);
	st = stats(s);
	printf("# %u files adopted in %llu ms\n", SPOOL_ITEMS_MAX,
	       (unsigned long long)((clock_mono_ns() - start) / MS));
	is_int((long long)st.adopted, SPOOL_ITEMS_MAX, "as many are adopted as may be");
	is_int((long long)st.ignored, 1000, "the others left alone");
	ok(strstr(err.text, "1000 files"), "and said: %s", err.text);
	add_text(s, T0 + DAY, "new");
	ok(stats(s).waiting == SPOOL_ITEMS_MAX && stats(s).dropped_size == 1, "the newest has room");
	start = clock_mono_ns();
	for (int i = 0; i < 1000; i++)
		spool_sent(s, newest(s));
	printf("# 1000 of them sent in %llu ms\n",
	       (unsigned long long)((clock_mono_ns() - start) / MS));
	is_int((long long)stats(s).sent_kept, 1000, "sent");
	spool_close(s);
	nftw(shm, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- limits and clocks -------------------------------------------------------------- */

static void limits(void)
{
	struct spool *s;

	fresh();
	s = open_with(1000, 0, HOUR, NULL);
	add_bytes(s, T0 + 1 * SEC, 300);
	add_bytes(s, T0 + 2 * SEC, 300);
	spool_sent(s, newest(s));
	add_bytes(s, T0 + 3 * SEC, 300);
	add_bytes(s, T0 + 4 * SEC, 300);
	ok(stats(s).sent_kept == 0 && stats(s).waiting == 3 && stats(s).dropped_size == 0,
	   "sent ones make room first");
	add_bytes(s, T0 + 5 * SEC, 300);
	ok(stats(s).waiting == 3 && stats(s).oldest_ns == T0 + 3 * SEC && stats(s).dropped_size == 1,
	   "then the oldest");
	is_int(add_bytes(s, T0, 300), -ENOSPC, "which may be the new one");
	ok(stats(s).waiting == 3 && stats(s).dropped_size == 2, "counted like the others");
	is_int(add_bytes(s, T0 + 9 * SEC, 1001), -ENOSPC, "larger than all");
	ok(stats(s).waiting == 3, "drops nobody else");
	spool_close(s);
	s = open_with(400, 0, HOUR, NULL);
	ok(stats(s).waiting == 1 && stats(s).oldest_ns == T0 + 5 * SEC, "what is adopted is held to it too");
	spool_close(s);
}

static void ages(void)
{
	struct spool *s;

	fresh();
	s = open_with(0, HOUR, 1800 * SEC, NULL);
	add_text(s, T0, "a");
	add_text(s, T0 + SEC, "b");
	spool_sent(s, newest(s));
	pass(1799 * SEC);
	spool_tend(s);
	is_int((long long)stats(s).sent_kept, 1, "a sent one is kept");
	pass(SEC);
	spool_tend(s);
	is_int((long long)stats(s).sent_kept, 0, "as long as asked");
	pass(1800 * SEC);
	spool_tend(s);
	is_waiting(s, "a", "one exactly as old as allowed waits");
	pass(SEC);
	spool_tend(s);
	ok(stats(s).waiting == 0 && stats(s).dropped_age == 1, "and goes, counted, when older");
	add_text(s, T0 + 3000 * SEC, "c");
	spool_close(s);
	real_ns = T0 + 3000 * SEC + HOUR + SEC;
	s = open_with(0, HOUR, HOUR, NULL);
	ok(stats(s).adopted == 1 && stats(s).dropped_age == 1 && stats(s).waiting == 0,
	   "one that became too old between two runs is dropped by the wall clock");
	spool_close(s);
	is_int(entries(dir), 0, "from the disk too");
	s = open_with(0, HOUR, 0, NULL);
	add_text(s, real_ns, "d");
	spool_sent(s, newest(s));
	ok(stats(s).sent_kept == 0, "with nothing kept, sent is gone");
	spool_close(s);
	is_int(entries(dir), 0, "from the disk too");
}

static void clocks(void)
{
	struct spool *s;

	fresh();
	s = open_usual();
	add_text(s, T0, "a");
	add_text(s, T0 + SEC, "b");
	spool_sent(s, newest(s));
	real_ns += DAY;
	spool_tend(s);
	ok(stats(s).waiting == 1 && stats(s).sent_kept == 1, "a day forth drops nothing of this run");
	is_int((int)spool_resend(s, real_ns - HOUR), 1, "what was sent within the hour is found");
	spool_sent(s, newest(s));
	add_text(s, real_ns, "c");
	real_ns -= 2 * DAY;
	spool_tend(s);
	ok(stats(s).waiting == 2 && stats(s).sent_kept == 1, "nor does a day back");
	mono_ns += HOUR + SEC;
	spool_tend(s);
	is_int((long long)stats(s).sent_kept, 0, "the hour of a sent one passes all the same");
	real_ns = T0 + HOUR + SEC;
	spool_tend(s);
	is_waiting(s, "c", "and with the clock right again the old one goes");
	add_text(s, real_ns, "d");
	spool_close(s);
	real_ns -= DAY;
	s = open_usual();
	is_waiting(s, "c d", "adopted while the clock is back: kept");
	spool_close(s);
}

/* --- a disk that fails ------------------------------------------------------------------ */

static void memory(void)
{
	struct spool_item item;
	struct spool *s;
	struct err err;
	struct stat st;
	char *blocked;

	fresh();
	blocked = xstrdup(dir);
	*strrchr(dir, '/') = '\0';
	ok(mkdir(dir, 0700) == 0 && symlink("nowhere", blocked) == 0, "a folder that cannot be opened");
	strcpy(dir, blocked);
	s = open_with(0, 0, HOUR, &err);
	ok(s && strstr(err.text, dir), "is said: %s", err.text);
	ok(!strcmp(spool_folder(s), "") && stats(s).disk_error == ENOENT, "memory only");
	add_text(s, T0, "a");
	add_text(s, T0 + SEC, "b");
	is_waiting(s, "b a", "items wait in memory");
	ok(stats(s).in_memory == 2 && spool_next(s, NULL, 0, &item) && item.in_memory, "and say so");
	spool_sent(s, item.id);
	ok(add_bytes(s, T0 + 2 * SEC, 3 << 20) == 0 && stats(s).in_memory == 3, "up to its maximum");
	ok(add_bytes(s, T0 + 3 * SEC, 1 << 20) == 0 && stats(s).sent_kept == 0 &&
	   stats(s).dropped_size == 1 && stats(s).waiting == 2, "then sent and oldest ones go");
	ok(add_bytes(s, T0, 1 << 20) == -ENOSPC, "the new one, where it is the oldest");
	ok(add_bytes(s, T0, SPOOL_MEMORY_MAX + 1) == -ENOSPC && stats(s).dropped_size == 3,
	   "or larger than all memory");
	ok(spool_checkpoint(s, &(struct spool_key){ T0, 1, "cpu" }, "x", 1) < 0, "no checkpoint");
	spool_sent(s, newest(s));
	spool_tend(s);
	is_int((long long)stats(s).in_memory, 2, "tending changes nothing while it fails");
	ok(unlink(dir) == 0, "the folder can be made now");
	spool_tend(s);
	ok(stats(s).in_memory == 0 && stats(s).disk_error == 0 && stats(s).waiting == 1 &&
	   stats(s).sent_kept == 1, "and tending brings all to the disk");
	ok(stat(spool_folder(s), &st) == 0, "the run has a folder: %s", spool_folder(s));
	spool_close(s);
	s = open_usual();
	is_int((long long)stats(s).adopted, 2, "where the next run finds it");
	spool_close(s);
	free(blocked);
}

static void lost_folder(void)
{
	struct spool *s;

	fresh();
	s = open_usual();
	add_text(s, T0, "lost");
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	add_text(s, T0 + SEC, "kept");
	ok(stats(s).in_memory == 1 && stats(s).disk_error == ENOENT, "a removed folder is a disk error");
	spool_tend(s);
	ok(stats(s).in_memory == 0 && access(spool_folder(s), R_OK) == 0, "it is made anew");
	is_waiting(s, "kept ?", "what was in it is gone");
	is_waiting(s, "kept", "and no longer offered");
	spool_close(s);
}

/* A limit of file size is a disk that takes small files alone. Limits cannot be raised again by
 * everybody, but the soft one can. */
static void short_writes(void)
{
	struct rlimit before, small;
	struct spool *s;

	fresh();
	s = open_usual();
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 1000;
	setrlimit(RLIMIT_FSIZE, &small);
	add_bytes(s, T0, 5000);
	add_bytes(s, T0 + SEC, 1001);
	ok(stats(s).in_memory == 2 && stats(s).disk_error == EFBIG, "a write that breaks off");
	is_int(entries(spool_folder(s)), 3, "leaves nothing half (lock, sent, running)");
	spool_tend(s);
	is_int((long long)stats(s).in_memory, 2, "still");
	setrlimit(RLIMIT_FSIZE, &before);
	spool_tend(s);
	ok(stats(s).in_memory == 0 && stats(s).waiting == 2 && stats(s).waiting_bytes == 6001,
	   "and whole files when it works again");
	spool_close(s);
}

__attribute__((format(printf, 2, 3)))
static bool map_id(const char *file, const char *fmt, ...)
{
	char path[64], text[64];
	va_list ap;
	bool good;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/%s", file);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fd = open(path, O_WRONLY);
	good = fd >= 0 && write(fd, text, strlen(text)) > 0;
	close(fd);
	return good;
}

/* A tmpfs in the folder's place, in a user and mount namespace of a child's own: `body` returns a bit per check
 * that held. */
static int in_namespace(int (*body)(void), const char *mount_options)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		unsigned uid = getuid(), gid = getgid();

		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || !map_id("setgroups", "deny") ||
		    !map_id("uid_map", "%u %u 1", uid, uid) || !map_id("gid_map", "%u %u 1", gid, gid) ||
		    mount("none", root, "tmpfs", 0, mount_options))
			_exit(77);
		_exit(body());
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int full_body(void)
{
	struct spool *s;
	int got = 0, n = 0;

	fresh();
	s = open_usual();
	while (n < 100 && add_bytes(s, T0 + (unsigned)n * SEC, 20000) == 0 && !stats(s).in_memory)
		n++;
	got |= n > 3 && n < 20 && stats(s).disk_error == ENOSPC ? 1 : 0;
	got |= stats(s).waiting == (unsigned)n + 1 && stats(s).in_memory == 1 ? 2 : 0;
	spool_remove(s, newest(s));
	add_text(s, T0, "x");
	for (int i = 0; i < 3; i++) {
		struct spool_stats st = stats(s);
		uint64_t skip[100];
		struct spool_item item;
		size_t k = 0;

		/* the oldest on disk */
		while (k < st.waiting - 1 && spool_next(s, skip, k, &item))
			skip[k++] = item.id;
		spool_remove(s, item.id);
	}
	spool_tend(s);
	got |= stats(s).in_memory == 0 && stats(s).disk_error == 0 ? 4 : 0;
	spool_close(s);
	return got;
}

static int readonly_body(void)
{
	struct spool_key key = key_at(T0);
	struct spool *s;
	struct err err;
	int got = 0;

	fresh();
	s = open_usual();
	add_text(s, T0, "a");
	spool_close(s);
	s = open_usual();
	/* With the lock open for writing the file system cannot become read-only: a bind mount can. */
	if (mount(root, root, NULL, MS_BIND, NULL) || mount("none", root, NULL, MS_REMOUNT | MS_BIND |
							   MS_RDONLY, NULL))
		return 77;
	spool_close(s);
	s = open_with(0, 0, HOUR, &err);
	got |= s && strstr(err.text, "Read-only") && stats(s).disk_error == EROFS ? 1 : 0;
	got |= add_text(s, T0 + SEC, "b") == 0 && stats(s).in_memory == 1 ? 2 : 0;
	got |= spool_checkpoint(s, &key, "x", 1) < 0 ? 4 : 0;
	if (mount("none", root, NULL, MS_REMOUNT | MS_BIND, NULL))
		return 77;
	spool_tend(s);
	got |= stats(s).in_memory == 0 && stats(s).waiting == 2 ? 8 : 0;
	spool_close(s);
	return got;
}

static int no_proc_body(void)
{
	struct spool *s;
	int got = 0;

	fresh();
	if (mount("none", "/proc", "tmpfs", 0, NULL))
		return 77;
	s = open_usual();
	add_text(s, T0, "a");
	add_text(s, T0, "b");
	got |= stats(s).in_memory == 0 && stats(s).waiting == 2 ? 1 : 0;
	got |= entries(spool_folder(s)) == 5 ? 2 : 0;
	spool_close(s);
	return got;
}

static void broken_disks(void)
{
	static const struct {
		const char *what, *options;
		int (*body)(void);
		int want;
	} cases[] = {
		{ "a full disk: memory takes over, and gives back", "size=128k", full_body, 7 },
		{ "a read-only disk likewise", "size=1m", readonly_body, 15 },
		{ "without /proc files get their names by rename", "size=1m", no_proc_body, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int got = in_namespace(cases[i].body, cases[i].options);

		if (got == 77)
			tap_skip(cases[i].what, "user namespaces with mounts are not permitted here");
		else
			is_int(got, cases[i].want, cases[i].what);
	}
}

static void others_folder(void)
{
	struct spool *s;
	struct err err;
	struct stat st;
	char *target;

	if (geteuid() != 0) {
		tap_skip("a folder of another user is refused", "giving files away needs root");
		return;
	}
	fresh();
	s = open_usual();
	spool_close(s);
	ok(chown(dir, 12345, 0) == 0, "the folder of somebody");
	s = open_with(0, 0, 0, &err);
	ok(strstr(err.text, "another user") && err.hint[0] && !spool_folder(s)[0], "is refused: %s", err.text);
	ok(add_text(s, T0, "a") == 0 && stats(s).in_memory == 1 && entries(dir) == 0, "and not written to");
	spool_close(s);
	ok(chown(dir, 0, 0) == 0, "ours again");
	/* /var/tmp/pystoker-UID put there by another. */
	target = xstrdup(dir);
	ok(chmod(dir, 01777) == 0, "open to all");
	strcat(dir, "/pystoker-0");
	ok(mkdir(dir, 0777) == 0 && chown(dir, 12345, 0) == 0, "with a trap in it");
	strcat(dir, "/app");
	s = open_with(0, 0, 0, &err);
	ok(!spool_folder(s)[0] && stat(dir, &st) < 0, "is refused: %s", err.text);
	spool_close(s);
	snprintf(dir, sizeof(dir), "%s/link", target);
	ok(symlink("/", dir) == 0 && lchown(dir, 12345, 0) == 0, "a link of somebody's");
	strcat(dir, root);
	s = open_with(0, 0, 0, &err);
	ok(!spool_folder(s)[0], "is not followed");
	spool_close(s);
	snprintf(dir, sizeof(dir), "%s/link", target);
	ok(lchown(dir, 0, 0) == 0, "a link of ours");
	snprintf(dir, sizeof(dir), "%s/link%s/by-link", target, root);
	s = open_with(0, 0, 0, &err);
	ok(spool_folder(s)[0], "is");
	spool_close(s);
	free(target);
}

static void unreadable(void)
{
	struct buf b = BUF_INIT;
	struct spool *s;
	char *path, *other;
	int r;

	fresh();
	s = open_usual();
	add_text(s, T0, "a");
	add_text(s, T0 + SEC, "b");
	path = xasprintf("%s/%llu-42.cpu.pb.gz", spool_folder(s), (T0 + SEC) / MS);
	other = xasprintf("%s.other", path);
	ok(rename(path, other) == 0 && symlink(other, path) == 0, "a link in an item's place");
	r = spool_read(s, newest(s), &b);
	ok(r < 0 && r != -ENOENT && b.len == 0, "is not read");
	is_waiting(s, "a", "nor offered again");
	buf_release(&b);
	free(path);
	free(other);
	spool_close(s);
}

/* --- kill -9, and two at once -------------------------------------------------------------- */

enum { KILLS = 40, PAYLOAD = 3000 };

/* What item `i` consists of: of a length and bytes of its own. */
static size_t payload(char *out, unsigned i)
{
	size_t len = PAYLOAD + i * 7;

	for (size_t k = 0; k < len; k++)
		out[k] = (char)(i * 31 + k);
	memcpy(out, &i, sizeof(i));
	return len;
}

enum { SAVED = 1u << 31 }; /* in what the child says: not the item but its checkpoint */

/* Adds items, with a checkpoint and a sent one in between, and says what is done. */
static void keep_adding(int fd)
{
	struct spool *s = open_usual();
	char data[PAYLOAD + 7 * 300];
	unsigned saved;

	for (unsigned i = 0; i < 250; i++) {
		struct spool_key key = key_at(T0 + i * SEC), next = key_at(T0 + (i + 1) * SEC);

		if (spool_add(s, &key, data, payload(data, i)) || stats(s).in_memory ||
		    write(fd, &i, sizeof(i)) != sizeof(i))
			_exit(1);
		saved = (i + 1) | SAVED;
		if (spool_checkpoint(s, &next, data, payload(data, i + 1)) ||
		    write(fd, &saved, sizeof(saved)) != sizeof(saved))
			_exit(1);
		if (i % 3 == 0)
			spool_sent(s, newest(s));
	}
	_exit(0);
}

/* Every acknowledged item is there once, whole: those below `done`, and `saved` by its checkpoint
 * (SAVED: none). The one under way may be. */
static bool check_survivors(unsigned done, unsigned saved, unsigned *checkpoints)
{
	char want[PAYLOAD + 7 * 300];
	unsigned seen[300] = { 0 };
	struct spool_item item;
	struct spool *s = open_usual();
	bool good = stats(s).dropped_broken == 0 && stats(s).ignored == 0;

	spool_resend(s, 0);
	while (spool_next(s, NULL, 0, &item)) {
		struct buf b = BUF_INIT, raw = BUF_INIT;
		struct buf *whole = &b;
		unsigned i = 0;

		good = good && spool_read(s, item.id, &b) == 0;
		if (gzip_is(b.data, b.len) && gzip_unpack(&raw, b.data, b.len, 1 << 20) == 0) {
			whole = &raw; /* of the checkpoint */
			++*checkpoints;
		}
		if (whole->len >= sizeof(i))
			memcpy(&i, whole->data, sizeof(i));
		good = good && i < 260 && whole->len == payload(want, i) &&
		       !memcmp(whole->data, want, whole->len) && item.key.time_ns == T0 + i * SEC;
		if (i < 300)
			seen[i]++;
		spool_remove(s, item.id);
		buf_release(&b);
		buf_release(&raw);
	}
	for (unsigned i = 0; i < 300; i++)
		good = good && (i < done || i == saved ? seen[i] == 1 : seen[i] <= (i == done));
	spool_close(s);
	return good && entries(dir) == 0;
}

static void note(unsigned said, unsigned *done, unsigned *saved)
{
	if (said & SAVED)
		*saved = said & ~SAVED;
	else
		*done = said + 1;
}

static void killed(void)
{
	unsigned checkpoints = 0, bad = 0;

	for (unsigned round = 0; round < KILLS; round++) {
		unsigned done = 0, saved = SAVED, i;
		int fds[2], status;
		pid_t pid;

		fresh();
		if (pipe(fds))
			return;
		pid = fork();
		if (pid == 0) {
			close(fds[0]);
			keep_adding(fds[1]);
		}
		close(fds[1]);
		/* Up to so many, and some work more, to die anywhere between two. */
		while (done < round % 8 && read(fds[0], &i, sizeof(i)) == sizeof(i))
			note(i, &done, &saved);
		for (volatile unsigned spin = 0; spin < round * 20011; spin++)
			;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		while (read(fds[0], &i, sizeof(i)) == sizeof(i))
			note(i, &done, &saved);
		close(fds[0]);
		if (!check_survivors(done, saved, &checkpoints)) {
			printf("# round %u: %u done, %x saved, folder %s\n", round, done, saved, dir);
			bad++;
		}
	}
	is_int(bad, 0, "whenever it is killed, all that was acknowledged is there, once and whole");
	printf("# %u of %u left a checkpoint to complete\n", checkpoints, KILLS);
}

/* Who adopts is killed on the way. */
static void killed_adopting(void)
{
	unsigned bad = 0;

	for (unsigned round = 0; round < 24; round++) {
		struct spool_stats st;
		struct spool *s;
		int fds[2];
		pid_t pid;
		char c;

		fresh();
		spool_close(open_usual());
		make_folder(DEAD);
		make_folder(DEAD "/sent");
		make_folder(DEAD "/running");
		for (unsigned i = 0; i < 90; i++) {
			static const struct { const char *folder, *suffix; } forms[] = {
				{ DEAD, "pb.gz" }, { DEAD "/sent", "pb.gz" }, { DEAD "/running", "pb" },
			};
			char name[100];

			snprintf(name, sizeof(name), "%s/%llu-1.cpu.%s", forms[i % 3].folder, T0 / MS + i,
				 forms[i % 3].suffix);
			make_file(name, "x", 1);
		}
		if (pipe(fds))
			return;
		pid = fork();
		if (pid == 0) {
			if (write(fds[1], "x", 1) == 1)
				open_usual();
			pause();
		}
		if (read(fds[0], &c, 1) != 1)
			bad++;
		for (volatile unsigned spin = 0; spin < round * round * 9001; spin++)
			;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(fds[0]);
		close(fds[1]);
		s = open_usual();
		st = stats(s);
		if (st.waiting != 60 || st.sent_kept != 30 || st.dropped_broken || st.ignored ||
		    entries(dir) != 1) {
			printf("# round %u: %d waiting, %d sent\n", round, (int)st.waiting, (int)st.sent_kept);
			bad++;
		}
		spool_close(s);
	}
	is_int(bad, 0, "nor is anything lost or doubled when who adopts is killed");
}

/* What a child does with the spool it was born with leaves the parent's alone. */
static void closed_in_child(void)
{
	struct spool *s, *t;
	pid_t pid;

	fresh();
	s = open_usual();
	pid = fork();
	if (pid == 0) {
		spool_close(s);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	add_text(s, T0, "a");
	t = open_usual();
	ok(stats(t).adopted == 0 && stats(s).in_memory == 0, "closing in a child closes nothing of ours");
	spool_close(t);
	spool_close(s);
}

/* The lock must not live on in a child that outlives us. */
static void forked(void)
{
	int ready[2], hold[2];
	pid_t parent, pid;
	struct spool *s;
	char c;

	fresh();
	if (pipe(ready) || pipe(hold))
		return;
	parent = fork();
	if (parent == 0) {
		s = open_usual();
		add_text(s, T0, "a");
		pid = fork();
		if (pid == 0) {
			close(hold[1]);
			if (write(ready[1], "x", 1) != 1 || read(hold[0], &c, 1) != 0)
				_exit(1);
			_exit(0);
		}
		if (read(ready[0], &c, 1) != 1)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	waitpid(parent, NULL, 0);
	s = open_usual();
	is_waiting(s, "a", "a child of an ended run does not hold its lock");
	spool_close(s);
	close(hold[1]); /* the grandchild ends */
	close(hold[0]);
	close(ready[0]);
	close(ready[1]);
}

enum { OPENERS = 4, LEFT = 300 };

/* Several open at once what ended runs left: together they have each file once. */
static void at_once(void)
{
	int start[2], told[2], total = 0, n;
	struct spool *s;
	uint64_t adopted = 0;
	pid_t pids[OPENERS];
	char c;

	fresh();
	for (int run = 0; run < 6; run++) {
		char name[100];

		if (run == 0)
			spool_close(open_usual());
		snprintf(name, sizeof(name), "1795246000-%d", run + 1);
		make_folder(name);
		for (int i = 0; i < LEFT / 6; i++) {
			snprintf(name, sizeof(name), "1795246000-%d/%llu-42.cpu.pb.gz", run + 1, T0 / MS + i);
			make_file(name, "x", 1);
		}
	}
	if (pipe(start) || pipe(told))
		return;
	for (int i = 0; i < OPENERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			close(start[1]);
			if (read(start[0], &c, 1) != 0)
				_exit(1);
			s = open_usual();
			n = (int)stats(s).adopted;
			if (write(told[1], &n, sizeof(n)) != sizeof(n))
				_exit(1);
			kill(getpid(), SIGKILL);
		}
	}
	close(start[0]);
	close(start[1]);
	close(told[1]);
	while (read(told[0], &n, sizeof(n)) == sizeof(n))
		total += n;
	close(told[0]);
	for (int i = 0; i < OPENERS; i++)
		waitpid(pids[i], NULL, 0);
	/* Who opened while another was killed already may have adopted from that one once more. */
	ok(total >= LEFT, "runs that start at once adopt all: %d of %d", total, LEFT);
	s = open_usual();
	adopted = stats(s).adopted;
	is_int((long long)adopted, LEFT, "and nothing twice");
	spool_close(s);
}

/* --- threads ------------------------------------------------------------------------------ */

enum { THREAD_ITEMS = 150 };

static void *adder(void *arg)
{
	struct spool *s = arg;

	for (unsigned i = 0; i < THREAD_ITEMS; i++) {
		struct spool_key key = key_at(T0 + i * SEC);

		add_text(s, key.time_ns, "x");
		spool_checkpoint(s, &key, "y", 1);
		if (i % 7 == 0)
			spool_checkpoint_drop(s, key.pid, key.kind);
	}
	return NULL;
}

static void threads(void)
{
	unsigned taken = 0, unread = 0;
	struct spool_item item;
	struct spool *s;
	pthread_t t;

	fresh();
	s = open_usual();
	pthread_create(&t, NULL, adder, s);
	while (taken < THREAD_ITEMS) {
		struct buf b = BUF_INIT;

		if (!spool_next(s, NULL, 0, &item)) {
			stats(s);
			sched_yield();
			continue;
		}
		unread += spool_read(s, item.id, &b) != 0 || strcmp(b.data, "x");
		buf_release(&b);
		spool_sent(s, item.id);
		spool_tend(s);
		taken++;
	}
	pthread_join(t, NULL);
	is_int(unread, 0, "one thread adds, another reads");
	ok(stats(s).waiting == 0 && stats(s).sent_kept == THREAD_ITEMS, "and takes each once");
	is_int((int)spool_resend(s, 0), THREAD_ITEMS, "all wait again");
	spool_close(s);
}

static void next_with_many_exceptions(void)
{
	struct spool_entry e = { .item = { .key = key_at(0), .bytes = 1 }, .place = SPOOL_WAITING };
	struct spool_index ix;
	uint64_t ids[1000], gone;

	spool_index_init(&ix);
	for (unsigned i = 0; i < 1000; i++) {
		e.item.key.time_ns = (i * 619 % 1000) * MS;
		ids[i] = spool_index_add(&ix, &e)->item.id;
	}
	ok(!spool_index_newest(&ix, ids, 1000), "all are excepted");
	for (unsigned i = 0; i < 1000; i += 2)
		spool_index_remove(&ix, spool_index_find(&ix, ids[i]));
	gone = ids[0];
	for (unsigned i = 0; i < 500; i++)
		ids[i] = ids[2 * i + 1];
	ok(!spool_index_find(&ix, gone) && spool_index_newest(&ix, ids, 499)->item.id == ids[499],
	   "all but one are");
	e.item.key.time_ns = 5000 * MS;
	ok(spool_index_add(&ix, &e)->item.id != gone && !spool_index_find(&ix, gone),
	   "an id is never used again");
	spool_index_release(&ix);
}

static void default_dirs(void)
{
	static const struct {
		const char *state, *app, *want;
	} cases[] = {
		{ "/home/u/.local/state", "api", "/home/u/.local/state/pystoker/spool/api" },
		{ "/s", "my.app-2_x", "/s/pystoker/spool/my.app-2_x" },
		{ "/s", "a/b", "/s/pystoker/spool/a_b-" },
		{ "/s", "..", "/s/pystoker/spool/_.-" },
		{ "/s", "", "/s/pystoker/spool/-" },
	};
	char want[100], *d, *other, longest[2000];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t n = strlen(cases[i].want);

		setenv("XDG_STATE_HOME", cases[i].state, 1);
		d = spool_default_dir(cases[i].app);
		ok(!strncmp(d, cases[i].want, n) && strlen(d) == n + (d[n] ? 8 : 0), "\"%s\": %s",
		   cases[i].app, d);
		free(d);
	}
	d = spool_default_dir("a/b");
	other = spool_default_dir("a:b");
	ok(strcmp(d, other), "made safe, they still differ");
	free(d);
	free(other);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	d = spool_default_dir(longest);
	ok(strlen(d) < 255, "a long one is cut");
	free(d);
	setenv("XDG_STATE_HOME", "relative", 1);
	d = spool_default_dir("api");
	snprintf(want, sizeof(want), "/var/tmp/pystoker-%u/api", (unsigned)geteuid());
	is_str(d, want, "a relative XDG_STATE_HOME counts as none");
	free(d);
	unsetenv("XDG_STATE_HOME");
	d = spool_default_dir("api");
	is_str(d, want, "and none is /var/tmp");
	free(d);
}

/* --- seen from outside ------------------------------------------------------------------- */

static struct spool_survey survey(void)
{
	struct spool_survey v;
	int r = spool_survey(&v, dir);

	is_int(r, 0, "a spool is looked at");
	return v;
}

/* A run that lives until `hold` is closed, with two that wait, one sent and a checkpoint. */
static pid_t live_run(int hold[2])
{
	struct spool_key key = key_at(T0 + 2 * SEC);
	int ready[2];
	char c = 0;
	pid_t pid;

	if (pipe(ready) || pipe(hold))
		return -1;
	pid = fork();
	if (pid == 0) {
		struct spool *s = open_usual();

		close(hold[1]);
		add_text(s, T0 - 5 * SEC, "first");
		spool_sent(s, newest(s));
		add_text(s, T0 + SEC, "older");
		add_text(s, T0 + 9 * SEC, "new");
		spool_checkpoint(s, &key, "half", 4);
		if (write(ready[1], "x", 1) != 1 || read(hold[0], &c, 1) != 0)
			_exit(1);
		_exit(0);
	}
	close(ready[1]);
	close(hold[0]);
	if (read(ready[0], &c, 1) != 1)
		printf("# no live run\n");
	close(ready[0]);
	return pid;
}

static void surveyed(void)
{
	struct spool_survey v;
	struct spool *s;
	int hold[2];
	pid_t pid;

	fresh();
	is_int(spool_survey(&v, dir), -ENOENT, "a spool that is not there");
	ok(!there(""), "is not made");
	pid = live_run(hold);
	v = survey();
	is_int((long long)v.live, 1, "a run whose lock is held lives");
	ok(v.alive[0].pid == pid && v.alive[0].since_ns == T0, "its PID and start are known");
	is_int((long long)v.waiting, 2, "what waits is counted");
	is_int((long long)v.waiting_bytes, 8, "its bytes too");
	ok(v.oldest_ns == T0 + SEC && v.sent == 1 && v.newest_sent_ns == T0,
	   "oldest waiting and newest sent time");
	ok(v.checkpoints == 0 && v.ignored == 0 && !v.partial && v.owner == geteuid(),
	   "the interval under way is no loss, and nothing is strange");
	close(hold[1]);
	waitpid(pid, NULL, 0);
	v = survey();
	ok(v.live == 0 && v.runs == 1 && v.waiting == 2 && v.checkpoints == 1,
	   "ended, it has left the same, and the interval that was under way");
	s = open_usual();
	is_int((long long)stats(s).adopted, 4, "to have looked takes nothing from who adopts");
	v = survey();
	ok(v.live == 1 && v.alive[0].pid == getpid() && v.waiting == 3,
	   "a look from the process itself tells the same");
	spool_close(s);
}

static void surveyed_many(void)
{
	struct spool *open[SPOOL_SURVEY_LIVE_MAX + 2];
	struct spool_survey v;

	fresh();
	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		real_ns = T0 + (i * 7 % ARRAY_SIZE(open)) * SEC;
		open[i] = open_usual();
	}
	v = survey();
	is_int((long long)v.live, (long long)ARRAY_SIZE(open), "more that live than are named");
	for (size_t i = 1; i < SPOOL_SURVEY_LIVE_MAX; i++)
		if (v.alive[i].since_ns != v.alive[i - 1].since_ns - SEC)
			v.live = 0;
	ok(v.live && v.alive[0].since_ns == T0 + (ARRAY_SIZE(open) - 1) * SEC,
	   "the newest are, in their order");
	for (size_t i = 0; i < ARRAY_SIZE(open); i++)
		spool_close(open[i]);
}

static void surveyed_hostile(void)
{
	struct spool_survey v;
	char *path;
	int before;

	fresh();
	spool_close(open_usual());
	make_folder("../spool.outside");
	make_file("../spool.outside/1795246000001-1.cpu.pb.gz", "secret", 6);
	make_folder(DEAD);
	make_file(DEAD "/lock", "", 0);
	make_file(DEAD "/1795246000001-1.cpu.pb.gz", "good", 4);
	make_file(DEAD "/1795246000002-1.cpu.pb.gz", "", 0);
	make_file(DEAD "/1795246000003-01.cpu.pb.gz", "almost", 6);
	make_file(DEAD "/.pystoker-3.tmp", "half", 4);
	make_folder(DEAD "/1795246000004-1.cpu.pb.gz");
	path = in_dir(DEAD "/1795246000005-1.cpu.pb.gz");
	ok(symlink("../../spool.outside/1795246000001-1.cpu.pb.gz", path) == 0, "a link");
	free(path);
	path = in_dir(DEAD "/1795246000006-1.cpu.pb.gz");
	ok(mkfifo(path, 0600) == 0, "a FIFO");
	free(path);
	make_file(DEAD "/1795246000008-1.cpu.pb.gz", "x", 1);
	path = in_dir(DEAD "/1795246000008-1.cpu.pb.gz");
	ok(truncate(path, SPOOL_FILE_MAX + 1) == 0, "a file too large");
	free(path);
	path = in_dir(DEAD "/sent");
	ok(symlink("../../spool.outside", path) == 0, "a link in the place of sent/");
	free(path);
	path = in_dir("1795246000-8");
	ok(symlink("../spool.outside", path) == 0, "a link in a run's place");
	free(path);
	make_folder("1795246000-9");
	path = in_dir("1795246000-9/lock");
	ok(mkfifo(path, 0600) == 0, "a FIFO as lock");
	free(path);
	make_file("1795246000-10", "x", 1);
	make_folder("2024-11");
	make_folder("1795246000-11");

	path = in_dir(DEAD);
	before = entries(path);
	v = survey();
	ok(v.waiting == 1 && v.waiting_bytes == 4, "the one good file counts");
	ok(v.live == 0 && v.sent == 0, "nothing lives, and no link was followed");
	is_int((long long)v.runs, 3, "folders of runs");
	is_int((long long)v.ignored, 8, "the rest is left out");
	is_int(entries(path), before, "nothing is removed, not even what adoption would");
	ok(!there("1795246000-11/lock"), "nor is a lock made");
	free(path);
	path = in_dir("1795246000-10");
	is_int(spool_survey(&v, path), -ENOTDIR, "a file is no spool");
	free(path);
}

/* Readable for all, as a folder that somebody else made, with a run that is not. */
static void surveyed_by_another(void)
{
	struct spool_survey v = { 0 };
	struct spool *s;
	char *above;
	int r;

	if (geteuid() != 0) {
		tap_skip("a survey by another user", "needs root");
		return;
	}
	fresh();
	s = open_usual();
	add_text(s, T0, "a");
	above = in_dir("..");
	r = chmod(dir, 0755) || chmod(above, 0711) || chmod(root, 0711) || seteuid(65534);
	free(above);
	ok(r == 0, "somebody else");
	r = spool_survey(&v, dir);
	ok(seteuid(0) == 0 && chmod(root, 0700) == 0, "ourselves again");
	if (r == -EACCES) /* some folder above */
		tap_skip("a survey by another user", "the folder for tests cannot be reached by all");
	else
		ok(r == 0 && v.unread == 1 && v.live == 0 && v.waiting == 0 && v.owner == 0,
		   "of a run that may not be read it is not said that it has ended");
	spool_close(s);
}

enum { ASKED = 20 };

/* Asks whether the run lives and is not done with that before somebody else has begun to adopt. */
static void ask_slowly(const char *lock, int ready)
{
	int fd = open(lock, O_RDONLY);
	struct spool_survey v = { 0 };

	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) || write(ready, "x", 1) != 1)
		_exit(1);
	while (!v.live && getppid() != 1)
		if (spool_survey(&v, dir))
			_exit(2);
	_exit(0);
}

/* Somebody who looks must not keep an ended run's folder from who adopts it. */
static void surveyed_while_adopted(void)
{
	size_t adopted = 0, asked = 0;

	for (int i = 0; i < ASKED; i++) {
		int ready[2], status;
		struct spool *s;
		char *lock, c;
		pid_t pid;

		fresh();
		s = open_usual();
		add_text(s, T0, "a");
		lock = xasprintf("%s/lock", spool_folder(s));
		spool_close(s);
		if (pipe(ready))
			return;
		pid = fork();
		if (pid == 0)
			ask_slowly(lock, ready[1]);
		close(ready[1]);
		asked += read(ready[0], &c, 1) == 1;
		s = open_usual();
		adopted += stats(s).waiting == 1;
		waitpid(pid, &status, 0);
		asked -= status != 0;
		spool_close(s);
		close(ready[0]);
		free(lock);
	}
	is_int((long long)asked, ASKED, "somebody looks");
	is_int((long long)adopted, ASKED, "all is adopted nevertheless");
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");

	/* Some thousand fsyncs: in memory, where there is such a folder, unless told otherwise. */
	if (!tmp || tmp[0] != '/')
		tmp = access("/dev/shm", R_OK | W_OK | X_OK) ? "/var/tmp" : "/dev/shm";
	snprintf(root, sizeof(root), "%s/test-spool.XXXXXX", tmp);
	if (!mkdtemp(root)) {
		tap_skip("the spool", "no temporary folder: set TMPDIR");
		return tap_done();
	}
	names();
	default_dirs();
	next_with_many_exceptions();
	ordinary();
	wrong_use();
	equal_names();
	adoption();
	collisions();
	hostile();
	limits();
	ages();
	clocks();
	memory();
	lost_folder();
	short_writes();
	broken_disks();
	others_folder();
	unreadable();
	killed();
	killed_adopting();
	closed_in_child();
	forked();
	surveyed();
	surveyed_many();
	surveyed_hostile();
	surveyed_by_another();
	surveyed_while_adopted();
	at_once();
	threads();
	many();
	nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
