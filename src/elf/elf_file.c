/* SPDX-License-Identifier: MIT
 * Reading an ELF file with libelf. */
#include "elf/elf_file.h"

#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf/elf_find.h"
#include "elf_memory.h"

/* The kernel maps whole pages: a segment begins at its page. */
static uint64_t page_down(uint64_t value)
{
	long page = sysconf(_SC_PAGESIZE);

	return value & ~((uint64_t)(page > 0 ? page : 4096) - 1);
}

/* Keeps what is needed of the file header; false: not for us. */
static bool take_header(struct elf_file *f)
{
	GElf_Ehdr eh;

	if (elf_kind(f->elf) != ELF_K_ELF || !gelf_getehdr(f->elf, &eh))
		return false;
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB)
		return false;
	if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
		return false;
	f->machine = eh.e_machine;
	f->fixed = eh.e_type == ET_EXEC;
	return true;
}

static void add_segment(struct elf_file *f, const GElf_Phdr *ph)
{
	/* A segment that wraps around would make sums below lie. */
	if (ph->p_type != PT_LOAD || f->segment_count == ELF_SEGMENTS_MAX ||
	    ph->p_vaddr >= REMOTE_ADDR_MAX || ph->p_memsz >= REMOTE_ADDR_MAX)
		return;
	f->segments[f->segment_count++] = (struct elf_segment){
		.vaddr = ph->p_vaddr, .file_offset = ph->p_offset, .file_size = ph->p_filesz,
		.mem_size = ph->p_memsz, .write = ph->p_flags & PF_W, .exec = ph->p_flags & PF_X,
	};
}

static void take_segments(struct elf_file *f)
{
	size_t n = 0;

	if (elf_getphdrnum(f->elf, &n) != 0)
		return;
	for (size_t i = 0; i < n && i < UINT16_MAX; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(f->elf, (int)i, &ph))
			return;
		add_segment(f, &ph);
	}
}

/* More sections than e_shnum can hold are only in object files of compilers. libelf allocates for
 * as many as a file states: gigabytes for a sparse one. Big-endian or too short: libelf's to say. */
static bool states_too_many_sections(int fd)
{
	Elf64_Ehdr eh;

	return pread(fd, &eh, sizeof(eh), 0) == sizeof(eh) &&
	       eh.e_ident[EI_CLASS] == ELFCLASS64 && eh.e_shoff != 0 && eh.e_shnum == 0;
}

int elf_file_open(struct elf_file *f, int fd)
{
	struct stat st;

	*f = (struct elf_file){ .fd = fd };
	/* A pipe or device under a library's name would block or lie. */
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || elf_version(EV_CURRENT) == EV_NONE)
		goto bad;
	if (states_too_many_sections(fd))
		goto bad;
	/* Not mapped: cutting a mapped file off would kill us with SIGBUS. As quick. */
	f->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!f->elf || !take_header(f))
		goto bad;
	take_segments(f);
	if (f->segment_count == 0)
		goto bad;
	return 0;
bad:
	elf_file_close(f);
	return -ENOEXEC;
}

void elf_file_close(struct elf_file *f)
{
	if (f->elf)
		elf_end(f->elf);
	if (f->fd >= 0)
		close(f->fd);
	*f = (struct elf_file){ .fd = -1 };
}

int elf_file_section(const struct elf_file *f, const char *name, uint64_t *ret_addr,
		     uint64_t *ret_size)
{
	GElf_Shdr sh;

	if (!f->elf || !elf_find_section(f->elf, name, &sh))
		return -ENOENT;
	*ret_addr = sh.sh_addr;
	*ret_size = sh.sh_size;
	return 0;
}

static bool symbol_is(const struct elf_symbol *want, const char *name)
{
	/* Most names differ in the first bytes: no call for them. */
	return !want->found && want->name[0] == name[0] && !strcmp(want->name, name);
}

/* libelf reads the whole table and its names into memory: not gigabytes of a sparse file. */
static bool table_is_sane(const struct elf_file *f, const GElf_Shdr *sh)
{
	GElf_Shdr names;

	return sh->sh_size <= ELF_TABLE_MAX &&
	       gelf_getshdr(elf_getscn(f->elf, sh->sh_link), &names) &&
	       names.sh_size <= ELF_TABLE_MAX;
}

/* One symbol table; returns how many of `want` it defines that were not found before. */
static size_t symbols_in(const struct elf_file *f, Elf_Scn *scn, const GElf_Shdr *sh,
			 struct elf_symbol *want, size_t n)
{
	Elf_Data *data = table_is_sane(f, sh) ? elf_getdata(scn, NULL) : NULL;
	size_t found = 0, count;

	if (!data || !data->d_buf)
		return 0;
	count = data->d_size / sizeof(Elf64_Sym);
	for (size_t i = 0; i < count && i < ELF_SYMBOLS_MAX; i++) {
		const char *name;
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym) || sym.st_shndx == SHN_UNDEF)
			continue;
		name = elf_strptr(f->elf, sh->sh_link, sym.st_name);
		if (!name)
			continue;
		for (size_t k = 0; k < n; k++) {
			if (!symbol_is(&want[k], name))
				continue;
			want[k].addr = sym.st_value;
			want[k].size = sym.st_size;
			want[k].found = true;
			found++;
		}
	}
	return found;
}

/* All tables of one type (SHT_DYNSYM, SHT_SYMTAB). */
static size_t symbols_of_type(const struct elf_file *f, uint32_t type, struct elf_symbol *want,
			      size_t n)
{
	Elf_Scn *scn = NULL;
	size_t found = 0;

	while ((scn = elf_nextscn(f->elf, scn))) {
		GElf_Shdr sh;

		if (gelf_getshdr(scn, &sh) && sh.sh_type == type)
			found += symbols_in(f, scn, &sh, want, n);
	}
	return found;
}

size_t elf_file_symbols(const struct elf_file *f, enum elf_symbols which, struct elf_symbol *want,
			size_t n)
{
	size_t found;

	if (!f->elf)
		return elf_memory_symbols(f, want, n);
	found = symbols_of_type(f, SHT_DYNSYM, want, n);
	if (which == ELF_ALL)
		found += symbols_of_type(f, SHT_SYMTAB, want, n);
	return found;
}

int elf_file_bias(const struct elf_file *f, remote_addr start, uint64_t offset,
		  uint64_t *ret_bias)
{
	for (size_t i = 0; i < f->segment_count; i++) {
		const struct elf_segment *s = &f->segments[i];

		if (page_down(s->file_offset) != offset || s->file_size == 0)
			continue;
		*ret_bias = f->fixed ? 0 : start - page_down(s->vaddr);
		return 0;
	}
	return -ENOENT;
}

/* The GNU build-id among the notes of one segment; 0 when it is not there. */
static size_t build_id_in(Elf_Data *data, uint8_t out[ELF_BUILD_ID_MAX])
{
	size_t at = 0, name, desc;
	GElf_Nhdr nh;

	while ((at = gelf_getnote(data, at, &nh, &name, &desc)) > 0) {
		const char *bytes = data->d_buf;

		if (nh.n_type != NT_GNU_BUILD_ID || nh.n_namesz != sizeof("GNU") ||
		    memcmp(bytes + name, "GNU", sizeof("GNU")) != 0 ||
		    nh.n_descsz > ELF_BUILD_ID_MAX)
			continue;
		memcpy(out, bytes + desc, nh.n_descsz);
		return nh.n_descsz;
	}
	return 0;
}

size_t elf_file_build_id(const struct elf_file *f, uint8_t out[ELF_BUILD_ID_MAX])
{
	size_t n = 0, got = 0;

	if (!f->elf || elf_getphdrnum(f->elf, &n) != 0)
		return 0;
	for (size_t i = 0; i < n && i < UINT16_MAX && !got; i++) {
		Elf_Data *data;
		GElf_Phdr ph;

		if (!gelf_getphdr(f->elf, (int)i, &ph) || ph.p_type != PT_NOTE)
			continue;
		data = elf_getdata_rawchunk(f->elf, (int64_t)ph.p_offset, ph.p_filesz,
					    ph.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		if (data)
			got = build_id_in(data, out);
	}
	return got;
}
