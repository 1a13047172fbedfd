/* SPDX-License-Identifier: MIT
 * A decoded C++ name without what its caller does not write: parameters, qualifiers, the type that a
 * template's function returns. Only where that is plain; else the text stays as it is. */
#include <string.h>

#include "native/demangle.h"
#include "util/attr.h"

/* Operators with a bracket in them, which closes or opens nothing; the longest come first. */
static const char *const operators[] = {
	"<=>", "<<=", ">>=", "->*", "<<", ">>", "->", "<=", ">=", "()", "[]", "<", ">",
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Length of "operator" and such a sign at p; 0: it is something else. */
static size_t operator_length(const char *text, const char *p)
{
	size_t len = strlen("operator");

	if (strncmp(p, "operator", len) != 0 || (p > text && is_word(p[-1])) || is_word(p[len]))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (!strncmp(p + len, operators[i], strlen(operators[i])))
			return len + strlen(operators[i]);
	return len;
}

static bool is_qualifier(const char *tail)
{
	static const char *const words[] = { " const", " volatile", " &", " [clone " };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strncmp(tail, words[i], strlen(words[i])))
			return true;
	return *tail == '\0';
}

struct signature {
	size_t name;       /* where it begins; before it is a type, where the name is a template's */
	size_t open, end;  /* the last parentheses outside of others; open 0: none */
};

/* False: the brackets do not match, as where ">" is an operator between template arguments. */
static bool find_signature(const char *text, struct signature *ret)
{
	size_t blank = 0, depth = 0;
	bool named = false;

	*ret = (struct signature){ 0 };
	for (const char *p = text; *p; p++) {
		size_t at = (size_t)(p - text), len = operator_length(text, p);

		if (len) {
			named = named || depth == 0;
			p += len - 1;
		} else if (*p == '-' && p[1] == '>') {
			p++;
		} else if (strchr("<([{", *p)) {
			if (*p == '(' && depth == 0)
				*ret = (struct signature){ .name = blank, .open = at };
			depth++;
		} else if (strchr(">)]}", *p)) {
			if (depth-- == 0)
				return false;
			if (*p == ')' && depth == 0)
				ret->end = at + 1;
		} else if (*p == ' ' && depth == 0 && !named && !is_qualifier(p)) {
			blank = at + 1;
		}
	}
	return depth == 0 && ret->open > 0;
}

/* A function that returns a pointer to one is written around its name: "void (*f(int))(char)". */
static bool ends_a_name(const char *text, size_t end)
{
	static const char call[] = "operator()";
	size_t len = sizeof(call) - 1;

	if (end >= len && !strncmp(text + end - len, call, len))
		return true;
	return !strchr(" )", text[end - 1]);
}

void demangle_cxx_shorten(char *text)
{
	struct signature s;
	const char *clone;
	size_t len;

	if (!find_signature(text, &s) || !is_qualifier(text + s.end) || !ends_a_name(text, s.open))
		return;
	clone = strstr(text + s.end, " [clone ");
	if (text[s.open - 1] != '>') /* types are told of templates alone */
		s.name = 0;
	len = s.open - s.name;
	memmove(text, text + s.name, len);
	memmove(text + len, clone ? clone : "", clone ? strlen(clone) + 1 : 1);
}
