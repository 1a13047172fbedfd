/* SPDX-License-Identifier: MIT
 * Names of the functions that Cython writes: a prefix that says what it is, the enclosing modules,
 * classes and functions as "<length><name>_", a counter where the name came before, the name.
 * Source: Cython/Compiler/Naming.py, Symtab.py (mangle_internal, next_id) at Cython 3.0. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "native/demangle.h"
#include "util/attr.h"

static const struct prefix {
	const char *text;
	const char *said;    /* after the name: which of the functions of one class it is */
} prefixes[] = {
	{ "__pyx_pw_", "" },                 /* what Python calls: unpacks the arguments */
	{ "__pyx_pf_", "" },                 /* the body of a def */
	{ "__pyx_f_", "" },                  /* cdef and cpdef */
	{ "__pyx_gb_", "" },                 /* body of a generator or coroutine */
	{ "__pyx_specialmethod___pyx_pw_", "" },
	{ "__pyx_pymod_exec_", " (module)" },
	{ "__pyx_tp_new_", ".__cinit__" },
	{ "__pyx_tp_dealloc_", ".__dealloc__" },
	{ "__pyx_tp_traverse_", " (gc)" },
	{ "__pyx_tp_clear_", " (gc)" },
	{ "__pyx_getprop_", " (get)" },
	{ "__pyx_setprop_", " (set)" },
	{ "__pyx_sq_item_", ".__getitem__" },
	{ "__pyx_mp_ass_subscript_", ".__setitem__" },
};

static const char *skip_digits(const char *s)
{
	return s + strspn(s, "0123456789");
}

/* "__pyx_fuse_0__pyx_pw_…": one type of a fused function; there may be several in a row. */
static const char *skip_fused(const char *s)
{
	while (!strncmp(s, "__pyx_fuse_", 11))
		s = skip_digits(s + 11);
	return s;
}

/* One "<length><name>_" at *s, which moves past it. A "1" is nearly always the counter of the
 * first function, not the length of a one-letter scope. */
static bool take_scope(const char **s, const char **ret_name, size_t *ret_len)
{
	const char *name = skip_digits(*s);
	size_t len = 0;

	if (name == *s || name - *s > 3)
		return false;
	for (const char *p = *s; p < name; p++)
		len = len * 10 + (size_t)(*p - '0');
	if (len < 2 || strnlen(name, len + 1) != len + 1 || name[len] != '_')
		return false;
	*ret_name = name;
	*ret_len = len;
	*s = name + len + 1;
	return true;
}

static bool decode(const char *s, const char *said, char *out, size_t size)
{
	const char *name;
	size_t len, at = 0, scopes = 0;

	while (take_scope(&s, &name, &len)) {
		at += (size_t)snprintf(out + at, size - at, "%.*s.", (int)len, name);
		if (at >= size)
			return false;
		scopes++;
	}
	s = skip_fused(skip_digits(s));
	if (scopes == 0 && said[0] != ' ') /* "__pyx_pymod_exec_mod" is the only one without */
		return false;
	if (*s == '\0' && at == 0)
		return false;
	if (*s == '\0') /* the scope is all there is: a class, or the module itself */
		at--;
	return at + (size_t)snprintf(out + at, size - at, "%s%s", s, said) < size;
}

bool demangle_cython(const char *name, char *out, size_t size)
{
	name = skip_fused(name);
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t len = strlen(prefixes[i].text);

		if (!strncmp(name, prefixes[i].text, len))
			return decode(name + len, prefixes[i].said, out, size);
	}
	return false;
}
