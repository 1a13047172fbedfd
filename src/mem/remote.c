/* SPDX-License-Identifier: MIT
 * Reading a live process with process_vm_readv(2). */
#include "mem/remote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "mem/permission.h"
#include "mem/procfs.h"
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

/* A process without memory is "gone" as well: a zombie, a kernel thread. */
static int explain_gone(pid_t pid, struct err *err)
{
	struct proc_stat st;
	char name[64];

	if (proc_stat_read(&st, pid) < 0)
		return err_set(err, -ESRCH, EXIT_GONE, "PID %d: no such process", (int)pid);
	if (procfs_cmdline(pid, name, sizeof(name)) < 0)
		strcpy(name, "?");
	if (st.state == 'Z' || st.state == 'X')
		return err_set(err, -ESRCH, EXIT_GONE,
			       "PID %d (%s): the process has ended (it is a zombie)", (int)pid, name);
	return err_set(err, -ESRCH, EXIT_NOT_PYTHON,
		       "PID %d (%s): a kernel thread, there is no CPython interpreter in it",
		       (int)pid, name);
}

static int explain_denied(pid_t pid, int ret, struct err *err)
{
	struct permission_facts facts;

	if (ret != -EPERM && ret != -EACCES)
		return err_set(err, ret, EXIT_FAILED, "PID %d: cannot read its memory: %s", (int)pid,
			       strerror(-ret));
	permission_collect(&facts, pid);
	return permission_explain(&facts, err);
}

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
	return got == -ESRCH ? explain_gone(pid, err) : explain_denied(pid, (int)got, err);
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
