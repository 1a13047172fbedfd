/* SPDX-License-Identifier: MIT
 * Copying an ELF image out of a process into a file of our own. */
#include "image.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf/elf_file.h"
#include "util/xalloc.h"

enum { PAGE = 4096, PIECE = 64 * PAGE };

static int write_at(int fd, const void *data, size_t len, uint64_t offset)
{
	return pwrite(fd, data, len, (off_t)offset) == (ssize_t)len ? 0 : -EIO;
}

/* Page by page where a whole piece cannot be read: some of it may be gone. */
static void copy_piece(const struct remote *r, int fd, remote_addr from, size_t len, uint64_t offset,
		       char *buf)
{
	if (remote_read(r, from, buf, len) == 0) {
		(void)!write_at(fd, buf, len, offset);
		return;
	}
	for (size_t at = 0; at < len; at += PAGE) {
		size_t n = len - at < PAGE ? len - at : PAGE;

		if (remote_read(r, from + at, buf, n) == 0)
			(void)!write_at(fd, buf, n, offset + at);
	}
}

static void copy_range(const struct remote *r, int fd, remote_addr from, uint64_t len,
		       uint64_t offset)
{
	char *buf = xmalloc(PIECE);

	for (uint64_t at = 0; at < len; at += PIECE)
		copy_piece(r, fd, from + at, len - at < PIECE ? (size_t)(len - at) : PIECE,
			   offset + at, buf);
	free(buf);
}

int image_copy(const struct remote *r, remote_addr start, uint64_t len)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	copy_range(r, fd, start, len, 0);
	return fd;
}

/* The section headers are not mapped: no word of them. */
static int write_header(const struct remote *r, int fd, remote_addr base)
{
	Elf64_Ehdr eh;
	int ret = remote_read(r, base, &eh, sizeof(eh));

	if (ret < 0)
		return ret;
	eh.e_shoff = 0;
	eh.e_shnum = eh.e_shstrndx = 0;
	return write_at(fd, &eh, sizeof(eh), 0);
}

static int copy_segments(const struct remote *r, int fd, const struct elf_file *f, uint64_t max)
{
	for (size_t i = 0; i < f->segment_count; i++) {
		const struct elf_segment *s = &f->segments[i];

		if (s->file_size > max || s->file_offset > max)
			return -EFBIG;
		max -= s->file_size;
		copy_range(r, fd, f->bias + s->vaddr, s->file_size, s->file_offset);
	}
	return 0;
}

int image_rebuild(const struct remote *r, remote_addr base, uint64_t max, uint64_t *ret_bias)
{
	struct elf_file f;
	int ret = elf_file_open_memory(&f, r, base), fd;

	if (ret < 0)
		return ret;
	fd = memfd_create("image", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	copy_range(r, fd, base, PAGE, 0);
	ret = copy_segments(r, fd, &f, max);
	if (ret == 0)
		ret = write_header(r, fd, base);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	*ret_bias = f.bias;
	return fd;
}
