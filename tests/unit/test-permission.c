/* SPDX-License-Identifier: MIT
 * What a denied read is explained by, from made-up facts. */
#include "mem/permission.h"

#include <errno.h>
#include <linux/capability.h>
#include <unistd.h>

#include "tap.h"
#include "util/attr.h"

/* Each case is the usual facts with some of them replaced. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define PTRACE_CAP (UINT64_C(1) << CAP_SYS_PTRACE)
#define ALICE .target_uids = { 1000, 1000, 1000 }, .target_gids = { 100, 100, 100 }
#define US .pid = 7, .target_visible = true, .uid = 1000, .gid = 100, .yama_scope = -1, \
	.own_userns_initial = PERMISSION_YES, .dumpable = PERMISSION_YES

static const struct {
	const char *name;
	struct permission_facts facts;
	const char *text, *hint; /* must be contained */
} cases[] = {
	{ "other user", { US, .target_uids = { 33, 33, 33 } }, "belongs to user 33, we are user 1000",
	  "setcap" },
	{ "setuid program", { US, .target_uids = { 1000, 0, 0 } }, "setuid (real user 1000, effective 0)",
	  "sudo" },
	{ "other group", { US, ALICE, .gid = 5 }, "group 100 is not ours (5)", "sudo" },
	{ "root in a container", { US, ALICE, .uid = 0, .gid = 0 }, "CAP_SYS_PTRACE is missing",
	  "--cap-add=SYS_PTRACE" },
	{ "not dumpable", { US, ALICE, .dumpable = PERMISSION_NO }, "not dumpable", "sudo" },
	{ "more capabilities", { US, ALICE, .target_caps = 0x400 }, "capabilities that we lack (0x400)",
	  "sudo" },
	{ "yama 1", { US, ALICE, .yama_scope = 1 }, "ptrace_scope is 1", "pystoker record -- PROGRAM" },
	{ "yama 2", { US, ALICE, .yama_scope = 2 }, "ptrace_scope is 2", "sudo" },
	{ "yama 3", { US, ALICE, .yama_scope = 3, .caps = PTRACE_CAP }, "ptrace_scope is 3", "sysctl.d" },
	{ "yama 1, our own child", { US, ALICE, .yama_scope = 1, .yama_descendant = true,
	    .lsm = "docker-default (enforce)" }, "label \"docker-default (enforce)\"", "AppArmor" },
	{ "other user namespace", { US, ALICE, .same_userns = PERMISSION_NO }, "another user namespace",
	  "nsenter -t 7" },
	{ "root of an inner namespace", { US, .target_uids = { 65534, 65534, 65534 }, .caps = PTRACE_CAP,
	    .uid = 0, .own_userns_initial = PERMISSION_NO }, "another user namespace", "outside" },
	{ "hidepid", { .pid = 7, .uid = 1000, .yama_scope = -1,
	    .own_userns_initial = PERMISSION_YES }, "hidepid", "sudo" },
	{ "seccomp", { US, ALICE, .probe_refused = true, .seccomp = true }, "seccomp filter is on us",
	  "seccomp=unconfined" },
	{ "nothing known", { US, ALICE, .caps = PTRACE_CAP }, "although we have CAP_SYS_PTRACE", "log" },
};

int main(void)
{
	struct permission_facts f;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		err = (struct err){ 0 };
		is_int(permission_explain(&cases[i].facts, &err), -EPERM, cases[i].name);
		if (!ok(strstr(err.text, cases[i].text) && strstr(err.hint, cases[i].hint) &&
			err.status == EXIT_DENIED && strstr(err.text, "PID 7"),
			"%s: said and helped", cases[i].name))
			printf("# %s\n# %s\n", err.text, err.hint);
	}
	permission_collect(&f, getpid());
	ok(f.target_visible && f.target_uids[1] == geteuid() && f.target_gids[1] == getegid() &&
	   f.same_userns == PERMISSION_YES && f.probe_refused == !tap_can_read_memory() &&
	   !f.yama_descendant,
	   "the facts about ourselves");
	permission_collect(&f, getppid());
	ok(f.target_visible, "and about our parent");
	return tap_done();
}
