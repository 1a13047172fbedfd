/* SPDX-License-Identifier: MIT
 * The modules of this very process, and a lookup of unwind rules in them. */
#ifndef TESTS_SELF_MODULES_H
#define TESTS_SELF_MODULES_H

#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "native/rules.h"

enum { SELF_MODULES_MAX = 64 };

struct self_module {
	uint64_t bias, lo, hi; /* executable part */
	struct rules *rules;   /* NULL: cannot be had */
	char path[256];
};

static struct self_module self_modules[SELF_MODULES_MAX];
static size_t self_module_count;

static inline struct rules *self_open(const struct dl_phdr_info *info, const char *path)
{
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
	struct rules *rules = NULL;
	int ret;

	/* The vdso's bytes are those of its file; two pages at least, section headers included. */
	if (vdso && info->dlpi_addr == vdso)
		ret = rules_open_image(&rules, (void *)(uintptr_t)vdso, 4096);
	else
		ret = rules_open(&rules, open(path, O_RDONLY | O_CLOEXEC));
	return ret == 0 ? rules : NULL;
}

static inline int self_add(struct dl_phdr_info *info, size_t size, void *arg)
{
	const char *path = info->dlpi_name[0] ? info->dlpi_name : "/proc/self/exe";
	struct rules *rules = self_open(info, path);

	(void)size, (void)arg;
	for (int i = 0; i < info->dlpi_phnum && self_module_count < SELF_MODULES_MAX; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		struct self_module *m = &self_modules[self_module_count];

		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X))
			continue;
		m->bias = info->dlpi_addr;
		m->lo = m->bias + ph->p_vaddr;
		m->hi = m->lo + ph->p_memsz;
		m->rules = rules;
		strncpy(m->path, path, sizeof(m->path) - 1);
		self_module_count++;
	}
	return 0;
}

static inline void self_load(void)
{
	dl_iterate_phdr(self_add, NULL);
}

static inline void self_unload(void)
{
	for (size_t i = 0; i < self_module_count; i++)
		if (i == 0 || self_modules[i].rules != self_modules[i - 1].rules)
			rules_free(self_modules[i].rules);
	self_module_count = 0;
}

static inline const struct self_module *self_find(uint64_t addr)
{
	for (size_t i = 0; i < self_module_count; i++)
		if (addr >= self_modules[i].lo && addr < self_modules[i].hi)
			return &self_modules[i];
	return NULL;
}

/* An unwind_lookup. */
static inline const struct rule *self_lookup(void *arg, uint64_t addr)
{
	const struct self_module *m = self_find(addr);

	(void)arg;
	if (!m)
		return NULL;
	return m->rules ? rules_find(m->rules, addr - m->bias) : &rule_none;
}

#endif
