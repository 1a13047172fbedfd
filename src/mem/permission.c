/* SPDX-License-Identifier: MIT
 * Explaining a denied read. */
#include "mem/permission.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mem/procfs.h"

enum { PARENTS_MAX = 64 };

/* "Uid:\t1000\t1000\t1000\t1000": the first three. */
static void status_ids(const char *status, const char *name, uint32_t out[3])
{
	const char *line = strstr(status, name);

	if (line)
		sscanf(line + strlen(name), "%u %u %u", &out[0], &out[1], &out[2]);
}

static void read_label(pid_t pid, char *out, size_t size)
{
	char *text = procfs_read(pid, "attr/current", NULL);

	snprintf(out, size, "%s", text ? text : "");
	out[strcspn(out, "\n")] = '\0';
	free(text);
}

/* PROC_USER_INIT_INO, include/linux/proc_ns.h: the namespace that all others lie in. */
#define USERNS_INITIAL "user:[4026531837]"

/* The link of a process we may not read is often hidden as well: then unknown. */
static void compare_userns(struct permission_facts *f)
{
	char ours[64], theirs[64];

	if (procfs_readlink(getpid(), "ns/user", ours, sizeof(ours)) < 0)
		return;
	f->own_userns_initial = strcmp(ours, USERNS_INITIAL) ? PERMISSION_NO : PERMISSION_YES;
	if (procfs_readlink(f->pid, "ns/user", theirs, sizeof(theirs)) == 0)
		f->same_userns = strcmp(ours, theirs) ? PERMISSION_NO : PERMISSION_YES;
}

/* The files in /proc/PID belong to root when the process is not dumpable, to its effective user
 * otherwise (task_dump_owner() in fs/proc/base.c). For root's own processes it cannot be told. */
static enum permission_answer read_dumpable(pid_t pid, uid_t euid)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%d/stat", procfs_root, (int)pid);
	if (euid == 0 || stat(path, &st) != 0)
		return PERMISSION_UNKNOWN;
	return st.st_uid == euid ? PERMISSION_YES : PERMISSION_NO;
}

static int read_yama_scope(void)
{
	long scope;

	return procfs_sysctl("kernel/yama/ptrace_scope", &scope) < 0 ? -1 : (int)scope;
}

static bool is_descendant(pid_t pid)
{
	for (int i = 0; i < PARENTS_MAX && pid > 1; i++) {
		struct proc_stat st;

		if (proc_stat_read(&st, pid) < 0)
			return false;
		if (st.ppid == getpid())
			return true;
		pid = st.ppid;
	}
	return false;
}

/* Does the system call work at all? Every process may read itself. */
static bool own_memory_refused(void)
{
	char from = 1, to = 0;
	struct iovec local = { &to, 1 }, remote = { &from, 1 };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) < 0 &&
	       (errno == EPERM || errno == EACCES || errno == ENOSYS);
}

void permission_collect(struct permission_facts *f, pid_t pid)
{
	char *status = procfs_read(pid, "status", NULL);
	char *own = procfs_read(getpid(), "status", NULL);
	uint64_t mode = 0;

	*f = (struct permission_facts){ .pid = pid, .uid = getuid(), .gid = getgid() };
	f->target_visible = status != NULL;
	if (status) {
		status_ids(status, "\nUid:", f->target_uids);
		status_ids(status, "\nGid:", f->target_gids);
		status_mask(status, "CapPrm", &f->target_caps);
		f->dumpable = read_dumpable(pid, f->target_uids[1]);
	}
	if (own) {
		status_mask(own, "CapEff", &f->caps);
		f->seccomp = status_field(own, "Seccomp", &mode) && mode != 0;
	}
	compare_userns(f);
	f->yama_scope = read_yama_scope();
	f->yama_descendant = is_descendant(pid);
	f->probe_refused = own_memory_refused();
	read_label(pid, f->lsm, sizeof(f->lsm));
	read_label(getpid(), f->own_lsm, sizeof(f->own_lsm));
	free(status);
	free(own);
}

static bool has_ptrace(const struct permission_facts *f)
{
	return f->caps & (UINT64_C(1) << CAP_SYS_PTRACE);
}

static bool same_user(const struct permission_facts *f)
{
	for (int i = 0; i < 3; i++)
		if (f->target_uids[i] != f->uid || f->target_gids[i] != f->gid)
			return false;
	return true;
}

/* What gives us CAP_SYS_PTRACE: depends on who we are. */
static void hint_capability(const struct permission_facts *f, struct err *err)
{
	if (f->uid == 0)
		err_hint(err, "in a container start it with --cap-add=SYS_PTRACE (Kubernetes: "
			 "securityContext.capabilities.add: [SYS_PTRACE])");
	else
		err_hint(err, "run it with sudo, or give it the right once: "
			 "sudo setcap cap_sys_ptrace,cap_checkpoint_restore=ep $(command -v pystoker)");
}

typedef bool (*reason_fn)(const struct permission_facts *f, struct err *err);

#define DENIED(err, f, fmt, ...) \
	err_set(err, -EPERM, EXIT_DENIED, "PID %d: not permitted to read its memory: " fmt, \
		(int)(f)->pid, ##__VA_ARGS__)

static bool reason_filter(const struct permission_facts *f, struct err *err)
{
	if (!f->probe_refused)
		return false;
	DENIED(err, f, "process_vm_readv is refused even on ourselves%s",
	       f->seccomp ? ": a seccomp filter is on us" : "");
	err_hint(err, "in a container start it with --cap-add=SYS_PTRACE, which also lifts the "
		 "default seccomp filter, or with --security-opt seccomp=unconfined");
	return true;
}

static bool reason_hidden(const struct permission_facts *f, struct err *err)
{
	if (f->target_visible)
		return false;
	DENIED(err, f, "it belongs to another user and /proc hides it (hidepid)%s",
	       has_ptrace(f) ? "" : "; CAP_SYS_PTRACE is missing");
	hint_capability(f, err);
	return true;
}

static bool reason_userns(const struct permission_facts *f, struct err *err)
{
	/* CAP_SYS_PTRACE of an inner namespace is worth nothing outside it. */
	if (f->same_userns == PERMISSION_YES ||
	    (f->same_userns == PERMISSION_UNKNOWN &&
	     (f->own_userns_initial != PERMISSION_NO || !has_ptrace(f))))
		return false;
	if (f->same_userns == PERMISSION_NO && f->own_userns_initial == PERMISSION_YES &&
	    has_ptrace(f))
		return false;
	DENIED(err, f, "it lives in another user namespace, in which we have no CAP_SYS_PTRACE");
	err_hint(err, "run it as root outside, or inside the target's namespace: "
		 "nsenter -t %d -U -p -m --preserve-credentials pystoker …", (int)f->pid);
	return true;
}

static bool reason_user(const struct permission_facts *f, struct err *err)
{
	if (same_user(f) || has_ptrace(f))
		return false;
	if (f->target_uids[0] == f->uid && f->target_uids[1] == f->uid &&
	    f->target_uids[2] == f->uid)
		DENIED(err, f, "its group %u is not ours (%u) and CAP_SYS_PTRACE is missing",
		       (unsigned int)f->target_gids[1], (unsigned int)f->gid);
	else if (f->target_uids[0] != f->target_uids[1])
		DENIED(err, f, "it runs setuid (real user %u, effective %u), we are user %u, and "
		       "CAP_SYS_PTRACE is missing", (unsigned int)f->target_uids[0],
		       (unsigned int)f->target_uids[1], (unsigned int)f->uid);
	else
		DENIED(err, f, "it belongs to user %u, we are user %u, and CAP_SYS_PTRACE is missing",
		       (unsigned int)f->target_uids[0], (unsigned int)f->uid);
	hint_capability(f, err);
	return true;
}

static bool reason_dumpable(const struct permission_facts *f, struct err *err)
{
	if (f->dumpable != PERMISSION_NO || has_ptrace(f))
		return false;
	DENIED(err, f, "it is not dumpable (started with more rights, or set so by prctl) and "
	       "CAP_SYS_PTRACE is missing");
	hint_capability(f, err);
	return true;
}

static bool reason_caps(const struct permission_facts *f, struct err *err)
{
	uint64_t more = f->target_caps & ~f->caps;

	if (more == 0 || has_ptrace(f))
		return false;
	DENIED(err, f, "it has capabilities that we lack (%#" PRIx64 ") and CAP_SYS_PTRACE is missing",
	       more);
	hint_capability(f, err);
	return true;
}

static bool reason_yama(const struct permission_facts *f, struct err *err)
{
	switch (f->yama_scope) {
	case 1:
		if (has_ptrace(f) || f->yama_descendant)
			return false;
		DENIED(err, f, "kernel.yama.ptrace_scope is 1: only a parent may read it, or "
		       "CAP_SYS_PTRACE, which is missing");
		err_hint(err, "run it with sudo; or let pystoker start the program: "
			 "pystoker record -- PROGRAM; or: sudo sysctl kernel.yama.ptrace_scope=0");
		return true;
	case 2:
		if (has_ptrace(f))
			return false;
		DENIED(err, f, "kernel.yama.ptrace_scope is 2 and CAP_SYS_PTRACE is missing");
		hint_capability(f, err);
		return true;
	case 3:
		DENIED(err, f, "kernel.yama.ptrace_scope is 3: no process may be read");
		err_hint(err, "this is only undone by a reboot without it: "
			 "look for ptrace_scope in /etc/sysctl.d");
		return true;
	default:
		return false;
	}
}

static bool reason_label(const struct permission_facts *f, struct err *err)
{
	if (!f->lsm[0] || (!strcmp(f->lsm, f->own_lsm) && !strcmp(f->lsm, "unconfined")))
		return false;
	DENIED(err, f, "probably by its security label \"%s\" (ours: \"%s\")", f->lsm, f->own_lsm);
	err_hint(err, "its AppArmor or SELinux policy must allow ptrace read; "
		 "the kernel log says what was refused");
	return true;
}

static bool reason_other(const struct permission_facts *f, struct err *err)
{
	if (!has_ptrace(f)) {
		DENIED(err, f, "CAP_SYS_PTRACE is missing");
		hint_capability(f, err);
		return true;
	}
	DENIED(err, f, "refused although we have CAP_SYS_PTRACE; a security module or the "
	       "target's namespace forbids it");
	err_hint(err, "the kernel log may say what was refused");
	return true;
}

/* The first that fits is said: what no right of ours would change comes first. */
static const reason_fn reasons[] = {
	reason_filter, reason_hidden, reason_userns, reason_user, reason_dumpable, reason_caps,
	reason_yama, reason_label, reason_other,
};

int permission_explain(const struct permission_facts *f, struct err *err)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i](f, err))
			break;
	return -EPERM;
}
