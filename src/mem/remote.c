/* SPDX-License-Identifier: MIT
 * Reading a live process with process_vm_readv(2). */
#include "mem/remote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "util/xalloc.h"

struct vm {
	pid_t pid;
	struct iovec local[REMOTE_IOV_MAX], remote[REMOTE_IOV_MAX]; /* of the read under way */
};

static ssize_t vm_readv(void *state, const struct remote_iov *iov, size_t n)
{
	struct vm *vm = state;
	size_t left;
	ssize_t got;

	if (n == 0)
		return 0;
	if (n > REMOTE_IOV_MAX)
		n = REMOTE_IOV_MAX;
	for (size_t i = 0; i < n; i++) {
		vm->local[i] = (struct iovec){ iov[i].buf, iov[i].len };
		vm->remote[i] = (struct iovec){ (void *)(uintptr_t)iov[i].addr, iov[i].len };
	}
	got = process_vm_readv(vm->pid, vm->local, n, vm->remote, n, 0);
	if (got < 0)
		return errno == EFAULT || errno == EINVAL || errno == ENOMEM ? 0 : -errno;
	left = (size_t)got;
	for (size_t i = 0; i < n; i++) {
		if (left < iov[i].len)
			return (ssize_t)i;
		left -= iov[i].len;
	}
	return (ssize_t)n;
}

static const struct remote_ops vm_ops = { .name = "vm", .readv = vm_readv, .free = free };

int remote_open_process(struct remote *r, pid_t pid, struct err *err)
{
	struct vm *vm = xmalloc(sizeof(*vm));
	char byte;
	ssize_t got;

	vm->pid = pid;
	*r = (struct remote){ .ops = &vm_ops, .state = vm };
	/* Address 0 is never mapped: what comes back is only the permission check. */
	got = remote_readv(r, &(struct remote_iov){ 0, &byte, 1 }, 1);
	if (got >= 0)
		return 0;
	remote_close(r);
	if (got == -ESRCH)
		return err_set(err, (int)got, EXIT_GONE, "PID %d: no such process", (int)pid);
	return err_set(err, (int)got, EXIT_DENIED, "PID %d: not permitted to read its memory: %s",
		       (int)pid, strerror((int)-got));
}

void remote_close(struct remote *r)
{
	if (r->ops && r->ops->free)
		r->ops->free(r->state);
	*r = (struct remote){ 0 };
}

int remote_read(const struct remote *r, remote_addr addr, void *buf, size_t len)
{
	struct remote_iov iov = { addr, buf, len };
	ssize_t got;

	if (addr == 0 || addr >= REMOTE_ADDR_MAX || len > REMOTE_ADDR_MAX - addr)
		return -EFAULT;
	got = remote_readv(r, &iov, 1);
	if (got < 0)
		return (int)got;
	return got == 1 ? 0 : -EFAULT;
}
