/* SPDX-License-Identifier: MIT
 * Symbol names as people write them: C++, Rust (both manglings) and Cython.
 *
 * C++ names come without parameters, qualifiers and return type, hence overloads under one name.
 * What cannot be decoded stays as it is. Suffixes that compilers put on parts and clones of one
 * function (".cold", ".constprop.0", "@GLIBC_2.34") are cut off: they are one function. */
#ifndef NATIVE_DEMANGLE_H
#define NATIVE_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

enum {
	DEMANGLE_IN_MAX = 2048,   /* bytes of a name that is decoded; longer ones stay mangled */
	DEMANGLE_OUT_MAX = 4096,  /* bytes, with the NUL, that are enough for any answer */
	DEMANGLE_DEPTH_MAX = 64,  /* nesting and back references of a Rust name */
	DEMANGLE_REFS_MAX = 1024, /* different back references of a C++ name */
	DEMANGLE_GROWN_MAX = 16 << 20, /* bytes that a C++ name may grow to by back references */
};

/* Writes the readable name into out (NUL-terminated, cut at size-1, size > 0) and returns its
 * length. Any thread; the first C++ name loads libstdc++.so.6, without which they stay mangled. */
size_t demangle(const char *name, char *out, size_t size);

/* The single decoders: false, and out undefined, when the name is none of theirs. */
bool demangle_rust_v0(const char *name, char *out, size_t size);     /* "_RNv…" (RFC 2603) */
bool demangle_rust_legacy(const char *name, char *out, size_t size); /* "_ZN…17h<16 hex>E" */
void demangle_cxx_shorten(char *text); /* in place, a decoded name: "int f<A>(B) const" is "f<A>" */
bool demangle_cython(const char *name, char *out, size_t size);      /* "__pyx_pw_…" */

#endif
