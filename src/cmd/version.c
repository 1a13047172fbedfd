/* SPDX-License-Identifier: MIT
 * --version: what a bug report needs to name. */
#include <jansson.h>
#include <stdio.h>
#include <zlib.h>

#include "cmd/command.h"
#include "config.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

int version_print(void)
{
	printf("pystoker %s\n", PACKAGE_VERSION);
	printf("elfutils %s, libcurl %s, jansson %s, zlib %s\n", ELFUTILS_VERSION, LIBCURL_BUILT,
	       JANSSON_VERSION, ZLIB_VERSION);
	printf("for --unwinder: libunwind %s\n", FOUND_LIBUNWIND);
	printf("built for %s with %s\n", BUILD_HOST, COMPILER);
	return EXIT_OK;
}
