/* SPDX-License-Identifier: MIT
 * /proc as the kernel writes it and as it should never be: a folder of made-up processes. */
#include "mem/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"
#include "util/buf.h"
#include "util/xalloc.h"

static char root[] = "/tmp/test-procfs-XXXXXX";

static void put(const char *path, const char *data, size_t len)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	f = fopen(full, "w");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0) {
		perror(full);
		exit(99);
	}
}

static int parse(struct maps *m, const char *text)
{
	char *copy = xstrdup(text); /* own block: ASan sees a step past its end */
	int ret = maps_parse(m, copy);

	free(copy);
	return ret;
}

static void test_maps(void)
{
	static const char text[] =
		"00400000-00401000 r--p 00000000 fe:01 1234                               /usr/bin/py\n"
		"00401000-00402000 r-xp 00001000 fe:01 1234                               /opt/my app/a b (x)\n"
		"00402000-00403000 rw-p 00002000 fe:01 1234                               /tmp/line\\012break \\x.so (deleted)\n"
		"00403000-00405000 rw-p 00000000 00:00 0 \n"
		"00405000-00425000 rw-p 00000000 00:00 0                                  [heap]\n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";
	struct maps m;

	is_int(parse(&m, text), 0, "a usual map parses");
	if (!is_int((long long)m.count, 6, "every line"))
		return;
	is_str(m.list[1].path, "/opt/my app/a b (x)", "spaces and parentheses in a path");
	ok(m.list[1].exec && m.list[1].read && !m.list[1].write && m.list[1].offset == 0x1000 &&
	   m.list[1].dev_major == 0xfe && m.list[1].dev_minor == 1 && m.list[1].inode == 1234,
	   "permissions, offset, device, inode");
	is_str(m.list[2].path, "/tmp/line\nbreak \\x.so", "newline, backslash and (deleted)");
	ok(m.list[2].deleted && !m.list[1].deleted, "deleted is a flag");
	is_str(m.list[3].path, "", "anonymous memory has an empty path");
	is_str(m.list[4].path, "[heap]", "[heap]");
	ok(maps_find(&m, 0x401000) == &m.list[1] && maps_find(&m, 0x401fff) == &m.list[1] &&
	   maps_find(&m, 0x3fffff) == NULL && maps_find(&m, 0x425000) == NULL &&
	   maps_find(&m, 0xffffffffff600fffULL) == &m.list[5], "found by address, ends excluded");
	maps_release(&m);
	ok(m.count == 0 && m.list == NULL, "released");
}

static void test_bad_maps(void)
{
	static const char *const bad[] = {
		"x", "00400000", "00400000-", "00400000-00401000", "00400000-00401000 r-xp",
		"00400000-00401000 r-xp 00000000 fe:01", "00400000-00401000 r-xp 0000",
		"00400000-00401000 r-xp 00000000 fe:01 12x4 /a",
		"00401000-00400000 r-xp 00000000 fe:01 1 /a", "-1-2 r-xp 00000000 fe:01 1 /a",
		"11112222333344445-11112222333344446 r-xp 00000000 fe:01 1 /a",
		"00401000-00402000 r-xp 0 fe:01 1 /a\n00400000-00401000 r-xp 0 fe:01 1 /a\n", "\n",
	};
	static const char good[] = "00400000-00401000 r-xp 00000000 fe:01 1234     /a (deleted)\n";
	struct maps m;
	int crashed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(parse(&m, bad[i]) == -EINVAL && m.count == 0, "refused: %.40s", bad[i]);
	for (size_t len = 0; len < sizeof(good); len++) {
		char *cut = xstrndup(good, len);
		int ret = maps_parse(&m, cut);

		crashed += ret != 0 && ret != -EINVAL;
		maps_release(&m);
		free(cut);
	}
	is_int(crashed, 0, "cut anywhere: a result or a refusal");
	is_int(parse(&m, ""), 0, "no memory at all (zombie) is no fault");
	maps_release(&m);
}

static void test_huge_maps(void)
{
	struct buf b = BUF_INIT;
	struct maps m;

	for (unsigned int i = 1; i <= 100000; i++)
		buf_addf(&b, "%x000-%x000 rw-p 00000000 00:00 0 \n", i, i + 1);
	put("7/maps", b.data, b.len);
	is_int(maps_read(&m, 7, NULL), 0, "100000 mappings are read");
	ok(m.count == 100000 && maps_find(&m, 0xc350abc)->start == 0xc350000, "and found again");
	maps_release(&m);
	for (unsigned int i = 100001; i <= PROCFS_MAPS_MAX + 2; i++)
		buf_addf(&b, "%x000-%x000 rw-p 00000000 00:00 0 \n", i, i + 1);
	is_int(maps_parse(&m, b.data), -E2BIG, "beyond PROCFS_MAPS_MAX: refused");
	buf_release(&b);
}

static void test_files(void)
{
	struct err err = { 0 };
	struct maps m;
	char text[32], full[256];
	size_t len = 99;
	char *all;

	put("7/cmdline", "python\0-c\0a\nb\0\0", 15);
	is_int(procfs_cmdline(7, text, sizeof(text)), 0, "cmdline");
	is_str(text, "python -c a b", "arguments joined, control characters gone");
	put("7/cmdline", "0123456789012345678901234567890123456789", 40);
	procfs_cmdline(7, text, sizeof(text));
	is_str(text, "0123456789012345678901234567890", "cut at size - 1");
	put("7/cmdline", "", 0);
	put("7/comm", "kworker/0:1\n", 12);
	procfs_cmdline(7, text, sizeof(text));
	is_str(text, "[kworker/0:1]", "comm in brackets when there is none");
	all = procfs_read(7, "cmdline", &len);
	ok(all && *all == '\0' && len == 0, "an empty file is an empty text");
	free(all);
	all = procfs_read(8, "cmdline", &len);
	ok(!all && errno == ENOENT, "no such process: NULL and errno");
	is_int(procfs_open(8, "stat"), -ENOENT, "procfs_open gives -errno");
	is_int(maps_read(&m, 8, &err), -ESRCH, "maps of no process");
	is_int(err.status, EXIT_GONE, "said as gone");
	snprintf(full, sizeof(full), "%s/7/exe", root);
	ok(symlink("/usr/bin/python3 (deleted)", full) == 0, "link made");
	is_int(procfs_readlink(7, "exe", text, sizeof(text)), 0, "readlink");
	is_str(text, "/usr/bin/python3 (deleted)", "its target");
	is_int(procfs_readlink(7, "exe", text, 5), 0, "readlink into little");
	is_str(text, "/usr", "cut");
}

#define STAT_TAIL " S 42 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654321012 1 2 " \
	"18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 3 0 0\n"

static void test_stat(void)
{
	static const char plain[] = "7 (python3)" STAT_TAIL;
	struct proc_stat st = { 0 };
	int wrong = 0;

	is_int(proc_stat_parse(&st, plain), 0, "stat");
	ok(st.state == 'S' && st.ppid == 42 && st.start_ticks == 987654321012 && st.processor == 3,
	   "state, parent, start, processor");
	st = (struct proc_stat){ 0 };
	is_int(proc_stat_parse(&st, "7 (a) R 1 (b c))" STAT_TAIL), 0, "comm with parentheses");
	ok(st.state == 'S' && st.ppid == 42, "is not taken for the end of comm");
	for (size_t len = 0; len < sizeof(plain) - 8; len++) {
		char *cut = xstrndup(plain, len);

		wrong += proc_stat_parse(&st, cut) != -EINVAL;
		free(cut);
	}
	is_int(wrong, 0, "cut before field 39: refused");
	put("7/stat", plain, sizeof(plain) - 1);
	ok(proc_stat_read(&st, 7) == 0 && st.processor == 3, "read from the file");
	is_int(proc_stat_read(&st, 8), -ENOENT, "no such process");
}

static void test_status(void)
{
	static const char status[] = "Name:\tPid: 5\nPid:\t700\nXPid:\t9\nNSpid:\t700\t31\t2\n"
		"CapEff:\t000001ffffffffff\nSeccomp:\t2\nEmpty:\nUid:\t1000\t1\t2\t3\n";
	uint64_t v = 1;

	ok(status_field(status, "Pid", &v) && v == 700, "whole names at a line's start only");
	ok(status_field(status, "Uid", &v) && v == 1000, "first number of several");
	ok(status_mask(status, "CapEff", &v) && v == 0x1ffffffffff, "mask");
	v = 77;
	ok(!status_field(status, "Empty", &v) && !status_field(status, "Nope", &v) && v == 77,
	   "absent or empty: untouched");
	is_int(status_nspid(status), 2, "innermost pid");
	is_int(status_nspid("NSpid:\t5"), 5, "no namespace, no newline");
	is_int(status_nspid("Pid:\t5\n"), 0, "old kernel");
}

static void write_sysctl(const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/sys/kernel/number", root);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
}

static void test_sysctl(void)
{
	char path[256];
	long v = 77;

	snprintf(path, sizeof(path), "%s/sys", root);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/sys/kernel", root);
	mkdir(path, 0700);
	write_sysctl("-1\n");
	ok(procfs_sysctl("kernel/number", &v) == 0 && v == -1, "sysctl: a number, got %ld", v);
	write_sysctl("4\t4\t1\t7\n");
	ok(procfs_sysctl("kernel/number", &v) == 0 && v == 4, "sysctl: the first of several");
	write_sysctl("\n");
	is_int(procfs_sysctl("kernel/number", &v), -EINVAL, "sysctl: none");
	is_int(procfs_sysctl("kernel/nope", &v), -ENOENT, "sysctl: no such file");
}

int main(void)
{
	char full[256];

	if (!mkdtemp(root))
		return 99;
	snprintf(full, sizeof(full), "%s/7", root);
	mkdir(full, 0700);
	procfs_root = root;
	test_maps();
	test_bad_maps();
	test_huge_maps();
	test_files();
	test_stat();
	test_status();
	test_sysctl();
	snprintf(full, sizeof(full), "rm -r %s", root);
	return system(full) | tap_done();
}
