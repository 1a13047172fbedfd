/* SPDX-License-Identifier: MIT
 * Building and searching a module's table of functions. */
#include "native/symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "debugfile.h"
#include "elf/elf_file.h"
#include "elf/elf_find.h"
#include "util/first_above.h"
#include "util/xalloc.h"
#include "xz.h"

enum { PIECE = 2048, DYNAMIC_MAX = 512 }; /* symbols read at a time; entries of PT_DYNAMIC */

/* How good a name is for its address; the higher wins. */
enum { RANK_GLOBAL = 1, RANK_IFUNC = 2, RANK_FUNC = 4, RANK_SIZED = 8 };

struct symbol_row {
	uint64_t addr : 56;
	uint64_t table : 1;    /* index into symbols.names */
	uint64_t rank : 7;
	uint32_t size;         /* while loading, 0 size: what is left of the section */
	uint32_t name;         /* offset in the table's names */
};

_Static_assert(sizeof(struct symbol_row) == 16, "the table's size is what is promised");

/* One symbol table: where in the file it is. */
struct table {
	const struct elf_file *file;
	uint64_t symbols_at, symbols_size, names_at, names_size;
};

struct loading {
	struct symbols *s;
	const struct elf_file *module; /* whose segments say what is code */
	size_t room;
	unsigned tables;
};

/* Fewer bytes than asked for at the end of the file; never negative. */
static size_t read_at(int fd, void *buf, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len && offset + done < INT64_MAX) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)(offset + done));

		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		if (n > 0)
			done += (size_t)n;
	}
	return done;
}

/* --- names --- */

static void names_load(struct symbol_names *n, const struct table *t)
{
	*n = (struct symbol_names){ .fd = -1, .offset = t->names_at, .size = t->names_size };
	if (n->size > SYMBOLS_NAMES_MAX) {
		n->fd = fcntl(t->file->fd, F_DUPFD_CLOEXEC, 0);
		return;
	}
	n->text = xmalloc(n->size + 1);
	n->size = read_at(t->file->fd, n->text, n->size, n->offset);
	n->text = xreallocarray(n->text, n->size + 1, 1);
	n->text[n->size] = '\0';
}

static const char *name_at(const struct symbol_names *n, uint32_t offset, char *buf)
{
	if (offset >= n->size)
		return "";
	if (n->text)
		return n->text + offset;
	buf[read_at(n->fd, buf, SYMBOL_NAME_MAX - 1, n->offset + offset)] = '\0';
	return buf;
}

/* --- one table --- */

static const struct elf_segment *code_at(const struct elf_file *f, uint64_t addr)
{
	for (size_t i = 0; i < f->segment_count; i++)
		if (f->segments[i].exec && addr >= f->segments[i].vaddr &&
		    addr - f->segments[i].vaddr < f->segments[i].mem_size)
			return &f->segments[i];
	return NULL;
}

static unsigned rank_of(const Elf64_Sym *sym)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);

	return (sym->st_size ? RANK_SIZED : 0) |
	       (type == STT_FUNC ? RANK_FUNC : type == STT_GNU_IFUNC ? RANK_IFUNC : 0) |
	       (ELF64_ST_BIND(sym->st_info) != STB_LOCAL ? RANK_GLOBAL : 0);
}

static bool is_function(const Elf64_Sym *sym, const char *name)
{
	unsigned type = ELF64_ST_TYPE(sym->st_info);

	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_COMMON || *name == '\0')
		return false;
	if (type == STT_FUNC || type == STT_GNU_IFUNC)
		return true;
	/* Assembler: functions without a type, and marks: "$x" (ARM ELF ABI), ".L1". */
	return type == STT_NOTYPE && *name != '$' && *name != '.';
}

/* How far a symbol without a size may reach. */
static uint64_t code_end(const struct elf_file *f, const Elf64_Sym *sym,
			 const struct elf_segment *seg)
{
	uint64_t end = seg->vaddr + seg->mem_size;
	GElf_Shdr sh;

	if (sym->st_shndx < SHN_LORESERVE && f->elf &&
	    gelf_getshdr(elf_getscn(f->elf, sym->st_shndx), &sh) &&
	    sym->st_value >= sh.sh_addr && sym->st_value - sh.sh_addr < sh.sh_size &&
	    sh.sh_size < end - sh.sh_addr)
		end = sh.sh_addr + sh.sh_size;
	return end;
}

static void add(struct loading *l, const struct table *t, const Elf64_Sym *sym)
{
	const struct elf_segment *seg = code_at(l->module, sym->st_value);
	struct symbols *s = l->s;
	const struct symbol_names *names = &s->names[l->tables];
	uint64_t size = sym->st_size;

	/* Names on disk are not read for this: their labels are rare, and lose against functions. */
	if (!seg || !is_function(sym, names->text ? name_at(names, sym->st_name, NULL) : "x"))
		return;
	if (size == 0)
		size = code_end(t->file, sym, seg) - sym->st_value;
	if (s->count == l->room) {
		l->room = l->room ? l->room * 2 : 1024;
		s->rows = xreallocarray(s->rows, l->room, sizeof(*s->rows));
	}
	s->rows[s->count++] = (struct symbol_row){
		.addr = sym->st_value, .size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX,
		.name = sym->st_name, .table = l->tables & 1, .rank = rank_of(sym),
	};
}

/* Whether it had any functions. */
static bool add_table(struct loading *l, const struct table *t)
{
	size_t before = l->s->count, len = sizeof(Elf64_Sym) * PIECE;
	Elf64_Sym *piece;

	if (l->tables == ARRAY_SIZE(l->s->names))
		return false;
	piece = xmalloc(len);
	names_load(&l->s->names[l->tables], t);
	for (uint64_t at = 0; at < t->symbols_size && len == sizeof(Elf64_Sym) * PIECE; at += len) {
		if (len > t->symbols_size - at)
			len = t->symbols_size - at;
		len = read_at(t->file->fd, piece, len, t->symbols_at + at);
		for (size_t i = 0; i < len / sizeof(*piece) && l->s->count < SYMBOLS_MAX; i++)
			add(l, t, &piece[i]);
	}
	free(piece);
	l->tables++;
	return l->s->count > before;
}

/* --- which tables --- */

static bool find_section(const struct elf_file *f, uint32_t type, const char *name, GElf_Shdr *sh)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(f->elf, &names) != 0)
		return false;
	while ((scn = elf_nextscn(f->elf, scn))) {
		const char *text;

		if (!gelf_getshdr(scn, sh) || sh->sh_type != type)
			continue;
		text = name ? elf_strptr(f->elf, names, sh->sh_name) : NULL;
		if (!name || (text && !strcmp(text, name)))
			return true;
	}
	return false;
}

static bool add_section(struct loading *l, const struct elf_file *f, uint32_t type)
{
	GElf_Shdr sh, names;
	struct table t = { .file = f };

	if (!find_section(f, type, NULL, &sh) ||
	    !gelf_getshdr(elf_getscn(f->elf, sh.sh_link), &names) || names.sh_type != SHT_STRTAB)
		return false;
	t.symbols_at = sh.sh_offset;
	t.symbols_size = sh.sh_size;
	t.names_at = names.sh_offset;
	t.names_size = names.sh_size;
	return add_table(l, &t);
}

/* The file's offset of an address in PT_DYNAMIC, which glibc relocates in memory; 0: none. */
static uint64_t offset_of(const struct elf_file *f, uint64_t addr, uint64_t bias)
{
	for (int i = 0; i < 2; i++, addr -= bias)
		for (size_t k = 0; k < f->segment_count; k++)
			if (addr >= f->segments[k].vaddr &&
			    addr - f->segments[k].vaddr < f->segments[k].file_size)
				return addr - f->segments[k].vaddr + f->segments[k].file_offset;
	return 0;
}

/* Without section headers: what the dynamic linker uses. How many symbols there are it does not
 * say; every linker puts their names right behind them. */
static bool add_dynamic(struct loading *l, const struct elf_file *f, uint64_t bias)
{
	struct table t = { .file = f };
	Elf64_Dyn d[DYNAMIC_MAX];
	GElf_Phdr ph;
	size_t n;

	if (!elf_find_program_header(f->elf, PT_DYNAMIC, &ph))
		return false;
	n = ph.p_filesz < sizeof(d) ? ph.p_filesz : sizeof(d);
	n = read_at(f->fd, d, n, ph.p_offset) / sizeof(*d);
	for (size_t i = 0; i < n && d[i].d_tag != DT_NULL; i++) {
		switch (d[i].d_tag) {
		case DT_SYMTAB: t.symbols_at = offset_of(f, d[i].d_un.d_ptr, bias); break;
		case DT_STRTAB: t.names_at = offset_of(f, d[i].d_un.d_ptr, bias); break;
		case DT_STRSZ: t.names_size = d[i].d_un.d_val; break;
		}
	}
	if (!t.symbols_at || t.names_at <= t.symbols_at)
		return false;
	t.symbols_size = t.names_at - t.symbols_at;
	return add_table(l, &t);
}

/* A whole ELF file, compressed, as a section: the .symtab without what is in .dynsym. */
static bool add_debugdata(struct loading *l, const struct elf_file *f)
{
	void *packed, *whole = NULL;
	struct elf_file mini;
	bool found = false;
	GElf_Shdr sh;
	size_t len;
	int fd;

	if (!find_section(f, SHT_PROGBITS, ".gnu_debugdata", &sh) ||
	    sh.sh_size > SYMBOLS_PACKED_MAX)
		return false;
	packed = xmalloc(sh.sh_size + 1);
	len = read_at(f->fd, packed, sh.sh_size, sh.sh_offset);
	whole = xz_unpack(packed, len, SYMBOLS_UNPACKED_MAX, &len);
	free(packed);
	fd = whole ? memfd_create("debugdata", MFD_CLOEXEC) : -1;
	if (fd >= 0 && write(fd, whole, len) == (ssize_t)len && elf_file_open(&mini, fd) == 0) {
		found = add_section(l, &mini, SHT_SYMTAB);
		elf_file_close(&mini);
	}
	free(whole);
	return found;
}

static bool add_debug_file(struct loading *l, const struct elf_file *f,
			   const struct symbols_from *from)
{
	struct elf_file debug;
	bool found;

	if (debugfile_find(f, from, &debug) < 0)
		return false;
	found = add_section(l, &debug, SHT_SYMTAB);
	elf_file_close(&debug);
	return found;
}

static void forget(struct loading *l)
{
	while (l->tables > 0) {
		struct symbol_names *n = &l->s->names[--l->tables];

		free(n->text);
		if (n->fd >= 0)
			close(n->fd);
		*n = (struct symbol_names){ .fd = -1 };
	}
}

static void add_all(struct loading *l, const struct elf_file *f, const struct symbols_from *from)
{
	if (add_section(l, f, SHT_SYMTAB)) {
		l->s->sources = SYMBOLS_SYMTAB;
		return;
	}
	forget(l);
	if (add_debug_file(l, f, from)) {
		l->s->sources = SYMBOLS_DEBUG_FILE;
		return;
	}
	forget(l);
	if (add_section(l, f, SHT_DYNSYM) || (forget(l), add_dynamic(l, f, from->bias)))
		l->s->sources |= SYMBOLS_DYNSYM;
	if (add_debugdata(l, f))
		l->s->sources |= SYMBOLS_DEBUGDATA;
}

/* --- order --- */

static int by_address(const void *a, const void *b)
{
	const struct symbol_row *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->rank != y->rank)
		return (int)y->rank - (int)x->rank;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* "write" rather than "__write", "f" rather than "f_alias"; the rest by the alphabet, so that the
 * answer does not depend on the linker's order. */
static bool is_nicer(const char *a, const char *b)
{
	size_t x = strspn(a, "_"), y = strspn(b, "_"), m, n;

	if (x != y)
		return x < y;
	m = strlen(a);
	n = strlen(b);
	return m != n ? m < n : strcmp(a, b) < 0;
}

static const char *row_name(const struct symbols *s, const struct symbol_row *row)
{
	const struct symbol_names *n = &s->names[row->table];

	return n->text ? name_at(n, row->name, NULL) : NULL;
}

/* Of the rows for one address, from `first` on, the best; *first moves past them. */
static struct symbol_row best_of(const struct symbols *s, size_t *first)
{
	struct symbol_row best = s->rows[*first];
	const char *name = row_name(s, &best);
	uint64_t addr = best.addr;

	for ((*first)++; *first < s->count && s->rows[*first].addr == addr; (*first)++) {
		const struct symbol_row *row = &s->rows[*first];
		const char *other = row->rank == best.rank ? row_name(s, row) : NULL;

		if (name && other && is_nicer(other, name)) {
			best = *row;
			name = other;
		}
	}
	return best;
}

/* Assembler without sizes and types: a local name is a loop's within the function before it, as in
 * MKL's kernels ("LM_LOOPgas_1" in mkl_blas_def_sgemm_inner). */
static bool is_label_in(const struct symbol_row *row, const struct symbol_row *before)
{
	return row->rank == 0 && before->rank != 0 && !(before->rank & RANK_SIZED) &&
	       row->addr - before->addr < before->size;
}

/* One row an address; labels inside of functions go, what has no size ends where the next begins. */
static void settle(struct symbols *s)
{
	uint64_t end = 0; /* of the functions so far */
	size_t kept = 0;

	qsort(s->rows, s->count, sizeof(*s->rows), by_address);
	for (size_t i = 0; i < s->count;) {
		struct symbol_row row = best_of(s, &i);

		if (!(row.rank & RANK_SIZED) && row.addr < end)
			continue;
		if (kept && is_label_in(&row, &s->rows[kept - 1]))
			continue;
		if (kept && !(s->rows[kept - 1].rank & RANK_SIZED) &&
		    s->rows[kept - 1].size > row.addr - s->rows[kept - 1].addr)
			s->rows[kept - 1].size = (uint32_t)(row.addr - s->rows[kept - 1].addr);
		if (row.rank & RANK_SIZED && row.addr + row.size > end)
			end = row.addr + row.size;
		s->rows[kept++] = row;
	}
	s->count = kept;
	if (kept)
		s->rows = xreallocarray(s->rows, kept, sizeof(*s->rows));
	s->bytes = kept * sizeof(*s->rows);
	for (size_t i = 0; i < ARRAY_SIZE(s->names); i++)
		s->bytes += s->names[i].text ? s->names[i].size + 1 : 0;
}

int symbols_load(struct symbols *s, const struct symbols_from *from)
{
	struct loading l = { .s = s };
	struct elf_file f;
	int fd;

	*s = (struct symbols){ .names = { { .fd = -1 }, { .fd = -1 } } };
	fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || elf_file_open(&f, fd) < 0)
		return -ENOEXEC;
	l.module = &f;
	add_all(&l, &f, from);
	elf_file_close(&f);
	if (s->count > 0) {
		settle(s);
		return 0;
	}
	symbols_release(s);
	return -ENOENT;
}

void symbols_release(struct symbols *s)
{
	struct loading l = { .s = s, .tables = ARRAY_SIZE(s->names) };

	forget(&l);
	free(s->rows);
	*s = (struct symbols){ .names = { { .fd = -1 }, { .fd = -1 } } };
}

bool symbols_find(const struct symbols *s, uint64_t addr, struct symbol *ret,
		  char buf[SYMBOL_NAME_MAX])
{
	size_t above = FIRST_ABOVE(s->count, n, s->rows[n].addr, addr);

	for (size_t i = above; i > 0 && above - i < SYMBOLS_NEST_MAX; i--) {
		const struct symbol_row *row = &s->rows[i - 1];

		if (addr - row->addr >= row->size)
			continue;
		ret->addr = row->addr;
		ret->size = row->size;
		ret->name = name_at(&s->names[row->table], row->name, buf);
		return true;
	}
	return false;
}
