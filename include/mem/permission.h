/* SPDX-License-Identifier: MIT
 * Why the kernel does not let us read a process, and what would help.
 *
 * Follows __ptrace_may_access() (kernel/ptrace.c at v6.1), cap_ptrace_access_check()
 * (security/commoncap.c) and yama_ptrace_access_check() (security/yama/yama_lsm.c). */
#ifndef MEM_PERMISSION_H
#define MEM_PERMISSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/err.h"

enum permission_answer { PERMISSION_UNKNOWN, PERMISSION_NO, PERMISSION_YES };

/* What can be found out about us and the target. */
struct permission_facts {
	pid_t pid;
	bool target_visible;      /* its /proc/PID/status could be read: the fields below are known */
	uid_t uid;                /* our real uid: process_vm_readv(2) looks at that one */
	gid_t gid;
	uid_t target_uids[3];     /* real, effective, saved */
	gid_t target_gids[3];
	uint64_t caps;            /* our effective capabilities */
	uint64_t target_caps;     /* its permitted ones */
	enum permission_answer same_userns;
	enum permission_answer own_userns_initial; /* we are in the one that all others lie in */
	enum permission_answer dumpable; /* of the target; also no when its user ids were changed */
	int yama_scope;           /* /proc/sys/kernel/yama/ptrace_scope; -1: no Yama */
	bool yama_descendant;     /* the target is a child (of a child …) of ours */
	bool seccomp;             /* a filter is on us */
	bool probe_refused;       /* we may not even read ourselves: a filter, not the target */
	char lsm[128];            /* the target's label, /proc/PID/attr/current; may be "" */
	char own_lsm[128];
};

void permission_collect(struct permission_facts *f, pid_t pid);
/* Sets EXIT_DENIED, one sentence that names what is missing, and what to do as hint. Always returns
 * -EPERM. */
int permission_explain(const struct permission_facts *f, struct err *err);

#endif
