/* SPDX-License-Identifier: MIT
 * This process unwinds copies of its own stack. Where code has CFI, libgcc's unwinder judges: after
 * calls in frames of all shapes, and at every single instruction of some functions. */
#include "native/unwind.h"

#include "tap.h"

#if defined(__x86_64__)

#include <alloca.h>
#include <gnu/libc-version.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <ucontext.h>
#include <unwind.h>

#include "../../src/native/code.h"
#include "self_modules.h"
#include "util/attr.h"
#include "util/hash.h"
#include "util/xalloc.h"

/* Functions in assembler. */
#define FUNCTION(name, body) \
	".globl " name "; .type " name ", @function; " name ": " body "; .size " name ", .-" name "\n"
#define WITH_CFI(name, body) FUNCTION(name, ".cfi_startproc; " body "; .cfi_endproc")

#define NOINLINE __attribute__((noinline))

enum { FRAMES_MAX = 200, COPY_MAX = 64 << 10 };

/* A moment of a thread, and what libgcc says of it. */
struct moment {
	struct unwind_registers regs;
	struct unwind_stack stack;
	uint8_t bytes[COPY_MAX];
	uint64_t judge[FRAMES_MAX]; /* PCs */
	int judged, judge_from;     /* judge[judge_from] belongs to the second frame */
};

static struct moment now;
static volatile int sink;

static uint64_t other_top; /* of the signal stack, while it is used */

static uint64_t stack_top(void)
{
	pthread_attr_t attr;
	size_t size = 0;
	void *base = NULL;

	if (other_top)
		return other_top;
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, &base, &size);
	pthread_attr_destroy(&attr);
	return (uint64_t)(uintptr_t)base + size;
}

/* Not by memcpy(): a sanitizer would mind. */
static void copy_stack(struct moment *m, uint64_t top)
{
	uint64_t lo = m->regs.value[RULE_SP] - UNWIND_RED_ZONE, hi = top;
	struct iovec local, remote;

	if (hi - lo > COPY_MAX)
		hi = lo + COPY_MAX;
	local = (struct iovec){ m->bytes, hi - lo };
	remote = (struct iovec){ (void *)(uintptr_t)lo, hi - lo };
	if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != (ssize_t)(hi - lo))
		abort();
	m->stack = (struct unwind_stack){ lo, hi, m->bytes };
}

static void take_registers(struct unwind_registers *regs, const ucontext_t *uc)
{
	/* By DWARF number. */
	static const uint8_t greg[RULE_REGISTERS] = {
		REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
		REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
	};

	*regs = (struct unwind_registers){ .known = 0 };
	for (unsigned int i = 0; i < RULE_REGISTERS; i++)
		unwind_set(regs, i, (uint64_t)uc->uc_mcontext.gregs[greg[i]]);
}

static _Unwind_Reason_Code add_judged(struct _Unwind_Context *context, void *arg)
{
	struct moment *m = arg;

	if (m->judged == FRAMES_MAX || _Unwind_GetIP(context) == 0)
		return _URC_END_OF_STACK;
	m->judge[m->judged++] = _Unwind_GetIP(context);
	return _URC_NO_REASON;
}

/* The caller's stack by libgcc; not by backtrace(), which sanitizers put a frame around. */
__attribute__((always_inline)) static inline void ask_judge(struct moment *m)
{
	m->judged = 0;
	_Unwind_Backtrace(add_judged, m);
}

/* The end of a chain of calls that libgcc would stumble over. */
NOINLINE static void take_alone(void *arg)
{
	struct moment *m = arg;
	ucontext_t uc;

	getcontext(&uc);
	take_registers(&m->regs, &uc);
	copy_stack(m, stack_top());
	sink++;
}

/* The end of the other chains of calls below. */
NOINLINE static void take(void *arg)
{
	struct moment *m = arg;
	ucontext_t uc;

	getcontext(&uc);
	take_registers(&m->regs, &uc);
	copy_stack(m, stack_top());
	ask_judge(m);
	m->judge_from = 1;
	sink++;
}

static struct unwind_frame frames[FRAMES_MAX];

/* Code of this process, which sanitizers keep no books of. */
static bool own_code(void *arg, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = { buf, len }, remote = { (void *)(uintptr_t)addr, len };

	(void)arg;
	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)len;
}

static struct unwind_code_cache code_cache;
static const struct unwind_ops without_code = { .rule = self_lookup };
static const struct unwind_ops with_code = { self_lookup, own_code, NULL, &code_cache, NULL };
static const struct unwind_ops *ops = &without_code;

static struct unwind_result walk(const struct moment *m)
{
	struct unwind_registers regs = m->regs;

	return unwind_walk(&regs, &m->stack, ops, frames, FRAMES_MAX);
}

static void show(const struct moment *m, const struct unwind_result *r)
{
	printf("# end %d missing %#llx\n", (int)r->end, (unsigned long long)r->missing);
	for (size_t i = 0; i < r->count; i++) {
		const struct self_module *at = self_find(frames[i].pc);

		printf("# %zu pc %#llx sp %#llx cfa %#llx how %d signal %d %s+%#llx\n", i,
		       (unsigned long long)frames[i].pc, (unsigned long long)frames[i].sp,
		       (unsigned long long)frames[i].cfa, frames[i].how, frames[i].signal,
		       at ? at->path : "?",
		       (unsigned long long)(frames[i].pc - (at ? at->bias : 0)));
	}
	for (int i = 0; i < m->judged; i++)
		printf("# judge %d %#llx\n", i, (unsigned long long)m->judge[i]);
}

/* All frames but the first have libgcc's return addresses. */
static bool agrees(const struct moment *m, const struct unwind_result *r)
{
	int n = m->judged - m->judge_from;

	if ((int)r->count - 1 != n)
		return false;
	for (int i = 0; i < n; i++)
		if (frames[i + 1].pc != m->judge[m->judge_from + i])
			return false;
	return true;
}

static void judge(const char *what)
{
	struct unwind_result r = walk(&now);

	if (!ok(agrees(&now, &r) && r.end == UNWIND_COMPLETE && r.guessed == 0, "%s: as libgcc",
		what))
		show(&now, &r);
}

/* --- frames of all shapes ------------------------------------------------------------------- */

NOINLINE static int plain(int n)
{
	if (n > 0)
		return plain(n - 1) + sink;
	take(&now);
	return sink;
}

NOINLINE static int with_alloca(size_t n)
{
	volatile char *p = alloca(n);

	p[n / 2] = 1;
	return plain(2) + p[n / 2];
}

/* gcc reaches the caller through r10 and a copy of it (DRAP). */
NOINLINE static int realigned(size_t n)
{
	volatile char a[64] __attribute__((aligned(64)));

	a[n % 64] = (char)n;
	return with_alloca(n) + a[n % 64];
}

NOINLINE static int many_registers(int a, int b, int c, int d, int e, int f, int g, int h)
{
	int x = realigned((size_t)(a + 100));

	return x + a * b + c * d + e * f + g * h + plain(0) * (a + c + e + g) + (b ^ d ^ f ^ h);
}

static int compare(const void *a, const void *b)
{
	if (sink == 0)
		many_registers(1, 2, 3, 4, 5, 6, 7, 8);
	return *(const int *)a - *(const int *)b;
}

static void test_shapes(void)
{
	int list[] = { 3, 1, 2 };

	plain(0);
	judge("plain");
	plain(30);
	judge("thirty calls");
	with_alloca(333);
	judge("alloca");
	realigned(5);
	judge("realigned stack");
	sink = 0;
	qsort(list, 3, sizeof(list[0]), compare);
	judge("called back from libc");
}

static void *thread_main(void *arg)
{
	many_registers(1, 2, 3, 4, 5, 6, 7, 8);
	return arg;
}

static void test_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_main, NULL);
	pthread_join(thread, NULL);
	judge("another thread");
}

static void test_ranges(void)
{
	struct unwind_result r;
	bool ranges = true;

	plain(5);
	r = walk(&now);
	for (size_t i = 0; i + 1 < r.count; i++)
		ranges = ranges && frames[i].cfa > frames[i].sp &&
			 frames[i].cfa == frames[i + 1].sp;
	ok(r.count > 6 && ranges, "frames lie side by side, [sp, cfa)");
	ok(!frames[0].at_return && frames[1].at_return, "only the first PC is exact");
}

/* --- signals -------------------------------------------------------------------------------- */

static volatile uint64_t interrupted_pc;

static void on_signal(int nr, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;

	(void)nr, (void)info;
	interrupted_pc = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
	plain(1);
}

static void handle(int nr, int flags)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags };

	sigaction(nr, &sa, NULL);
}

/* The PC of the interrupted frame is exact: looked up as it is. */
NOINLINE static int trapping(int n)
{
	__asm__ volatile("int3");
	return n + sink;
}

static const struct unwind_frame *signal_frame(const struct unwind_result *r)
{
	for (size_t i = 0; i + 1 < r->count; i++)
		if (frames[i].signal)
			return &frames[i];
	return NULL;
}

static void test_signal(void)
{
	const struct unwind_frame *f;
	struct unwind_result r;

	handle(SIGTRAP, 0);
	trapping(1);
	judge("in a signal handler");
	r = walk(&now);
	f = signal_frame(&r);
	ok(f && f[1].pc == interrupted_pc && !f[1].at_return,
	   "the frame above a signal frame is the interrupted one, its PC exact");
	signal(SIGTRAP, SIG_DFL);
}

/* The rest of the stack is where it was interrupted. */
static void test_signal_stack(void)
{
	static char other[64 << 10];
	stack_t ss = { .ss_sp = other, .ss_size = sizeof(other) }, off = { .ss_flags = SS_DISABLE };
	const struct unwind_frame *f;
	struct unwind_result r;

	sigaltstack(&ss, NULL);
	handle(SIGTRAP, SA_ONSTACK);
	other_top = (uint64_t)(uintptr_t)other + sizeof(other);
	trapping(1);
	other_top = 0;
	sigaltstack(&off, NULL);
	r = walk(&now);
	f = signal_frame(&r);
	ok(r.end == UNWIND_ELSEWHERE && f && f[1].pc == interrupted_pc && f == &frames[r.count - 2] &&
	   (r.missing < now.stack.lo || r.missing >= now.stack.hi),
	   "signal stack: goes on elsewhere, and says where");
	signal(SIGTRAP, SIG_DFL);
}

/* --- every instruction ---------------------------------------------------------------------- */

static volatile int steps, wrong_steps, step_guesses, exits, wrong_exits, no_calls;
static struct moment stepped, wrong;

/* Where the code runs straight to its RET, reading it must give what the CFI says. */
static void check_exit(const struct moment *m)
{
	uint8_t code[CODE_EXIT_BYTES];
	struct rule rule;
	uint64_t cfa;

	if (!own_code(NULL, m->regs.value[RULE_RA], code, sizeof(code)) ||
	    !code_exit(code, sizeof(code), &rule))
		return;
	exits++;
	cfa = m->regs.value[rule.cfa.base] + (uint64_t)(int64_t)rule.cfa.offset;
	wrong_exits += cfa != frames[0].cfa;
}

/* Its own frames in judge[] come first: found by the interrupted PC. */
static void on_step(int nr, siginfo_t *info, void *context)
{
	struct unwind_result r;

	(void)nr, (void)info;
	take_registers(&stepped.regs, context);
	copy_stack(&stepped, now.stack.hi);
	ask_judge(&stepped);
	for (stepped.judge_from = 1; stepped.judge_from < stepped.judged; stepped.judge_from++)
		if (stepped.judge[stepped.judge_from - 1] == stepped.regs.value[RULE_RA])
			break;
	r = walk(&stepped);
	steps++;
	step_guesses += r.guessed > 0;
	check_exit(&stepped);
	for (size_t i = 1; i < r.count; i++)
		no_calls += frames[i].at_return && !unwind_is_return(&with_code, frames[i].pc);
	if (agrees(&stepped, &r) && r.end == UNWIND_COMPLETE)
		return;
	if (++wrong_steps == 1)
		wrong = stepped;
}

NOINLINE static int step_leaf(int n)
{
	return n * 3 + sink;
}

NOINLINE static int step_many(int a, int b, int c, int d, int e, int f)
{
	volatile char big[200];

	big[a] = (char)b;
	if (a == 100)
		return step_leaf(c);
	return step_leaf(a) * b + step_leaf(c) * d + step_leaf(e) * f + big[a] +
	       (int)strtol("12", NULL, 10 + f);
}

/* No realigned frame: gcc 12's CFI for the end of one is wrong, and libgcc dies of it. */
NOINLINE static int step_all(int n)
{
	volatile char *p = alloca((size_t)n + 1);

	p[n] = 2;
	return step_many(n, 2, 3, 4, 5, 6) + step_many(100, 2, 3, 4, 5, 6) + p[n];
}

/* The trap flag makes the processor trap after each instruction. */
void trap_on(void), trap_off(void);

__asm__(".text\n"
	WITH_CFI("trap_on", "pushfq; .cfi_adjust_cfa_offset 8; orl $0x100, (%rsp);"
			    "popfq; .cfi_adjust_cfa_offset -8; ret")
	WITH_CFI("trap_off", "pushfq; .cfi_adjust_cfa_offset 8; andl $~0x100, (%rsp);"
			     "popfq; .cfi_adjust_cfa_offset -8; ret"));

NOINLINE static int step_base(void)
{
	int n;

	trap_on();
	n = step_all(7);
	trap_off();
	return n;
}

static void test_steps(void)
{
	struct sigaction sa = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO };

	take(&now); /* loads libgcc, and finds the top of the stack */
	sigaction(SIGTRAP, &sa, NULL);
	steps = 0;
	sink = 1;
	step_base();
	signal(SIGTRAP, SIG_DFL);
	ok(steps > 50 && wrong_steps == 0, "every one of %d instructions: as libgcc", steps);
	is_int(step_guesses, 0, "and without a guess");
	ok(exits > 10 && wrong_exits == 0, "the code up to RET, read %d times: as its CFI", exits);
	is_int(no_calls, 0, "every return address follows a call");
	if (wrong_steps) {
		struct unwind_result r;

		wrong.stack.bytes = wrong.bytes;
		r = walk(&wrong);

		printf("# %d of %d; the first:\n", wrong_steps, steps);
		show(&wrong, &r);
	}
}

/* --- CFI written by hand -------------------------------------------------------------------- */

/* Each calls its first argument with its second. */
typedef void odd(void (*call)(void *), void *arg);

odd odd_register, odd_expression, odd_rbx, odd_val_offset, odd_undefined, odd_shrink, odd_unknown,
	odd_lost, bare_fp, bare_sp, call_leaf, bare_branch, bare_trampoline, call_moved, bare_moved,
	bare_pops;

__asm__(".text\n"
	/* The return address in a register (DW_CFA_register). */
	WITH_CFI("odd_register",
		 "push %rbx; .cfi_adjust_cfa_offset 8; .cfi_rel_offset %rbx, 0;"
		 "push %r12; .cfi_adjust_cfa_offset 8; .cfi_rel_offset %r12, 0;"
		 "mov 16(%rsp), %rbx; movq $0, 16(%rsp); .cfi_register %rip, %rbx;"
		 "sub $8, %rsp; .cfi_adjust_cfa_offset 8; mov %rdi, %rax; mov %rsi, %rdi; call *%rax;"
		 "add $8, %rsp; .cfi_adjust_cfa_offset -8; mov %rbx, 16(%rsp); .cfi_offset %rip, -8;"
		 "pop %r12; .cfi_adjust_cfa_offset -8; .cfi_restore %r12;"
		 "pop %rbx; .cfi_adjust_cfa_offset -8; .cfi_restore %rbx; ret")
	/* CFA = *(rsp + 8) + 8: breg7 8, deref, plus_uconst 8. */
	WITH_CFI("odd_expression",
		 "mov %rsp, %rax; sub $24, %rsp; .cfi_adjust_cfa_offset 24; mov %rax, 8(%rsp);"
		 ".cfi_escape 0x0f, 5, 0x77, 8, 0x06, 0x23, 8;"
		 "mov %rdi, %rax; mov %rsi, %rdi; call *%rax;"
		 "add $24, %rsp; .cfi_def_cfa %rsp, 8; ret")
	/* The CFA from a general register, saved by DW_CFA_expression: breg3 -16. */
	WITH_CFI("odd_rbx",
		 "push %rbx; .cfi_adjust_cfa_offset 8; .cfi_rel_offset %rbx, 0;"
		 "lea 16(%rsp), %rbx; .cfi_def_cfa %rbx, 0; .cfi_escape 0x10, 3, 2, 0x73, 0x70;"
		 "sub $64, %rsp; and $-64, %rsp; mov %rdi, %rax; mov %rsi, %rdi; call *%rax;"
		 "lea -16(%rbx), %rsp; .cfi_def_cfa %rsp, 16; .cfi_offset %rbx, -16;"
		 "pop %rbx; .cfi_adjust_cfa_offset -8; .cfi_restore %rbx; ret")
	/* The caller's rbp, which its CFA needs, is this frame's CFA (DW_CFA_val_offset 6, 0). */
	WITH_CFI("odd_val_offset",
		 "push %rbp; .cfi_adjust_cfa_offset 8; .cfi_rel_offset %rbp, 0;"
		 "mov %rsp, %rbp; .cfi_def_cfa_register %rbp; call odd_inner;"
		 "pop %rbp; .cfi_def_cfa %rsp, 8; .cfi_restore %rbp; ret")
	WITH_CFI("odd_inner",
		 "sub $8, %rsp; .cfi_adjust_cfa_offset 8; .cfi_escape 0x14, 6, 0; mov $1, %ebp;"
		 "mov %rdi, %rax; mov %rsi, %rdi; call *%rax;"
		 "add $8, %rsp; .cfi_adjust_cfa_offset -8; lea 8(%rsp), %rbp; .cfi_restore %rbp; ret")
	WITH_CFI("odd_undefined",
		 "sub $8, %rsp; .cfi_adjust_cfa_offset 8; .cfi_undefined %rip;"
		 "mov %rdi, %rax; mov %rsi, %rdi; call *%rax; add $8, %rsp; ret")
	/* Lies: the CFA below the stack pointer. */
	WITH_CFI("odd_shrink",
		 "sub $8, %rsp; .cfi_def_cfa %rsp, -64;"
		 "mov %rdi, %rax; mov %rsi, %rdi; call *%rax; add $8, %rsp; ret")
	/* CFA = lit0: a form without a rule; nor does a guess fit, as SP moved and FP is 1. */
	WITH_CFI("odd_unknown",
		 "push %rbp; mov $1, %ebp; .cfi_escape 0x0f, 1, 0x30;"
		 "mov %rdi, %rax; mov %rsi, %rdi; call *%rax; pop %rbp; ret")
	/* The CFA from a register that calls change. */
	WITH_CFI("odd_lost",
		 "sub $8, %rsp; mov %rsp, %r10; .cfi_def_cfa %r10, 16;"
		 "mov %rdi, %rax; mov %rsi, %rdi; call *%rax; add $8, %rsp; ret")
	/* No CFI: with a frame pointer; without one; and one that calls nothing. */
	FUNCTION("bare_fp",
		 "push %rbp; mov %rsp, %rbp; sub $32, %rsp; mov %rdi, %rax; mov %rsi, %rdi; call *%rax;"
		 "leave; ret")
	FUNCTION("bare_sp",
		 "push %rbp; mov $1, %ebp; mov %rdi, %rax; mov %rsi, %rdi; call *%rax; pop %rbp; ret")
	/* What follows the call branches: the code does not tell. */
	FUNCTION("bare_branch",
		 "push %rbp; mov %rsp, %rbp; sub $32, %rsp; mov %rdi, %rax; mov %rsi, %rdi; call *%rax;"
		 "test %eax, %eax; je 1f; 1: leave; ret")
	/* As CPython's perf trampolines. */
	FUNCTION("bare_trampoline",
		 "sub $8, %rsp; mov %rdi, %rax; mov %rsi, %rdi; call *%rax; add $8, %rsp; ret")
	FUNCTION("bare_pops",
		 "push %rbx; push %r12; push %rbp; sub $0x120, %rsp; mov $1, %ebp; mov $2, %ebx;"
		 "mov $3, %r12d; mov %rdi, %rax; mov %rsi, %rdi; call *%rax; mov %ebx, %eax;"
		 "xor %edx, %edx; add $0x120, %rsp; pop %rbp; pop %r12; pop %rbx; ret")
	/* No frame pointer of its own: FP is its caller's. */
	FUNCTION("bare_moved",
		 "sub $40, %rsp; mov %rdi, %rax; mov %rsi, %rdi; call *%rax;"
		 "test %eax, %eax; je 1f; 1: add $40, %rsp; ret")
	FUNCTION("has_moved",
		 "push %rbp; mov %rsp, %rbp; call bare_moved; test %eax, %eax; je 1f; 1: pop %rbp; ret")
	FUNCTION("call_moved", "sub $8, %rsp; call has_moved; add $8, %rsp; ret")
	FUNCTION("bare_leaf", "int3; push %rbp; int3; mov %rsp, %rbp; int3; pop %rbp; int3; ret")
	/* Its caller, whose rbp is no frame pointer but the address of code. */
	WITH_CFI("call_leaf",
		 "push %rbp; .cfi_adjust_cfa_offset 8; .cfi_rel_offset %rbp, 0;"
		 "lea bare_leaf(%rip), %rbp; call bare_leaf;"
		 "pop %rbp; .cfi_adjust_cfa_offset -8; .cfi_restore %rbp; ret"));

void *unwind_debug_frame(void (*call)(void *), void *arg, size_t n);

NOINLINE static void call_odd(odd *f, void (*call)(void *))
{
	f(call, &now);
	sink++;
}

/* The frames above the odd one, as libgcc sees them from here. */
static struct moment above;

/* All but the innermost `skip` frames; called from where the odd one was. */
static bool same_callers(const struct unwind_result *r, size_t skip)
{
	struct moment *m = &above;

	take(m);
	for (size_t i = 1; i < r->count - skip && i < (size_t)(m->judged - m->judge_from); i++)
		if (frames[r->count - i].pc != m->judge[m->judged - i])
			return false;
	return true;
}

static bool in_function(uint64_t pc, odd *f)
{
	return pc > (uint64_t)(uintptr_t)f && pc < (uint64_t)(uintptr_t)f + 128;
}

static void expect_end(odd *f, enum unwind_end end, size_t count, const char *what)
{
	struct unwind_result r;

	call_odd(f, take_alone);
	r = walk(&now);
	if (!ok(r.end == end && r.count == count && in_function(frames[1].pc, f), "%s", what))
		show(&now, &r);
}

static void test_odd(void)
{
	call_odd(odd_register, take);
	judge("return address in a register");
	call_odd(odd_expression, take);
	judge("CFA read from memory");
	call_odd(odd_rbx, take);
	judge("CFA from a general register");
	call_odd(odd_val_offset, take);
	judge("a register that is CFA + n");
	expect_end(odd_undefined, UNWIND_COMPLETE, 2, "return address undefined: the outermost frame");
	expect_end(odd_shrink, UNWIND_STUCK, 2, "a CFA that does not grow");
	expect_end(odd_unknown, UNWIND_NO_INFO, 2, "a CFA without a rule");
	expect_end(odd_lost, UNWIND_UNKNOWN, 2, "a CFA by a register that calls change");
}

static void test_debug_frame(void)
{
	struct unwind_result r;

	unwind_debug_frame(take_alone, &now, 3);
	r = walk(&now);
	ok(r.end == UNWIND_COMPLETE && r.guessed == 0 && same_callers(&r, 2) &&
	   frames[1].pc - (uintptr_t)unwind_debug_frame < 1024,
	   "CFI in .debug_frame only");
}

static void test_bare(void)
{
	struct unwind_result r;

	call_odd(bare_fp, take_alone);
	r = walk(&now);
	ok(r.end == UNWIND_COMPLETE && r.guessed == 1 && frames[2].how == UNWIND_FP &&
	   in_function(frames[1].pc, bare_fp) && same_callers(&r, 3), "no CFI: by its frame pointer");
	expect_end(bare_sp, UNWIND_NO_INFO, 2, "no CFI, no frame pointer: ends there");
}

/* All of these end after one guess of the given kind; with the code at hand. */
static void expect_how(odd *f, enum unwind_how how, const char *what)
{
	struct unwind_result r;

	ops = &with_code;
	call_odd(f, take_alone);
	r = walk(&now);
	if (!ok(r.end == UNWIND_COMPLETE && r.guessed == 1 && frames[2].how == how &&
		in_function(frames[1].pc, f) && same_callers(&r, 3), "%s", what))
		show(&now, &r);
	ops = &without_code;
}

static void test_code(void)
{
	struct unwind_result r;

	expect_how(bare_fp, UNWIND_EXIT, "no CFI: by its LEAVE and RET");
	expect_how(bare_sp, UNWIND_EXIT, "no CFI: by its POP and RET");
	expect_how(bare_trampoline, UNWIND_EXIT, "no CFI: a trampoline");
	expect_how(bare_trampoline, UNWIND_EXIT, "and again, from the cache");
	expect_how(bare_pops, UNWIND_EXIT, "no CFI: pops of all the caller's registers");
	expect_how(bare_branch, UNWIND_FP, "no CFI, and it branches: by its frame pointer");
	call_odd(call_moved, take_alone);
	r = walk(&now);
	ok(r.count > 2 && in_function(frames[2].pc, call_moved),
	   "without a look at the code, another function's frame pointer misleads");
	ops = &with_code;
	r = walk(&now);
	ok(r.end == UNWIND_NO_INFO && r.count == 2 && in_function(frames[1].pc, bare_moved),
	   "with it, it does not: the call there went elsewhere");
	ops = &without_code;
}

/* --- machine code --------------------------------------------------------------------------- */

struct exit_case {
	const char *what, *code;
	size_t len;
	int base, offset, saved; /* base -1: no exit */
};

#define CODE(bytes) bytes, sizeof(bytes) - 1

static void test_exit(void)
{
	static const struct exit_case cases[] = {
		{ "ret", CODE("\xc3"), RULE_SP, 8, 1 },
		{ "rep ret", CODE("\xf3\xc3"), RULE_SP, 8, 1 },
		{ "add rsp, 8; ret", CODE("\x48\x83\xc4\x08\xc3"), RULE_SP, 16, 1 },
		{ "add rsp, 0x120; ret", CODE("\x48\x81\xc4\x20\x01\0\0\xc3"), RULE_SP, 0x128, 1 },
		{ "sub rsp, -128; ret", CODE("\x48\x83\xec\x80\xc3"), RULE_SP, 136, 1 },
		{ "pop rbp; ret", CODE("\x5d\xc3"), RULE_SP, 16, 2 },
		{ "pop r15; pop rbx; ret", CODE("\x41\x5f\x5b\xc3"), RULE_SP, 24, 3 },
		{ "leave; ret", CODE("\xc9\xc3"), RULE_FP, 16, 2 },
		{ "mov rsp, rbp; pop rbp; ret", CODE("\x48\x89\xec\x5d\xc3"), RULE_FP, 16, 2 },
		{ "lea rsp, [rbp-16]; pop rbx; pop r12; pop rbp; ret",
		  CODE("\x48\x8d\x65\xf0\x5b\x41\x5c\x5d\xc3"), RULE_FP, 16, 4 },
		{ "lea rsp, [rsp+24]; ret", CODE("\x48\x8d\x64\x24\x18\xc3"), RULE_SP, 32, 1 },
		{ "mov eax, ebx; pop rbx; ret", CODE("\x89\xd8\x5b\xc3"), RULE_SP, 16, 2 },
		{ "mov eax, 1; vzeroupper; ret", CODE("\xb8\1\0\0\0\xc5\xf8\x77\xc3"), RULE_SP, 8, 1 },
		{ "pop rbp; leave; ret", CODE("\x5d\xc9\xc3"), -1, 0, 0 },
		{ "pop rsp; ret", CODE("\x5c\xc3"), -1, 0, 0 },
		{ "pop rbx; mov ebx, eax; ret", CODE("\x5b\x89\xc3\xc3"), -1, 0, 0 },
		{ "add esp, 8; ret", CODE("\x83\xc4\x08\xc3"), -1, 0, 0 },
		{ "add rcx, 8; ret", CODE("\x48\x83\xc1\x08\xc3"), -1, 0, 0 },
		{ "je; ret", CODE("\x74\x00\xc3"), -1, 0, 0 },
		{ "call; ret", CODE("\xe8\0\0\0\0\xc3"), -1, 0, 0 },
		{ "mov rsp, rax; ret", CODE("\x48\x89\xc4\xc3"), -1, 0, 0 },
		{ "cut off", CODE("\x48\x83\xc4"), -1, 0, 0 },
		{ "nothing", CODE(""), -1, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct exit_case *c = &cases[i];
		uint8_t *copy = xmalloc(c->len + 1); /* so that a sanitizer sees a step beyond */
		struct rule rule;
		bool found;

		copy = xreallocarray(copy, c->len ? c->len : 1, 1);
		memcpy(copy, c->code, c->len);
		found = code_exit(copy, c->len, &rule);
		free(copy);
		ok(found == (c->base >= 0) &&
		   (!found || (rule.kind == RULE_FRAME && rule.cfa.base == c->base &&
			       rule.cfa.offset == c->offset && rule.saved_count == c->saved)),
		   "exit: %s", c->what);
	}
}

static void test_call(void)
{
	static const struct { const char *what, *code; size_t len; int kind; } cases[] = {
		{ "call rel32", CODE("\xe8\x10\0\0\0"), CODE_DIRECT },
		{ "call rax", CODE("\xff\xd0"), CODE_INDIRECT },
		{ "call r12", CODE("\x41\xff\xd4"), CODE_INDIRECT },
		{ "call [rax]", CODE("\xff\x10"), CODE_INDIRECT },
		{ "call [rbx+8]", CODE("\xff\x53\x08"), CODE_INDIRECT },
		{ "call [rax+rcx*8]", CODE("\xff\x14\xc8"), CODE_INDIRECT },
		{ "call [rsp+8]", CODE("\xff\x54\x24\x08"), CODE_INDIRECT },
		{ "call [rip+n]", CODE("\xff\x15\1\2\3\0"), CODE_INDIRECT },
		{ "call [rax+0x100]", CODE("\xff\x90\0\1\0\0"), CODE_INDIRECT },
		{ "call [table+rax*8]", CODE("\xff\x14\xc5\0\1\0\0"), CODE_INDIRECT },
		{ "call [rsp+0x100]", CODE("\xff\x94\x24\0\1\0\0"), CODE_INDIRECT },
		{ "jmp rax", CODE("\xff\xe0"), CODE_NO_CALL },
		{ "push [rax]", CODE("\xff\x30"), CODE_NO_CALL },
		{ "mov", CODE("\x48\x89\xc3"), CODE_NO_CALL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t before[CODE_CALL_BYTES] = { 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 };
		uint64_t target = 0;

		memcpy(before + sizeof(before) - cases[i].len, cases[i].code, cases[i].len);
		ok((int)code_call(before, 0x1000, &target) == cases[i].kind &&
		   (cases[i].kind != CODE_DIRECT || target == 0x1010), "call: %s", cases[i].what);
	}
}

static void test_call_slot(void)
{
	static const uint8_t slot[CODE_CALL_BYTES] = "\x90\x90\xff\x15\xf0\xff\xff\xff",
			     other[CODE_CALL_BYTES] = "\x90\x90\xff\x90\xf0\xff\xff\xff";
	uint64_t addr = 0;

	ok(code_call_slot(slot, 0x1000, &addr) && addr == 0xff0, "call: where its target is kept");
	ok(!code_call_slot(other, 0x1000, &addr), "call: through a register's memory");
}

static void test_random_code(void)
{
	uint64_t state = 7;
	int found = 0;

	for (int i = 0; i < 200000; i++) {
		static const uint8_t usual[] = { 0x48, 0x83, 0xc4, 0x5d, 0xc9, 0xc3, 0x8d, 0x41 };
		size_t len = i % 20;
		uint8_t *code = xmalloc(len + 1), before[CODE_CALL_BYTES];
		struct rule rule;
		uint64_t target;

		for (size_t k = 0; k < len; k++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			code[k] = state >> 60 ? usual[state >> 40 & 7] : (uint8_t)(state >> 32);
		}
		memcpy(before, &state, sizeof(before));
		code = xreallocarray(code, len ? len : 1, 1);
		if (code_exit(code, len, &rule))
			found += rule.saved_count <= RULE_REGISTERS;
		code_is_stub(code, len);
		code_entry(0x55, code, len);
		code_call(before, 0, &target);
		free(code);
	}
	ok(found > 1000, "random code: no crash, %d exits", found);
}

static volatile enum unwind_how leaf_how[4];
static volatile int leaf_traps, leaf_wrong;

static void on_leaf(int nr, siginfo_t *info, void *context)
{
	struct unwind_result r;

	(void)nr, (void)info;
	take_registers(&stepped.regs, context);
	copy_stack(&stepped, now.stack.hi);
	r = walk(&stepped);
	leaf_how[leaf_traps++ & 3] = r.count > 1 ? frames[1].how : UNWIND_START;
	if (r.end == UNWIND_COMPLETE && r.guessed == 1 &&
	    in_function(frames[1].pc, call_leaf))
		return;
	leaf_wrong++;
	show(&stepped, &r);
}

static void test_leaf(void)
{
	struct sigaction sa = { .sa_sigaction = on_leaf, .sa_flags = SA_SIGINFO };

	take(&now);
	sigaction(SIGTRAP, &sa, NULL);
	call_odd(call_leaf, NULL);
	signal(SIGTRAP, SIG_DFL);
	ok(leaf_traps == 4 && leaf_wrong == 0, "no CFI, no calls: the right caller in each state");
	ok(leaf_how[0] == UNWIND_LEAF && leaf_how[1] == UNWIND_PUSHED &&
	   leaf_how[2] == UNWIND_FP && leaf_how[3] == UNWIND_LEAF, "entered, pushed, set up, undone");
	ops = &with_code;
	leaf_traps = leaf_wrong = 0;
	sigaction(SIGTRAP, &sa, NULL);
	call_odd(call_leaf, NULL);
	signal(SIGTRAP, SIG_DFL);
	ok(leaf_traps == 4 && leaf_wrong == 0 && leaf_how[0] == UNWIND_LEAF &&
	   leaf_how[1] == UNWIND_PUSHED && leaf_how[2] == UNWIND_FP && leaf_how[3] == UNWIND_EXIT,
	   "the same with the code at hand: what is left of it is read");
	ops = &without_code;
}

/* --- windows and arrays that are too small -------------------------------------------------- */

static void test_truncated(void)
{
	struct unwind_result all, r;
	uint64_t pcs[FRAMES_MAX], top;
	int wrong_cuts = 0;

	plain(10);
	all = walk(&now);
	for (size_t i = 0; i < all.count; i++)
		pcs[i] = frames[i].pc;
	top = frames[all.count - 1].sp;
	for (uint64_t hi = now.stack.lo; hi < top; hi++) {
		struct moment *m = &now;
		uint64_t whole = m->stack.hi;

		m->stack.hi = hi;
		r = walk(m);
		m->stack.hi = whole;
		wrong_cuts += r.end != UNWIND_TRUNCATED || r.missing + 8 <= hi ||
			      r.missing + 8 > top || r.count >= all.count ||
			      frames[r.count - 1].pc != pcs[r.count - 1];
	}
	is_int(wrong_cuts, 0, "a copy cut anywhere: truncated, and where it goes on");
}

static void test_full(void)
{
	struct unwind_registers regs;
	struct unwind_result r;

	plain(30);
	regs = now.regs;
	r = unwind_walk(&regs, &now.stack, ops, frames, 5);
	ok(r.count == 5 && r.end == UNWIND_FULL, "no more than fits");
	r = unwind_walk(&regs, &now.stack, ops, frames, FRAMES_MAX);
	ok(r.end == UNWIND_COMPLETE && frames[0].at_return &&
	   frames[0].pc == now.judge[now.judge_from + 4],
	   "taken up where it ended");
}

/* Garbage for registers and stack: an end, whichever. */
static void test_garbage(void)
{
	static const uint64_t words[] = { 0, 1, 8, UINT64_MAX, UINT64_MAX - 7, 1ull << 63, 4096 };
	uint64_t state = 1;
	int ended = 0;

	plain(10);
	for (int i = 0; i < 20000; i++) {
		struct unwind_registers regs = now.regs;
		struct unwind_stack stack = now.stack;
		struct unwind_result r;

		for (int k = 0; k < 4; k++) {
			size_t at;

			state = state * 6364136223846793005u + 1442695040888963407u;
			at = (size_t)(state >> 33) % ((stack.hi - stack.lo) / 8) * 8;
			memcpy(now.bytes + at, state >> 20 & 1 ? &words[state >> 40 & 3] :
			       &now.regs.value[state >> 24 & 15], 8);
		}
		regs.value[state >> 50 & 15] = words[(state >> 32) % ARRAY_SIZE(words)];
		r = unwind_walk(&regs, &stack, i & 1 ? &with_code : &without_code, frames, FRAMES_MAX);
		ended += r.count <= FRAMES_MAX;
	}
	is_int(ended, 20000, "garbage in registers and stack: an end");
}

/* --- damaged files -------------------------------------------------------------------------- */

struct file {
	uint8_t *data;
	size_t size;
	uint64_t frame_at, frame_size, hdr_at, hdr_size, names_at, names_size; /* sections */
};

static void find_sections(struct file *f)
{
	const Elf64_Ehdr *eh = (const void *)f->data;
	const Elf64_Shdr *sh = (const void *)(f->data + eh->e_shoff);
	const char *names = (const char *)f->data + sh[eh->e_shstrndx].sh_offset;

	f->names_at = sh[eh->e_shstrndx].sh_offset;
	f->names_size = sh[eh->e_shstrndx].sh_size;
	for (int i = 0; i < eh->e_shnum; i++) {
		bool hdr = !strcmp(names + sh[i].sh_name, ".eh_frame_hdr");

		if (!hdr && strcmp(names + sh[i].sh_name, ".eh_frame") != 0)
			continue;
		*(hdr ? &f->hdr_at : &f->frame_at) = sh[i].sh_offset;
		*(hdr ? &f->hdr_size : &f->frame_size) = sh[i].sh_size;
	}
}

static void slurp(struct file *f, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		abort();
	*f = (struct file){ .data = xmalloc((size_t)st.st_size), .size = (size_t)st.st_size };
	if (read(fd, f->data, f->size) != st.st_size)
		abort();
	close(fd);
	find_sections(f);
}

/* By a function that no sanitizer replaces. */
static const struct self_module *libc_module(void)
{
	return self_find((uint64_t)(uintptr_t)gnu_get_libc_version);
}

static uint64_t rule_hash(struct rules *r, uint64_t addr)
{
	const struct rule *rule = rules_find(r, addr);

	return hash_u64(addr ^ hash_bytes(rule, sizeof(*rule)));
}

/* All rules from lo to hi, whatever the order they are asked for in. */
static uint64_t rule_sum(struct rules *r, uint64_t lo, uint64_t hi, uint64_t step, bool backwards)
{
	uint64_t sum = 0, n = (hi - lo) / step;

	for (uint64_t i = 0; i < n; i++)
		sum += rule_hash(r, lo + (backwards ? n - 1 - i : i) * step);
	return sum;
}

/* Over the whole text of libc, so that many ranges and rules are there. */
static uint64_t file_sum(const struct file *f, bool backwards, struct rules_stats *ret)
{
	const struct self_module *libc = libc_module();
	struct rules *r;
	uint64_t sum;

	if (rules_open_image(&r, f->data, f->size) < 0)
		return 0;
	sum = rule_sum(r, libc->lo - libc->bias, libc->hi - libc->bias, 97, backwards);
	*ret = rules_stats(r);
	rules_free(r);
	return sum;
}

static void test_cache(const struct file *libc)
{
	const struct self_module *m = libc_module();
	uint64_t addr = (uint64_t)(uintptr_t)gnu_get_libc_version - m->bias;
	struct rules_stats first, second;
	const struct rule *rule;
	struct rules *r;

	is_int((long long)(file_sum(libc, false, &first) - file_sum(libc, true, &second)), 0,
	       "the same rules, whichever is asked for first");
	if (rules_open_image(&r, libc->data, libc->size) < 0)
		abort();
	ok(!rules_cached(r, addr), "nothing is compiled before it is asked for");
	rule = rules_find(r, addr);
	ok(rule->kind == RULE_FRAME && rule->cfa.base == RULE_SP && rule->cfa.offset == 8 &&
	   rule->saved_count == 1 && rule->saved[0].reg == RULE_RA && rule->saved[0].offset == -8,
	   "a function's first instruction: CFA = SP + 8, the return address below it");
	ok(rules_cached(r, addr) == rule && rules_stats(r).ranges == 1, "then it is kept");
	rules_free(r);
}

static void rename_section(struct file *f, const char *name, char first)
{
	for (uint64_t i = 0; i + strlen(name) < f->names_size; i++) {
		char *at = (char *)f->data + f->names_at + i;

		if (!strcmp(at, name) && (i == 0 || at[-1] == '\0'))
			at[1] = first;
	}
}

static void hide_segment(struct file *f)
{
	const Elf64_Ehdr *eh = (const void *)f->data;
	Elf64_Phdr *ph = (void *)(f->data + eh->e_phoff);

	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_GNU_EH_FRAME)
			ph[i].p_type = PT_NULL;
}

/* More addresses than are kept; without CFI each is a range of its own. */
static void test_bound(const struct file *no_cfi)
{
	struct rules_stats stats;
	struct rules *r;

	if (rules_open_image(&r, no_cfi->data, no_cfi->size) < 0)
		abort();
	for (uint64_t addr = 0; addr <= RULES_RANGES_MAX; addr++)
		rules_find(r, addr);
	stats = rules_stats(r);
	ok(stats.flushes == 1 && stats.ranges == 1 && stats.compiled == RULES_RANGES_MAX + 1,
	   "the cache is bounded");
	rules_free(r);
}

static void test_without_header(const struct file *whole)
{
	struct file f = *whole;
	struct rules_stats with, without;
	uint64_t sum = file_sum(&f, false, &with);

	ok(sum && with.ranges > 1000 && with.distinct > 20 && with.odd * 100 < with.compiled,
	   "libc: %zu ranges, %zu rules, %llu odd", with.ranges, with.distinct,
	   (unsigned long long)with.odd);
	rename_section(&f, ".eh_frame_hdr", 'x');
	ok(file_sum(&f, false, &without) == sum && without.none == with.none,
	   "the same without .eh_frame_hdr");
	rename_section(&f, ".xh_frame_hdr", 'e');
	rename_section(&f, ".eh_frame", 'x');
	ok(file_sum(&f, false, &without) == sum && without.none == with.none,
	   "the same by PT_GNU_EH_FRAME");
	hide_segment(&f);
	file_sum(&f, false, &without);
	ok(without.none == without.compiled, "no .eh_frame at all: no rules");
	test_bound(&f);
	rename_section(&f, ".xh_frame", 'e');
}

/* The kilobytes that this process has had at most. */
static long peak_memory(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* A register's number as the size of an allocation: 134217726 is 2 GiB to libdw. */
static void test_hostile(const struct file *whole)
{
	static const uint8_t program[] = { 0x07, 0xfe, 0xff, 0xff, 0x3f, 0, 0 };
	struct file f = *whole;
	struct rules_stats stats = { .compiled = 0 };
	long before = peak_memory();

	f.data = xmalloc(f.size);
	memcpy(f.data, whole->data, f.size);
	/* The first CIE: length, id, version, "zR", two factors, column, length, R, program. */
	memcpy(f.data + f.frame_at + 17, program, sizeof(program));
	file_sum(&f, false, &stats);
	ok(stats.compiled > 0 && stats.none == stats.compiled && peak_memory() - before < 256 << 10,
	   "a register's number that libdw would allocate gigabytes for");
	memcpy(f.data + f.frame_at, whole->data + whole->frame_at, f.frame_size);
	f.data[f.hdr_at + f.hdr_size / 2 / 8 * 8]++;
	ok(file_sum(&f, false, &stats) == file_sum(whole, false, &stats),
	   "a table that points between entries: done without it");
	free(f.data);
}

static uint64_t fuzz_state = 1;

static uint64_t fuzz_below(uint64_t n)
{
	fuzz_state = fuzz_state * 6364136223846793005u + 1442695040888963407u;
	return (fuzz_state >> 33) % n;
}

static uint64_t fuzz_place(const struct file *f)
{
	switch (fuzz_below(4)) {
	case 0: return f->hdr_at + fuzz_below(f->hdr_size < 64 ? f->hdr_size : 64);
	case 1: return f->hdr_at + fuzz_below(f->hdr_size);
	case 2: return f->frame_at + fuzz_below(256);
	default: return f->frame_at + fuzz_below(f->frame_size);
	}
}

static void damage(const struct file *f, int flips)
{
	for (int i = 0; i < flips; i++)
		f->data[fuzz_place(f)] = fuzz_below(2) ? (uint8_t)fuzz_below(256) : 0xff;
}

static void test_damage(const struct file *whole, int rounds)
{
	struct file f = *whole;
	int read = 0, refused = 0;

	f.data = xmalloc(f.size);
	memcpy(f.data, whole->data, f.size);
	for (int i = 0; i < rounds; i++) {
		const struct self_module *libc = libc_module();
		struct rules *r;

		memcpy(f.data + f.hdr_at, whole->data + f.hdr_at, f.hdr_size);
		memcpy(f.data + f.frame_at, whole->data + f.frame_at, f.frame_size);
		damage(&f, i % 2 ? 1 : 1 << fuzz_below(10));
		if (rules_open_image(&r, f.data, f.size) < 0)
			abort();
		rule_sum(r, libc->lo - libc->bias, libc->hi - libc->bias, 4001, i % 2);
		*(rules_stats(r).none == rules_stats(r).compiled ? &refused : &read) += 1;
		rules_free(r);
	}
	ok(read > rounds / 20 && refused > rounds / 20,
	   "damaged .eh_frame and .eh_frame_hdr: %d read, %d refused, no crash", read, refused);
	free(f.data);
}

static void test_no_file(void)
{
	static char text[4096] = "no ELF file";
	struct rules *r;

	is_int(rules_open_image(&r, text, sizeof(text)), -ENOEXEC, "no ELF file");
	is_int(rules_open(&r, -1), -ENOEXEC, "no file at all");
	is_int(rules_open(&r, open("/", O_RDONLY | O_CLOEXEC)), -ENOEXEC, "a folder");
	rules_free(NULL);
}

/* --- by hand -------------------------------------------------------------------------------- */

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* In a file of many ranges, all compiled, at random. */
static void bench_lookup(void)
{
	const struct self_module *libc = libc_module();
	uint64_t lo = libc->lo - libc->bias, size = libc->hi - libc->lo, found = 0;
	double start;

	rule_sum(libc->rules, lo, lo + size, 1, false);
	start = now_ns();
	for (int i = 0; i < 1000000; i++)
		found += rules_find(libc->rules, lo + fuzz_below(size))->kind;
	printf("%zu ranges: %.1f ns per lookup at random (%llu)\n", rules_stats(libc->rules).ranges,
	       (now_ns() - start) / 1e6, (unsigned long long)found);
}

static void bench(void)
{
	enum { ROUNDS = 2000 };
	struct file f;
	struct rules_stats stats = { .compiled = 0 };
	struct unwind_result r;
	double start, best = 1e18;

	plain(25);
	r = walk(&now);
	for (int k = 0; k < 50; k++) { /* the best: others may use the machine */
		start = now_ns();
		for (int i = 0; i < ROUNDS; i++)
			walk(&now);
		best = now_ns() - start < best ? now_ns() - start : best;
	}
	printf("%zu frames: %.1f ns per frame\n", r.count, best / ROUNDS / (double)r.count);
	slurp(&f, libc_module()->path);
	start = now_ns();
	file_sum(&f, false, &stats);
	printf("%llu ranges compiled (%zu rules): %.2f us each\n", (unsigned long long)stats.compiled,
	       stats.distinct, (now_ns() - start) / 1e3 / (double)stats.compiled);
	free(f.data);
	bench_lookup();
}

int main(int argc, char **argv)
{
	struct file libc;

	self_load();
	if (argc > 1 && !strcmp(argv[1], "--bench")) {
		bench();
		return 0;
	}
	if (!tap_can_read_memory()) {
		tap_skip("unwinding", "processes cannot read memory here");
		return tap_done();
	}
	test_shapes();
	test_thread();
	test_ranges();
	test_signal();
	test_signal_stack();
	test_steps();
	test_odd();
	test_debug_frame();
	test_bare();
	test_code();
	test_leaf();
	test_exit();
	test_call();
	test_call_slot();
	test_random_code();
	test_truncated();
	test_full();
	test_garbage();
	slurp(&libc, libc_module()->path);
	test_cache(&libc);
	test_hostile(&libc);
	test_damage(&libc, argc > 1 ? atoi(argv[1]) : 200);
	test_without_header(&libc);
	free(libc.data);
	test_no_file();
	self_unload();
	return tap_done();
}

#else

int main(void)
{
	tap_skip("unwinding", "x86-64 only so far");
	return tap_done();
}

#endif
