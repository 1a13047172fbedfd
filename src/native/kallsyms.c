/* SPDX-License-Identifier: MIT
 * Reading /proc/kallsyms: "ffffffff81000040 T vfs_read", with "\t[module]" behind the functions of
 * modules (s_show() in kernel/kallsyms.c). */
#include "native/kallsyms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem/procfs.h"
#include "util/attr.h"
#include "util/first_above.h"
#include "util/xalloc.h"

struct kallsym {
	uint64_t addr;
	uint32_t name;    /* offset in names; the module's name lies behind its NUL */
	uint32_t rank;    /* among several at one address the lowest is shown */
};

void kallsyms_init(struct kallsyms *k)
{
	*k = (struct kallsyms){ .names = BUF_INIT };
}

void kallsyms_release(struct kallsyms *k)
{
	free(k->list);
	buf_release(&k->names);
	kallsyms_init(k);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Functions: of the text section, global or not, and weak ones. "__pfx_" is the padding before one
 * (Linux 6.3+). */
static bool is_function(char type, const char *name)
{
	return strchr("tTwW", type) && type && *name && strncmp(name, "__pfx_", 6) != 0;
}

/* Several names at one address: a global one says more than a local or weak one, and underscores are
 * for the kernel's own use. */
static uint32_t rank_of(char type, const char *name)
{
	return (uint32_t)strspn(name, "_") * 2 + (type != 'T');
}

static void add(struct kallsyms *k, uint64_t addr, char type, const char *name, const char *module)
{
	if (k->count == KALLSYMS_ENTRIES_MAX)
		return;
	if (k->count == k->room) {
		k->room = k->room ? k->room * 2 : 1 << 16;
		k->list = xreallocarray(k->list, k->room, sizeof(k->list[0]));
	}
	k->list[k->count++] = (struct kallsym){
		.addr = addr, .name = (uint32_t)k->names.len, .rank = rank_of(type, name),
	};
	buf_add(&k->names, name, strlen(name) + 1);
	buf_add(&k->names, module, strlen(module) + 1);
}

/* Changes the line. */
static void take_line(struct kallsyms *k, char *line)
{
	char *end, *name, *module;
	uint64_t addr;

	errno = 0;
	addr = strtoull(line, &end, 16);
	if (errno || end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
		return;
	name = end + 3;
	module = name + strcspn(name, "\t\n");
	if (*module)
		*module++ = '\0';
	module[strcspn(module, "\n")] = '\0';
	if (!is_function(end[1], name))
		return;
	if (addr)
		add(k, addr, end[1], name, *module ? module : KALLSYMS_KERNEL);
	else
		k->hidden = true;
}

/* The rest of a line that was cut. */
static void skip_line(FILE *f)
{
	int c;

	do
		c = getc_unlocked(f);
	while (c != '\n' && c != EOF);
}

static void read_lines(struct kallsyms *k, FILE *f)
{
	char line[KALLSYMS_LINE_MAX];
	size_t bytes = 0;

	while (bytes < KALLSYMS_BYTES_MAX && fgets(line, sizeof(line), f)) {
		size_t len = strlen(line);

		bytes += len + 1; /* one that begins with a NUL has no length */
		if (len + 1 == sizeof(line) && line[len - 1] != '\n')
			skip_line(f);
		else
			take_line(k, line);
	}
}

static int compare(const void *a, const void *b)
{
	const struct kallsym *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static void sort(struct kallsyms *k)
{
	size_t kept = 0;

	if (!k->count)
		return;
	qsort(k->list, k->count, sizeof(k->list[0]), compare);
	for (size_t i = 0; i < k->count; i++)
		if (!kept || k->list[i].addr != k->list[kept - 1].addr)
			k->list[kept++] = k->list[i];
	k->count = kept;
}

static void read_once(struct kallsyms *k)
{
	char path[64];
	FILE *f;

	if (k->read)
		return;
	k->read = true;
	snprintf(path, sizeof(path), "%s/kallsyms", procfs_root);
	f = fopen(path, "re");
	if (!f)
		return;
	read_lines(k, f);
	fclose(f);
	sort(k);
	k->hidden = k->hidden && !k->count;
}

/* --- finding ---------------------------------------------------------------------------------- */

static const struct kallsym *find(struct kallsyms *k, uint64_t addr)
{
	size_t above;

	read_once(k);
	above = FIRST_ABOVE(k->count, i, k->list[i].addr, addr);
	if (!above || addr - k->list[above - 1].addr >= KALLSYMS_FUNCTION_MAX)
		return NULL;
	return &k->list[above - 1];
}

const char *kallsyms_find(struct kallsyms *k, uint64_t addr)
{
	const struct kallsym *s = find(k, addr);

	return s ? k->names.data + s->name : NULL;
}

const char *kallsyms_module(struct kallsyms *k, uint64_t addr)
{
	const char *name = kallsyms_find(k, addr);

	return name ? name + strlen(name) + 1 : NULL;
}

size_t kallsyms_bytes(const struct kallsyms *k)
{
	return k->room * sizeof(k->list[0]) + k->names.len;
}

/* --- what the scheduler does ------------------------------------------------------------------ */

/* Without what the compiler adds to parts and clones: ".isra.0", ".cold". */
static bool is_in(const char *const *names, const char *name)
{
	size_t len = strcspn(name, ".");

	for (; *names; names++)
		if (!strncmp(*names, name, len) && !(*names)[len])
			return true;
	return false;
}

/* kernel/sched/core.c, kernel/events/core.c, kernel/entry/common.c, kernel/time/{timer,sleep_timeout,
 * hrtimer}.c, arch/x86/include/asm/idtentry.h, Linux 4.14 to 6.18. */
bool kernel_is_switching(const char *name)
{
	static const char *const names[] = {
		"__schedule", "schedule", "__schedule_loop", "schedule_preempt_disabled",
		"schedule_timeout", "schedule_timeout_interruptible", "schedule_timeout_killable",
		"schedule_timeout_uninterruptible", "schedule_hrtimeout", "schedule_hrtimeout_range",
		"schedule_hrtimeout_range_clock", "schedule_rtlock", "io_schedule",
		"io_schedule_timeout", "schedule_user", "preempt_schedule", "preempt_schedule_common",
		"preempt_schedule_irq", "preempt_schedule_notrace", "preempt_schedule_thunk",
		"preempt_schedule_notrace_thunk", "raw_irqentry_exit_cond_resched",
		"irqentry_exit_cond_resched", "dynamic_irqentry_exit_cond_resched", "__cond_resched",
		"_cond_resched", "dynamic_cond_resched", "__cond_resched_lock",
		"prepare_task_switch", "context_switch", "__perf_event_task_sched_out",
		"perf_event_task_sched_out", "__perf_sw_event_sched", "___perf_sw_event",
		"irqentry_exit", "irqentry_exit_to_user_mode", "exit_to_user_mode_loop",
		"exit_to_user_mode_prepare", "exit_to_usermode_loop", "prepare_exit_to_usermode",
		"syscall_exit_to_user_mode", "syscall_exit_work", "syscall_return_slowpath",
		"__syscall_exit_to_user_mode_work", "retint_user", "ret_from_intr", "common_interrupt",
		"asm_common_interrupt", "common_interrupt_return", "apic_timer_interrupt",
		"reschedule_interrupt", NULL,
	};
	static const char sysvec[] = "sysvec_"; /* sysvec_apic_timer_interrupt, …_reschedule_ipi, … */

	if (!strncmp(name, "asm_", 4) && !strncmp(name + 4, sysvec, sizeof(sysvec) - 1))
		return true;
	return !strncmp(name, sysvec, sizeof(sysvec) - 1) || is_in(names, name);
}

/* arch/x86/entry/{entry_64.S,common.c,syscall_64.c}. */
bool kernel_is_entry(const char *name)
{
	static const char *const names[] = {
		"entry_SYSCALL_64", "entry_SYSCALL_64_after_hwframe", "entry_SYSCALL_64_safe_stack",
		"do_syscall_64", "x64_sys_call", "entry_SYSENTER_compat",
		"entry_SYSENTER_compat_after_hwframe", "entry_SYSCALL_compat",
		"entry_SYSCALL_compat_after_hwframe", "entry_INT80_compat", "asm_int80_emulation",
		"do_int80_emulation", "do_int80_syscall_32", "do_SYSENTER_32", "do_fast_syscall_32",
		"__do_fast_syscall_32", "ia32_sys_call", "ret_from_fork", "ret_from_fork_asm", NULL,
	};

	return is_in(names, name);
}
