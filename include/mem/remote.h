/* SPDX-License-Identifier: MIT
 * A target's memory, read only. One seam for the live process and for recorded pages, so that
 * everything above is tested without a process. */
#ifndef MEM_REMOTE_H
#define MEM_REMOTE_H

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/attr.h"
#include "util/err.h"

typedef uint64_t remote_addr; /* an address of the target: never dereferenced */
#define PRIraddr "#" PRIx64

#define REMOTE_IOV_MAX 512u          /* pieces of one read; the kernel's limit is 1024 */
#define REMOTE_ADDR_MAX (1ULL << 56) /* user space ends below (x86-64 5-level, aarch64 52-bit) */

struct remote_iov {
	remote_addr addr;
	void *buf;
	size_t len;
};

struct remote_ops {
	const char *name; /* "vm", "fixture", "recorder" */
	/* Reads pieces in order and stops at the first that cannot be read whole. Returns how many
	 * were read whole (0..n), or -ESRCH gone, -EPERM denied. Never allocates. */
	ssize_t (*readv)(void *state, const struct remote_iov *iov, size_t n);
	void (*free)(void *state); /* NULL state is fine */
};

struct remote {
	const struct remote_ops *ops;
	void *state;
};

/* process_vm_readv(2) on a live process. One handle is for one thread at a time. Tries one read, so that a missing permission shows here:
 * -ESRCH or -EPERM with a filled err that names what is missing (see mem/permission.c). */
int remote_open_process(struct remote *r, pid_t pid, struct err *err) _must_check_;
/* Pages recorded by tests/tools/record-pages; see mem/fixture.h for the format. */
int remote_open_fixture(struct remote *r, const char *path, struct err *err) _must_check_;
void remote_close(struct remote *r);

static inline ssize_t remote_readv(const struct remote *r, const struct remote_iov *iov, size_t n)
{
	return r->ops->readv(r->state, iov, n);
}

/* One piece: 0, -EFAULT (unmapped or an impossible address), -ESRCH or -EPERM. */
int remote_read(const struct remote *r, remote_addr addr, void *buf, size_t len) _must_check_;

static inline int remote_read_u64(const struct remote *r, remote_addr addr, uint64_t *ret)
{
	return remote_read(r, addr, ret, sizeof(*ret));
}

static inline int remote_read_u32(const struct remote *r, remote_addr addr, uint32_t *ret)
{
	return remote_read(r, addr, ret, sizeof(*ret));
}

#endif
