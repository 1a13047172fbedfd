/* SPDX-License-Identifier: MIT
 * Functions without CFI, stopped at every one of their instructions: who called them, and what of the
 * caller's registers is known, must be right or not be said. */
#include "native/unwind.h"

#include "tap.h"

#if defined(__x86_64__)

#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#include "../../src/native/insn.h"
#include "../../src/native/prologue.h"
#include "self_modules.h"
#include "util/attr.h"
#include "util/xalloc.h"

enum { COPY = 2 << 20, KEPT = 6 };

/* Fill: longer than what code_exit() reads. No instruction of it needs a newer processor. */
#define FILL ".rept 20; movss %xmm0, %xmm1; lea 1(%rax), %rax; .endr;"
#define LOOP "mov $2, %ecx; 7: " FILL "mov %eax, %ebx; add $3, %r12; dec %ecx; jnz 7b;"
#define PUSHES "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15;"
#define POPS "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx;"
#define FUNCTION(name, body) \
	".globl " name "; .type " name ", @function; .balign 16; " name ": " body \
	"; .globl end_" name "; end_" name ": nop; .size " name ", .-" name "\n"
/* Registers that a call keeps get values of their own, then it is stepped through. */
#define CALLER(name) \
	".globl call_" name "; call_" name ": .cfi_startproc;" \
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; .cfi_adjust_cfa_offset 48;" \
	"mov $0x1003, %ebx; mov $0x1006, %ebp; mov $0x100c, %r12d; mov $0x100d, %r13d;" \
	"mov $0x100e, %r14d; mov $0x100f, %r15d; lea -8(%rsp), %rax; mov %rax, expected_sp(%rip);" \
	"mov %rdi, %rdx; pushfq; orl $0x100, (%rsp); popfq;" \
	"test %edx, %edx; jz 1f; lea " name "(%rip), %rax; call *%rax; jmp 2f; 1: call " name ";" \
	"2: pushfq; andl $~0x100, (%rsp); popfq;" \
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; .cfi_adjust_cfa_offset -48;" \
	"ret; .cfi_endproc\n"
#define FIXTURE(name, body) FUNCTION(name, body) CALLER(name)

uint64_t expected_sp;

__asm__(".text\n"
	FIXTURE("f_pushes", PUSHES "sub $0x88, %rsp; mov %rdi, 0x58(%rsp); mov %rsi, 0x60(%rsp);"
		"xor %ebp, %ebp;" LOOP "movups %xmm0, 0x10(%rsp); mov 0x58(%rsp), %rdi;"
		"add $0x88, %rsp;" POPS "ret")
	FIXTURE("f_moves", "sub $0x40, %rsp; mov %rbx, (%rsp); mov %rbp, 8(%rsp); mov %r12, 16(%rsp);"
		LOOP "mov $5, %ebp; " FILL "mov (%rsp), %rbx; mov 8(%rsp), %rbp; mov 16(%rsp), %r12;"
		"add $0x40, %rsp; ret")
	FIXTURE("f_bare", "mov $2, %ecx; 1: " FILL "dec %ecx; jnz 1b; movsd %xmm0, -8(%rsp);" FILL "ret")
	FIXTURE("f_big", "push %rbx; push %r12; sub $0x12340, %rsp;" LOOP
		"add $0x12340, %rsp; pop %r12; pop %rbx; ret")
	FIXTURE("f_aligned", "endbr64; push %rbp; mov %rsp, %rbp; push %rbx; push %r12; and $-64, %rsp;"
		"sub $256, %rsp;" LOOP "lea -16(%rbp), %rsp; pop %r12; pop %rbx; pop %rbp; ret")
	FIXTURE("f_drap", "mov %rsp, %r11; and $-64, %rsp; sub $64, %rsp; push %rbx; push %r12;" LOOP
		"pop %r12; pop %rbx; mov %r11, %rsp; ret")
	FIXTURE("f_moving", "push %rbx; push %r12;" LOOP "push %rax; push %rdx; call f_moves;"
		"pop %rdx; pop %rax; test %eax, %eax; je 1f;" FILL "1: push %rax; " FILL
		"pop %rax; pop %r12; pop %rbx; ret")
	FIXTURE("f_alloca", "push %rbp; mov %rsp, %rbp; push %rbx; push %r12; mov $64, %eax;"
		"test %eax, %eax; je 1f; sub %rax, %rsp; 1: " LOOP
		"lea -16(%rbp), %rsp; pop %r12; pop %rbx; pop %rbp; ret")
	FIXTURE("f_alloca_sp", "push %rbx; push %r12; mov $64, %eax; test %eax, %eax; je 1f;"
		"sub %rax, %rsp; 1: " LOOP "add $64, %rsp; pop %r12; pop %rbx; ret")
	/* Which way it came, it knows by a flag: one of the two looks wrong from the other. */
	FIXTURE("f_two_sizes", "push %rbx; push %r12; mov $1, %r10d; test %r10d, %r10d; je 1f;"
		"sub $32, %rsp; 1: " LOOP "test %r10d, %r10d; je 2f; add $32, %rsp; 2: " FILL
		"pop %r12; pop %rbx; ret")
	FIXTURE("f_unknown", "push %rbx; push %r12;" LOOP "mov $0, %ecx; .byte 0x0f, 0x01, 0xd0; mov $0, %eax;" FILL
		"pop %r12; pop %rbx; ret")
	/* The end is in front of the start of its loop; the only way there is a jump back. */
	FIXTURE("f_back", "push %rbx; push %r12; jmp 2f; 1:" FILL "pop %r12; pop %rbx; ret; 2: " LOOP
		"jmp 1b")
	FIXTURE("f_table", "push %rbp; mov %rsp, %rbp; push %rbx; push %r12; sub $48, %rsp;" LOOP
		"lea 1f(%rip), %rax; jmp *%rax; 1: " FILL "add $48, %rsp; pop %r12; pop %rbx; leave; ret")
	FIXTURE("f_leave", "push %rbp; mov %rsp, %rbp; sub $0x90, %rsp; mov %rbx, -8(%rbp);"
		"mov %r12, -16(%rbp);" LOOP "mov -16(%rbp), %r12; mov -8(%rbp), %rbx; leave; ret"));

struct fixture {
	const char *name;
	const uint8_t *start, *end;
	void (*call)(long indirect);
	int least;      /* percent that must be found: when called directly, and the start is known */
};

#define DECLARE(name) extern const uint8_t name[], end_##name[]; void call_##name(long indirect);
#define ENTRY(name, least) { #name, name, end_##name, call_##name, least }
DECLARE(f_pushes) DECLARE(f_moves) DECLARE(f_bare) DECLARE(f_big) DECLARE(f_aligned) DECLARE(f_drap)
DECLARE(f_moving) DECLARE(f_alloca) DECLARE(f_alloca_sp) DECLARE(f_two_sizes) DECLARE(f_unknown)
DECLARE(f_back) DECLARE(f_table) DECLARE(f_leave)

static const struct fixture fixtures[] = {
	ENTRY(f_pushes, 100), ENTRY(f_moves, 100), ENTRY(f_bare, 100), ENTRY(f_big, 100),
	ENTRY(f_aligned, 95), ENTRY(f_drap, 0), ENTRY(f_moving, 70), ENTRY(f_alloca, 95),
	ENTRY(f_alloca_sp, 0), ENTRY(f_two_sizes, 0), ENTRY(f_unknown, 0), ENTRY(f_back, 95),
	ENTRY(f_table, 95), ENTRY(f_leave, 95),
};

static const struct fixture *at;
static bool starts_known;
static volatile int steps, right, wrong, by_prologue;
static uint8_t copy[COPY];

static bool own_code(void *arg, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = { buf, len }, remote = { (void *)(uintptr_t)addr, len };

	(void)arg;
	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)len;
}

static bool find_start(void *arg, uint64_t addr, uint64_t *ret)
{
	(void)arg;
	*ret = 0;
	for (size_t i = 0; starts_known && i < ARRAY_SIZE(fixtures); i++)
		if (addr >= (uintptr_t)fixtures[i].start && addr < (uintptr_t)fixtures[i].end)
			*ret = (uintptr_t)fixtures[i].start;
	return true;
}

static struct unwind_code_cache cache;
static const struct unwind_ops ops = { self_lookup, own_code, NULL, &cache, find_start };

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

/* The caller's registers, as far as they are said to be known. */
static bool registers_right(const struct unwind_registers *r)
{
	static const uint8_t kept[KEPT] = { RULE_RBX, RULE_FP, 12, 13, 14, 15 };
	static const uint64_t value[KEPT] = { 0x1003, 0x1006, 0x100c, 0x100d, 0x100e, 0x100f };

	for (int i = 0; i < KEPT; i++)
		if (r->known >> kept[i] & 1 && r->value[kept[i]] != value[i])
			return false;
	return true;
}

static void report(const struct unwind_registers *r, const struct unwind_frame *f)
{
	printf("# %s+%#lx: cfa %#lx, right is %#lx; rbx %#lx rbp %#lx r12 %#lx known %#x how %d\n", at->name,
	       (unsigned long)(f->pc - (uintptr_t)at->start), (unsigned long)f->cfa,
	       (unsigned long)expected_sp + 8, (unsigned long)r->value[RULE_RBX],
	       (unsigned long)r->value[RULE_FP], (unsigned long)r->value[12], r->known, f->how);
}

/* One step up from the fixture at hand. */
static void check(const struct unwind_registers *from, const struct unwind_stack *stack)
{
	struct unwind_registers regs = *from;
	struct unwind_frame frames[2];
	struct unwind_result r = unwind_walk(&regs, stack, &ops, frames, 1);

	steps++;
	if (r.end != UNWIND_FULL)
		return;
	if (frames[0].cfa == expected_sp + 8 && registers_right(&regs)) {
		right++;
		regs = *from;
		r = unwind_walk(&regs, stack, &ops, frames, 2);
		by_prologue += frames[1].how == UNWIND_PROLOGUE;
		return;
	}
	if (wrong++ < 3)
		report(&regs, &frames[0]);
}

static void on_step(int nr, siginfo_t *info, void *context)
{
	struct unwind_registers regs;
	struct unwind_stack stack;
	struct iovec local, remote;
	uint64_t lo;

	(void)nr, (void)info;
	take_registers(&regs, context);
	if (regs.value[RULE_RA] < (uintptr_t)at->start || regs.value[RULE_RA] >= (uintptr_t)at->end)
		return;
	lo = regs.value[RULE_SP] - UNWIND_RED_ZONE;
	local = (struct iovec){ copy, expected_sp + 256 - lo };
	remote = (struct iovec){ (void *)(uintptr_t)lo, local.iov_len };
	if (local.iov_len > COPY ||
	    process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != (ssize_t)local.iov_len)
		abort();
	stack = (struct unwind_stack){ lo, lo + local.iov_len, copy };
	check(&regs, &stack);
}

static void run(const struct fixture *f, bool indirect, bool known)
{
	struct sigaction sa = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO };
	int least = known && !indirect ? f->least : 0;

	at = f;
	starts_known = known;
	steps = right = wrong = by_prologue = 0;
	memset(&cache, 0, sizeof(cache));
	sigaction(SIGTRAP, &sa, NULL);
	f->call(indirect);
	signal(SIGTRAP, SIG_DFL);
	ok(steps > 50 && wrong == 0 && right * 100 >= steps * least,
	   "%s, called %s, start %sknown: %d instructions: %d right (%d by its code), %d wrong", f->name,
	   indirect ? "by address" : "directly", known ? "" : "un", steps, right, by_prologue, wrong);
}

/* --- lengths ----------------------------------------------------------------------------------- */

/* The assembler says how long each is. */
#define ONE(text) "1: " text "; 2: .pushsection .rodata.lengths, \"a\"; .byte 2b-1b; .popsection;"
extern const uint8_t insn_code[], insn_code_end[], insn_lengths[];

__asm__(".section .rodata.lengths, \"a\"\n.globl insn_lengths\ninsn_lengths:\n"
	".text\n.globl insn_code\ninsn_code:\n"
	ONE("push %rax") ONE("push %r15") ONE("pop (%rax)") ONE("push $5") ONE("push $500")
	ONE("push 8(%rsp)") ONE("mov $1, %al") ONE("mov $1, %ax") ONE("movabs $0x123456789ab, %r9")
	ONE("mov $1, %r9d") ONE("mov %rbx, (%rsp)") ONE("mov %rbp, 0x200(%rsp,%rax,4)")
	ONE("mov 0x12345(%rip), %rax") ONE("mov 0x1000, %eax") ONE("movl $7, 0x12345(%rip)")
	ONE("movw $7, (%rax)") ONE("testb $1, (%rdi)") ONE("testw $1, %bx") ONE("testl $1, %ebx")
	ONE("not %rax") ONE("mul %rbx") ONE("imul $0x60, %rcx, %rcx") ONE("imul $0x600, %rcx, %rcx")
	ONE("imulw $0x600, %cx, %cx") ONE("shl $2, %r11") ONE("sar %rax") ONE("shl %cl, %eax")
	ONE("addw $500, %ax") ONE("addw $500, %cx") ONE("sub $-128, %r8") ONE("lea (,%rax,8), %rdx")
	ONE("cmpxchg %rax, (%rbx)") ONE("lock xadd %eax, (%rbx)") ONE("rep movsq") ONE("cmova %eax, %ebx")
	ONE("movzbl %fs:0x10, %eax") ONE("bswap %r9") ONE("setne %al") ONE("nopl (%rax)")
	ONE("nopw %cs:512(%rax,%rax,1)") ONE("prefetcht0 256(%rsi)") ONE("endbr64") ONE("popcnt %rax, %rbx")
	ONE("bt $5, %rax") ONE("shld $3, %rax, %rbx") ONE("fldt 8(%rsp)") ONE("fldcw 8(%rsp)")
	ONE("movss %xmm0, -8(%rsp)") ONE("shufps $1, %xmm8, %xmm1") ONE("pshufd $1, (%rax), %xmm1")
	ONE("cmppd $1, %xmm8, %xmm1") ONE("psrldq $8, %xmm9") ONE("pinsrq $1, %rax, %xmm1")
	ONE("pmulld %xmm9, %xmm8") ONE("aesenc %xmm1, %xmm2") ONE("cvttsd2si %xmm1, %rax")
	ONE("vzeroupper") ONE("vxorps %ymm4, %ymm4, %ymm4") ONE("vmovaps %ymm15, 0x1000(%rsp,%r9,8)")
	ONE("vfmadd231ps 8(%rdi), %ymm3, %ymm12") ONE("vbroadcastss 4(%r14,%r10), %ymm3")
	ONE("vperm2f128 $0x20, %ymm1, %ymm2, %ymm3") ONE("vshufps $1, %ymm1, %ymm2, %ymm3")
	ONE("vpsrldq $8, %ymm1, %ymm2") ONE("vcmpps $1, %ymm1, %ymm2, %ymm3") ONE("vmovd %xmm1, %eax")
	ONE("shlx %rax, (%rbx), %rcx") ONE("andn %rax, %rbx, %rcx") ONE("rorx $5, %rax, %rbx")
	ONE("kmovw %eax, %k1") ONE("kshiftrw $4, %k1, %k2") ONE("kortestw %k1, %k1")
	ONE("vfmadd231ps %zmm1, %zmm3, %zmm27") ONE("vbroadcastss 0xc(%rdi,%r10,2), %zmm3")
	ONE("vmovups %zmm31, 0x40(%rsp)") ONE("vmovups %zmm31, 0x41(%rsp)") ONE("vpxorq %zmm8, %zmm8, %zmm8")
	ONE("vshufi32x4 $0xee, %zmm1, %zmm2, %zmm3") ONE("vcmpps $1, %zmm1, %zmm2, %k1")
	ONE("vfmadd231ps (%rax){1to16}, %zmm1, %zmm2{%k1}{z}") ONE("vcvttps2uqq %ymm1, %zmm2")
	ONE("vpdpbusd %zmm1, %zmm2, %zmm3") ONE("vpsrlq $5, %zmm1, %zmm2") ONE("vpextrq $1, %xmm20, %rax")
	ONE("jz insn_code") ONE("jmp insn_code") ONE("call insn_code") ONE("loop 1b") ONE("jmp *%rax")
	ONE("call *0x12345(%rip)") ONE("leave") ONE("ret") ONE("ud2") ONE("hlt")
	".globl insn_code_end\ninsn_code_end: nop\n");

static void test_lengths(void)
{
	const uint8_t *code = insn_code;
	int n = 0, bad = 0, whole = 0;

	for (; code < insn_code_end; code += insn_lengths[n++]) {
		uint8_t *cut = xmalloc(insn_lengths[n]); /* so that a sanitizer sees a step beyond */
		struct insn i;

		memcpy(cut, code, insn_lengths[n]);
		if (!insn_decode(cut, insn_lengths[n], &i) || i.len != insn_lengths[n])
			printf("# the instruction at %d: %d, not %d\n", n, i.len, insn_lengths[n]), bad++;
		for (size_t len = 0; len < insn_lengths[n]; len++)
			whole += insn_decode(cut, len, &i);
		free(cut);
	}
	ok(n > 90 && bad == 0, "%d instructions are as long as the assembler says", n);
	is_int(whole, 0, "what is cut off is none");
}

/* --- what is hostile ---------------------------------------------------------------------------- */

static uint64_t state = 7;

static bool random_code(void *arg, uint64_t addr, void *buf, size_t len)
{
	static const uint8_t usual[] = { 0x48, 0x83, 0xc4, 0x5d, 0x55, 0xc3, 0x75, 0xeb };
	uint8_t *to = buf;

	(void)arg, (void)addr;
	for (size_t i = 0; i < len; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		to[i] = state >> 61 ? usual[state >> 40 & 7] : (uint8_t)(state >> 32);
	}
	return true;
}

static bool endless_code(void *arg, uint64_t addr, void *buf, size_t len)
{
	(void)arg, (void)addr;
	memset(buf, 0x90, len);
	return true;
}

static bool no_code(void *arg, uint64_t addr, void *buf, size_t len)
{
	(void)arg, (void)addr, (void)buf, (void)len;
	return false;
}

static void test_hostile(void)
{
	struct unwind_ops odd = { self_lookup, random_code, NULL, NULL, find_start };
	struct rule rule;
	int found = 0, broken = 0;

	for (int i = 0; i < 20000; i++) {
		uint64_t start = i % 2 ? 0x10000 : 0;

		if (prologue_rule(&odd, start, 0x10000 + (uint64_t)(i % 64), &rule) == PROLOGUE_NONE)
			continue;
		found++;
		broken += rule.saved_count > RULE_REGISTERS || rule.kind != RULE_FRAME;
	}
	ok(found > 100 && broken == 0, "random code: %d rules", found);
	odd.code = endless_code;
	is_int(prologue_rule(&odd, 0, 0x10000, &rule), PROLOGUE_NONE, "code without an end");
	is_int(prologue_rule(&odd, 0, 8, &rule), PROLOGUE_NONE, "at the bottom of memory");
	is_int(prologue_rule(&odd, 0, UINT64_MAX - 8, &rule), PROLOGUE_NONE, "at its top");
	is_int(prologue_rule(&odd, 0x20000, 0x10000, &rule), PROLOGUE_NONE, "a start behind");
	odd.code = no_code;
	is_int(prologue_rule(&odd, 0x10000, 0x10010, &rule), PROLOGUE_NONE, "no code");
}

int main(void)
{
	self_load();
	if (!tap_can_read_memory()) {
		tap_skip("functions without CFI", "processes cannot read memory here");
		return tap_done();
	}
	for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++)
		for (int way = 0; way < 4; way++)
			run(&fixtures[i], way & 1, way < 2);
	test_lengths();
	test_hostile();
	self_unload();
	return tap_done();
}

#else

int main(void)
{
	tap_skip("functions without CFI", "x86-64 only so far");
	return tap_done();
}

#endif
