/* SPDX-License-Identifier: MIT
 * What a profile.proto calls the frames of a profile. */
#include "config.h"
#include "pprofnames.h"

#include <string.h>

#include "export/label.h"
#include "title.h"
#include "util/clock.h"

enum { STR_EMPTY = 0 };

void pprof_names_init(struct pprof_names *n, struct proto *proto, const struct profile *p,
		      bool qualified)
{
	*n = (struct pprof_names){ .proto = proto, .p = p, .qualified = qualified };
	idmap_init(&n->files);
	idmap_init(&n->functions);
	idmap_init(&n->locations);
}

void pprof_names_release(struct pprof_names *n)
{
	idmap_release(&n->files);
	idmap_release(&n->functions);
	idmap_release(&n->locations);
	buf_release(&n->text);
}

/* Strings of proto3 must be UTF-8: the text has been through label_*(). */
uint32_t pprof_names_text(struct pprof_names *n)
{
	uint32_t id = proto_string(n->proto, n->text.data, n->text.len);

	buf_clear(&n->text);
	return id;
}

static uint32_t file_string(struct pprof_names *n, uint32_t file)
{
	uint32_t *id = idmap_put(&n->files, file);

	if (*id == IDMAP_NONE) {
		label_clean(&n->text, symtab_file_at(n->p->symtab, file)->path, LABEL_FILE_MAX);
		*id = pprof_names_text(n);
	}
	return *id;
}

/* What most viewers show is the name alone: one of a library says which. */
static void add_library(struct pprof_names *n, const struct sym_func *f)
{
	const char *library = label_file(n->p->symtab, f, false);

	if (!label_in_library(n->p->symtab, f) || !*library || !strcmp(library, f->name))
		return;
	buf_adds(&n->text, " (");
	label_clean(&n->text, library, LABEL_NAME_MAX);
	buf_addc(&n->text, ')');
}

static uint64_t function_id(struct pprof_names *n, uint32_t func)
{
	const struct sym_func *f = symtab_func_at(n->p->symtab, func);
	uint32_t *known = idmap_put(&n->functions, func);
	uint32_t name, file;

	if (*known != IDMAP_NONE)
		return (uint64_t)func + 1;
	*known = func;
	if (n->qualified)
		label_module(&n->text, n->p->symtab, f);
	if (n->text.len)
		buf_addc(&n->text, '.');
	label_name(&n->text, f);
	add_library(n, f);
	name = pprof_names_text(n);
	file = f->kind == SYM_MARK ? STR_EMPTY : file_string(n, f->file);
	proto_function(n->proto, (uint64_t)func + 1, name, file, f->first_line);
	return (uint64_t)func + 1;
}

uint64_t pprof_names_location(struct pprof_names *n, uint32_t func, int32_t line)
{
	uint32_t *id = idmap_put(&n->locations, idmap_key(func, (uint32_t)line));

	if (*id == IDMAP_NONE) {
		proto_line(n->proto, function_id(n, func), line);
		proto_location(n->proto, ++n->locations_written);
		*id = n->locations_written;
	}
	return *id;
}

static void write_comment(struct pprof_names *n)
{
	if (n->text.len)
		proto_number(n->proto, PROFILE_COMMENT, pprof_names_text(n));
}

void pprof_names_comments(struct pprof_names *n)
{
	title_add(&n->text, n->p);
	write_comment(n);
	for (unsigned i = 0; title_add_remark(&n->text, n->p, i); i++)
		write_comment(n);
	buf_adds(&n->text, "pystoker " PACKAGE_VERSION);
	write_comment(n);
}

uint64_t pprof_names_period(const struct pprof_names *n)
{
	double rate_hz = n->p->meta.rate_hz;

	return rate_hz > 0 ? (uint64_t)((double)NSEC_PER_SEC / rate_hz) : 0;
}
