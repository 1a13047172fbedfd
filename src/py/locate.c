/* SPDX-License-Identifier: MIT
 * Finding CPython in a process: which of its binaries holds the interpreter, where its runtime
 * lies, which version it is, and whether what is there looks like it. */
#include "py/target.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "descendants.h"
#include "elf/elf_file.h"
#include "elf/mapped_file.h"
#include "mem/procfs.h"
#include "py/debug_offsets.h"
#include "scan.h"
#include "util/xalloc.h"

enum {
	BINARIES_MAX = 2048,      /* mapped binaries looked at */
	INTERPRETERS_MAX = 256,   /* followed when checking */
	CHECK_TRIES = 5,          /* thread lists change while they are read */
	CHECK_PAUSE_US = 200,
	HINT_CHILDREN_MAX = 5,
};

/* In which order binaries are asked. */
enum rank { RANK_LIBPYTHON, RANK_EXE, RANK_PYTHON, RANK_OTHER, RANKS };

/* One file with code in it, mapped in one or more pieces. */
struct binary {
	const struct map *first;  /* lowest mapping: opens the file */
	remote_addr start, end;
	enum rank rank;
};

enum symbol {
	SYMBOL_RUNTIME, SYMBOL_INTERP_HEAD, SYMBOL_TSTATE_CURRENT, SYMBOL_HEAD_FUNCTION,
	SYMBOL_VERSION, SYMBOL_CODE_TYPE, SYMBOL_ALL_OBJECTS, SYMBOL_STRING_TYPE, SYMBOLS
};

static const char *const symbol_names[SYMBOLS] = {
	[SYMBOL_RUNTIME]        = "_PyRuntime",               /* 3.7+ */
	[SYMBOL_INTERP_HEAD]    = "interp_head",              /* <= 3.6, static */
	[SYMBOL_TSTATE_CURRENT] = "_PyThreadState_Current",   /* <= 3.6 */
	[SYMBOL_HEAD_FUNCTION]  = "PyInterpreterState_Head",
	[SYMBOL_VERSION]        = "Py_Version",               /* 3.11+ */
	[SYMBOL_CODE_TYPE]      = "PyCode_Type",
	[SYMBOL_ALL_OBJECTS]    = "_Py_AddToAllObjects",      /* Py_TRACE_REFS, implied by Py_DEBUG <= 3.7 */
	[SYMBOL_STRING_TYPE]    = "PyString_Type",            /* 2.x only */
};

/* The search as a whole. */
struct locate {
	struct py_target *t;
	const struct remote *remote;
	struct maps maps;
	struct binary *binaries;
	size_t binary_count;
	char name[256];           /* command line, for messages */
	struct err *err;
	bool unsupported;         /* err says which interpreter cannot be read */
	bool early;               /* an interpreter was there, without threads yet */
};

/* One binary under examination. */
struct examined {
	const struct binary *binary;
	struct elf_file elf;
	uint64_t bias;
	struct elf_symbol symbols[SYMBOLS];
	struct scan_area area;
};

/* ---- candidates ------------------------------------------------------------------------- */

static enum rank rank_of(const char *path, const char *exe)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	if (strstr(base, "libpython"))
		return RANK_LIBPYTHON;
	if (exe && !strcmp(path, exe))
		return RANK_EXE;
	return strstr(base, "python") ? RANK_PYTHON : RANK_OTHER;
}

static struct binary *binary_of(struct locate *s, const struct map *m)
{
	/* Mappings of one file stand together, so the last one is nearly always it. */
	for (size_t i = s->binary_count; i-- > 0;) {
		const struct map *first = s->binaries[i].first;

		if (first->inode == m->inode && first->dev_major == m->dev_major &&
		    first->dev_minor == m->dev_minor && !strcmp(first->path, m->path))
			return &s->binaries[i];
	}
	if (s->binary_count == BINARIES_MAX)
		return NULL;
	s->binaries[s->binary_count] = (struct binary){ .first = m, .start = m->start,
							.rank = RANKS };
	return &s->binaries[s->binary_count++];
}

static void binaries_collect(struct locate *s, pid_t pid)
{
	char exe[TARGET_PATH_MAX];
	bool has_exe = procfs_readlink(pid, "exe", exe, sizeof(exe)) == 0;
	size_t len = has_exe ? strlen(exe) : 0;

	if (len > 10 && !strcmp(exe + len - 10, " (deleted)"))
		exe[len - 10] = '\0';
	s->binaries = xcalloc(BINARIES_MAX, sizeof(*s->binaries));
	for (size_t i = 0; i < s->maps.count; i++) {
		const struct map *m = &s->maps.list[i];
		struct binary *b;

		if (m->inode == 0 || m->path[0] != '/')
			continue;
		b = binary_of(s, m);
		if (!b)
			continue;
		b->end = m->end;
		if (m->exec)
			b->rank = rank_of(m->path, has_exe ? exe : NULL);
	}
}

/* ---- one binary ------------------------------------------------------------------------- */

/* The bias under which the file's code lies where code is mapped: a program may also have mapped
 * its own interpreter as data. */
static int find_bias(const struct locate *s, struct examined *x)
{
	for (size_t i = 0; i < s->maps.count; i++) {
		const struct map *m = &s->maps.list[i];
		uint64_t bias;

		if (m->start < x->binary->start || m->inode != x->binary->first->inode ||
		    elf_file_bias(&x->elf, m->start, m->offset, &bias) < 0)
			continue;
		for (size_t k = 0; k < x->elf.segment_count; k++) {
			const struct elf_segment *seg = &x->elf.segments[k];
			const struct map *code = maps_find(&s->maps, bias + seg->vaddr);

			if (seg->exec && code && code->exec &&
			    code->inode == x->binary->first->inode) {
				x->bias = bias;
				return 0;
			}
		}
	}
	return -ENOENT;
}

static int open_binary(const struct locate *s, pid_t pid, struct examined *x)
{
	int fd = mapped_file_open(pid, x->binary->first);

	if (fd >= 0 && elf_file_open(&x->elf, fd) == 0) {
		if (find_bias(s, x) == 0)
			return 0;
		elf_file_close(&x->elf);
	}
	if (elf_file_open_memory(&x->elf, s->remote, x->binary->start) < 0)
		return -ENOENT;
	x->bias = x->elf.bias;
	return 0;
}

static void find_symbols(const struct locate *s, struct examined *x)
{
	struct elf_file memory;

	for (int i = 0; i < SYMBOLS; i++)
		x->symbols[i] = (struct elf_symbol){ .name = symbol_names[i] };
	elf_file_symbols(&x->elf, ELF_DYNAMIC, x->symbols, SYMBOLS);
	if (x->symbols[SYMBOL_RUNTIME].found || !x->elf.elf)
		return;
	if (elf_file_symbols(&x->elf, ELF_ALL, x->symbols, SYMBOLS) > 0 ||
	    x->symbols[SYMBOL_TSTATE_CURRENT].found)
		return;
	/* Section headers cut off: what the dynamic linker uses is still there. */
	if (elf_file_open_memory(&memory, s->remote, x->bias + x->elf.segments[0].vaddr) == 0)
		elf_file_symbols(&memory, ELF_DYNAMIC, x->symbols, SYMBOLS);
	elf_file_close(&memory);
}

static remote_addr symbol_addr(const struct examined *x, enum symbol i)
{
	return x->symbols[i].found ? x->bias + x->symbols[i].addr : 0;
}

/* The operand of PyInterpreterState_Head(), which only returns interp_head (3.6). */
static remote_addr decode_head_function(const struct locate *s, const struct examined *x)
{
	remote_addr at = symbol_addr(x, SYMBOL_HEAD_FUNCTION);
	uint8_t code[32];
	uint32_t a, b;

	if (!at || remote_read(s->remote, at, code, sizeof(code)) < 0)
		return 0;
	if (x->elf.machine == EM_AARCH64) {
		memcpy(&a, code, 4);
		memcpy(&b, code + 4, 4);
		/* adrp x0, page; ldr x0, [x0, #offset] */
		if ((a & 0x9f00001f) != 0x90000000 || (b & 0xffc003ff) != 0xf9400000)
			return 0;
		return (at & ~UINT64_C(4095)) +
		       (uint64_t)(((int64_t)(int32_t)((a >> 5 & 0x7ffff) << 13) >> 13) * 4 +
				  (a >> 29 & 3)) * 4096 +
		       (b >> 10 & 0xfff) * 8;
	}
	/* [endbr64] [push rbp; mov rbp, rsp] mov rax, [rip + disp32] */
	for (size_t i = 0; i + 7 <= 16; i++) {
		int32_t disp;

		if (memcmp(code + i, "\x48\x8b\x05", 3) != 0)
			continue;
		memcpy(&disp, code + i + 3, 4);
		return at + i + 7 + (uint64_t)(int64_t)disp;
	}
	return 0;
}

/* "libpython3.8.so.1.0", "/opt/python3.8/bin/app": the minor version alone. */
static uint32_t version_of_path(const char *path)
{
	uint32_t version = 0;

	for (const char *p = path; (p = strstr(p, "python")); p++) {
		uint32_t here = pyver_parse(p + strlen("python"));

		if (here)
			version = pyver_minor_of(here);
	}
	return version;
}

static uint32_t find_version(const struct locate *s, const struct examined *x)
{
	remote_addr at = symbol_addr(x, SYMBOL_VERSION);
	uint32_t version = 0;

	if (at && remote_read_u32(s->remote, at, &version) == 0 && version)
		return version;
	version = scan_version(&x->area);
	return version ? version : version_of_path(x->binary->first->path);
}

/* ---- is it one? ------------------------------------------------------------------------- */

/* A thread of this interpreter: 0, -EAGAIN none yet, -EINVAL no interpreter. */
static int check_threads(const struct locate *s, remote_addr interp, remote_addr *ret_tstate)
{
	const struct py_layout *l = &s->t->layout;
	uint64_t tstate, back;

	if (remote_read_u64(s->remote, interp + l->interp.threads_head, &tstate) < 0)
		return -EINVAL;
	if (tstate == 0)
		return -EAGAIN;
	if (remote_read_u64(s->remote, tstate + l->tstate.interp, &back) < 0 || back != interp)
		return -EINVAL;
	*ret_tstate = tstate;
	return 0;
}

/* Walks from the head of the interpreters to a first thread. */
static int check_once(const struct locate *s, remote_addr *ret_tstate)
{
	const struct py_layout *l = &s->t->layout;
	uint64_t interp;

	if (remote_read_u64(s->remote, s->t->runtime + l->runtime.interpreters_head, &interp) < 0)
		return -EINVAL;
	for (int i = 0; interp && i < INTERPRETERS_MAX; i++) {
		int ret = check_threads(s, interp, ret_tstate);

		if (ret != -EAGAIN)
			return ret;
		if (remote_read_u64(s->remote, interp + l->interp.next, &interp) < 0)
			return -EINVAL;
	}
	return -EAGAIN;
}

static int check_target(const struct locate *s, remote_addr *ret_tstate)
{
	const struct timespec pause = { .tv_nsec = CHECK_PAUSE_US * 1000 };
	int ret = check_once(s, ret_tstate);

	for (int i = 1; i < CHECK_TRIES && ret == -EINVAL; i++) {
		nanosleep(&pause, NULL);
		ret = check_once(s, ret_tstate);
	}
	return ret;
}

/* 3.15: the root frame lies where the thread itself says, were PyThreadState to change its size. */
static int learn_base_frame(const struct locate *s, const struct debug_offsets *o,
			    remote_addr tstate)
{
	struct py_layout *l = &s->t->layout;
	uint64_t frame;

	if (o->base_frame_pointer == NO_FIELD || l->tstate.base_frame == NO_FIELD)
		return 0;
	if (remote_read_u64(s->remote, tstate + o->base_frame_pointer, &frame) < 0 ||
	    frame < tstate || frame - tstate > l->tstate.size + UINT64_C(4096))
		return -EINVAL;
	l->tstate.base_frame = (uint32_t)(frame - tstate);
	return 0;
}

/* ---- attempts: 0 found, -ENOENT not here, -EAGAIN, -ENOTSUP with err filled ----------------- */

static int refuse(struct locate *s, uint32_t version, const char *why)
{
	char text[PYVER_TEXT_MAX], oldest[PYVER_TEXT_MAX], newest[PYVER_TEXT_MAX];

	pyver_text(PYVER_OLDEST | 0xf0, oldest);
	pyver_text(PYVER_NEWEST | 0xf0, newest);
	oldest[3] = newest[4] = '\0'; /* "3.6", "3.15" */
	s->unsupported = true;
	return err_set(s->err, -ENOTSUP, EXIT_UNSUPPORTED,
		       "PID %d (%s): CPython %s is not supported: %s (known: %s to %s)",
		       (int)s->t->pid, s->name, pyver_text(version, text), why, oldest, newest);
}

static int accept(struct locate *s, const struct examined *x, const char *how)
{
	struct py_target *t = s->t;

	t->how = how;
	t->machine = x->elf.machine;
	t->code_type = symbol_addr(x, SYMBOL_CODE_TYPE);
	t->module_start = x->binary->start;
	t->module_end = x->binary->end;
	for (size_t i = 0; i < x->elf.segment_count; i++) { /* .bss is mapped without the file */
		const struct elf_segment *seg = &x->elf.segments[i];
		remote_addr end = (x->bias + seg->vaddr + seg->mem_size + 4095) & ~UINT64_C(4095);

		if (end > t->module_end)
			t->module_end = end;
	}
	strncpy(t->path, x->binary->first->path, sizeof(t->path) - 1);
	return 0;
}

/* A _PyRuntime that may describe itself; -ENODATA when it does not (3.12 and older). */
static int try_debug_offsets(struct locate *s, const struct examined *x, const char *how)
{
	uint8_t bytes[DEBUG_OFFSETS_MAX] = { 0 };
	struct debug_offsets o;
	remote_addr tstate;
	int ret;

	/* 3.13's is shorter, but the runtime behind it is larger than any of them. */
	if (remote_read(s->remote, s->t->runtime, bytes, sizeof(bytes)) < 0)
		return -ENODATA;
	ret = debug_offsets_parse(&o, bytes, sizeof(bytes));
	if (ret == -ENOENT)
		return -ENODATA;
	if (ret == -ENOTSUP)
		return refuse(s, o.version, "its version is not known");
	if (ret < 0)
		return refuse(s, o.version, "its description of itself makes no sense");
	s->t->layout = o.layout;
	s->t->version = o.version;
	s->t->debug_offsets = true;
	s->t->version_guessed = o.guessed;
	ret = check_target(s, &tstate);
	if (ret == -EAGAIN)
		return ret;
	if (ret < 0 || learn_base_frame(s, &o, tstate) < 0)
		return refuse(s, o.version, o.guessed ? "it is newer than what is known"
						      : "its memory does not look as it should");
	return accept(s, x, how);
}

/* The row for a version without description; false: err says why not. */
static bool choose_row(struct locate *s, const struct examined *x, uint32_t version)
{
	bool trace_refs = x->symbols[SYMBOL_ALL_OBJECTS].found;
	const struct py_layout *row;

	if (version < PYVER_OLDEST) {
		refuse(s, version, "it is too old");
		return false;
	}
	if (pyver_minor_of(version) >= PYVER(3, 13)) {
		refuse(s, version, "its _Py_DebugOffsets was not found");
		return false;
	}
	row = layout_find(version, false, trace_refs);
	if (!row) {
		refuse(s, version, "it was built with --with-trace-refs");
		return false;
	}
	s->t->layout = *row;
	s->t->version = version;
	target_layout_arch(&s->t->layout, version, x->elf.machine);
	return true;
}

/* A known address of the runtime. */
static int try_runtime(struct locate *s, const struct examined *x, remote_addr runtime,
		       const char *how)
{
	remote_addr tstate;
	uint32_t version;
	int ret;

	s->t->runtime = runtime;
	ret = try_debug_offsets(s, x, how);
	if (ret != -ENODATA)
		return ret;
	version = find_version(s, x);
	if (version == 0)
		return -EAGAIN; /* Py_GetVersion() has not run yet */
	if (!choose_row(s, x, version))
		return -ENOTSUP;
	ret = check_target(s, &tstate);
	if (ret == -EINVAL)
		return refuse(s, version, "its memory does not look as it should");
	return ret < 0 ? ret : accept(s, x, how);
}

/* 3.6 and older: no _PyRuntime, a static interp_head. */
static int try_interp_head(struct locate *s, const struct examined *x)
{
	remote_addr head = symbol_addr(x, SYMBOL_INTERP_HEAD);
	uint32_t version = find_version(s, x);

	if (x->symbols[SYMBOL_STRING_TYPE].found || (version && version < PYVER_OLDEST))
		return refuse(s, version ? version : PYVER(2, 7) | 0xf0, "it is too old");
	s->t->tstate_current = symbol_addr(x, SYMBOL_TSTATE_CURRENT);
	if (!head)
		head = decode_head_function(s, x);
	if (!head && version && choose_row(s, x, version))
		head = scan_head(&x->area, &s->t->layout);
	return head ? try_runtime(s, x, head, "symbol") : -ENOENT;
}

static int try_scan(struct locate *s, const struct examined *x)
{
	remote_addr runtime = scan_cookie(&x->area);
	uint32_t version;

	if (runtime)
		return try_runtime(s, x, runtime, "scan");
	version = scan_version(&x->area);
	if (!version)
		return -ENOENT;
	if (!choose_row(s, x, version))
		return -ENOTSUP;
	runtime = scan_head(&x->area, &s->t->layout);
	return runtime ? try_runtime(s, x, runtime, "scan") : -EAGAIN;
}

static int try_binary(struct locate *s, struct examined *x)
{
	uint64_t addr, size;

	if (x->symbols[SYMBOL_RUNTIME].found)
		return try_runtime(s, x, symbol_addr(x, SYMBOL_RUNTIME), "symbol");
	if (elf_file_section(&x->elf, ".PyRuntime", &addr, &size) == 0 && addr)
		return try_runtime(s, x, x->bias + addr, "section");
	if (x->symbols[SYMBOL_INTERP_HEAD].found || x->symbols[SYMBOL_TSTATE_CURRENT].found)
		return try_interp_head(s, x);
	return try_scan(s, x);
}

static int examine(struct locate *s, const struct binary *b)
{
	struct examined x = { .binary = b };
	struct py_target *t = s->t;
	int ret = open_binary(s, t->pid, &x);

	if (ret < 0)
		return ret;
	x.area = (struct scan_area){ s->remote, &s->maps, &x.elf, x.bias };
	*t = (struct py_target){ .pid = t->pid, .remote = t->remote };
	if (x.elf.machine == EM_X86_64 || x.elf.machine == EM_AARCH64) {
		find_symbols(s, &x);
		ret = try_binary(s, &x);
	} else {
		ret = -ENOENT;
	}
	elf_file_close(&x.elf);
	return ret;
}

/* ---- the whole -------------------------------------------------------------------------- */

/* A process that cannot have an interpreter, or is no more. */
static int check_process(struct locate *s)
{
	struct proc_stat st;
	pid_t pid = s->t->pid;
	int ret = proc_stat_read(&st, pid);

	if (ret == -ENOENT || ret == -ESRCH)
		return err_set(s->err, -ESRCH, EXIT_GONE, "PID %d: no such process", (int)pid);
	if (ret == 0 && (st.state == 'Z' || st.state == 'X'))
		return err_set(s->err, -ESRCH, EXIT_GONE,
			       "PID %d (%s): the process has ended (it is a zombie)", (int)pid,
			       s->name);
	return 0;
}

static int not_python(struct locate *s)
{
	pid_t pid = s->t->pid, children[HINT_CHILDREN_MAX];
	size_t n = descendants_python(pid, children, HINT_CHILDREN_MAX);
	char list[HINT_CHILDREN_MAX * 12 + 1] = "";
	char exe[32];

	if (s->maps.count == 0 && procfs_readlink(pid, "exe", exe, sizeof(exe)) < 0)
		return err_set(s->err, -ENOENT, EXIT_NOT_PYTHON,
			       "PID %d (%s): a kernel thread, there is no CPython interpreter in it",
			       (int)pid, s->name);
	err_set(s->err, 0, EXIT_NOT_PYTHON, "PID %d (%s): no CPython interpreter found in it",
		(int)pid, s->name);
	for (size_t i = 0; i < n; i++)
		sprintf(list + strlen(list), " %d", (int)children[i]);
	if (n > 0)
		err_hint(s->err, "processes below it that look like Python:%s", list);
	return -ENOENT;
}

static int run(struct locate *s)
{
	for (int rank = 0; rank < RANKS; rank++) {
		for (size_t i = 0; i < s->binary_count; i++) {
			int ret;

			if (s->binaries[i].rank != (enum rank)rank)
				continue;
			ret = examine(s, &s->binaries[i]);
			if (ret == 0)
				return 0;
			s->early |= ret == -EAGAIN;
		}
	}
	/* The process may have ended while it was being looked at. */
	if (check_process(s) < 0)
		return -ESRCH;
	if (s->early)
		return err_set(s->err, -EAGAIN, EXIT_NOT_PYTHON,
			       "PID %d (%s): its CPython has not started running Python code yet",
			       (int)s->t->pid, s->name);
	return s->unsupported ? -ENOTSUP : not_python(s);
}

/* Whether the process has other memory than when the search began: it execs, or is about to end. */
static bool memory_replaced(const struct locate *s, pid_t pid)
{
	struct maps now;
	bool replaced;

	if (maps_read(&now, pid, NULL) < 0)
		return true;
	replaced = now.count == 0 || s->maps.count == 0 ||
		   now.list[0].start != s->maps.list[0].start ||
		   strcmp(now.list[0].path, s->maps.list[0].path);
	maps_release(&now);
	return replaced;
}

int target_locate(struct py_target *t, pid_t pid, struct remote *remote, struct err *err)
{
	struct locate s = { .t = t, .remote = remote, .err = err };
	int ret;

	*t = (struct py_target){ .pid = pid, .remote = remote };
	if (procfs_cmdline(pid, s.name, sizeof(s.name)) < 0)
		strcpy(s.name, "?");
	ret = check_process(&s);
	if (ret < 0)
		return ret;
	ret = maps_read(&s.maps, pid, err);
	if (ret == -ESRCH && check_process(&s) == 0)
		ret = not_python(&s); /* it is there, but has no memory: a kernel thread */
	if (ret < 0)
		return ret;
	binaries_collect(&s, pid);
	ret = run(&s);
	/* What a process says of itself while it goes away is no reason to judge it by. */
	if (ret < 0 && ret != -EAGAIN && check_process(&s) < 0)
		ret = -ESRCH;
	else if (ret < 0 && ret != -EAGAIN && memory_replaced(&s, pid))
		ret = err_set(err, -EAGAIN, EXIT_GONE, "PID %d (%s): it became another program, or "
			      "ended, while it was looked at", (int)pid, s.name);
	free(s.binaries);
	maps_release(&s.maps);
	return ret;
}
