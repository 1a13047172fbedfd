/* SPDX-License-Identifier: MIT
 * Recorded pieces of a target's memory, so that what reads a target can be tested without one.
 *
 * The file is gzip'd. First text, a line each, ended by an empty line:
 *
 *	pystoker fixture 1
 *	version 3.13.0              key, one space, value; a key may come several times
 *	runtime 0x7f3c5a2294c0
 *	expect leaf (target.py:7)
 *
 * then, until the end of the file, ranges in ascending order that do not touch: address and length
 * as 64-bit little-endian numbers, and the bytes. What the keys mean is for who writes and reads
 * them: see py/fixture.h. */
#ifndef MEM_FIXTURE_H
#define MEM_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem/remote.h"
#include "util/attr.h"
#include "util/buf.h"

#define FIXTURE_MAGIC "pystoker fixture 1\n"

enum {
	FIXTURE_BLOCK = 512,            /* recorded whole around each byte read */
	FIXTURE_BYTES_MAX = 64 << 20,   /* of a file, unpacked */
	FIXTURE_HEADER_MAX = 1 << 20,
	FIXTURE_RANGES_MAX = 1 << 20,
};

struct fixture_range {
	remote_addr addr;
	uint64_t len;
	const uint8_t *bytes;   /* into fixture.data */
};

struct fixture {
	struct buf data;        /* the file unpacked; lines of the header end in NUL */
	size_t header_len;
	struct fixture_range *ranges; /* owned */
	size_t range_count;
};

/* -EINVAL for anything but a sane file, or -errno; err names the file. */
int fixture_load(struct fixture *f, const char *path, struct err *err) _must_check_;
void fixture_release(struct fixture *f);
/* The value of the i-th line (from 0) with that key; NULL when there are fewer. */
const char *fixture_value(const struct fixture *f, const char *key, size_t i);
/* A target whose memory is the ranges, everything else unmapped. Does not own f. */
void fixture_remote(struct remote *r, const struct fixture *f);

/* A remote that reads through `inner` (not owned) and remembers the blocks that were read, as
 * they were at the last read. For tests: it allocates. */
void fixture_recorder_open(struct remote *r, struct remote *inner);
/* Writes what a recorder remembers; `header` is lines of "key value\n". */
int fixture_save(const struct remote *recorder, const char *header, const char *path,
		 struct err *err) _must_check_;

#endif
