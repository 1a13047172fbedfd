/* SPDX-License-Identifier: MIT
 * PTRACE_GETREGSET in DWARF's numbers, and the system call that a stop has cut short.
 *
 * A stop makes a blocked thread leave its system call. Most calls then ask the kernel to be made
 * anew (-ERESTART*), and nobody notices; those listed here answer -EINTR (signal(7), "Interruption
 * of system calls and library functions by stop signals"). The answer is in the register until the
 * thread goes on, so it can be turned into the request for a restart that the other calls make;
 * arch_do_signal_or_restart() (arch/x86/kernel/signal.c at v6.1) does the rest, and still returns
 * EINTR when a handler is to run. A time limit starts anew as well: the thread was seen running a
 * few microseconds before, so that is what the limit grows by. */
#include "hold_registers.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "util/attr.h"

#if defined(__x86_64__)

enum { RESTART_NO_HANDLER = 514 }; /* ERESTARTNOHAND, include/linux/errno.h at v6.1 */

/* Offsets in user_regs_struct by DWARF number (System V ABI x86-64 1.0, figure 3.36). */
#define REG(name) offsetof(struct user_regs_struct, name)
static const size_t places[REGISTERS] = {
	REG(rax), REG(rdx), REG(rcx), REG(rbx), REG(rsi), REG(rdi), REG(rbp), REG(rsp),
	REG(r8), REG(r9), REG(r10), REG(r11), REG(r12), REG(r13), REG(r14), REG(r15), REG(rip),
};

int hold_registers_read(pid_t tid, struct registers *ret, struct held_call *call)
{
	struct user_regs_struct user;
	struct iovec room = { &user, sizeof(user) };

	*ret = (struct registers){ 0 };
	*call = (struct held_call){ .number = -1 };
	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &room))
		return -errno;
	if (room.iov_len != sizeof(user)) /* 32-bit code has a smaller set */
		return -ENOTSUP;
	for (unsigned int i = 0; i < REGISTERS; i++)
		register_set(ret, i, *(const unsigned long long *)((const char *)&user + places[i]));
	call->number = (long)user.orig_rax < 0 ? -1 : (long)user.orig_rax;
	call->result = (long)user.rax;
	return 0;
}

/* Waits without a side effect, so that one that was cut short can be made anew. Never here: close(2),
 * whose descriptor is gone even so, and connect(2). */
static const long waits[] = {
	SYS_epoll_wait, SYS_epoll_pwait,
#ifdef SYS_epoll_pwait2
	SYS_epoll_pwait2,
#endif
	SYS_semop, SYS_semtimedop, SYS_rt_sigtimedwait,
	/* sockets with SO_RCVTIMEO: nothing was received */
	SYS_read, SYS_readv, SYS_recvfrom, SYS_recvmsg, SYS_accept, SYS_accept4,
};

static bool was_cut(const struct held_call *call)
{
	for (size_t i = 0; call->result == -EINTR && i < ARRAY_SIZE(waits); i++)
		if (call->number == waits[i])
			return true;
	return false;
}

static int restart(pid_t tid)
{
	return ptrace(PTRACE_POKEUSER, tid, REG(rax), (void *)-(long)RESTART_NO_HANDLER) ? -errno : 0;
}

#else

int hold_registers_read(pid_t tid, struct registers *ret, struct held_call *call)
{
	(void)tid;
	*ret = (struct registers){ 0 };
	*call = (struct held_call){ .number = -1 };
	return -ENOTSUP;
}

static bool was_cut(const struct held_call *call)
{
	(void)call;
	return false;
}

static int restart(pid_t tid)
{
	(void)tid;
	return -ENOTSUP;
}

#endif

/* It was running a moment ago, and may have fallen asleep in a system call since. */
void held_call_mind(pid_t tid, const struct held_call *call, struct hold_counts *counts)
{
	if (call->number < 0)
		return;
	counts->in_syscall++;
	if (was_cut(call) && !restart(tid))
		counts->restarted++;
	else if (call->result == -EINTR)
		counts->interrupted++;
}
