/* SPDX-License-Identifier: MIT
 * Output appears whole or not at all; what is no regular file is written through. */
#include "export/sink.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

static char folder[] = "/tmp/test-sink.XXXXXX";

static const char *content(const char *path)
{
	static char text[256];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return "(no file)";
	text[n] = '\0';
	return text;
}

static int files(void)
{
	DIR *d = opendir(".");
	int n = -2; /* . and .. */

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int put(const char *path, const char *text, struct err *err)
{
	struct sink s;
	int ret = sink_open(&s, path, err);

	if (ret < 0)
		return ret;
	sink_puts(&s, text);
	return sink_commit(&s, err);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : st.st_mode & 0777;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void test_whole_or_not(void)
{
	struct sink s;

	umask(027);
	is_int(sink_open(&s, "new", NULL), 0, "a new file");
	sink_puts(&s, "text");
	is_str(content("new"), "(no file)", "is not there before the end");
	is_int(sink_commit(&s, NULL), 0, "the end");
	is_str(content("new"), "text", "and then whole");
	is_int(mode_of("new"), 0640, "with the mode that umask means");
	is_int(files(), 1, "nothing else is left");

	chmod("new", 0604);
	is_int(sink_open(&s, "new", NULL), 0, "a file that is there");
	sink_puts(&s, "other");
	sink_abort(&s);
	is_str(content("new"), "text", "stays as it was after giving up");
	is_int(put("new", "other", NULL), 0, "replaced");
	is_str(content("new"), "other", "has the new content");
	is_int(mode_of("new"), 0604, "keeps its mode");
	is_int(files(), 1, "nothing else is left");
}

static void test_links(void)
{
	mkdir("sub", 0777);
	is_int(symlink("sub/real", "link") | symlink("link", "link2"), 0, "a link to nothing yet");
	is_int(put("link2", "one", NULL), 0, "is written");
	is_str(content("sub/real"), "one", "where it points to");
	is_int(put("link2", "two", NULL), 0, "again");
	is_str(content("sub/real"), "two", "replaces what it points to");
	ok(readlink("link2", (char[8]){ 0 }, 8) > 0, "the link is still one");
	is_int(symlink("loop", "loop"), 0, "a loop");
	is_int(put("loop", "x", NULL), -ELOOP, "is refused");
}

static void test_refused(void)
{
	struct err err = { 0 };

	is_int(put("no/such/file", "x", &err), -ENOENT, "a missing folder");
	is_str(err.text, "cannot write no/such/file: the folder no/such does not exist", "is named");
	is_int(err.status, EXIT_OUTPUT, "with its own status");
	ok(put("sub", "x", &err) == -EISDIR, "a folder is no file");
	ok(put("fresh/", "x", &err) < 0, "nor is a name with a slash at its end");
	is_int(put("", "x", &err), -ENOENT, "nor the empty name");
	if (geteuid() == 0) {
		tap_skip("a read-only file is refused", "root may write all; run as another user");
		return;
	}
	chmod("new", 0444);
	is_int(put("new", "x", &err), -EACCES, "a read-only file is refused");
}

static void test_through(void)
{
	struct err err = { 0 };
	char path[32];
	int fds[2];

	is_int(put("/dev/null", "x", &err), 0, "/dev/null");
	is_int(put("/dev/full", "x", &err), -ENOSPC, "a full device");
	is_str(err.text, "cannot write /dev/full: No space left on device", "is named");
	is_int(pipe(fds), 0, "a pipe");
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[1]);
	is_int(put(path, "piped", &err), 0, "by its number");
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	is_int(close(fds[1]), 0, "is still ours after");
	is_str(content(path), "piped", "and got the text");
	close(fds[0]);

	is_int(mkfifo("fifo", 0600), 0, "a FIFO");
	fds[0] = open("fifo", O_RDWR);
	is_int(put("fifo", "named", &err), 0, "is written through");
	ok(read(fds[0], path, 5) == 5 && !memcmp(path, "named", 5), "its reader has the text");
	close(fds[0]);
}

/* A shell's `> log` then `-o /dev/stdout`: behind what is there, in the same open file. */
static void test_open_file(void)
{
	int fd = open("log", O_RDWR | O_CREAT | O_APPEND, 0600);
	char path[32];

	is_int(write(fd, "before ", 7), 7, "a log");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	is_int(put(path, "after", NULL), 0, "of an open file");
	is_str(content("log"), "before after", "is added to, not replaced");
	close(fd);
}

static void test_broken_pipe(void)
{
	char path[32];
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	is_int(pipe(fds), 0, "a pipe");
	close(fds[0]);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[1]);
	is_int(put(path, "x", NULL), -EPIPE, "without a reader is an error");
	close(fds[1]);
}

/* The kernel refuses to let the file grow, as a full disk does. */
static void test_full_disk(void)
{
	struct rlimit old, small = { 100000, 100000 };
	static char block[60000];
	struct err err = { 0 };
	struct sink s;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	is_int(put("victim", "old", NULL), 0, "a file");
	is_int(sink_open(&s, "victim", NULL), 0, "is to be replaced");
	for (int i = 0; i < 10; i++)
		sink_write(&s, block, sizeof(block));
	is_int(sink_commit(&s, &err), -EFBIG, "and the disk has no room");
	is_str(err.text, "cannot write victim: File too large", "the error names the file");
	is_str(content("victim"), "old", "the old one is whole");
	setrlimit(RLIMIT_FSIZE, &old);
}

static void test_memory(void)
{
	struct sink s;

	sink_open_memory(&s);
	sink_printf(&s, "%d ", 7);
	sink_json(&s, "a\"\\\n\x01\xff<\xf0\x9f\x94\xa5");
	sink_json_in_markup(&s, "]]><&\xc2\x85");
	is_str(s.pending.data, "7 \"a\\\"\\\\\\n\\u0001\xef\xbf\xbd<\xf0\x9f\x94\xa5\""
	       "\"]]\\u003e\\u003c\\u0026\\u0085\"", "a buffer, JSON in it");
	sink_fail(&s, EIO, "the temporary file of events");
	sink_puts(&s, "more");
	is_int(s.error, EIO, "an error of the data stays");
	sink_abort(&s);
}

static void test_culprit(void)
{
	struct err err = { 0 };
	struct sink s;

	is_int(sink_open(&s, "data", NULL), 0, "a file");
	sink_fail(&s, EIO, "the temporary file of events");
	is_int(sink_commit(&s, &err), -EIO, "whose data could not be had");
	is_str(err.text, "cannot write data: the temporary file of events: Input/output error",
	       "says which");
	is_str(content("data"), "(no file)", "and is not there");
}

int main(void)
{
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return 1;
	test_whole_or_not();
	test_links();
	test_refused();
	test_through();
	test_open_file();
	test_broken_pipe();
	test_full_disk();
	test_memory();
	test_culprit();
	ok(nftw(folder, remove_one, 4, FTW_DEPTH | FTW_PHYS) == 0, "cleaned up");
	return tap_done();
}
