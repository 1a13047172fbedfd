/* SPDX-License-Identifier: MIT
 * Loading libcurl. */
#include "libcurl.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct libcurl libcurl;

/* The ABI is the same since 2006 (libcurl 7.16); Debian's two differ in their TLS library only. */
static const char *const sonames[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };

static char missing[256]; /* what could not be found, or not be loaded; "": all is there */
static bool with_tls;

/* Why the first of them cannot be loaded: it may be there, and one that it needs may not. */
static void *library_open(void)
{
	void *library = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(sonames) && !library; i++) {
		library = dlopen(sonames[i], RTLD_LAZY | RTLD_LOCAL);
		if (!library && !missing[0])
			snprintf(missing, sizeof(missing), "%s", dlerror());
	}
	if (library)
		missing[0] = '\0';
	return library;
}

static void *function_find(void *library, const char *name)
{
	void *found = library ? dlsym(library, name) : NULL;

	if (!found && !missing[0])
		snprintf(missing, sizeof(missing), "libcurl is too old: it has no %s", name);
	return found;
}

/* The TLS library's own start is dear, and plain http does without. A proxy may want it. */
static bool wants_tls(void)
{
	return with_tls || getenv("http_proxy") || getenv("all_proxy") || getenv("ALL_PROXY");
}

static void load(void)
{
	void *library = library_open();

#define LIBCURL_FIND(name) *(void **)&libcurl.name = function_find(library, "curl_" #name);
	LIBCURL_FUNCTIONS(LIBCURL_FIND)
#undef LIBCURL_FIND
	if (!missing[0])
		libcurl.global_init(wants_tls() ? CURL_GLOBAL_DEFAULT : CURL_GLOBAL_NOTHING);
}

int libcurl_load(bool tls, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	with_tls = tls;
	pthread_once(&once, load);
	if (!missing[0])
		return 0;
	err_set(err, -ENOENT, EXIT_FAILED, "cannot speak to a server: %s", missing);
	err_hint(err, "install libcurl (Debian and Ubuntu: apt install libcurl4)");
	return -ENOENT;
}
