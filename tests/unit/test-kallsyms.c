/* SPDX-License-Identifier: MIT
 * The kernel's functions, from a /proc of our own making, and which of them say nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem/procfs.h"
#include "native/kallsyms.h"
#include "tap.h"

static char root[] = "/tmp/pystoker-proc-XXXXXX";
static char path[sizeof(root) + 16];

static void put(const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(text, 1, len, f) != len || fclose(f))
		exit(99);
}

/* Not in order, as the functions of modules and of BPF come last. */
static const char usual[] =
	"0000000000000000 A fixed_percpu_data\n"
	"ffffffff81001000 T vfs_read\n"
	"ffffffff81000800 t __pfx_vfs_write\n"
	"ffffffff81000810 W vfs_write\n"
	"ffffffff81002000 t __do_sys_poll\n"
	"ffffffff81002000 T __x64_sys_poll\n"
	"ffffffff81002000 T poll\n"
	"ffffffff81002000 T zpoll\n"
	"ffffffff82000000 D jiffies\n"
	"ffffffffa0001000 t nft_do_chain\t[nf_tables]\n"
	"ffffffff81003000 T last\n"
	"ffffffffc0000000 t bpf_prog_6deef7357e7b4530\t[bpf]\n";

static void finds(struct kallsyms *k, uint64_t addr, const char *name, const char *module)
{
	is_str(kallsyms_find(k, addr), name, name ? name : "nothing there");
	is_str(kallsyms_module(k, addr), module, module ? module : "in no module");
}

static void test_find(void)
{
	struct kallsyms k;

	put(usual, sizeof(usual) - 1);
	kallsyms_init(&k);
	ok(!k.read, "nothing is read yet");
	finds(&k, 0xffffffff81001000, "vfs_read", "[kernel]");
	ok(k.read && !k.hidden && kallsyms_bytes(&k) > 0, "now it is");
	finds(&k, 0xffffffff81001fff, "vfs_read", "[kernel]");
	finds(&k, 0xffffffff81000fff, "vfs_write", "[kernel]");
	finds(&k, 0xffffffff8100080f, NULL, NULL);
	finds(&k, 0xffffffff81002010, "poll", "[kernel]");
	finds(&k, 0xffffffff81003000 + KALLSYMS_FUNCTION_MAX - 1, "last", "[kernel]");
	finds(&k, 0xffffffff81003000 + KALLSYMS_FUNCTION_MAX, NULL, NULL);
	finds(&k, 0xffffffffa0001004, "nft_do_chain", "[nf_tables]");
	finds(&k, 0xffffffffc0000004, "bpf_prog_6deef7357e7b4530", "[bpf]");
	finds(&k, 0, NULL, NULL);
	finds(&k, UINT64_MAX, NULL, NULL);
	put("", 0);
	finds(&k, 0xffffffff81001000, "vfs_read", "[kernel]"); /* once is enough */
	kallsyms_release(&k);
}

static void test_hidden(void)
{
	static const char zeros[] = "0000000000000000 T vfs_read\n0000000000000000 t x\t[m]\n";
	struct kallsyms k;

	put(zeros, sizeof(zeros) - 1);
	kallsyms_init(&k);
	finds(&k, 0xffffffff81001000, NULL, NULL);
	ok(k.hidden, "the addresses are hidden");
	kallsyms_release(&k);
	unlink(path);
	finds(&k, 0xffffffff81001000, NULL, NULL);
	ok(!k.hidden && k.read, "no file is not the same");
	kallsyms_release(&k);
}

/* The kernel is to be trusted, but a /proc may be anybody's. */
static void test_odd(void)
{
	static const char odd[] =
		"\n \nT\nffffffff81000000\nffffffff81000000 T\nffffffff81000000 T \n"
		"ffffffff81000000 TT x\nxyz T x\n12345678901234567890 T x\nffffffff81000000  \n"
		"ffffffff81000000 T a\0b\n\0\n"
		"ffffffff81000100 T no_end";
	static char huge[3 * KALLSYMS_LINE_MAX];
	struct kallsyms k;

	put(odd, sizeof(odd) - 1);
	kallsyms_init(&k);
	finds(&k, 0xffffffff81000000, "a", "[kernel]");
	finds(&k, 0xffffffff81000100, "no_end", "[kernel]");
	is_int((long long)k.count, 2, "nothing else");
	kallsyms_release(&k);

	memset(huge, 'x', sizeof(huge));
	memcpy(huge, "ffffffff81000000 T ", 19);
	memcpy(huge + sizeof(huge) - 30, "\nffffffff81001000 T after_it\n\n", 30);
	put(huge, sizeof(huge));
	finds(&k, 0xffffffff81001000, "after_it", "[kernel]");
	is_int((long long)k.count, 1, "a line without end is left out");
	kallsyms_release(&k);
}

static size_t cut(const char *const *names)
{
	size_t n = 0;

	while (names[n] && kernel_is_switching(names[n]))
		n++;
	return n;
}

/* Stacks of switches as Linux 6.18 writes them, leaf first; 5.10 and 4.19 name some differently. */
static void test_switching(void)
{
	static const char *const read[] = { "__schedule", "schedule", "anon_pipe_read", "vfs_read",
					    NULL };
	static const char *const futex[] = { "__schedule", "schedule", "futex_wait_queue", NULL };
	static const char *const poll[] = { "__schedule.isra.0", "schedule",
					    "schedule_hrtimeout_range_clock", "do_sys_poll", NULL };
	static const char *const preempted[] = { "__schedule", "schedule", "exit_to_user_mode_loop",
						 "irqentry_exit_to_user_mode",
						 "asm_sysvec_apic_timer_interrupt", NULL };
	static const char *const old[] = { "__schedule", "schedule", "exit_to_usermode_loop",
					   "prepare_exit_to_usermode", "retint_user", NULL };

	is_int((long long)cut(read), 2, "read: two");
	is_int((long long)cut(futex), 2, "futex_wait_queue says why");
	is_int((long long)cut(poll), 3, "poll: three");
	is_int((long long)cut(preempted), 5, "nothing is left of a thread that was preempted");
	is_int((long long)cut(old), 5, "nor by Linux 4.19");
	ok(!kernel_is_switching("schedule_work") && !kernel_is_switching("sched") &&
	   !kernel_is_switching("") && !kernel_is_switching("do_nanosleep"), "others stay");
	ok(kernel_is_entry("entry_SYSCALL_64_after_hwframe") && kernel_is_entry("do_syscall_64") &&
	   !kernel_is_entry("__x64_sys_read"), "how a system call begins");
}

/* What there is here; without the right to see addresses there are none. */
static void test_real(void)
{
	struct kallsyms k;

	procfs_root = "/proc";
	kallsyms_init(&k);
	ok(!kallsyms_find(&k, 0x1000), "no function of the kernel is down there");
	ok(!k.hidden || !k.count, "hidden, or there");
	if (!k.count)
		ok(true, "addresses are hidden here # SKIP");
	else
		ok(k.count > 1000 && kallsyms_bytes(&k) < KALLSYMS_BYTES_MAX, "%zu functions, %zu bytes",
		   k.count, kallsyms_bytes(&k));
	kallsyms_release(&k);
}

int main(void)
{
	if (!mkdtemp(root))
		return 99;
	procfs_root = root;
	snprintf(path, sizeof(path), "%s/kallsyms", root);
	test_find();
	test_hidden();
	test_odd();
	test_switching();
	test_real();
	unlink(path);
	rmdir(root);
	return tap_done();
}
