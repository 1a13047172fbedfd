/* SPDX-License-Identifier: MIT
 * How frames and threads read in text, and where code comes from. */
#include "export/label.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "util/attr.h"
#include "util/utf8.h"

static const char ellipsis[] = "\xe2\x80\xa6";

/* C0, DEL, C1, line and paragraph separators, and the marks that turn the direction of text. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static void add_clean(struct buf *b, const char *s, size_t len)
{
	uint32_t c;

	for (size_t i = 0, n; i < len; i += n) {
		char utf8[4];

		n = utf8_next(s + i, len - i, &c);
		if (is_control(c))
			c = ' ';
		if ((c & 0xfffe) == 0xfffe) /* no characters, and not allowed in XML */
			c = UTF8_REPLACEMENT;
		buf_add(b, utf8, utf8_put(utf8, c));
	}
}

void label_clean(struct buf *b, const char *text, size_t max)
{
	size_t len = strlen(text), kept = utf8_cut(text, len, max);

	add_clean(b, text, kept);
	if (kept < len)
		buf_adds(b, ellipsis);
}

void label_name(struct buf *b, const struct sym_func *f)
{
	/* A frame without a text would be none to those who read stacks split at `;`. */
	label_clean(b, *f->name ? f->name : "[no name]", LABEL_NAME_MAX);
}

/* The end of a path says more than its beginning. */
static void add_file(struct buf *b, const char *path)
{
	size_t len = strlen(path), start = 0;

	if (len > LABEL_FILE_MAX) {
		start = utf8_cut(path, len, len - LABEL_FILE_MAX);
		buf_adds(b, ellipsis);
	}
	add_clean(b, path + start, len - start);
}

const char *label_last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static bool is_compiled(const struct sym_func *f)
{
	return f->kind == SYM_NATIVE || f->kind == SYM_KERNEL;
}

const char *label_file(const struct symtab *t, const struct sym_func *f, bool full_filenames)
{
	const struct sym_file *file = symtab_file_at(t, f->file);
	const char *shorter;

	if (full_filenames)
		return file->path;
	if (is_compiled(f))
		return label_last_part(file->path);
	shorter = file->short_path;
	return shorter ? shorter : file->path;
}

/* By the suffix: libraries end in .so, .so.6, -3.13, or in nothing. */
bool label_in_library(const struct symtab *t, const struct sym_func *f)
{
	static const char *const sources[] = {
		".c", ".h", ".cc", ".hh", ".cpp", ".hpp", ".cxx", ".hxx", ".c++", ".h++", ".C", ".H",
		".inc", ".inl", ".tcc", ".ipp", ".tpp", ".def", ".S", ".s", ".asm", ".rs", ".pyx",
		".pxd", ".pxi", ".py", ".cu", ".cuh", ".f", ".F", ".f90", ".F90", ".f95", ".go", ".m",
		".mm", ".zig", ".d", ".nim", ".y", ".l", ".re",
	};
	const char *suffix = strrchr(label_last_part(symtab_file_at(t, f->file)->path), '.');

	if (!is_compiled(f))
		return false;
	for (size_t i = 0; suffix && i < ARRAY_SIZE(sources); i++)
		if (!strcmp(suffix, sources[i]))
			return false;
	return true;
}

void label_place(struct buf *b, const struct profile *p, const struct profile_node *node,
		 bool full_filenames)
{
	const struct sym_func *f = symtab_func_at(p->symtab, node->func);
	const char *file = label_file(p->symtab, f, full_filenames);

	/* "[kernel]" and "[jit]" without a name, not "[kernel] ([kernel])". */
	if (f->kind == SYM_MARK || !*file || (is_compiled(f) && !strcmp(f->name, file)))
		return;
	add_file(b, file);
	if (node->line > 0)
		buf_addf(b, ":%d", node->line);
}

void label_frame(struct buf *b, const struct profile *p, const struct profile_node *node,
		 bool full_filenames)
{
	size_t before, opened;

	label_name(b, symtab_func_at(p->symtab, node->func));
	before = b->len;
	buf_adds(b, " (");
	opened = b->len;
	label_place(b, p, node, full_filenames);
	if (b->len > opened) {
		buf_addc(b, ')');
	} else {
		b->len = before;
		b->data[before] = '\0';
	}
}

/* Cuts the text behind `from` before `end` when it ends so; whether it did. */
static bool drop_end(struct buf *b, size_t from, const char *end)
{
	size_t len = strlen(end);

	if (b->len - from < len || strcmp(b->data + b->len - len, end) != 0)
		return false;
	b->len -= len;
	b->data[b->len] = '\0';
	return true;
}

/* The path of a file below its package root becomes a dotted name. */
static void add_module_of_path(struct buf *b, const char *path)
{
	static const char *const suffixes[] = { ".py", ".pyc", ".pyw", ".pyx" };
	size_t from = b->len;

	while (!strncmp(path, "./", 2))
		path += 2;
	label_clean(b, path, LABEL_NAME_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (drop_end(b, from, suffixes[i]))
			break;
	drop_end(b, from, "/__init__"); /* the package's own file; its name alone stays */
	for (size_t i = from; i < b->len; i++)
		if (b->data[i] == '/')
			b->data[i] = '.';
}

void label_module(struct buf *b, const struct symtab *t, const struct sym_func *f)
{
	static const char frozen[] = "<frozen ";
	const struct sym_file *file = symtab_file_at(t, f->file);
	const char *path = file->short_path;
	size_t from = b->len;

	if (f->kind != SYM_PYTHON)
		return;
	if (!path) { /* nobody has looked at the folders: the name alone is what is sure */
		path = label_last_part(file->path);
	}
	if (!strncmp(path, frozen, sizeof(frozen) - 1)) {
		label_clean(b, path + sizeof(frozen) - 1, LABEL_NAME_MAX);
		drop_end(b, from, ">");
	} else if (*path != '<') {
		add_module_of_path(b, path);
	}
}

void label_thread(struct buf *b, const struct profile_thread *t)
{
	if (t->thread_id)
		buf_addf(b, "thread (0x%" PRIX64 ")", t->thread_id);
	else /* it has nothing to do with Python */
		buf_addf(b, "thread (tid %d)", (int)t->tid);
	if (!t->name || !*t->name)
		return;
	buf_adds(b, ": \"");
	label_clean(b, t->name, LABEL_NAME_MAX);
	buf_addc(b, '"');
}

/* Has path a folder lib/python3.13, lib64/python3.14t or a lib/python313.zip? */
static bool is_stdlib(const char *path)
{
	static const char python[] = "/python";

	for (const char *at = path; (at = strstr(at, python)); at++) {
		const char *end = at + sizeof(python) - 1;
		bool in_lib = (at - path >= 3 && !strncmp(at - 3, "lib", 3)) ||
			      (at - path >= 5 && !strncmp(at - 5, "lib64", 5));

		if (!in_lib || !isdigit((unsigned char)*end))
			continue;
		while (isdigit((unsigned char)*end) || *end == '.')
			end++;
		if (end[0] == 't' || end[0] == 'd')
			end++;
		if (*end == '/' || !strncmp(end, "zip", 3))
			return true;
	}
	return false;
}

/* Folders below which pip, distributions and eggs put other people's code. */
static bool is_library(const char *path)
{
	static const char *const parts[] = { "site-packages/", "dist-packages/", ".egg/" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strstr(path, parts[i]))
			return true;
	return false;
}

enum label_origin label_origin(const struct symtab *t, const struct sym_func *f)
{
	const char *path = symtab_file_at(t, f->file)->path;

	if (f->kind == SYM_MARK)
		return ORIGIN_MARK;
	if (f->kind == SYM_KERNEL)
		return ORIGIN_KERNEL;
	if (f->kind != SYM_PYTHON)
		return ORIGIN_NATIVE;
	if (is_library(path))
		return ORIGIN_LIBRARY;
	if (!strncmp(path, "<frozen ", 8) || is_stdlib(path))
		return ORIGIN_STDLIB;
	return ORIGIN_APPLICATION;
}
