/* SPDX-License-Identifier: MIT
 * Which decoder a name is for; C++ itself is left to the C++ library. */
#include "native/demangle.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "util/attr.h"

static size_t copy(char *out, size_t size, const char *s, size_t len)
{
	if (len >= size)
		len = size - 1;
	memmove(out, s, len);
	out[len] = '\0';
	return len;
}

/* Itanium C++ ABI, "Demangler API". */
typedef char *(*cxa_demangle)(const char *mangled, char *buf, size_t *len, int *status);

static cxa_demangle cxx_decode;

static void cxx_load(void)
{
	void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);

	if (library)
		*(void **)&cxx_decode = dlsym(library, "__cxa_demangle");
}

/* "S3_", "T_": the number, plus one, of what came before; 0: none is here. */
static size_t reference(const char *s)
{
	size_t number = 0, n = 1;

	if (*s != 'S' && *s != 'T')
		return 0;
	for (; (s[n] >= '0' && s[n] <= '9') || (s[n] >= 'A' && s[n] <= 'Z'); n++) {
		number = number * 36 + (size_t)(s[n] <= '9' ? s[n] - '0' : s[n] - 'A' + 10) + 1;
		if (number >= DEMANGLE_REFS_MAX)
			return 0;
	}
	return s[n] == '_' ? number + 1 : 0;
}

/* What a reference stands for can hold references itself, each doubling the answer, and the
 * library sets no limit: a made-up name of 200 bytes would take all memory. So a bound first,
 * without a parser: what reference k stands for ended before the first use of any reference from k
 * on, hence is not longer than all that was written up to there. */
static bool cxx_is_sane(const char *name)
{
	size_t bounds[2][DEMANGLE_REFS_MAX + 1], known[2] = { 0 }, total = 0;

	for (const char *p = name; *p; p++) {
		size_t number = reference(p), *bound = bounds[*p == 'T'], *count = &known[*p == 'T'];

		while (*count < number)
			bound[(*count)++] = total;
		total += number ? bound[number - 1] + 1 : 1;
		if (total > DEMANGLE_GROWN_MAX)
			return false;
	}
	return true;
}

static bool demangle_cxx(const char *name, char *out, size_t size)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int status = 0;
	char *text;

	if (strncmp(name, "_Z", 2) != 0 || !cxx_is_sane(name))
		return false;
	pthread_once(&once, cxx_load);
	text = cxx_decode ? cxx_decode(name, NULL, NULL, &status) : NULL;
	if (!text)
		return false;
	demangle_cxx_shorten(text);
	copy(out, size, text, strlen(text));
	free(text);
	return true;
}

/* What compilers append to a function's name for a part or a clone of it: gcc's passes (ipa-split,
 * ipa-cp, ipa-sra, bb-reorder, lto-partition) and LLVM's. A number may follow each. */
static const char *const clone_suffixes[] = {
	".cold", ".part", ".constprop", ".isra", ".lto_priv", ".localalias", ".llvm", ".warm",
	".unlikely", ".hot", ".specialized", ".__uniq", ".resolver",
};

/* Length of the suffix at s, "." and number included; 0: none. */
static size_t clone_suffix(const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(clone_suffixes); i++) {
		size_t len = strlen(clone_suffixes[i]);

		if (strncmp(s, clone_suffixes[i], len) != 0)
			continue;
		if (s[len] == '.')
			len += 1 + strspn(s + len + 1, "0123456789");
		if (s[len] == '\0' || s[len] == '.')
			return len;
	}
	return 0;
}

/* The length of name without version and clone suffixes. */
static size_t plain_length(const char *name)
{
	size_t len = strcspn(name, "@");

	for (size_t at = 1; at < len; at++) {
		size_t end = at;

		if (name[at] != '.')
			continue;
		for (size_t n; (n = clone_suffix(name + end)) > 0;)
			end += n;
		if (end > at && (name[end] == '\0' || name[end] == '@'))
			return at;
	}
	return len ? len : strlen(name);
}

size_t demangle(const char *name, char *out, size_t size)
{
	size_t len = plain_length(name);
	char plain[DEMANGLE_IN_MAX + 1];

	if (len > DEMANGLE_IN_MAX)
		return copy(out, size, name, len);
	copy(plain, sizeof(plain), name, len);
	if (demangle_rust_v0(plain, out, size) || demangle_rust_legacy(plain, out, size))
		return strlen(out);
	if (demangle_cxx(plain, out, size)) {
		/* Cython writes C++ too. */
		if (!strncmp(out, "__pyx_", 6)) {
			copy(plain, sizeof(plain), out, strcspn(out, "("));
			if (!demangle_cython(plain, out, size))
				copy(out, size, plain, strlen(plain));
		}
		return strlen(out);
	}
	if (demangle_cython(plain, out, size))
		return strlen(out);
	return copy(out, size, plain, len);
}
