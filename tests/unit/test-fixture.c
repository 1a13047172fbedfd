/* SPDX-License-Identifier: MIT
 * Recording, saving, loading and playing back; and files that are none. */
#include "mem/fixture.h"
#include "py/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "fake_remote.h"
#include "tap.h"

static char path[] = "/tmp/test-fixture-XXXXXX";
static char damaged[sizeof(path) + 2];

static void write_gz(const void *data, size_t len)
{
	gzFile f = gzopen(damaged, "wb");

	if (!f || (len && gzwrite(f, data, (unsigned int)len) != (int)len) || gzclose(f) != Z_OK)
		abort();
}

static int load_damaged(void)
{
	struct fixture f;
	struct err err = { 0 };
	int ret = fixture_load(&f, damaged, &err);

	if (ret == 0)
		fixture_release(&f);
	else if (err.status != EXIT_FAILED || !strstr(err.text, damaged))
		return 1;
	return ret;
}

static void test_round_trip(void)
{
	struct fake_remote fake = { 0 };
	struct remote inner = fake_remote(&fake), rec, back;
	uint8_t *page = fake_map(&fake, 0x10000, 8192), *far = fake_map(&fake, 0x7f0000000000, 4096);
	uint8_t buf[2048];
	struct fixture f;
	struct err err = { 0 };

	for (int i = 0; i < 8192; i++)
		page[i] = (uint8_t)(i * 7 + i / 256);
	far[100] = 42;
	fixture_recorder_open(&rec, &inner);
	ok(remote_read(&rec, 0x10000 + 700, buf, 1000) == 0 && !memcmp(buf, page + 700, 1000),
	   "a recorder reads through");
	page[701] ^= 0xff;
	ok(remote_read(&rec, 0x10000 + 701, buf, 1) == 0 && buf[0] == page[701], "the last read counts");
	ok(remote_read(&rec, 0x7f0000000000 + 100, buf, 1) == 0, "far away");
	is_int(remote_read(&rec, 0x20000, buf, 8), -EFAULT, "unmapped stays unmapped");
	is_int(remote_read(&rec, 0x11ffc, buf, 8), -EFAULT, "half mapped too");
	if (!is_int(fixture_save(&rec, "a 1\nexpect x (y:1)\nexpect z\n", path, &err), 0, "saved"))
		printf("# %s\n", err.text);
	if (!is_int(fixture_load(&f, path, &err), 0, "loaded"))
		return;
	is_str(fixture_value(&f, "a", 0), "1", "a value");
	is_str(fixture_value(&f, "expect", 1), "z", "the second of a key");
	ok(!fixture_value(&f, "expect", 2) && !fixture_value(&f, "exp", 0) &&
	   !fixture_value(&f, "pystoker", 1), "no value");
	fixture_remote(&back, &f);
	ok(remote_read(&back, 0x10000 + 700, buf, 1000) == 0 && !memcmp(buf, page + 700, 1000),
	   "the same bytes");
	ok(remote_read(&back, 0x7f0000000000 + 100, buf, 1) == 0 && buf[0] == 42, "far ones too");
	is_int(remote_read(&back, 0x10000, buf, 512), -EFAULT, "what was not read is unmapped");
	is_int(remote_read(&back, 0x10000 + 1023, buf, 2), 0, "blocks run together");
	is_int(remote_read(&back, 0x7f0000000000 + 511, buf, 2), -EFAULT, "up to their end");
	remote_close(&back);
	fixture_release(&f);
	is_int(remote_open_fixture(&back, path, &err), 0, "opened as a remote");
	is_int(remote_read(&back, 0x7f0000000000 + 100, buf, 1), 0, "and read");
	remote_close(&back);
	remote_close(&rec);
	fake_release(&fake);
}

static void test_damage(void)
{
	static const char text[] = FIXTURE_MAGIC "version 3.8.1\n\n";
	char data[128];
	size_t head = sizeof(text) - 1;
	uint64_t ranges[8] = { 0x1000, 8, 1, 0x1008, 8, 2, 0, 0 };
	int odd = 0;

	memcpy(data, text, head);
	memcpy(data + head, ranges, 48);
	write_gz(data, head + 48);
	is_int(load_damaged(), 0, "a small one, made by hand");
	for (size_t len = 0; len < head + 48; len++) {
		int ret;

		write_gz(data, len);
		ret = load_damaged();
		odd += ret != -EINVAL && !(ret == 0 && (len == head || len == head + 24));
	}
	is_int(odd, 0, "cut anywhere: refused, but after a whole range");
	ranges[4] = UINT64_MAX;
	memcpy(data + head, ranges, 48);
	write_gz(data, head + 48);
	is_int(load_damaged(), -EINVAL, "absurd length");
	ranges[4] = 8;
	ranges[3] = 0x1007;
	memcpy(data + head, ranges, 48);
	write_gz(data, head + 48);
	is_int(load_damaged(), -EINVAL, "overlapping ranges");
	ranges[3] = UINT64_MAX - 4;
	memcpy(data + head, ranges, 48);
	write_gz(data, head + 48);
	is_int(load_damaged(), -EINVAL, "impossible address");
	is_int(truncate(damaged, 30), 0, "cut the packed file");
	is_int(load_damaged(), -EINVAL, "refused");
	unlink(damaged);
	is_int(load_damaged(), -ENOENT, "no such file");
}

static void test_target(void)
{
	struct fake_remote fake = { 0 };
	struct remote inner = fake_remote(&fake), rec, back;
	struct buf header = BUF_INIT;
	struct py_target t = {
		.pid = 77, .version = pyver_parse("3.8.18"), .runtime = 0x5000, .code_type = 0x6000,
		.pthread_tid_offset = 720, .layout = *layout_find(PYVER(3, 8), false, false),
	}, u;
	struct err err = { 0 };
	struct fixture f;

	fixture_recorder_open(&rec, &inner);
	is_int(target_to_fixture(&t, &rec, &header), 0, "a target's lines");
	is_int(fixture_save(&rec, header.data, path, &err), 0, "saved without memory");
	if (!is_int(fixture_load(&f, path, &err), 0, "loaded"))
		return;
	fixture_remote(&back, &f);
	is_int(target_from_fixture(&u, &f, &back, &err), 0, "the target again");
	ok(u.pid == 77 && u.version == t.version && u.runtime == 0x5000 && u.code_type == 0x6000 &&
	   u.pthread_tid_offset == 720 && !u.debug_offsets && u.layout.version == PYVER(3, 8),
	   "with all it had");
	fixture_release(&f);
	buf_release(&header);
	remote_close(&rec);
	fake_release(&fake);
}

/* From 3.13 on the layout comes from the recorded memory itself. */
static void test_described_target(void)
{
	struct fake_remote fake = { 0 };
	struct remote inner = fake_remote(&fake), rec, back;
	uint8_t *runtime = fake_map(&fake, 0x5000, 4096);
	struct buf header = BUF_INIT;
	struct py_target u, t = {
		.pid = 1, .version = 0x030f02f0, .runtime = 0x5000, .debug_offsets = true,
		.layout = *layout_find(PYVER(3, 15), false, false),
	};
	struct err err = { 0 };
	struct fixture f;
	FILE *file = fopen(TESTS_DIR "/fixtures/debug-offsets-3.15.2.bin", "rb");

	if (!file || fread(runtime, 1, 888, file) != 888)
		abort();
	fclose(file);
	t.layout.tstate.base_frame = 904; /* as if learned */
	fixture_recorder_open(&rec, &inner);
	is_int(target_to_fixture(&t, &rec, &header), 0, "a target that describes itself");
	is_int(fixture_save(&rec, header.data, path, &err), 0, "saved");
	if (!is_int(fixture_load(&f, path, &err), 0, "loaded"))
		return;
	fixture_remote(&back, &f);
	is_int(target_from_fixture(&u, &f, &back, &err), 0, "the target again");
	ok(u.debug_offsets && !u.version_guessed && u.layout.tstate.base_frame == 904 &&
	   u.layout.interp.code_generation == 7944, "with its layout");
	fixture_release(&f);
	is_int(fixture_save(&rec, "version 3.15.1\ndebug_offsets 1\nruntime 0x5000\n", path, &err), 0,
	       "a header that says another version");
	is_int(fixture_load(&f, path, &err), 0, "loads");
	is_int(target_from_fixture(&u, &f, &back, &err), -EINVAL, "and is refused");
	fixture_release(&f);
	buf_release(&header);
	remote_close(&rec);
	fake_release(&fake);
}

int main(void)
{
	int fd = mkstemp(path);

	snprintf(damaged, sizeof(damaged), "%s.d", path);
	close(fd);
	test_round_trip();
	test_damage();
	test_target();
	test_described_target();
	unlink(path);
	return tap_done();
}
