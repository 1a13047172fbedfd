/* SPDX-License-Identifier: MIT
 * Three unwinders over the same copies: our rules, libunwind, and elfutils' libdwfl. A child calls
 * through libraries that were built in all ways that unwinders stumble over, is stopped at many
 * places and stepped; each stop is judged. Where a library has no unwind information of its own, the
 * rules of the file it was made from, which has, tell the truth. */
#include "native/stack.h"

#include "tap.h"

#if defined(__x86_64__)

#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <zlib.h>

#include "elf/elf_find.h"
#include "mem/remote.h"
#include "native/engine_libunwind.h"
#include "native/modules.h"
#include "process.h"
#include "util/attr.h"
#include "util/clock.h"
#include "util/xalloc.h"

enum {
	FRAMES = 256,
	STACK_MAX = 256 << 10,
	STOPS = 30,          /* of each library */
	STEPS = 40,          /* single instructions after each stop */
};

/* What the unwinders are expected to know of a library. */
enum knows {
	ALL,                 /* all three, exactly */
	NOT_LIBUNWIND,       /* libunwind ends there; the others know */
	NONE,                /* nobody: guesses are allowed, judged by the original file */
};

/* What is done to a copy's unwind information. */
enum harm {
	WHOLE,
	NO_TABLE,            /* .eh_frame_hdr says that it has no table */
	BLANK,               /* zeros */
	GARBAGE,
	GARBAGE_HDR,         /* .eh_frame is sound */
};

struct variant {
	const char *name;
	enum knows knows;
	const char *build;   /* shell; $S the source, $O the library to make */
	const char *needs;   /* program without which it is skipped */
	uint32_t least;      /* NONE: of 1000 walks, how many at least have to be whole */
	enum harm harm;      /* the original is kept as $O.full */
};

#define CC "cc -O2 -fPIC -shared "

static const struct variant variants[] = {
	{ "plain", ALL, CC "-o $O $S", NULL, 0, WHOLE },
	{ "frame pointers", ALL, CC "-fno-omit-frame-pointer -o $O $S", NULL, 0, WHOLE },
	{ "-O0", ALL, CC "-O0 -o $O $S", NULL, 0, WHOLE },
	{ "clang", ALL, "clang -O2 -fPIC -shared -o $O $S", "clang", 0, WHOLE },
	{ "linked by lld", ALL, "clang -O2 -fPIC -shared -fuse-ld=lld -o $O $S", "ld.lld", 0, WHOLE },
	{ "linked by lld, no .eh_frame_hdr", NOT_LIBUNWIND,
	  "clang -O2 -fPIC -shared -fuse-ld=lld -Wl,--no-eh-frame-hdr -o $O $S", "ld.lld", 0, WHOLE },
	{ "no .eh_frame_hdr", NOT_LIBUNWIND, CC "-Wl,--no-eh-frame-hdr -o $O $S", NULL, 0, WHOLE },
	{ ".eh_frame_hdr without a table", NOT_LIBUNWIND, CC "-o $O $S", NULL, 0, NO_TABLE },
	{ ".debug_frame only", NOT_LIBUNWIND, CC "-g -fno-asynchronous-unwind-tables -o $O $S", NULL,
	  0, WHOLE },
	{ ".debug_frame in a debug file", NOT_LIBUNWIND,
	  CC "-g -fno-asynchronous-unwind-tables -o $O $S && objcopy --only-keep-debug $O $O.debug && "
	  "strip $O && objcopy --add-gnu-debuglink=$O.debug $O", "objcopy", 0, WHOLE },
	{ "the same, compressed", NOT_LIBUNWIND,
	  CC "-g -fno-asynchronous-unwind-tables -o $O $S && "
	  "objcopy --only-keep-debug --compress-debug-sections $O $O.debug && "
	  "strip $O && objcopy --add-gnu-debuglink=$O.debug $O", "objcopy", 0, WHOLE },
	{ "no information, frame pointers", NONE, CC "-fno-omit-frame-pointer -o $O $S", NULL, 850,
	  BLANK },
	{ "no information, no frame pointers", NONE, CC "-o $O $S", NULL, 0, BLANK },
	{ "no information, clang", NONE, "clang -O2 -fPIC -shared -o $O $S", "clang", 0, BLANK },
	{ "garbage for information", NONE, CC "-fno-omit-frame-pointer -o $O $S", NULL, 850, GARBAGE },
	{ "garbage in .eh_frame_hdr", NOT_LIBUNWIND, CC "-o $O $S", NULL, 0, GARBAGE_HDR },
};

/* --- the child ------------------------------------------------------------------------------- */

typedef int callback(int);
typedef int enter(callback *call, int n);

static volatile unsigned int sink;

static void on_signal(int nr)
{
	sink += (unsigned int)nr;
	for (unsigned int i = 0; i < 30; i++)
		sink += i;
}

static int compare(const void *a, const void *b)
{
	sink++;
	return *(const int *)a - *(const int *)b;
}

/* Work in libraries, called back from the one that is tested. */
__attribute__((noinline)) static int work(int n)
{
	static uint8_t packed[1024], text[600];
	uLongf size = sizeof(packed);
	int list[24];
	char line[80];

	for (int i = 0; i < 24; i++)
		list[i] = (i * 7919 + n) % 101;
	qsort(list, 24, sizeof(list[0]), compare);
	memset(text, n, 300);
	compress(packed, &size, text, sizeof(text));
	snprintf(line, sizeof(line), "%d %s %.3f", n, "text", n * 0.1);
	sink += (unsigned int)strtod(line, NULL) + (unsigned int)crc32(0, text, sizeof(text));
	raise(SIGUSR1);
	return n + (int)(sink % 3);
}

__attribute__((noinline)) static int drive(enter *f, int n)
{
	return f(work, n) + 1;
}

__attribute__((noinline)) static void child(enter *f)
{
	for (int n = 0;; n = (n + 1) & 0xffff)
		sink += (unsigned int)drive(f, n);
}

static pid_t start_child(const char *path)
{
	int to[2];
	char byte = 0;
	pid_t pid;

	if (pipe(to) != 0)
		abort();
	pid = fork();
	if (pid == 0) {
		void *library = dlopen(path, RTLD_NOW);
		enter *f = NULL;

		*(void **)&f = library ? dlsym(library, "enter") : NULL;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGUSR1, on_signal);
		if (!f || write(to[1], &byte, 1) != 1)
			_exit(1);
		child(f);
	}
	close(to[1]);
	if (pid < 0 || read(to[0], &byte, 1) != 1)
		abort();
	close(to[0]);
	return pid;
}

/* --- a stop ---------------------------------------------------------------------------------- */

struct moment {
	pid_t pid;
	struct unwind_registers regs;
	struct unwind_stack stack;
	uint8_t bytes[STACK_MAX];
	uint64_t stack_top;
};

static struct moment now;
static struct modules modules;
static struct module_map map;

static bool read_memory(pid_t pid, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = { buf, len }, remote = { (void *)(uintptr_t)addr, len };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)len;
}

static void take(struct moment *m)
{
	struct user_regs_struct r;
	uint64_t hi;

	if (ptrace(PTRACE_GETREGS, m->pid, NULL, &r) != 0)
		abort();
	{
		const uint64_t values[RULE_REGISTERS] = { r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi,
			r.rbp, r.rsp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rip };

		m->regs = (struct unwind_registers){ .known = 0 };
		for (unsigned int i = 0; i < RULE_REGISTERS; i++)
			unwind_set(&m->regs, i, values[i]);
	}
	hi = m->stack_top;
	if (hi - r.rsp > STACK_MAX - UNWIND_RED_ZONE)
		hi = r.rsp + STACK_MAX - UNWIND_RED_ZONE;
	m->stack = (struct unwind_stack){ r.rsp - UNWIND_RED_ZONE, hi, m->bytes };
	if (!read_memory(m->pid, m->stack.lo, m->bytes, hi - m->stack.lo))
		abort();
}

/* --- ours ------------------------------------------------------------------------------------ */

static struct rules *rules_of[MODULES_MAX], *truth; /* by module id; of $O.full */
static const char *tested;                  /* path of the library */
static bool with_truth;

static struct rules *open_rules(const struct module *m)
{
	struct rules *r = NULL;
	int fd = m->fd >= 0 ? fcntl(m->fd, F_DUPFD_CLOEXEC, 0) : -1;

	if (fd < 0 || rules_open_module(&r, fd, m->path, "") < 0)
		return NULL;
	return r;
}

static const struct rule *find_rule(void *arg, uint64_t addr)
{
	const struct module_range *range = module_map_find(&map, addr, clock_mono_ns());
	struct rules **r;

	(void)arg;
	if (!range)
		return NULL;
	if (with_truth && truth && !strcmp(range->module->path, tested))
		return rules_find(truth, addr - range->bias);
	r = &rules_of[range->module->id];
	if (!*r)
		*r = open_rules(range->module);
	return *r ? rules_find(*r, addr - range->bias) : &rule_none;
}

static bool read_code(void *arg, uint64_t addr, void *buf, size_t len)
{
	(void)arg;
	return read_memory(now.pid, addr, buf, len);
}

static struct unwind_code_cache cache;

static struct unwind_result walk(struct unwind_frame *frames)
{
	static const struct unwind_ops ops = { find_rule, read_code, NULL, &cache, NULL };
	struct unwind_registers regs = now.regs;

	return unwind_walk(&regs, &now.stack, &ops, frames, FRAMES);
}

static struct unwind_result walk_truth(struct unwind_frame *frames)
{
	struct unwind_result r;

	with_truth = true;
	r = walk(frames);
	with_truth = false;
	return r;
}

/* --- libdwfl --------------------------------------------------------------------------------- */

struct dwfl_walk {
	uint64_t pcs[FRAMES];
	uint32_t count;
	bool whole;
};

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread)
{
	(void)dwfl;
	if (*thread)
		return 0;
	*thread = arg;
	return now.pid;
}

static bool thread_memory(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *ret, void *arg)
{
	(void)dwfl, (void)arg;
	if (addr >= now.stack.lo && addr < now.stack.hi && now.stack.hi - addr >= 8) {
		memcpy(ret, now.bytes + (addr - now.stack.lo), 8);
		return true;
	}
	return read_memory(now.pid, addr, ret, 8);
}

static bool first_registers(Dwfl_Thread *thread, void *arg)
{
	Dwarf_Word regs[RULE_REGISTERS];

	(void)arg;
	for (int i = 0; i < RULE_REGISTERS; i++)
		regs[i] = now.regs.value[i];
	dwfl_thread_state_register_pc(thread, regs[RULE_RA]);
	return dwfl_thread_state_registers(thread, 0, RULE_REGISTERS, regs);
}

static int take_frame(Dwfl_Frame *frame, void *arg)
{
	struct dwfl_walk *w = arg;
	Dwarf_Addr pc;

	if (w->count == FRAMES || !dwfl_frame_pc(frame, &pc, NULL))
		return DWARF_CB_ABORT;
	w->pcs[w->count++] = pc;
	return DWARF_CB_OK;
}

static Dwfl *open_dwfl(pid_t pid)
{
	static char *debug_path = NULL;
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_linux_proc_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo, .debuginfo_path = &debug_path,
	};
	static const Dwfl_Thread_Callbacks threads = {
		.next_thread = next_thread, .memory_read = thread_memory,
		.set_initial_registers = first_registers,
	};
	Dwfl *dwfl = dwfl_begin(&callbacks);

	if (!dwfl || dwfl_linux_proc_report(dwfl, pid) != 0 || dwfl_report_end(dwfl, NULL, NULL) ||
	    !dwfl_attach_state(dwfl, NULL, pid, &threads, &now))
		abort();
	return dwfl;
}

static void walk_dwfl(Dwfl *dwfl, struct dwfl_walk *w)
{
	w->count = 0;
	w->whole = dwfl_getthread_frames(dwfl, now.pid, take_frame, w) == 0;
}

/* --- judging --------------------------------------------------------------------------------- */

struct score {
	unsigned int stops, whole, guessed, wrong, lies;
	unsigned int dwfl_wrong, unwind_wrong, unwind_ended;
};

static int shown;

static void show(const char *what, const struct unwind_frame *frames, const struct unwind_result *r)
{
	if (shown++ >= 3)
		return;
	printf("# %s: end %d\n", what, (int)r->end);
	for (size_t i = 0; i < r->count; i++) {
		const struct module_range *range = module_map_find(&map, frames[i].pc, 1);

		printf("#  %zu %s+%#llx sp %#llx how %d%s\n", i, range ? range->module->name : "?",
		       (unsigned long long)(frames[i].pc - (range ? range->bias : 0)),
		       (unsigned long long)frames[i].sp, frames[i].how,
		       frames[i].signal ? " signal" : "");
	}
}

static void show_dwfl(const struct dwfl_walk *w)
{
	if (shown > 3)
		return;
	printf("# libdwfl: %s\n", w->whole ? "whole" : dwfl_errmsg(-1));
	for (uint32_t i = 0; i < w->count; i++) {
		const struct module_range *range = module_map_find(&map, w->pcs[i], 1);

		printf("#  %u %s+%#llx\n", i, range ? range->module->name : "?",
		       (unsigned long long)(w->pcs[i] - (range ? range->bias : 0)));
	}
}

/* The first n frames are the same. */
static bool same(const struct unwind_frame *a, const struct unwind_frame *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].pc != b[i].pc || a[i].sp != b[i].sp)
			return false;
	return true;
}

static bool in_tested(uint64_t pc)
{
	const struct module_range *range = module_map_find(&map, pc, 1);

	return range && !strcmp(range->module->path, tested);
}

/* libdwfl (elfutils 0.188) ends in ld.so's _dl_runtime_resolve, whose CFA is that of rbx; ours and
 * libunwind go on to what called through the lazy stub. */
static bool is_known_end(const struct dwfl_walk *w)
{
	const struct module_range *range = module_map_find(&map, w->pcs[w->count - 1], 1);

	return range && !strncmp(range->module->name, "ld-linux", 8);
}

static bool same_dwfl(const struct unwind_frame *f, size_t n, const struct dwfl_walk *w)
{
	if (w->count == 0 || w->count > n || (w->count < n && !is_known_end(w)))
		return false;
	for (size_t i = 0; i < w->count; i++)
		if (f[i].pc != w->pcs[i])
			return false;
	return true;
}

static void judge_libunwind(struct engine_libunwind *e, const struct variant *v,
			    const struct unwind_frame *frames, const struct unwind_result *r,
			    struct score *s)
{
	static struct unwind_frame other[FRAMES];
	struct unwind_registers regs = now.regs;
	struct unwind_result u = engine_libunwind_walk(e, &regs, &now.stack, other, FRAMES);
	bool prefix = u.count <= r->count && same(frames, other, u.count);
	bool ended = v->knows != ALL && u.end == UNWIND_NO_INFO && in_tested(other[u.count - 1].pc);

	s->unwind_ended += ended;
	if (prefix && (ended || (u.count == r->count && u.end == r->end)))
		return;
	s->unwind_wrong++;
	show("rules", frames, r);
	show("libunwind", other, &u);
}

/* Exact where there is information; else whole and true, or honestly ended. */
static void judge(Dwfl *dwfl, struct engine_libunwind *e, const struct variant *v, struct score *s)
{
	static struct unwind_frame frames[FRAMES], right[FRAMES];
	struct unwind_result r = walk(frames), t = walk_truth(right);
	struct dwfl_walk d;
	size_t n;

	s->stops++;
	s->guessed += r.guessed > 0;
	s->whole += r.end == UNWIND_COMPLETE;
	n = r.count < t.count ? r.count : t.count;
	if (t.end != UNWIND_COMPLETE || t.guessed || (r.end != UNWIND_COMPLETE && v->knows != NONE)) {
		s->wrong++;
		show("truth", right, &t);
	}
	if (!same(frames, right, n) || (r.end == UNWIND_COMPLETE && r.count != t.count)) {
		s->lies++;
		show("ours", frames, &r);
		show("truth", right, &t);
	}
	if (v->knows != NONE && v->harm != GARBAGE_HDR) {
		walk_dwfl(dwfl, &d);
		if (!same_dwfl(right, t.count, &d)) {
			s->dwfl_wrong++;
			show("rules", right, &t);
			show_dwfl(&d);
		}
	}
	if (e)
		judge_libunwind(e, v, right, &t, s);
}

/* --- stopping -------------------------------------------------------------------------------- */

/* Until the child stops for us; its signals are passed on. */
static bool wait_stop(pid_t pid)
{
	int status;

	for (;;) {
		if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
			return false;
		if (status >> 16 == PTRACE_EVENT_STOP || WSTOPSIG(status) == SIGTRAP)
			return true;
		ptrace(PTRACE_CONT, pid, NULL, (void *)(intptr_t)WSTOPSIG(status));
	}
}

/* Steps over one instruction; a signal that comes is delivered: the next stop is in its handler. */
static bool step_one(pid_t pid)
{
	int status, nr = 0;

	for (;;) {
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, (void *)(intptr_t)nr) != 0 ||
		    waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
			return false;
		nr = WSTOPSIG(status);
		if (nr == SIGTRAP)
			return true;
	}
}

/* Lets it run on for a while that differs each time. */
static bool run_on(pid_t pid, int i)
{
	struct timespec ts = { 0, 20000 + 7919L * i % 200000 };

	if (ptrace(PTRACE_CONT, pid, NULL, NULL) != 0)
		return false;
	nanosleep(&ts, NULL);
	return ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 && wait_stop(pid);
}

static void watch(const struct variant *v, struct score *s)
{
	struct engine_libunwind *e = NULL;
	struct err err = { .status = 0 };
	struct remote remote;
	Dwfl *dwfl = NULL;

	if (remote_open_process(&remote, now.pid, &err) < 0)
		abort();
	module_map_init(&map, &modules, now.pid, &remote);
	if (engine_libunwind_open(&e, &map, &err) < 0)
		e = NULL;
	if (ptrace(PTRACE_SEIZE, now.pid, NULL, NULL) != 0 ||
	    ptrace(PTRACE_INTERRUPT, now.pid, NULL, NULL) != 0 || !wait_stop(now.pid))
		abort();
	now.stack_top = process_stack_top(now.pid);
	dwfl = open_dwfl(now.pid);
	for (int i = 0; i < STOPS && run_on(now.pid, i); i++) {
		for (int k = 0; k < STEPS && step_one(now.pid); k++) {
			take(&now);
			judge(dwfl, e, v, s);
		}
	}
	dwfl_end(dwfl);
	engine_libunwind_close(e);
	module_map_release(&map);
	remote_close(&remote);
}

/* --- building -------------------------------------------------------------------------------- */

static char folder[] = "/tmp/test-engine-XXXXXX";

static bool have(const char *program)
{
	char *line = xasprintf("command -v %s >/dev/null 2>&1", program);
	bool found = system(line) == 0;

	free(line);
	return found;
}

static void overwrite(int fd, const GElf_Shdr *sh, enum harm harm, bool is_hdr)
{
	uint8_t *bytes = xcalloc(1, sh->sh_size);
	off_t at = (off_t)sh->sh_offset;

	if (harm != BLANK && pread(fd, bytes, sh->sh_size, at) != (ssize_t)sh->sh_size)
		abort();
	for (size_t i = 0; i < sh->sh_size; i++) {
		if (harm == GARBAGE || (harm == GARBAGE_HDR && is_hdr && i >= 12))
			bytes[i] = (uint8_t)((i + 1) * 2654435761u >> 11);
		else if (harm == NO_TABLE && is_hdr && i >= 2)
			bytes[i] = i < 4 ? 0xff : i < 8 ? bytes[i] : 0; /* DW_EH_PE_omit */
	}
	if (pwrite(fd, bytes, sh->sh_size, at) != (ssize_t)sh->sh_size)
		abort();
	free(bytes);
}

static bool find_section(int fd, const char *name, GElf_Shdr *ret)
{
	Elf *elf = elf_version(EV_CURRENT) ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	bool found;

	if (!elf)
		abort();
	found = elf_find_section(elf, name, ret) != NULL;
	elf_end(elf);
	return found;
}

static void harm_file(const char *path, enum harm harm)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	GElf_Shdr sh;

	if (find_section(fd, ".eh_frame", &sh))
		overwrite(fd, &sh, harm, false);
	if (find_section(fd, ".eh_frame_hdr", &sh))
		overwrite(fd, &sh, harm, true);
	close(fd);
}

static char *build(const struct variant *v, size_t i)
{
	char *path = xasprintf("%s/lib%zu.so", folder, i);
	char *line = xasprintf("S=%s/unit/engine_library.c O=%s; { %s && cp $O $O.full; } "
			       ">/dev/null 2>&1", TESTS_DIR, path, v->build);
	bool built = system(line) == 0;

	free(line);
	if (built && v->harm != WHOLE)
		harm_file(path, v->harm);
	if (built)
		return path;
	free(path);
	return NULL;
}

static void close_rules(void)
{
	for (size_t i = 0; i < MODULES_MAX; i++)
		rules_free(rules_of[i]);
	memset(rules_of, 0, sizeof(rules_of));
	rules_free(truth);
	truth = NULL;
}

static void check(const struct variant *v, const char *path, bool libunwind)
{
	struct score s = { 0 };
	char *full = xasprintf("%s.full", path);

	tested = path;
	memset(&cache, 0, sizeof(cache));
	if (v->harm != WHOLE && rules_open(&truth, open(full, O_RDONLY | O_CLOEXEC)) < 0)
		abort();
	free(full);
	now.pid = start_child(path);
	watch(v, &s);
	kill(now.pid, SIGKILL);
	waitpid(now.pid, NULL, __WALL);
	close_rules();
	shown = 0;
	ok(s.stops > STOPS * STEPS / 2 && s.wrong == 0, "%s: %u stops, known as expected", v->name,
	   s.stops);
	ok(s.lies == 0, "%s: no wrong frame (%u whole, %u with guesses)", v->name, s.whole, s.guessed);
	if (v->knows != NONE && v->harm != GARBAGE_HDR) /* libdwfl believes that */
		ok(s.dwfl_wrong == 0, "%s: as libdwfl", v->name);
	if (v->knows == NONE)
		ok(s.whole * 1000 >= s.stops * v->least, "%s: at least %u of 1000 whole", v->name,
		   v->least);
	if (libunwind)
		ok(s.unwind_wrong == 0 && (v->knows == ALL || s.unwind_ended > 0),
		   "%s: as libunwind (%u end in the library)", v->name, s.unwind_ended);
}

/* --- damage ---------------------------------------------------------------------------------- */

static uint64_t random_state = 1;

static uint64_t random_below(uint64_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (random_state >> 33) % n;
}

/* A few bytes of .eh_frame; where lengths are hit cfi_check() refuses it. */
static void damage_section(int fd, const GElf_Shdr *sh)
{
	for (int i = 0; i < 4; i++) {
		uint8_t byte = (uint8_t)random_below(256);

		if (pwrite(fd, &byte, 1, (off_t)(sh->sh_offset + random_below(sh->sh_size))) != 1)
			abort();
	}
}

static void damage_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	GElf_Shdr sh;

	if (!find_section(fd, ".eh_frame", &sh))
		abort();
	damage_section(fd, &sh);
	close(fd);
}

struct ends {
	unsigned int walks, ours, libunwind; /* whole ones */
};

static void walk_damaged(struct ends *ends)
{
	static struct unwind_frame frames[FRAMES];
	struct engine_libunwind *e = NULL;
	struct err err = { .status = 0 };

	if (engine_libunwind_open(&e, &map, &err) < 0)
		e = NULL;
	for (int k = 0; k < 2 * STEPS && step_one(now.pid); k++) {
		struct unwind_registers regs;
		struct unwind_result u = { .end = UNWIND_NO_INFO };

		take(&now);
		regs = now.regs;
		if (e)
			u = engine_libunwind_walk(e, &regs, &now.stack, frames, FRAMES);
		ends->walks++;
		ends->ours += walk(frames).end == UNWIND_COMPLETE;
		ends->libunwind += u.end == UNWIND_COMPLETE;
	}
	engine_libunwind_close(e);
}

static void try_damaged(const char *path, struct ends *ends)
{
	struct remote remote;
	struct err err = { .status = 0 };

	memset(&cache, 0, sizeof(cache));
	now.pid = start_child(path);
	if (remote_open_process(&remote, now.pid, &err) < 0)
		abort();
	module_map_init(&map, &modules, now.pid, &remote);
	if (ptrace(PTRACE_SEIZE, now.pid, NULL, NULL) == 0 &&
	    ptrace(PTRACE_INTERRUPT, now.pid, NULL, NULL) == 0 && wait_stop(now.pid)) {
		now.stack_top = process_stack_top(now.pid);
		walk_damaged(ends);
	}
	module_map_release(&map);
	remote_close(&remote);
	kill(now.pid, SIGKILL);
	waitpid(now.pid, NULL, __WALL);
	close_rules();
}

static void test_damage(int rounds)
{
	struct ends ends = { 0 };

	for (int i = 0; i < rounds; i++) {
		char *path = build(&variants[0], 1000 + (size_t)i);

		if (!path) {
			tap_skip("damaged files", "nothing could be built here");
			return;
		}
		damage_file(path);
		try_damaged(path, &ends);
		unlink(path);
		free(path);
	}
	ok(ends.walks > 0, "damaged files: no crash (%u walks; whole: rules %u, libunwind %u)",
	   ends.walks, ends.ours, ends.libunwind);
}

static void check_variant(const struct variant *v, size_t i, bool libunwind)
{
	char *path;

	if (v->needs && !have(v->needs)) {
		path = xasprintf("needs the program %s", v->needs);
		tap_skip(v->name, path);
		free(path);
		return;
	}
	path = build(v, i);
	if (!path)
		tap_skip(v->name, "it could not be built here");
	else
		check(v, path, libunwind);
	free(path);
}

static bool have_libunwind(void)
{
	struct engine_libunwind *e;
	struct err err = { .status = 0 };

	module_map_init(&map, &modules, getpid(), NULL);
	if (engine_libunwind_open(&e, &map, &err) < 0) {
		ok(err.text[0] != '\0' && err.status == EXIT_FAILED, "no libunwind, and it says so");
		return false;
	}
	engine_libunwind_close(e);
	module_map_release(&map);
	return true;
}

static void remove_folder(void)
{
	char *line = xasprintf("rm -rf %s", folder);

	if (system(line) != 0)
		printf("# cannot remove %s\n", folder);
	free(line);
}

int main(int argc, char **argv)
{
	bool libunwind;

	if (!tap_can_read_memory() || !have("cc") || !mkdtemp(folder)) {
		tap_skip("engines", "needs a C compiler and process_vm_readv");
		return tap_done();
	}
	unsetenv("DEBUGINFOD_URLS");
	modules_init(&modules);
	libunwind = have_libunwind();
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
		if (argc < 2 || !strcmp(argv[1], variants[i].name))
			check_variant(&variants[i], i, libunwind);
	if (argc < 2)
		test_damage(10);
	else if (argc > 2 && !strcmp(argv[1], "--damage"))
		test_damage(atoi(argv[2]));
	modules_release(&modules);
	remove_folder();
	return tap_done();
}

#else

int main(void)
{
	tap_skip("engines", "x86-64 only so far");
	return tap_done();
}

#endif
